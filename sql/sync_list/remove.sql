-- Takes items off the list, all of them or none. What they are linked to stays as it is on both platforms.
-- Called by sync-list, as the user.
--   in  {ids}
--   out {removed: [ids]}                                      none: one of them is not to be seen
with input as materialized (
  select array(select distinct one.id::uuid from jsonb_array_elements_text($1::text::jsonb -> 'ids') as one (id)) as ids
),
removed as (
  delete from public.sync_list as i using input
  where i.id = any (input.ids)
    and (select count(*) from public.sync_list as seen where seen.id = any (input.ids)) = cardinality(input.ids)
  returning i.id
)
select json_build_object('removed', (select coalesce(json_agg(removed.id), '[]') from removed))::text;
