-- Writes down which records are about to be created, before they are. Extends the lease.
-- Called by engine, before the creates of a page.
--   in  {run_id, fence, intents: [{source_id, external_key, idempotency_key}], lease_seconds}
--   out {held}                                                        false: the lease was lost, nothing is written
-- `offset 0`: or the planner would read the whole text once for each field.
with input as materialized (
  select (j ->> 'run_id')::uuid as run_id, (j ->> 'fence')::bigint as fence, j -> 'intents' as intents,
    make_interval(secs => (j ->> 'lease_seconds')::integer) as lease
  from (select $1::text::jsonb as j offset 0) as given
),
held as (
  update sync.leases as l
  set expires_at = now() + input.lease
  from input, public.sync_runs as r
  where r.id = input.run_id and r.status = 'running'
    and l.key = 'config:' || r.config_id and l.run_id = r.id and l.fence = input.fence
  returning l.key, r.id, r.user_id, r.config_id
),
continued as (
  insert into sync.sync_queue as q (user_id, config_id, kind, group_key, dedupe_key, due_at, max_attempts)
  select held.user_id, held.config_id, 'run', held.key, 'run:' || held.config_id, now() + input.lease, 100
  from held, input
  on conflict (dedupe_key) where state in ('pending', 'retry') do update set due_at = excluded.due_at, attempts = 0
),
written as (
  insert into sync.intents as i (config_id, source_id, external_key, idempotency_key, run_id)
  select distinct on (given.source_id) held.config_id, given.source_id, given.external_key, given.idempotency_key, held.id
  from held, input,
    jsonb_to_recordset(input.intents) as given (source_id text, external_key text, idempotency_key text)
  order by given.source_id
  on conflict (config_id, source_id) do update
  set external_key = excluded.external_key, idempotency_key = excluded.idempotency_key, run_id = excluded.run_id,
      created_at = now()
)
select json_build_object('held', exists (select from held))::text;
