-- Begins to deploy a workflow: nobody else does until this is over or the lease runs out.
-- Called by engine, for workflows the caller may have deployed.
--   in  {id, integration_id, lease_seconds}
--   out {workflow: {definition, n8n_workflow_id?, n8n_name, tag, tried, is_active, deployed_hash?, deployed_version?, is_elsewhere,
--        former?: {integration_id, n8n_workflow_id}} or null}
--        null: another is at it. tried: an earlier attempt may have left it in n8n
-- On another server than before it is a new one there (settle); former is what it leaves behind.
with input as materialized (
  select (j ->> 'id')::uuid as id, (j ->> 'integration_id')::uuid as integration_id,
    make_interval(secs => (j ->> 'lease_seconds')::integer) as lease
  from (select $1::text::jsonb as j) as given
),
before as materialized (
  select w.id, w.status, w.integration_id is distinct from input.integration_id as is_elsewhere
  from input join public.mvp_workflows as w on w.id = input.id
  where w.deploying_until <= now()
  for update of w
),
taken as (
  update public.mvp_workflows as w
  set status = 'deploying', deploying_until = now() + input.lease, deploy_error = null
  from input, before
  where w.id = before.id
  returning w.*, before.is_elsewhere, before.status <> 'draft' as tried
)
select json_build_object('workflow', (
  select json_build_object('definition', t.definition, 'tried', t.tried, 'is_active', t.is_active, 'is_elsewhere', t.is_elsewhere,
    'n8n_workflow_id', case when not t.is_elsewhere then t.n8n_workflow_id end,
    'deployed_hash', case when not t.is_elsewhere then t.deployed_hash end,
    'deployed_version', case when not t.is_elsewhere then t.deployed_version end,
    'former', case when t.is_elsewhere and t.integration_id is not null and t.n8n_workflow_id is not null
      then json_build_object('integration_id', t.integration_id, 'n8n_workflow_id', t.n8n_workflow_id) end,
    'n8n_name', '[USR-' || sync.short_id(t.user_id) || '] ' || t.name,
    'tag', 'sl-' || left(replace(t.id::text, '-', ''), 20))
  from taken as t))::text;
