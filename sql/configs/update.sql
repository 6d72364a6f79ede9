-- Changes a sync; new rules, or those of an older version, become a new version.
-- Called by sync-configs, as the user; the definer function checks whose sync it is.
--   in  {id, expected?, name?, direction?, enabled?, mode?, schedule?, time_zone?, rules?, restore?}   '' clears schedule
--   out {id}                                                  null: there is none, or it is not theirs to change
-- Not stripped of nulls as a whole: rules may hold some.
select json_build_object('id', sync.config_change($1::text::jsonb))::text;
