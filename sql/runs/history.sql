-- The runs that a user may see, newest first.
-- Called by sync-history, as the user.
--   in  {sync_type?, status?, before?: [created_at, id], limit}
--   out {rows: [one more than limit, if there are more]}
with input as materialized (
  select j ->> 'sync_type' as sync_type, j ->> 'status' as status, (j -> 'before' ->> 0)::timestamptz as before_at,
    (j -> 'before' ->> 1)::uuid as before_id, least(greatest((j ->> 'limit')::integer, 1), 1000) as size
  from (select $1::text::jsonb as j) as given
),
rows as (
  select h.*
  from input, public.sync_history as h
  where (input.sync_type is null or h.sync_type = input.sync_type)
    and (input.status is null or h.status = input.status)
    and (input.before_at is null or (h.created_at, h.id) < (input.before_at, input.before_id))
  order by h.created_at desc, h.id desc
  limit 1001
)
select json_build_object('rows', (
  select coalesce(json_agg(to_json(cut) order by cut.created_at desc, cut.id desc), '[]')
  from (select * from rows order by created_at desc, id desc limit (select size + 1 from input)) as cut))::text;
