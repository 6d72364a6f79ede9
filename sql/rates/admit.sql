-- Asks to send so many requests to a platform now: budgets, the platform's own "not before", and the breaker.
-- Called by engine, in growing portions.
--   in  {integration_id, requests, cost, seen?: {points, capacity, per_second}}
--        cost: points per request; seen: the points as the platform's newest reply has them
--   out {granted, wait_ms, breaker, sharers}                          breaker: closed, open or probe
-- Grants as many of them as there are tokens for, and where others are at work too, at most half of the points;
-- where not even one can go, none, and how long to wait: for two seconds' worth of requests, so that a line whose budget
-- is spent does not ask again for every one of them. A request that costs more than the bucket holds goes
-- when the bucket is full. `probe`: the platform only failed lately, and this caller alone may try once. `sharers`:
-- syncs at work with this account. An n8n server is promised no more than its rate in any minute, which a bucket that is full
-- and fills again cannot keep: there each request is granted by itself, and the last ones are remembered with their times.
with input as materialized (
  select (j ->> 'integration_id')::uuid as id, greatest((j ->> 'requests')::double precision, 1) as requests,
    greatest((j ->> 'cost')::double precision, 0) as cost, (j -> 'seen' ->> 'points')::double precision as points,
    (j -> 'seen' ->> 'capacity')::double precision as capacity,
    (j -> 'seen' ->> 'per_second')::double precision as per_second
  from (select $1::text::jsonb as j) as given
),
-- Locked first: what follows is computed from what is true now, not from what was when the statement began.
bucket as materialized (
  select t.*, clock_timestamp() as at
  from input join sync.rate_buckets as t on t.integration_id = input.id
  for update of t
),
breaker as materialized (
  select b.integration_id as id, greatest(b.open_until, b.probe_until) as opens_at,
    case when b.state = 'closed' then 'closed' when greatest(b.open_until, b.probe_until) <= bucket.at then 'probe'
         else 'open' end as word
  from bucket join sync.breakers as b on b.integration_id = bucket.integration_id
  for update of b
),
filled as materialized (
  select bucket.integration_id as id, bucket.at, bucket.not_before, input.requests, input.cost,
    i.rate_per_minute / 60.0::double precision as minute_flow, i.rate_per_hour / 3600.0::double precision as hour_flow,
    case when i.platform = 'n8n' then i.rate_per_minute - coalesce(cardinality(late.grants), 0)
      else least(i.rate_per_minute, bucket.minute_tokens + passed.s * i.rate_per_minute / 60) end as minute_now,
    i.platform = 'n8n' as is_strict, late.grants,
    -- A second more than the minute: a request may be on its way longer than the one before it.
    extract(epoch from late.grants[cardinality(late.grants) - i.rate_per_minute + 1] + interval '61 seconds' - bucket.at)
      ::double precision as strict_wait,
    least(i.rate_per_hour, bucket.hour_tokens + passed.s * i.rate_per_hour / 3600) as hour_now,
    limits.capacity, limits.flow as point_flow, least(input.cost, limits.capacity) as point_need,
    least(limits.capacity, coalesce(input.points, bucket.points + passed.s * limits.flow)) as points_now
  from input, bucket join public.integrations as i on i.id = bucket.integration_id,
    lateral (select greatest(extract(epoch from bucket.at - bucket.refreshed_at), 0)::double precision as s) as passed,
    lateral (select coalesce(input.capacity, bucket.points_capacity) as capacity,
      coalesce(input.per_second, bucket.points_per_second) as flow) as limits,
    lateral (select array(select one.at from unnest(bucket.recent_grants) as one (at)
      where one.at > bucket.at - interval '61 seconds' order by one.at) as grants) as late
),
verdict as materialized (
  select filled.*, breaker.word, greatest(0,
    case when breaker.word = 'open' then extract(epoch from breaker.opens_at - filled.at)::double precision end,
    case when not_before > at then extract(epoch from not_before - at)::double precision end,
    case when minute_now < 1 and is_strict then strict_wait
      when minute_now < 1 then (least(requests, greatest(1, minute_flow * 2)) - minute_now) / minute_flow end,
    case when hour_now < 1 then (least(requests, greatest(1, hour_flow * 2)) - hour_now) / hour_flow end,
    case when points_now < point_need
      then (least(capacity, requests * cost, greatest(point_need, point_flow * 2)) - points_now) / point_flow end) as wait
  from filled join breaker on breaker.id = filled.id
),
shared as materialized (
  select count(*) as sharers
  from verdict, public.sync_configs as c join sync.leases as l on l.key = 'config:' || c.id
  where (c.source_integration_id = verdict.id or c.target_integration_id = verdict.id) and l.expires_at > verdict.at
),
portion as materialized (
  select verdict.*, sharers, case
    when wait > 0 then 0
    when word = 'probe' or is_strict then 1
    else greatest(1, floor(least(requests, minute_now, hour_now, points_now / nullif(cost * greatest(1, least(sharers, 2)), 0)))) end as granted
  from verdict, shared
),
taken as (
  update sync.rate_buckets as t
  set refreshed_at = at,
      minute_tokens = minute_now - granted,
      recent_grants = case when is_strict then grants || case when granted > 0 then array[at] else '{}' end end,
      hour_tokens = hour_now - granted,
      points = points_now - granted * cost, points_capacity = capacity, points_per_second = point_flow
  from portion
  where t.integration_id = portion.id
),
probing as (
  update sync.breakers as b
  set probe_until = portion.at + interval '30 seconds'
  from portion
  where b.integration_id = portion.id and portion.word = 'probe' and granted > 0
)
select json_build_object('granted', granted::bigint, 'wait_ms', ceil(wait * 1000)::bigint, 'breaker', word, 'sharers', sharers)::text
from portion;
