-- From now on the workflow belongs on this server, where it is not yet. Where the account was removed that it was with, its executions
-- are forgotten, and this may be the same server again: what began until the newest that was known has been counted.
-- Called by engine, before the workflow is made there.
--   in  {id, integration_id}
--   out {settled}
with input as materialized (
  select (j ->> 'id')::uuid as id, (j ->> 'integration_id')::uuid as integration_id
  from (select $1::text::jsonb as j) as given
),
settled as (
  update public.mvp_workflows as w
  set integration_id = input.integration_id, n8n_workflow_id = null, deployed_hash = null, deployed_version = null,
      counted_until = case when w.integration_id is null then w.last_execution_at else w.counted_until end
  from input
  where w.id = input.id
  returning 1
)
select json_build_object('settled', exists (select from settled))::text;
