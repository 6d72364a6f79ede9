-- Writes down that a user has started a workflow: in the audit, and where the execution is known as an alert.
-- Called by engine, for workflow-trigger.
--   in  {integration_id, workflow_id, user_id, way, execution_id?}
--   out {noted}
with input as materialized (
  select (j ->> 'integration_id')::uuid as integration_id, j ->> 'workflow_id' as workflow_id, (j ->> 'user_id')::uuid as user_id,
    j ->> 'way' as way, (j ->> 'execution_id')::bigint as execution_id
  from (select $1::text::jsonb as j) as given
),
noted as materialized (
  select sync.audit(r.user_id, r.org_id, 'workflow_triggered', 'workflow_registry', r.id::text,
    jsonb_build_object('way', input.way, 'execution_id', input.execution_id, 'by', input.user_id)) as it
  from input join public.workflow_registry as r
    on r.integration_id = input.integration_id and r.workflow_id = input.workflow_id
),
told as (
  insert into public.workflow_alerts (user_id, org_id, execution_id, alert_type, message, resolved_at)
  select e.user_id, e.org_id, e.id, 'manual_trigger', format('%s was started by hand (execution %s)', r.workflow_name, e.execution_id), now()
  from input join public.workflow_executions as e
    on e.integration_id = input.integration_id and e.execution_id = input.execution_id
  join public.workflow_registry as r on r.id = e.registry_id
  on conflict (execution_id) where alert_type = 'manual_trigger' do nothing
  returning 1
),
-- It is followed: the server's turn comes soon.
hurried as (
  update sync.n8n_servers as s
  set due_at = least(s.due_at, now() + interval '15 seconds')
  from input where s.integration_id = input.integration_id
  returning 1
)
select json_build_object('noted', (select count(*) from noted))::text;
