-- The executions of a period that a user may see, oldest first, as they are exported.
-- Called by execution-report, as the user.
--   in  {from, to, workflow?, provider?, workflow_type?, after?: [start_time, id], limit}
--   out {rows: [one more than limit, if there are more], known}   known: whether there is such a workflow
with input as materialized (
  select (j ->> 'from')::timestamptz as period_from, (j ->> 'to')::timestamptz as period_to, (j ->> 'workflow')::uuid as workflow,
    j ->> 'provider' as provider, j ->> 'workflow_type' as workflow_type, (j -> 'after' ->> 0)::timestamptz as after_at,
    (j -> 'after' ->> 1)::uuid as after_id, least(greatest((j ->> 'limit')::integer, 1), 1000) as size
  from (select $1::text::jsonb as j) as given
),
named as materialized (
  select w.registry_id from input, sync.workflow_of(input.workflow) as w
),
rows as (
  -- n8n's numbers are texts, as everywhere outside of the tables: not every reader of JSON holds 64 bits.
  select e.id, e.registry_id, e.mvp_workflow_id as workflow_id, e.integration_id, e.workflow_id as n8n_workflow_id, r.workflow_name,
    r.provider, r.workflow_type, e.execution_id::text as execution_id, e.status, e.n8n_status, e.mode, e.start_time, e.end_time,
    e.duration_ms, e.resources_created, e.resources_updated, e.resources_failed, e.error_message, e.error_node,
    e.retry_of::text as retry_of, e.retry_success_id::text as retry_success_id, e.triggered_by, e.trigger_way
  from input, public.workflow_executions as e join public.workflow_registry as r on r.id = e.registry_id
  where e.start_time >= input.period_from and e.start_time < input.period_to
    and (input.workflow is null or e.registry_id in (select registry_id from named))
    and (input.provider is null or r.provider = input.provider)
    and (input.workflow_type is null or r.workflow_type = input.workflow_type)
    and (input.after_at is null or (e.start_time, e.id) > (input.after_at, input.after_id))
  order by e.start_time, e.id
  limit 1001
),
cut as materialized (
  select * from rows order by start_time, id limit (select size + 1 from input)
)
select json_build_object('rows', (select coalesce(json_agg(to_json(cut) order by cut.start_time, cut.id), '[]') from cut),
  'known', (select input.workflow is null or exists (select from named) from input))::text;
