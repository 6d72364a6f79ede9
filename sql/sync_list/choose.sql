-- The items a user may have synced now: the active ones among those named, or all of them.
-- Called by delta-sync, as the user: row level security says which items are theirs; operators may sync for their
-- organization. Those that waited longest come first. More than 250,000 are refused: none may be left out silently.
--   in  {ids?, item_type?}
--   out {item_ids, missing}                                           missing: named, but not to be seen, or inactive
-- `offset 0`: or the planner would read the whole text once for each field.
with input as materialized (
  select j ->> 'item_type' as item_type,
    case when jsonb_typeof(j -> 'ids') = 'array' and jsonb_array_length(j -> 'ids') > 0
      then array(select id::uuid from jsonb_array_elements_text(j -> 'ids') as one (id)) end as ids
  from (select $1::text::jsonb as j offset 0) as given
),
chosen as materialized (
  select i.id
  from input, public.sync_list as i
  where i.is_active
    and (input.ids is null or i.id = any (input.ids))
    and (input.item_type is null or i.item_type = input.item_type)
    and (i.user_id = (select auth.uid()) or i.org_id = any ((select sync.my_organizations('operator'))::uuid[]))
  order by i.last_checked_at nulls first, i.id
  limit 250001
),
refused as materialized (
  select sync.refuse(422, 'These are more than 250,000 items. Name some of them, or one type of item.', '/syncListIds') as it
  where (select count(*) from chosen) > 250000
)
select json_build_object(
  'item_ids', (select coalesce(json_agg(chosen.id), '[]') from chosen),
  'missing', (
    select coalesce(json_agg(asked.id), '[]')
    from input, unnest(input.ids) as asked (id)
    where not exists (select from chosen where chosen.id = asked.id) and not exists (select from refused))
)::text;
