-- Ends the run of one sync: its verdict, its lease, its continuation. The run above ends with the last one below.
-- Called by engine, at the end of a run.
--   in  {run_id, fence, status?, reason?, message?, listing}     no status: the run's own sums decide; `listing`: it followed one
--   out {summary: {...} or null}                        null: the lease was lost, nothing is written
with input as materialized (
  select (j ->> 'run_id')::uuid as run_id, (j ->> 'fence')::bigint as fence, j ->> 'status' as status,
    j ->> 'reason' as reason, j ->> 'message' as message, (j ->> 'listing')::boolean as listing
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
verdicts as materialized (
  select r.id, case
      when input.status is not null then input.status
      when input.listing and sync.is_suspiciously_empty(r) then 'failed'
      else sync.run_verdict(r) end as status,
    input.status is null and input.listing and sync.is_suspiciously_empty(r) as is_empty
  from input, freed join public.sync_runs as r on r.id = freed.id
),
ended as (
  update public.sync_runs as r
  set status = verdicts.status,
      reason = coalesce(input.reason, case when input.status is null then case
        when verdicts.is_empty then 'suspicious_empty'
        when verdicts.status = 'interrupted' then 'broken_off' when verdicts.status = 'failed' then 'all_failed' end end),
      message = coalesce(input.message, case when verdicts.is_empty then
        'The listing is empty, although each of the ten runs before saw at least 20 records. Nothing was changed. Look at the account''s rights and filters; if all is well, nothing needs to be done.' end),
      finished_at = now(),
      duration_ms = (extract(epoch from clock_timestamp() - r.started_at) * 1000)::bigint
  from input, verdicts
  where r.id = verdicts.id
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
