-- Saves a pattern for the caller.
-- Called by patterns, as the user.
--   in  {name, description?, direction, filter_config}
--   out the row
with created as (
  insert into public.saved_search_patterns (name, description, direction, filter_config)
  select j ->> 'name', j ->> 'description', j ->> 'direction', coalesce(nullif(j -> 'filter_config', 'null'), '{}')
  from (select $1::text::jsonb as j) as given
  returning *
)
select coalesce((select to_json(created)::text from created), 'null');
