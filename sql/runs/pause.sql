-- Lays a run aside: anybody may go on with it now, and its continuation in the queue becomes due.
-- Called by engine, when its time is spent or a platform asks to wait.
--   in  {run_id, fence, delay_seconds}
--   out {held}                                                        false: the lease was lost, nothing is written
-- The run keeps its place for two minutes beyond that: a new run for the same sync does not cut it off meanwhile.
with input as materialized (
  select (j ->> 'run_id')::uuid as run_id, (j ->> 'fence')::bigint as fence,
    make_interval(secs => greatest((j ->> 'delay_seconds')::integer, 0)) as delay
  from (select $1::text::jsonb as j) as given
),
freed as (
  update sync.leases as l
  set expires_at = '-infinity', reserved_until = now() + input.delay + interval '2 minutes'
  from input, public.sync_runs as r
  where r.id = input.run_id and r.status = 'running'
    and l.key = 'config:' || r.config_id and l.run_id = r.id and l.fence = input.fence
  returning l.key, r.user_id, r.config_id
),
continued as (
  insert into sync.sync_queue as q (user_id, config_id, kind, group_key, dedupe_key, due_at, max_attempts)
  select freed.user_id, freed.config_id, 'run', freed.key, 'run:' || freed.config_id, now() + input.delay, 100
  from freed, input
  on conflict (dedupe_key) where state in ('pending', 'retry') do update set due_at = excluded.due_at, attempts = 0
)
select json_build_object('held', exists (select from freed))::text;
