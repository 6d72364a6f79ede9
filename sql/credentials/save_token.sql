-- Stores a freshly bought access token, sealed, and lets the others have it.
-- Called by engine, after a successful token request.
--   in  {integration_id, fence, sealed, expires_at?}
--   out {saved}                  false: the lease was lost, or the secret was replaced meanwhile; the token is not kept
with saved as (
  update sync.credentials as c
  set sealed = j ->> 'sealed', expires_at = (j ->> 'expires_at')::timestamptz, bought_fence = c.fence, leased_by = null,
      leased_until = '-infinity'
  from (select $1::text::jsonb as j) as given
  where c.integration_id = (j ->> 'integration_id')::uuid and c.slot = 'token' and c.fence = (j ->> 'fence')::bigint
    and c.leased_by is not null
  returning 1
)
select json_build_object('saved', exists (select from saved))::text;
