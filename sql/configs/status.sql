-- How syncs stand: what they did in the last 30 days, what is open, and where their cursors are.
-- Called by sync-status, as the system, with ids that the user may see.
--   in  {ids}
--   out {rows: [{config_id, running_run_id?, last_run: {run_id, status, reason, message, finished_at} or null, runs, runs_succeeded,
--        records_synced, errors, last_sync_at?, average_ms?, open_issues, pending_conflicts, cursor_at?, jobs_waiting, last_errors}]}
with asked as materialized (
  select distinct one.id::uuid as id from jsonb_array_elements_text($1::text::jsonb -> 'ids') as one (id)
)
select json_build_object('rows', coalesce(json_agg(json_build_object(
  'config_id', asked.id,
  'running_run_id', (
    select r.id from public.sync_runs as r where r.config_id = asked.id and r.status = 'running' order by r.created_at desc limit 1),
  'last_run', (
    select json_build_object('run_id', r.id, 'status', r.status, 'reason', r.reason, 'message', r.message,
      'finished_at', r.finished_at)
    from public.sync_runs as r where r.config_id = asked.id and r.status <> 'running' order by r.created_at desc limit 1),
  'runs', sums.runs, 'runs_succeeded', sums.succeeded, 'records_synced', sums.synced, 'errors', sums.failed,
  'last_sync_at', sums.last_sync_at, 'average_ms', sums.average_ms,
  'open_issues', (select count(*) from public.sync_issues as s where s.config_id = asked.id and s.status = 'open'),
  'pending_conflicts', (
    select count(*) from public.data_sync_conflicts as c where c.config_id = asked.id and c.status = 'pending'),
  -- The side that is seen least far decides how old the data may be.
  'cursor_at', (select min(c.seen_at) from sync.cursors as c where c.config_id = asked.id),
  'jobs_waiting', (
    select count(*) from sync.sync_queue as q
    where q.config_id = asked.id and q.state in ('pending', 'retry') and q.kind <> 'run'),
  'last_errors', (
    select coalesce(json_agg(to_json(failing)), '[]')
    from (select s.source_id, s.error_code as code, s.message, s.last_seen_at as at
      from public.sync_issues as s where s.config_id = asked.id and s.status = 'open'
      order by s.last_seen_at desc, s.id limit 10) as failing)
)), '[]'))::text
from asked,
  lateral (
    select count(*) as runs, count(*) filter (where r.status = 'completed') as succeeded,
      coalesce(sum(r.created + r.updated + r.unchanged), 0) as synced, coalesce(sum(r.failed), 0) as failed,
      max(r.finished_at) filter (where r.status in ('completed', 'partial_success')) as last_sync_at,
      sum(r.duration_ms)::double precision / nullif(sum(r.seen), 0) as average_ms
    from public.sync_runs as r
    where r.config_id = asked.id and r.status <> 'running' and r.created_at > now() - interval '30 days'
  ) as sums;
