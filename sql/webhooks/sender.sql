-- The account that a message says it is of, and what its signature is checked by.
-- Called by webhook-receive. Not audited: nothing is sent with it, and whoever is not believed shall leave no trace.
--   in  {integration_id}
--   out {platform, sealed: {integration_id, user_id, kind, secret, token: null, fence}} or null
select coalesce((
  select json_build_object('platform', i.platform, 'sealed', json_build_object('integration_id', i.id,
    'user_id', i.user_id, 'kind', i.credential_kind, 'secret', s.sealed, 'token', null, 'fence', 0))
  from public.integrations as i
  join sync.credentials as s on s.integration_id = i.id and s.slot = 'secret'
  where i.id = ($1::text::jsonb ->> 'integration_id')::uuid), 'null')::text;
