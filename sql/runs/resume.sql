-- Goes on with the open run of a sync, where nobody is at it: after a pause, or after its process died.
-- Called by engine, for queue jobs of kind `run`.
--   in  {config_id, lease_seconds}
--   out {child: {run_id, fence, ...} or null}
with input as materialized (
  select (j ->> 'config_id')::uuid as config_id, make_interval(secs => (j ->> 'lease_seconds')::integer) as lease
  from (select $1::text::jsonb as j) as given
),
taken as (
  update sync.leases as l
  set fence = l.fence + 1, expires_at = now() + input.lease, reserved_until = '-infinity', previous_run_id = null
  from input, public.sync_runs as r
  where l.key = 'config:' || input.config_id and l.expires_at <= now() and r.id = l.run_id and r.status = 'running'
  returning l.key, l.fence, r.id, r.parent_run_id, r.user_id, r.config_id, r.config_version, r.mode, r.selection, r.total, r.position
),
continued as (
  insert into sync.sync_queue as q (user_id, config_id, kind, group_key, dedupe_key, due_at, max_attempts)
  select taken.user_id, taken.config_id, 'run', taken.key, 'run:' || taken.config_id, now() + input.lease, 100
  from taken, input
  on conflict (dedupe_key) where state in ('pending', 'retry') do update set due_at = excluded.due_at, attempts = 0
)
select json_build_object('child', (
  select sync.sync_description(taken.config_id, taken.config_version) || jsonb_build_object('run_id', taken.id, 'parent_run_id',
    taken.parent_run_id, 'user_id', taken.user_id, 'fence', taken.fence, 'mode', taken.mode, 'selection',
    taken.selection, 'total', taken.total, 'position', taken.position)
  from taken))::text;
