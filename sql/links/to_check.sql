-- Pairs that a run asks for by their ids, so that nothing is gone without anybody noticing: first those that an earlier
-- run did not find (at most 1,000), then the next ones in their order, round and round. Moves the place where the next run goes on.
-- Called by engine, once at the end of a `changed` run of a sync that carries deletes.
--   in  {run_id, fence, limit, lease_seconds}
--   out {lost, items, position}
with input as materialized (
  select (j ->> 'run_id')::uuid as run_id, (j ->> 'fence')::bigint as fence,
    least(greatest((j ->> 'limit')::integer, 0), 1000) as size,
    make_interval(secs => (j ->> 'lease_seconds')::integer) as lease
  from (select $1::text::jsonb as j) as given
),
held as (
  update sync.leases as l
  set expires_at = now() + input.lease
  from input, public.sync_runs as r
  where r.id = input.run_id and r.status = 'running'
    and l.key = 'config:' || r.config_id and l.run_id = r.id and l.fence = input.fence
  returning r.id, r.config_id, r.mode, r.position
),
missing as materialized (
  select l.source_id
  from held join sync.sync_links as l on l.config_id = held.config_id
  where l.missing_run is not null and l.missing_run <> held.id and l.ended_at is null
  order by l.source_id
  limit 1000
),
turn as materialized (
  select l.source_id
  from held join sync.sync_links as l on l.config_id = held.config_id
  left join sync.cursors as c on c.config_id = held.config_id and c.side = 'sweep'
  where l.ended_at is null and l.source_id > coalesce(c.seen_id, '')
  order by l.source_id
  limit (select size from input)
),
moved as (
  insert into sync.cursors as c (config_id, side, seen_id)
  select held.config_id, 'sweep', case when (select count(*) from turn) >= input.size then (select max(turn.source_id) from turn) end
  from held, input
  on conflict (config_id, side) do update set seen_id = excluded.seen_id, updated_at = now()
)
select json_build_object(
  'lost', not exists (select from held),
  'position', coalesce((select held.position + 1 from held), 0),
  'items', coalesce((
    select sync.known_items(held.config_id, held.mode, null, array(
      select one.source_id from (select source_id from missing union select source_id from turn) as one order by one.source_id))
    from held), '[]'))::text;
