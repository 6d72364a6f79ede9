-- Cancels jobs of the caller that still wait.
-- Called by queue, as the user; the definer function checks whose they are.
--   in  {ids}
--   out {cancelled}            the ids of those that still waited; null: one of them is not theirs, and none was cancelled
select json_build_object('cancelled', to_json(sync.cancel_jobs(
  array(select id::uuid from jsonb_array_elements_text($1::text::jsonb -> 'ids') as one (id)))))::text;
