-- Stores what a person decided about records that are gone, all of them or none.
-- Called by delete-approve, as the user; the definer function checks whose they are.
--   in  {ids?, config_id?, approved}                      no ids: all of the sync that wait
--   out {decided: [{id, config_id, source_id}] or null}   null: one of them is not theirs to decide
select json_build_object('decided', sync.decide_deletes(
  case when jsonb_typeof($1::text::jsonb -> 'ids') = 'array'
    then array(select one.id::uuid from jsonb_array_elements_text($1::text::jsonb -> 'ids') as one (id)) end,
  ($1::text::jsonb ->> 'config_id')::uuid, ($1::text::jsonb ->> 'approved')::boolean))::text;
