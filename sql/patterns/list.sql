-- The caller's saved patterns, newest first.
-- Called by patterns, as the user.
--   in  {id?, before?: [created_at, id], limit}
--   out {rows: [one more than limit, if there are more]}
with input as materialized (
  select (j ->> 'id')::uuid as id, (j -> 'before' ->> 0)::timestamptz as before_at, (j -> 'before' ->> 1)::uuid as before_id,
    least(greatest((j ->> 'limit')::integer, 1), 1000) as size
  from (select $1::text::jsonb as j) as given
),
rows as (
  select p.*
  from input, public.saved_search_patterns as p
  where (input.id is null or p.id = input.id)
    and (input.before_at is null or (p.created_at, p.id) < (input.before_at, input.before_id))
  order by p.created_at desc, p.id desc
  limit 1001
)
select json_build_object('rows', (
  select coalesce(json_agg(to_json(cut) order by cut.created_at desc, cut.id desc), '[]')
  from (select * from rows order by created_at desc, id desc limit (select size + 1 from input)) as cut))::text;
