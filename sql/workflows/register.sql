-- Watches a workflow of a server of the user's own, or of an organization of theirs.
-- Called by workflow-registry, as the user.
--   in  {id, integration_id?, workflow_id, workflow_name?, workflow_type?, provider?, is_active?}
--   out {id?, reason?}                                        reason: `server` (none that they may), `known` (watched already)
with input as materialized (
  select (j ->> 'id')::uuid as id, sync.n8n_of_mine((j ->> 'integration_id')::uuid, true) as integration_id,
    j ->> 'workflow_id' as workflow_id, j ->> 'workflow_name' as workflow_name, j ->> 'workflow_type' as workflow_type,
    coalesce(j ->> 'provider', 'others') as provider, coalesce((j ->> 'is_active')::boolean, true) as is_active
  from (select $1::text::jsonb as j) as given
),
made as (
  insert into public.workflow_registry (id, integration_id, workflow_id, workflow_name, workflow_type, provider, is_active)
  select input.id, input.integration_id, input.workflow_id, coalesce(input.workflow_name, n.name, input.workflow_id),
    input.workflow_type, input.provider, input.is_active
  from input left join public.n8n_workflows as n
    on n.integration_id = input.integration_id and n.workflow_id = input.workflow_id
  where input.integration_id is not null
  on conflict (integration_id, workflow_id) do nothing
  returning id
)
select json_build_object('id', (select id from made),
  'reason', case when (select integration_id from input) is null then 'server'
    when not exists (select from made) then 'known' end)::text;
