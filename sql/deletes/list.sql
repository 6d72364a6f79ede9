-- Records that are gone on one side, as a user may see them, newest first.
-- Called by deletes and delete-approve, as the user.
--   in  {ids?, config_id?, status?, before?: [created_at, id], limit}
--   out {rows: [one more than limit, if there are more]}
with input as materialized (
  select case when jsonb_typeof(j -> 'ids') = 'array'
      then array(select one.id::uuid from jsonb_array_elements_text(j -> 'ids') as one (id)) end as ids,
    (j ->> 'config_id')::uuid as config_id, j ->> 'status' as status,
    (j -> 'before' ->> 0)::timestamptz as before_at, (j -> 'before' ->> 1)::uuid as before_id,
    least(greatest((j ->> 'limit')::integer, 1), 1000) as size
  from (select $1::text::jsonb as j) as given
),
rows as (
  select d.id, d.config_id, d.run_id, d.item_id, d.item_type, d.source_id, d.target_id, d.gone_side, d.reason, d.policy,
    d.status, d.code, d.message, d.decided_by, d.decided_at, d.created_at, d.updated_at
  from input, public.sync_deletes as d
  where (input.ids is null or d.id = any (input.ids))
    and (input.config_id is null or d.config_id = input.config_id)
    and (input.status is null or d.status = input.status)
    and (input.before_at is null or (d.created_at, d.id) < (input.before_at, input.before_id))
  order by d.created_at desc, d.id desc
  limit 1001
)
select json_build_object('rows', (
  select coalesce(json_agg(to_json(cut) order by cut.created_at desc, cut.id desc), '[]')
  from (select * from rows order by created_at desc, id desc limit (select size + 1 from input)) as cut))::text;
