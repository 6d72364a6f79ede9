-- Begins to deploy a workflow: nobody else does until this is over or the lease runs out.
-- Called by engine, for workflows the caller may have deployed.
--   in  {id, integration_id, lease_seconds}
--   out {workflow: {name, definition, n8n_workflow_id?, n8n_name, tag, tried, deployed_hash?, deployed_version?} or null}
--        null: another is at it. tried: an earlier attempt may have left it in n8n
-- On another server than before it is a new one there.
with input as materialized (
  select (j ->> 'id')::uuid as id, (j ->> 'integration_id')::uuid as integration_id,
    make_interval(secs => (j ->> 'lease_seconds')::integer) as lease
  from (select $1::text::jsonb as j) as given
),
before as materialized (
  select w.id, w.status, w.integration_id
  from input join public.mvp_workflows as w on w.id = input.id
  where w.deploying_until <= now()
  for update of w
),
taken as (
  update public.mvp_workflows as w
  set status = 'deploying', deploying_until = now() + input.lease, integration_id = input.integration_id,
      n8n_workflow_id = case when before.integration_id = input.integration_id then w.n8n_workflow_id end,
      deployed_hash = case when before.integration_id = input.integration_id then w.deployed_hash end,
      deployed_version = case when before.integration_id = input.integration_id then w.deployed_version end,
      deploy_error = null
  from input, before
  where w.id = before.id
  returning w.id, w.name, w.definition, w.n8n_workflow_id, w.deployed_hash, w.deployed_version, w.user_id, before.status <> 'draft' as tried
)
select json_build_object('workflow', (
  select json_build_object('name', t.name, 'definition', t.definition, 'n8n_workflow_id', t.n8n_workflow_id,
    'deployed_hash', t.deployed_hash, 'deployed_version', t.deployed_version, 'tried', t.tried,
    'n8n_name', '[USR-' || sync.short_id(t.user_id) || '] ' || t.name,
    'tag', 'sl-' || left(replace(t.id::text, '-', ''), 20))
  from taken as t))::text;
