-- What monitoring wants to know of syncs.
-- Called by metrics.
--   in  nothing ($1 is not looked at)
--   out {totals: [{source, target, item_type, sync_type, status, runs, created, updated, unchanged, skipped, deleted,
--        failed, conflicted, held, platform_requests, seconds, within}], lags: [{source, target, item_type, seconds}],
--        conflicts_open, issues_open}
-- A sync lags by the time since its last run that ended well began; of those that share platforms and a kind of item, the
-- one that lags most is told. Counts of what is open stop at 10,000.
select json_build_object(
  'totals', (
    select coalesce(json_agg(t order by t.source, t.target, t.item_type, t.sync_type, t.status), '[]')
    from sync.run_totals as t),
  'lags', (
    select coalesce(json_agg(l order by l.source, l.target, l.item_type), '[]')
    from (
      select s.platform as source, d.platform as target, c.item_type,
        greatest(0, max(extract(epoch from now() - coalesce(good.started_at, c.created_at))))::bigint as seconds
      from public.sync_configs as c
      join public.integrations as s on s.id = c.source_integration_id
      join public.integrations as d on d.id = c.target_integration_id
      left join lateral (
        select r.started_at from public.sync_runs as r
        where r.config_id = c.id and r.status in ('completed', 'partial_success')
        order by r.created_at desc limit 1
      ) as good on true
      where c.enabled
        and (not c.implicit or exists (select from public.sync_list as i where i.config_id = c.id and i.is_active))
      group by s.platform, d.platform, c.item_type
    ) as l),
  'conflicts_open', (select count(*) from (select from public.data_sync_conflicts where status = 'pending' limit 10000) as q),
  'issues_open', (select count(*) from (select from public.sync_issues where status = 'open' limit 10000) as q)
)::text
where $1::text is not null;
