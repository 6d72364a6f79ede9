-- Takes items off the list. What they are linked to stays as it is on both platforms.
-- Called by sync-list, as the user.
--   in  {ids}
--   out {removed: [ids]}                                      fewer than asked: not to be seen, or not to be removed
with removed as (
  delete from public.sync_list as i
  where i.id = any (array(select id::uuid from jsonb_array_elements_text($1::text::jsonb -> 'ids') as id))
  returning i.id
)
select json_build_object('removed', (select coalesce(json_agg(removed.id), '[]') from removed))::text;
