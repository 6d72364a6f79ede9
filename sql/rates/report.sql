-- Tells how requests to platforms ended, and what their answers said of their limits.
-- Called by engine, after a page with something to tell and at the end of a run.
--   in  {reports: [{integration_id, successes, failures, retry_after_ms?, unused_requests, unused_points,
--        seen?: {points, capacity, per_second}}]}                  each account once
--        unused: granted and not sent; seen: the points as the platform's newest reply has them
--   out {accounts: [{integration_id, breaker, opened}]}
-- A failure is one of the platform's (no answer, 5xx), never a refused record. Opens after 5 in a row or half of the
-- last 20, for 30 seconds, twice as long each time, at most 16 minutes. One success of a probe closes it.
with input as materialized (
  select (j ->> 'integration_id')::uuid as id, least((j ->> 'successes')::integer, 20) as successes,
    least((j ->> 'failures')::integer, 20) as failures,
    make_interval(secs => (j ->> 'retry_after_ms')::double precision / 1000) as retry_after,
    greatest((j ->> 'unused_requests')::double precision, 0) as unused,
    greatest((j ->> 'unused_points')::double precision, 0) as unused_points,
    (j -> 'seen' ->> 'points')::double precision as points, (j -> 'seen' ->> 'capacity')::double precision as capacity,
    (j -> 'seen' ->> 'per_second')::double precision as per_second, clock_timestamp() as at
  from jsonb_array_elements($1::text::jsonb -> 'reports') as report (j)
),
-- The buckets stand as of `refreshed_at`: what the platform says of now is reckoned back to then. How full a bucket can
-- be is looked at when it is asked.
corrected as (
  update sync.rate_buckets as t
  set not_before = greatest(t.not_before, coalesce(input.at + input.retry_after, t.not_before)),
      minute_tokens = t.minute_tokens + coalesce(input.unused, 0),
      hour_tokens = t.hour_tokens + coalesce(input.unused, 0),
      points = case when input.points is null then t.points + coalesce(input.unused_points, 0)
        else input.points - greatest(extract(epoch from input.at - t.refreshed_at), 0)::double precision
          * input.per_second end,
      points_capacity = coalesce(input.capacity, t.points_capacity),
      points_per_second = coalesce(input.per_second, t.points_per_second)
  from input
  where t.integration_id = input.id and (input.unused > 0 or num_nonnulls(input.retry_after, input.points) > 0)
),
breaker as materialized (
  select b.integration_id as id, b.state, b.times_opened,
    case when input.successes > 0 then input.failures else b.failures_in_row + input.failures end as in_row,
    right(b.recent || repeat('0', input.successes) || repeat('1', input.failures), 20) as recent,
    input.successes, input.failures, input.at
  from input join sync.breakers as b on b.integration_id = input.id
  where input.successes + input.failures > 0
  for update of b
),
judged as materialized (
  select breaker.*, case
    when state = 'open' and successes > 0 and failures = 0 then 'closes'
    when state = 'open' and failures > 0 then 'opens'
    when state = 'closed' and (in_row >= 5 or length(replace(recent, '0', '')) >= 10 and length(recent) = 20) then 'opens'
    else 'stays' end as move
  from breaker
),
moved as (
  update sync.breakers as b
  set failures_in_row = judged.in_row,
      recent = case judged.move when 'closes' then '' else judged.recent end,
      state = case judged.move when 'closes' then 'closed' when 'opens' then 'open' else b.state end,
      times_opened = case judged.move when 'closes' then 0 when 'opens' then judged.times_opened + 1 else b.times_opened end,
      open_until = case judged.move when 'opens'
        then judged.at + interval '30 seconds' * (2 ^ least(judged.times_opened, 5)) else b.open_until end,
      probe_until = '-infinity'
  from judged
  where b.integration_id = judged.id
  returning b.integration_id as id, b.state, judged.move
)
select json_build_object('accounts', coalesce(json_agg(json_build_object('integration_id', input.id,
  'breaker', coalesce(moved.state, b.state, 'closed'), 'opened', coalesce(moved.move = 'opens', false))), '[]'))::text
from input left join moved on moved.id = input.id left join sync.breakers as b on b.integration_id = input.id;
