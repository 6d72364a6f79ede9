-- What is found gone, and what a person has approved since. Extends the lease.
-- Called by engine, at the end of a run, page by page.
--   in  {run_id, fence, after?, lease_seconds}            after: the source id of the last row of the page before
--   out {lost, linked, open, rows: [{item_id?, source_id, target_id, side, reason, approved, again, base_source?,
--        base_target?}]}
-- `again`: this run has not looked at it itself; a run that was cut off has left it, or a person has decided since.
-- `linked` are the sync's pairs, `open` those of them that are gone and not approved: the guard compares the two.
with input as materialized (
  select (j ->> 'run_id')::uuid as run_id, (j ->> 'fence')::bigint as fence, j ->> 'after' as after,
    make_interval(secs => (j ->> 'lease_seconds')::integer) as lease
  from (select $1::text::jsonb as j) as given
),
held as (
  update sync.leases as l
  set expires_at = now() + input.lease
  from input, public.sync_runs as r
  where r.id = input.run_id and r.status = 'running'
    and l.key = 'config:' || r.config_id and l.run_id = r.id and l.fence = input.fence
  returning r.id, r.config_id
),
rows as (
  select d.item_id, d.source_id, d.target_id, d.gone_side as side, d.reason, d.status = 'approved' as approved,
    d.status = 'approved' or d.run_id is distinct from held.id as again, l.base_source, l.base_target
  from held cross join input
  join public.sync_deletes as d on d.config_id = held.config_id
  left join sync.sync_links as l on l.config_id = d.config_id and l.source_id = d.source_id
  where d.status in ('approved', 'found')
    and (input.after is null or d.source_id > input.after)
  order by d.source_id
  limit 1000
)
select json_build_object(
  'lost', not exists (select from held),
  'linked', (select count(*) from held join sync.sync_links as l on l.config_id = held.config_id where l.ended_at is null),
  'open', (select count(*) from held join public.sync_deletes as d on d.config_id = held.config_id
    where d.status in ('found', 'held')),
  'rows', (select coalesce(json_agg(to_json(rows) order by rows.source_id), '[]') from rows))::text;
