-- Remembers at once which workflow n8n has made, so that no other is made for it.
-- Called by engine, between two requests.
--   in  {id, n8n_workflow_id}
--   out {kept}
with input as materialized (
  select (j ->> 'id')::uuid as id, j ->> 'n8n_workflow_id' as n8n_workflow_id
  from (select $1::text::jsonb as j) as given
),
kept as (
  update public.mvp_workflows as w set n8n_workflow_id = input.n8n_workflow_id
  from input where w.id = input.id
  returning 1
)
select json_build_object('kept', exists (select from kept))::text;
