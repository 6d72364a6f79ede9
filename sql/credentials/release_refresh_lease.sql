-- Gives up buying an access token, so that the next one need not wait for the lease to run out.
-- Called by engine, when the platform refused the token request.
--   in  {integration_id, fence}
--   out {released}
with released as (
  update sync.credentials as c
  set leased_by = null, leased_until = '-infinity'
  from (select $1::text::jsonb as j) as given
  where c.integration_id = (j ->> 'integration_id')::uuid and c.slot = 'token' and c.fence = (j ->> 'fence')::bigint
    and c.leased_by is not null
  returning 1
)
select json_build_object('released', exists (select from released))::text;
