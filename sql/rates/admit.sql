-- Asks to send so many requests to a platform now: budgets, the platform's own "not before", and the breaker.
-- Called by engine, once per batch of requests.
--   in  {integration_id, requests, points}
--   out {granted, wait_ms, breaker}                                   breaker: closed, open or probe
-- A batch larger than a bucket is granted when the bucket is full, and leaves it below zero. `probe`: the platform
-- only failed lately, and this caller alone may try once.
with input as materialized (
  select (j ->> 'integration_id')::uuid as id, (j ->> 'requests')::double precision as requests,
    coalesce((j ->> 'points')::double precision, 0) as points
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
  select bucket.integration_id as id, bucket.at, bucket.not_before, input.requests, input.points as cost,
    i.rate_per_minute / 60.0::double precision as minute_flow, i.rate_per_hour / 3600.0::double precision as hour_flow,
    bucket.points_per_second as point_flow,
    least(input.requests, i.rate_per_minute) as minute_need, least(input.requests, i.rate_per_hour) as hour_need,
    least(input.points, bucket.points_capacity) as point_need,
    least(i.rate_per_minute, bucket.minute_tokens + passed.s * i.rate_per_minute / 60) as minute_now,
    least(i.rate_per_hour, bucket.hour_tokens + passed.s * i.rate_per_hour / 3600) as hour_now,
    least(bucket.points_capacity, bucket.points + passed.s * bucket.points_per_second) as points_now
  from input, bucket join public.integrations as i on i.id = bucket.integration_id,
    lateral (select greatest(extract(epoch from bucket.at - bucket.refreshed_at), 0)::double precision as s) as passed
),
verdict as materialized (
  select filled.*, breaker.word, greatest(0,
    case when breaker.word = 'open' then extract(epoch from breaker.opens_at - filled.at)::double precision end,
    case when not_before > at then extract(epoch from not_before - at)::double precision end,
    (minute_need - minute_now) / minute_flow, (hour_need - hour_now) / hour_flow,
    (point_need - points_now) / point_flow) as wait
  from filled join breaker on breaker.id = filled.id
),
taken as (
  update sync.rate_buckets as t
  set refreshed_at = at,
      minute_tokens = minute_now - case when wait <= 0 then requests else 0 end,
      hour_tokens = hour_now - case when wait <= 0 then requests else 0 end,
      points = points_now - case when wait <= 0 then cost else 0 end
  from verdict
  where t.integration_id = verdict.id
),
probing as (
  update sync.breakers as b
  set probe_until = verdict.at + interval '30 seconds'
  from verdict
  where b.integration_id = verdict.id and verdict.word = 'probe' and wait <= 0
)
select json_build_object('granted', wait <= 0, 'wait_ms', ceil(wait * 1000)::bigint, 'breaker', word)::text
from verdict;
