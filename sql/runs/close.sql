-- Ends the run of one sync: its verdict, its lease, its continuation. The run above ends with the last one below.
-- Called by engine, at the end of a run.
--   in  {run_id, fence, status?, reason?, message?}     no status: the run's own sums decide
--   out {summary: {...} or null}                        null: the lease was lost, nothing is written
with input as materialized (
  select (j ->> 'run_id')::uuid as run_id, (j ->> 'fence')::bigint as fence, j ->> 'status' as status,
    j ->> 'reason' as reason, j ->> 'message' as message
  from (select $1::text::jsonb as j) as given
),
freed as (
  update sync.leases as l
  set expires_at = '-infinity', reserved_until = '-infinity', run_id = null, previous_run_id = null, top_run_id = null
  from input, public.sync_runs as r
  where r.id = input.run_id and r.status = 'running'
    and l.key = 'config:' || r.config_id and l.run_id = r.id and l.fence = input.fence
  returning r.id, r.config_id
),
ended as (
  update public.sync_runs as r
  set status = coalesce(input.status, sync.run_verdict(r)),
      reason = coalesce(input.reason, case when input.status is null then
        case sync.run_verdict(r) when 'interrupted' then 'broken_off' when 'failed' then 'all_failed' end end),
      message = input.message, finished_at = now(),
      duration_ms = (extract(epoch from clock_timestamp() - r.started_at) * 1000)::bigint
  from input, freed
  where r.id = freed.id
  returning r.*
),
over as (
  update sync.sync_queue as q
  set state = 'done', finished_at = now(), run_id = freed.id
  from freed
  where q.dedupe_key = 'run:' || freed.config_id and q.state in ('pending', 'retry')
),
troubles as (
  select e.item_id, e.source_id, coalesce(e.error_message, e.outcome) as message
  from ended join public.sync_events as e on e.run_id = ended.id and e.created_at >= ended.started_at
  where e.outcome in ('failed', 'conflicted', 'held')
  order by e.created_at, e.id
  limit 100
)
select json_build_object('summary', (
  select json_build_object('run_id', ended.id, 'status', ended.status, 'reason', ended.reason, 'message', ended.message,
    'seen', ended.seen, 'created', ended.created, 'updated', ended.updated, 'unchanged', ended.unchanged,
    'skipped', ended.skipped, 'deleted', ended.deleted, 'failed', ended.failed, 'conflicted', ended.conflicted,
    'held', ended.held, 'duration_ms', ended.duration_ms,
    'errors', (select coalesce(json_agg(to_json(troubles)), '[]') from troubles))
  from ended))::text;
