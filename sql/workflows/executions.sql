-- Executions that a user may see, newest first, and how fresh the list is.
-- Called by executions and workflow-trigger, as the user.
--   in  {workflow?, status?, execution_id?, before?: [start_time, id], limit}
--   out {rows: [one more than limit, if there are more], servers, known}   known: whether there is such a workflow
with input as materialized (
  select (j ->> 'workflow')::uuid as workflow, j ->> 'status' as status, (j ->> 'execution_id')::bigint as execution_id,
    (j -> 'before' ->> 0)::timestamptz as before_at, (j -> 'before' ->> 1)::uuid as before_id,
    least(greatest((j ->> 'limit')::integer, 1), 1000) as size
  from (select $1::text::jsonb as j) as given
),
named as materialized (
  select w.registry_id, w.integration_id from input, sync.workflow_of(input.workflow) as w
),
rows as (
  select e.id, e.registry_id, e.mvp_workflow_id, e.integration_id, e.workflow_id, r.workflow_name, e.execution_id, e.status,
    e.n8n_status, e.mode, e.start_time, e.end_time, e.duration_ms, e.resources_created, e.resources_updated,
    e.resources_failed, e.error_message, e.error_node, e.retry_of, e.retry_success_id, e.triggered_by, e.trigger_way
  from input, public.workflow_executions as e join public.workflow_registry as r on r.id = e.registry_id
  where (input.workflow is null or e.registry_id in (select registry_id from named))
    and (input.status is null or e.status = input.status)
    and (input.execution_id is null or e.execution_id = input.execution_id)
    and (input.before_at is null or (e.start_time, e.id) < (input.before_at, input.before_id))
  order by e.start_time desc, e.id desc
  limit 1001
),
cut as materialized (
  select * from rows order by start_time desc, id desc limit (select size + 1 from input)
)
select json_build_object('rows', (
    select coalesce(json_agg(to_json(cut) order by cut.start_time desc, cut.id desc), '[]') from cut),
  'known', (select input.workflow is null or exists (select from named) from input),
  'servers', (
    select coalesce(json_object_agg(s.integration_id, s.freshness) filter (where s.freshness is not null), '{}')
    from (select one.integration_id, sync.n8n_freshness(one.integration_id) as freshness
      from (select integration_id from cut union select integration_id from named) as one
      where one.integration_id is not null) as s))::text;
