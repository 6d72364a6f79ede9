-- How people have decided the last hundred conflicts of some syncs, field by field.
-- Called by conflicts, as the user.
--   in  {config_ids}
--   out {rows: [{config_id, field, choice, times}]}
-- Of a conflict only the fields that waited for a person are stored, so that each of them was decided by one.
with input as materialized (
  select distinct one.id::uuid as config_id
  from jsonb_array_elements_text($1::text::jsonb -> 'config_ids') as one (id)
),
decided as (
  select input.config_id, change.value ->> 'field' as field,
    coalesce(past.resolution -> 'choices' -> (change.value ->> 'path'),
      past.resolution -> 'choices' -> (change.value ->> 'field'), past.resolution -> 'rest') as choice
  from input
  cross join lateral (
    select c.changes, c.resolution from public.data_sync_conflicts as c
    where c.config_id = input.config_id and c.status = 'resolved' and c.kind = 'conflicted' and json_typeof(c.changes) = 'array'
    order by c.resolved_at desc limit 100
  ) as past
  cross join lateral json_array_elements(past.changes) as change (value)
),
told as (
  select d.config_id, d.field, d.choice, count(*) as times from decided as d
  where d.choice is not null and d.choice <> 'null'::jsonb
  group by d.config_id, d.field, d.choice
)
select json_build_object('rows', (
  select coalesce(json_agg(to_json(told) order by told.config_id, told.field, told.times desc), '[]') from told))::text;
