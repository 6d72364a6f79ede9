-- Records that fail, as a user may see them, those that failed last first.
-- Called by issues and issue-retry, as the user.
--   in  {ids?, config_id?, status?, error_code?, before?: [last_seen_at, id], limit}
--   out {rows: [one more than limit, if there are more]}
with input as materialized (
  select case when jsonb_typeof(j -> 'ids') = 'array'
      then array(select one.id::uuid from jsonb_array_elements_text(j -> 'ids') as one (id)) end as ids,
    (j ->> 'config_id')::uuid as config_id, j ->> 'status' as status, j ->> 'error_code' as error_code,
    (j -> 'before' ->> 0)::timestamptz as before_at, (j -> 'before' ->> 1)::uuid as before_id,
    least(greatest((j ->> 'limit')::integer, 1), 1000) as size
  from (select $1::text::jsonb as j) as given
),
rows as (
  select s.id, s.config_id, s.item_id, s.run_id, s.source_id, s.error_class, s.error_code, s.message, s.status, s.times,
    s.first_seen_at, s.last_seen_at, s.resolved_at
  from input, public.sync_issues as s
  where (input.ids is null or s.id = any (input.ids))
    and (input.config_id is null or s.config_id = input.config_id)
    and (input.status is null or s.status = input.status)
    and (input.error_code is null or s.error_code = input.error_code)
    and (input.before_at is null or (s.last_seen_at, s.id) < (input.before_at, input.before_id))
  order by s.last_seen_at desc, s.id desc
  limit 1001
)
select json_build_object('rows', (
  select coalesce(json_agg(to_json(cut) order by cut.last_seen_at desc, cut.id desc), '[]')
  from (select * from rows order by last_seen_at desc, id desc limit (select size + 1 from input)) as cut))::text;
