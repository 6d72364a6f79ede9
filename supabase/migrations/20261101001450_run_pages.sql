-- What a run reads of us: the description of its sync, and what is known of the records of a page.

-- A sync as a run needs it: the rules of this version (null: the current one), and both accounts without their secrets.
create or replace function sync.sync_description(config uuid, wanted integer)
returns jsonb
language sql
stable
set search_path = ''
as $$
  with sides as (
    select i.id, jsonb_build_object('integration_id', i.id, 'user_id', i.user_id, 'platform', i.platform,
      'base_url', i.base_url, 'config', i.config, 'credential_kind', i.credential_kind, 'status', i.status,
      'rate_per_minute', i.rate_per_minute, 'rate_per_hour', i.rate_per_hour, 'max_retries', i.max_retries) as side
    from public.integrations as i
  )
  select jsonb_build_object('config_id', c.id, 'item_type', c.item_type, 'config_version', v.version,
    'rules', v.rules, 'source', source.side, 'target', target.side)
  from public.sync_configs as c
  join public.sync_config_versions as v on v.config_id = c.id and v.version = coalesce(wanted, c.current_version)
  join sides as source on source.id = c.source_integration_id
  join sides as target on target.id = c.target_integration_id
  where c.id = config;
$$;
revoke execute on function sync.sync_description from public;

-- What is known of these records of a sync, in the given order: of list rows (`item_ids`), or of source records
-- (`source_ids`). Rows that were switched off or removed meanwhile are left out. The target is that of the link, else
-- the list's, else the one that the sync in the other direction linked.
create or replace function sync.known_items(config uuid, run_mode text, item_ids uuid[], source_ids text[])
returns json
language sql
stable
set search_path = ''
as $$
  with wanted as materialized (
    select asked.place, i.id, i.source_id, i.target_id, i.sync_mode, i.fields
    from unnest(item_ids) with ordinality as asked (id, place)
    join public.sync_list as i on i.id = asked.id and i.config_id = config and i.is_active
    union all
    select asked.place, i.id, asked.source_id, i.target_id, i.sync_mode, i.fields
    from unnest(source_ids) with ordinality as asked (source_id, place)
    left join lateral (
      select * from public.sync_list as l
      where l.config_id = config and l.source_id = asked.source_id order by l.created_at limit 1
    ) as i on true
    where i.id is null or i.is_active
  ),
  opposite as materialized (
    select o.id
    from public.sync_configs as c
    join public.sync_configs as o
      on o.source_integration_id = c.target_integration_id and o.target_integration_id = c.source_integration_id
      and o.item_type = c.item_type and (o.user_id = c.user_id or o.org_id = c.org_id)
    where c.id = config
  )
  select coalesce(json_agg(json_build_object(
      'item_id', w.id, 'place', w.place, 'source_id', w.source_id,
      'target_id', coalesce(link.target_id, w.target_id, (
        select l.source_id from opposite join sync.sync_links as l on l.config_id = opposite.id
        where l.target_id = w.source_id limit 1)),
      'mode', coalesce(run_mode, w.sync_mode, 'delta'), 'fields', w.fields,
      'link', case when link.source_id is not null then json_build_object(
        'source_version', link.source_version, 'source_hash', link.source_hash,
        'target_version', link.target_version, 'base_source', link.base_source, 'base_target', link.base_target) end,
      'intent', case when intent.source_id is not null then json_build_object('source_id', intent.source_id,
        'external_key', intent.external_key, 'idempotency_key', intent.idempotency_key) end
    ) order by w.place), '[]')
  from wanted as w
  left join sync.sync_links as link on link.config_id = config and link.source_id = w.source_id
  left join sync.intents as intent on intent.config_id = config and intent.source_id = w.source_id;
$$;
revoke execute on function sync.known_items from public;

-- Asks a run of the caller, and the runs below it, to stop: each does before its next page. One that was laid aside
-- ends here and now. Answers how many runs of syncs were still at work.
create or replace function sync.cancel_run(run uuid)
returns bigint
language plpgsql
security definer
set search_path = ''
as $$
declare
  asked uuid[];
begin
  with marked as (
    update public.sync_runs as r
    set cancel_requested_at = coalesce(r.cancel_requested_at, pg_catalog.now())
    where (r.id = run or r.parent_run_id = run) and r.kind <> 'system' and r.status = 'running'
      and (r.user_id = auth.uid() or r.org_id = any (sync.my_organizations('operator')))
    returning r.id, r.kind
  )
  select coalesce(array_agg(id) filter (where kind = 'sync'), '{}') into asked from marked;
  -- The lease is locked first, as by everybody who goes on with a run.
  with idle as (
    update sync.leases as l
    set run_id = null, previous_run_id = null, top_run_id = null, reserved_until = '-infinity'
    where l.run_id = any (asked) and l.expires_at <= pg_catalog.now()
      and l.key in (select 'config:' || r.config_id from public.sync_runs as r where r.id = any (asked))
    returning l.key
  )
  update public.sync_runs as r
  set status = 'cancelled', finished_at = pg_catalog.now(),
      duration_ms = (extract(epoch from pg_catalog.clock_timestamp() - r.started_at) * 1000)::bigint
  from idle
  where r.id = any (asked) and r.status = 'running' and 'config:' || r.config_id = idle.key;
  return cardinality(asked);
end
$$;
revoke execute on function sync.cancel_run from public;
grant execute on function sync.cancel_run to authenticated;
