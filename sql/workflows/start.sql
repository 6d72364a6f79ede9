-- How a workflow can be started.
-- Called by engine, for workflow-trigger.
--   in  {integration_id, workflow_id}
--   out {webhook?, trigger_node?, trigger_takes?, in_mcp, is_active, failed_execution?, newest}    newest: the highest execution id we know of it
with input as materialized (
  select (j ->> 'integration_id')::uuid as integration_id, j ->> 'workflow_id' as workflow_id
  from (select $1::text::jsonb as j) as given
)
select json_build_object(
  'webhook', n.webhook, 'trigger_node', n.trigger_node, 'trigger_takes', n.trigger_takes, 'in_mcp', coalesce(n.in_mcp, false),
  'is_active', coalesce(n.is_active, false), 'is_known', n.id is not null,
  'failed_execution', (
    select e.execution_id from public.workflow_executions as e
    where e.integration_id = input.integration_id and e.workflow_id = input.workflow_id and e.status = 'failure'
      and e.retry_success_id is null
      -- One that was tried again in n8n is not told so once it is old; the new one says which it tries.
      and not exists (
        select from public.workflow_executions as again
        where again.integration_id = e.integration_id and again.workflow_id = e.workflow_id
          and again.retry_of = e.execution_id and again.status <> 'failure')
    order by e.execution_id desc limit 1),
  'newest', (
    select coalesce(max(e.execution_id), 0) from public.workflow_executions as e
    where e.integration_id = input.integration_id and e.workflow_id = input.workflow_id))::text
from input left join public.n8n_workflows as n
  on n.integration_id = input.integration_id and n.workflow_id = input.workflow_id and n.gone_at is null;
