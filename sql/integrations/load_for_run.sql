-- An account as the engine needs it, without its secrets.
-- Called by engine, for integration-test, item-search and integration-schema; for runs it comes with the run.
--   in  {integration_id}
--   out {integration_id, user_id, platform, base_url, config, credential_kind, status, rates, max_retries} or null
select coalesce((
  select json_build_object('integration_id', i.id, 'user_id', i.user_id, 'platform', i.platform, 'base_url', i.base_url,
    'config', i.config, 'credential_kind', i.credential_kind, 'status', i.status,
    'rate_per_minute', i.rate_per_minute, 'rate_per_hour', i.rate_per_hour, 'max_retries', i.max_retries)
  from public.integrations as i
  where i.id = ($1::text::jsonb ->> 'integration_id')::uuid), 'null')::text;
