-- Our own workflows in n8n that nothing stands for any more: carrying our tag and our name, not published, no execution at
-- work, not changed for so many days.
-- Called by engine, for workflow-cleanup.
--   in  {integration_id, days}
--   out {rows: [{workflow_id, name, n8n_updated_at, last_execution_at?}]}
with input as materialized (
  select (j ->> 'integration_id')::uuid as id, make_interval(days => (j ->> 'days')::integer) as age
  from (select $1::text::jsonb as j) as given
),
rows as (
  select n.workflow_id, n.name, n.n8n_updated_at, last.at as last_execution_at
  from input join public.n8n_workflows as n on n.integration_id = input.id
  left join lateral (
    select max(e.start_time) as at, bool_or(e.status = 'running') as at_work
    from public.workflow_registry as r join public.workflow_executions as e on e.registry_id = r.id
    where r.integration_id = n.integration_id and r.workflow_id = n.workflow_id) as last on true
  where n.gone_at is null and not n.is_active and not n.is_archived and n.name ~ '^\[USR-[0-9a-f]{8}\] '
    and exists (select from unnest(n.tags) as tag (name) where tag.name ~ '^sl-[0-9a-f]{20}$')
    and n.n8n_updated_at < now() - input.age and coalesce(last.at < now() - input.age, true)
    and not coalesce(last.at_work, false)
    and not exists (select from public.mvp_workflows as w
      where w.integration_id = n.integration_id and w.status <> 'archived'
        and (w.n8n_workflow_id = n.workflow_id
          or 'sl-' || left(replace(w.id::text, '-', ''), 20) = any (n.tags)))
  order by n.workflow_id
  limit 1000
)
select json_build_object('rows', (select coalesce(json_agg(to_json(rows)), '[]') from rows))::text;
