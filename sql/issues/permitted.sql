-- Which records issues are about, for those who may have them tried again.
-- Called by issue-retry, as the user; the definer function checks whose they are.
--   in  {ids}
--   out {records: [{id, config_id, source_id}] or null}                          null: one of them is not theirs to retry
select json_build_object('records', sync.issues_to_retry(
  array(select one.id::uuid from jsonb_array_elements_text($1::text::jsonb -> 'ids') as one (id))))::text;
