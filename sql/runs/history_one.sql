-- One run with the runs below it and the first thousand of its events.
-- Called by sync-history, as the user.
--   in  {run_id}
--   out {run, syncs, events} or null
with run as (
  select * from public.sync_history as h where h.id = ($1::text::jsonb ->> 'run_id')::uuid
),
syncs as (
  select r.id, r.config_id, r.config_version, r.item_type, r.status, r.reason, r.message, r.seen, r.created, r.updated,
    r.unchanged, r.skipped, r.deleted, r.failed, r.conflicted, r.held, r.platform_requests, r.duration_ms, r.created_at
  from run join public.sync_runs as r on r.id = run.id or r.parent_run_id = run.id
  where r.kind = 'sync'
),
events as (
  select e.run_id, e.config_id, e.item_id, e.source_id, e.target_id, e.outcome, e.changes, e.error_class, e.error_code,
    e.error_message, e.created_at
  from run join syncs on true join public.sync_events as e on e.run_id = syncs.id and e.created_at >= run.created_at
  order by e.created_at, e.id
  limit 1000
)
select coalesce((
  select json_build_object('run', to_json(run),
    'syncs', (select coalesce(json_agg(to_json(syncs) order by syncs.created_at, syncs.id), '[]') from syncs),
    'events', (select coalesce(json_agg(to_json(events)), '[]') from events))
  from run), 'null')::text;
