-- Changes items of the list: what is named in `change` is set, the rest stays.
-- Called by sync-list, as the user.
--   in  {ids, change: {target_id?, sync_mode?, is_active?, priority?, schedule?, fields?,
--        filter_config?}}                                                                        null clears
--   out {updated: [ids]}                                      none: one is not to be seen; fewer: not to be changed
-- `offset 0`: or the planner would read the whole text once for each field.
with input as materialized (
  select j -> 'change' as c, array(select distinct one.id::uuid from jsonb_array_elements_text(j -> 'ids') as one (id)) as ids
  from (select $1::text::jsonb as j offset 0) as given
),
updated as (
  update public.sync_list as i
  set target_id = case when c ? 'target_id' then c ->> 'target_id' else i.target_id end,
      sync_mode = coalesce(c ->> 'sync_mode', i.sync_mode),
      is_active = coalesce((c ->> 'is_active')::boolean, i.is_active),
      priority = coalesce((c ->> 'priority')::smallint, i.priority),
      schedule = case when c ? 'schedule' then c ->> 'schedule' else i.schedule end,
      fields = case when jsonb_typeof(c -> 'fields') = 'array' then array(select jsonb_array_elements_text(c -> 'fields'))
                    when c ? 'fields' then null else i.fields end,
      filter_config = case when c ? 'filter_config' then nullif(c -> 'filter_config', 'null') else i.filter_config end
  from input
  where i.id = any (input.ids)
    and (select count(*) from public.sync_list as seen where seen.id = any (input.ids)) = cardinality(input.ids)
  returning i.id
)
select json_build_object('updated', (select coalesce(json_agg(updated.id), '[]') from updated))::text;
