-- Conflicts that a user may see, newest first.
-- Called by conflicts and conflict-resolve, as the user.
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
  select c.id, c.config_id, c.run_id, c.item_id, c.item_type, c.source_id, c.target_id, c.kind, c.reason, c.message,
    c.changes, c.status, c.resolution, c.resolved_by, c.resolved_at, c.created_at, c.updated_at
  from input, public.data_sync_conflicts as c
  where (input.ids is null or c.id = any (input.ids))
    and (input.config_id is null or c.config_id = input.config_id)
    and (input.status is null or c.status = input.status)
    and (input.before_at is null or (c.created_at, c.id) < (input.before_at, input.before_id))
  order by c.created_at desc, c.id desc
  limit 1001
)
select json_build_object('rows', (
  select coalesce(json_agg(to_json(cut) order by cut.created_at desc, cut.id desc), '[]')
  from (select * from rows order by created_at desc, id desc limit (select size + 1 from input)) as cut))::text;
