-- The n8n servers whose turn it is: those due, or of those named, all.
-- Called by execution-poll and workflow-sync.
--   in  {integration_ids?, all?}                                     all: every one in use
--   out {servers: [{integration_id, user_id}]}
with input as materialized (
  select case when jsonb_typeof(j -> 'integration_ids') = 'array'
    then array(select one.id::uuid from jsonb_array_elements_text(j -> 'integration_ids') as one (id)) end as ids,
    coalesce((j ->> 'all')::boolean, false) as every
  from (select $1::text::jsonb as j) as given
)
select json_build_object('servers', (
  select coalesce(json_agg(json_build_object('integration_id', i.id, 'user_id', i.user_id)
    order by s.due_at nulls first, i.id), '[]')
  from input, public.integrations as i left join sync.n8n_servers as s on s.integration_id = i.id
  where i.platform = 'n8n' and i.status = 'active'
    and case when input.every then true when input.ids is null then coalesce(s.due_at, '-infinity') <= now() else i.id = any (input.ids) end))::text;
