-- Which of these workflows of a server no user's workflow stands for.
-- Called by engine, before one that an earlier attempt has left is taken over, and before anything is removed.
--   in  {integration_id, workflow_ids}
--   out {workflow_ids}
with input as materialized (
  select (j ->> 'integration_id')::uuid as integration_id, j -> 'workflow_ids' as ids
  from (select $1::text::jsonb as j) as given
)
select json_build_object('workflow_ids', (
  select coalesce(json_agg(one.id order by one.id), '[]')
  from input, jsonb_array_elements_text(input.ids) as one (id)
  where not exists (select from public.mvp_workflows as w
    where w.integration_id = (select integration_id from input) and w.n8n_workflow_id = one.id)))::text;
