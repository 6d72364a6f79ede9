-- Changes a pattern of the caller: what is named in `change` is set, the rest stays.
-- Called by patterns, as the user.
--   in  {id, change: {name?, description?, direction?, filter_config?}}          a null description clears it
--   out the row, or null
with updated as (
  update public.saved_search_patterns as p
  set name = coalesce(c ->> 'name', p.name),
      description = case when c ? 'description' then c ->> 'description' else p.description end,
      direction = coalesce(c ->> 'direction', p.direction),
      filter_config = coalesce(nullif(c -> 'filter_config', 'null'), p.filter_config)
  from (select (given.j ->> 'id')::uuid as id, given.j -> 'change' as c from (select $1::text::jsonb as j) as given) as input
  where p.id = input.id
  returning p.*
)
select coalesce((select to_json(updated)::text from updated), 'null');
