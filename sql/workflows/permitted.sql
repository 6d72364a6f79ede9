-- A workflow that the user may have deployed or started, and where.
-- Called by workflows, workflow-sync and workflow-trigger, as the user.
--   in  {id, integration_id?}
--   out {workflow: {registry_id?, mvp_id?, integration_id?, workflow_id?, name, permitted} or null, integration_id?}
--        integration_id: where it would be deployed
with input as materialized (
  select (j ->> 'id')::uuid as id, (j ->> 'integration_id')::uuid as integration_id
  from (select $1::text::jsonb as j) as given
)
select json_build_object(
  'workflow', (
    select json_build_object('registry_id', w.registry_id, 'mvp_id', w.mvp_id, 'integration_id', w.integration_id,
      'workflow_id', w.workflow_id, 'name', w.name, 'permitted', w.user_id = (select auth.uid())
        or coalesce(w.org_id = any ((select sync.my_organizations('operator'))::uuid[]), false))
    from input, sync.workflow_of(input.id) as w),
  'integration_id', (select sync.n8n_of_mine(input.integration_id) from input))::text;
