-- A run as the ledger has it now; of a run above, the sums of the runs below it.
-- Called by engine and the functions, to answer for a run.
--   in  {run_id}
--   out {run_id, status, reason?, message?, seen, created, ..., duration_ms, errors: [first hundred]}
with recursive tree as (
  select r.* from public.sync_runs as r where r.id = ($1::text::jsonb ->> 'run_id')::uuid
  union all
  select below.* from tree join public.sync_runs as below on below.parent_run_id = tree.id
),
sums as (
  select coalesce(sum(seen), 0) as seen, coalesce(sum(created), 0) as created, coalesce(sum(updated), 0) as updated,
    coalesce(sum(unchanged), 0) as unchanged, coalesce(sum(skipped), 0) as skipped,
    coalesce(sum(deleted), 0) as deleted, coalesce(sum(failed), 0) as failed,
    coalesce(sum(conflicted), 0) as conflicted, coalesce(sum(held), 0) as held
  from tree where kind = 'sync'
),
troubles as (
  select e.item_id, e.source_id, coalesce(e.error_message, e.outcome) as message
  from tree join public.sync_events as e on e.run_id = tree.id and e.created_at >= tree.started_at
  where e.outcome in ('failed', 'conflicted', 'held')
  order by e.created_at, e.id
  limit 100
)
select json_build_object('run_id', r.id, 'status', r.status, 'reason', r.reason, 'message', r.message,
  'seen', sums.seen, 'created', sums.created, 'updated', sums.updated, 'unchanged', sums.unchanged,
  'skipped', sums.skipped, 'deleted', sums.deleted, 'failed', sums.failed, 'conflicted', sums.conflicted,
  'held', sums.held,
  'duration_ms', coalesce(r.duration_ms, (extract(epoch from now() - r.started_at) * 1000)::bigint),
  'errors', (select coalesce(json_agg(to_json(troubles)), '[]') from troubles))::text
from public.sync_runs as r, sums
where r.id = ($1::text::jsonb ->> 'run_id')::uuid;
