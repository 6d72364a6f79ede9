-- Asks to be the one who buys a new access token, so that nobody else does at the same time.
-- Called by engine, when the stored token is missing, over, or was refused by the platform.
--   in  {integration_id, seen_fence, lease_seconds}          seen_fence: of the token as it was loaded, 0 without one
--   out {fence?, token?: {sealed, expires_at}, token_fence, wait_ms}
-- Three answers: a fence (buy it), a newer token (somebody just did), or how long to wait before asking again.
with input as materialized (
  select (j ->> 'integration_id')::uuid as integration_id, (j ->> 'seen_fence')::bigint as seen,
    make_interval(secs => (j ->> 'lease_seconds')::integer) as lease, gen_random_uuid() as buyer
  from (select $1::text::jsonb as j) as given
),
taken as (
  insert into sync.credentials as c (integration_id, slot, sealed, fence, leased_by, leased_until)
  select input.integration_id, 'token', '', 1, input.buyer, now() + input.lease from input
  on conflict (integration_id, slot) do update
  set (fence, leased_by, leased_until) = (
    select case when free then c.fence + 1 else c.fence end,
      case when free then excluded.leased_by else c.leased_by end,
      case when free then excluded.leased_until else c.leased_until end
    from (
      -- Nobody is buying, and there is nothing newer than what the caller has seen.
      select c.leased_until <= now() and not (c.sealed <> '' and c.bought_fence <> (select seen from input)
        and coalesce(c.expires_at, 'infinity') > now() + interval '30 seconds') as free
    ) as state)
  returning c.fence, c.bought_fence, c.leased_by, c.leased_until, c.sealed, c.expires_at
)
select json_build_object(
  'fence', case when taken.leased_by = input.buyer then taken.fence end,
  'token', case when taken.leased_until <= now() and taken.sealed <> ''
    then json_build_object('sealed', taken.sealed, 'expires_at', taken.expires_at) end,
  'token_fence', taken.bought_fence,
  'wait_ms', case when taken.leased_by is distinct from input.buyer and taken.leased_until > now()
    then ceil(extract(epoch from taken.leased_until - now()) * 1000)::bigint else 0 end
)::text
from taken, input;
