-- Stores a user's new workflow, before anything is sent to n8n.
-- Called by workflows, as the user.
--   in  {id, org_id?, name, description?, definition}
--   out {id}                                                  the same id again: nothing is stored twice
with input as materialized (
  select (j ->> 'id')::uuid as id, (j ->> 'org_id')::uuid as org_id, j ->> 'name' as name, j ->> 'description' as description,
    j -> 'definition' as definition
  from (select $1::text::jsonb as j offset 0) as given
),
made as (
  insert into public.mvp_workflows (id, org_id, name, description, definition)
  select input.id, input.org_id, input.name, input.description, input.definition from input
  on conflict (id) do nothing
  returning id
)
select json_build_object('id', (select id from input), 'made', (select count(*) from made))::text;
