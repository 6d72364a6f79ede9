-- Removes an account and its secrets. Refused while syncs or items use it.
-- Called by integrations, as the user; the definer function checks whose account it is.
--   in  {id}
--   out {deleted}                                             false: there is none, or it is not theirs to remove
select json_build_object('deleted', sync.integration_remove(($1::text::jsonb ->> 'id')::uuid))::text;
