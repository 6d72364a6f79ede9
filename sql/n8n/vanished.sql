-- An execution that n8n has dropped before we could see how it ended, or has never kept.
-- Called by engine.
--   in  {integration_id, execution_id, message}
--   out {closed}
-- One whose end we know keeps it.
with input as materialized (
  select (j ->> 'integration_id')::uuid as id, (j ->> 'execution_id')::bigint as execution_id, j ->> 'message' as message
  from (select $1::text::jsonb as j) as given
),
closed as (
  update public.workflow_executions as e
  set status = case when e.status = 'running' then 'cancelled' else e.status end,
      n8n_status = case when e.status = 'running' then 'unknown' else e.n8n_status end,
      error_message = coalesce(e.error_message, input.message)
  from input
  where e.integration_id = input.id and e.execution_id = input.execution_id and e.status in ('running', 'failure')
  returning 1
)
select json_build_object('closed', exists (select from closed))::text;
