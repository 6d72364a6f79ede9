-- Makes a sync of the caller, with its rules.
-- Called by sync-configs, as the user; the definer function checks whose accounts it names.
--   in  {org_id?, name, item_type, source_integration_id, target_integration_id, direction?, enabled?, mode?, schedule?,
--        time_zone?, rules?}
--   out {id}
select json_build_object('id', sync.config_create($1::text::jsonb))::text;
