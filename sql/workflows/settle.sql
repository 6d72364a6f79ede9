-- From now on the workflow belongs on this server, where it is not yet.
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
      counted_until = w.last_execution_at
  from input
  where w.id = input.id
  returning 1
)
select json_build_object('settled', exists (select from settled))::text;
