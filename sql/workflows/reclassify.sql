-- Changes what is known of a watched workflow, or whether it is watched.
-- Called by workflow-registry, as the user.
--   in  {id, workflow_name?, workflow_type?, provider?, is_active?}
--   out {changed}
with input as materialized (
  select (j ->> 'id')::uuid as id, j ->> 'workflow_name' as workflow_name, j ->> 'workflow_type' as workflow_type,
    j ->> 'provider' as provider, (j ->> 'is_active')::boolean as is_active
  from (select $1::text::jsonb as j) as given
),
changed as (
  update public.workflow_registry as r
  set workflow_name = coalesce(input.workflow_name, r.workflow_name),
      workflow_type = coalesce(input.workflow_type, r.workflow_type),
      provider = coalesce(input.provider, r.provider), is_active = coalesce(input.is_active, r.is_active)
  from input
  where r.id = input.id
  returning 1
)
select json_build_object('changed', exists (select from changed))::text;
