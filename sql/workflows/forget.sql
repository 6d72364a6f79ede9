-- Drops the entry of a workflow that is gone, with what is stored of its executions.
-- Called by workflow-registry, as the user.
--   in  {id}
--   out {removed, kept}        kept: n8n still has it, or a user's workflow counts by it; its executions would be counted again
with input as materialized (
  select ($1::text::jsonb ->> 'id')::uuid as id
),
entry as materialized (
  select r.id, exists (select from public.n8n_workflows as n
      where n.integration_id = r.integration_id and n.workflow_id = r.workflow_id and n.gone_at is null)
    or exists (select from public.mvp_workflows as w
      where w.integration_id = r.integration_id and w.n8n_workflow_id = r.workflow_id) as is_alive
  from input join public.workflow_registry as r on r.id = input.id
),
removed as (
  delete from public.workflow_registry as r
  using entry where r.id = entry.id and not entry.is_alive
  returning 1
)
select json_build_object('removed', exists (select from removed),
  'kept', coalesce((select is_alive from entry), false))::text;
