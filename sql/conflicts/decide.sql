-- Stores what a person decided about conflicts, all of them or none.
-- Called by conflict-resolve, as the user; the definer function checks whose they are.
--   in  {ids, decision}
--   out {decided: [{id, config_id, source_id}] or null}                       null: one of them is not theirs to decide
select json_build_object('decided', sync.decide_conflicts(
  array(select one.id::uuid from jsonb_array_elements_text($1::text::jsonb -> 'ids') as one (id)),
  $1::text::jsonb -> 'decision'))::text;
