-- Adds an account with its sealed secret, in one step.
-- Called by integrations, as the user; the definer function checks who asks.
--   in  {id, org_id?, name, platform, base_url, config?, credential_kind, sealed, rate_per_minute?, rate_per_hour?,
--        max_retries?}                      the id is the caller's, because the secret was sealed for it
--   out {id}
select json_build_object('id', sync.integration_add($1::text::jsonb))::text;
