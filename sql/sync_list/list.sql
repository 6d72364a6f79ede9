-- The items a user may see, newest first.
-- Called by sync-list, as the user.
--   in  {ids?, item_type?, status?, is_active?, config_id?, before?: [created_at, id], limit}
--        status: success, failed, pending or never
--   out {rows: [one more than limit, if there are more]}
with input as materialized (
  select j ->> 'item_type' as item_type, j ->> 'status' as status, (j ->> 'is_active')::boolean as is_active,
    (j ->> 'config_id')::uuid as config_id, (j -> 'before' ->> 0)::timestamptz as before_at,
    (j -> 'before' ->> 1)::uuid as before_id, least(greatest((j ->> 'limit')::integer, 1), 1000) as size,
    case when jsonb_typeof(j -> 'ids') = 'array'
      then array(select id::uuid from jsonb_array_elements_text(j -> 'ids') as one (id)) end as ids
  from (select $1::text::jsonb as j) as given
),
rows as (
  select i.*
  from input, public.sync_list as i
  where (input.ids is null or i.id = any (input.ids))
    and (input.item_type is null or i.item_type = input.item_type)
    and (input.status is null or coalesce(i.last_sync_status, 'never') = input.status)
    and (input.is_active is null or i.is_active = input.is_active)
    and (input.config_id is null or i.config_id = input.config_id)
    and (input.before_at is null or (i.created_at, i.id) < (input.before_at, input.before_id))
  order by i.created_at desc, i.id desc
  limit 1001
)
select json_build_object('rows', (
  select coalesce(json_agg(to_json(cut) order by cut.created_at desc, cut.id desc), '[]')
  from (select * from rows order by created_at desc, id desc limit (select size + 1 from input)) as cut))::text;
