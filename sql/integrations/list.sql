-- The accounts a user may see, newest first. Never a secret: those are in another schema.
-- Called by integrations, as the user.
--   in  {id?, platform?, before?: [created_at, id], limit}
--   out {rows: [one more than limit, if there are more]}
with input as materialized (
  select (j ->> 'id')::uuid as id, j ->> 'platform' as platform, (j -> 'before' ->> 0)::timestamptz as before_at,
    (j -> 'before' ->> 1)::uuid as before_id, least(greatest((j ->> 'limit')::integer, 1), 1000) as size
  from (select $1::text::jsonb as j) as given
),
rows as (
  select i.*
  from input, public.integrations as i
  where (input.id is null or i.id = input.id) and (input.platform is null or i.platform = input.platform)
    and (input.before_at is null or (i.created_at, i.id) < (input.before_at, input.before_id))
  order by i.created_at desc, i.id desc
  limit 1001
)
select json_build_object('rows', (
  select coalesce(json_agg(to_json(cut) order by cut.created_at desc, cut.id desc), '[]')
  from (select * from rows order by created_at desc, id desc limit (select size + 1 from input)) as cut))::text;
