-- Which of these source ids are on the caller's list already.
-- Called by item-search, as the user, for its preview.
--   in  {source_integration_id, target_integration_id?, item_type, source_ids}
--   out {items: [{source_id, item_id}]}
select json_build_object('items', coalesce(json_agg(json_build_object('source_id', i.source_id, 'item_id', i.id)), '[]'))::text
from (select $1::text::jsonb as j) as given, public.sync_list as i
where i.source_integration_id = (j ->> 'source_integration_id')::uuid and i.item_type = j ->> 'item_type'
  and (j ->> 'target_integration_id' is null or i.target_integration_id = (j ->> 'target_integration_id')::uuid)
  and i.source_id = any (array(select jsonb_array_elements_text(j -> 'source_ids')));
