-- Puts jobs into the queue. A job that still waits absorbs a second one with its dedupe key: the more urgent and the
-- earlier of both hold.
-- Called by engine and webhook-receive.
--   in  {jobs: [{user_id, org_id?, config_id?, kind, payload, group_key, dedupe_key?, priority?, delay_ms?, max_attempts?}]}
--   out {ids}                                                         of the jobs, in no order
with given as materialized (
  select distinct on (coalesce(job.dedupe_key, gen_random_uuid()::text)) job.*
  from jsonb_to_recordset($1::text::jsonb -> 'jobs') as job (user_id uuid, org_id uuid, config_id uuid, kind text,
    payload jsonb, group_key text, dedupe_key text, priority smallint, delay_ms bigint, max_attempts integer)
),
added as (
  insert into sync.sync_queue as q
    (user_id, org_id, config_id, kind, payload, group_key, dedupe_key, priority, due_at, max_attempts)
  select user_id, org_id, config_id, kind, coalesce(payload, '{}'), group_key, dedupe_key, coalesce(priority, 5),
    now() + make_interval(secs => coalesce(delay_ms, 0) / 1000.0), coalesce(max_attempts, 4)
  from given
  order by group_key, dedupe_key
  on conflict (dedupe_key) where state in ('pending', 'retry')
    do update set priority = least(q.priority, excluded.priority), due_at = least(q.due_at, excluded.due_at)
  returning q.id
)
select json_build_object('ids', (select coalesce(json_agg(added.id), '[]') from added))::text;
