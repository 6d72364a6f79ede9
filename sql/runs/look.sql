-- A sync and what is known of these records of it, to decide about them without a run.
-- Called by engine, for sync-plan and sync-compare, after the function has asked whether the caller may.
--   in  {config_id, source_ids?, after?, limit}      no source_ids: the linked and listed ones behind `after`, by their ids
--   out {child, items, more} or null
with input as materialized (
  select (j ->> 'config_id')::uuid as config_id, j ->> 'after' as after,
    case when jsonb_typeof(j -> 'source_ids') = 'array'
      then array(select one.id from jsonb_array_elements_text(j -> 'source_ids') as one (id)) end as source_ids,
    least(greatest((j ->> 'limit')::integer, 1), 1000) as size
  from (select $1::text::jsonb as j) as given
),
found as materialized (
  select known.source_id
  from input, lateral (
    select l.source_id from sync.sync_links as l where l.config_id = input.config_id
    union
    select i.source_id from public.sync_list as i where i.config_id = input.config_id and i.is_active
  ) as known
  where input.source_ids is null and (input.after is null or known.source_id > input.after)
  order by known.source_id
  limit 1001
),
page as materialized (
  select coalesce(input.source_ids, array(
      select cut.source_id from (select found.source_id from found order by found.source_id limit input.size) as cut order by cut.source_id)) as ids
  from input
)
select coalesce((
  select json_build_object(
    'child', sync.sync_description(c.id, null) || jsonb_build_object('run_id', gen_random_uuid(), 'parent_run_id', null,
      'user_id', c.user_id, 'fence', 0, 'mode', 'full', 'selection', 'listed', 'total', 0, 'position', 0),
    'items', sync.known_items(c.id, 'full', null, page.ids),
    'more', (select count(*) from found) > input.size)
  from input join public.sync_configs as c on c.id = input.config_id, page), 'null')::text;
