-- How our own part is doing.
-- Called by health, ready and metrics.
--   in  nothing ($1 is not looked at)
--   out {time, queue: {waiting, leased, dead, oldest_due_seconds}, last_tick_at, runs: {running, stuck},
--        partitions_ahead, integrations: {active, inactive, error}, breakers_open}
-- Counts of the queue stop at 10,000: beyond that it is late in any case.
select json_build_object(
  'time', now(),
  'queue', json_build_object(
    'waiting', (select count(*) from (select from sync.sync_queue where state in ('pending', 'retry') limit 10000) as q),
    'leased', (select count(*) from (select from sync.sync_queue where state = 'leased' limit 10000) as q),
    'dead', (select count(*) from (select from sync.sync_queue where state = 'dead' limit 10000) as q),
    'oldest_due_seconds', (
      select extract(epoch from now() - min(due_at))::bigint
      from sync.sync_queue where state in ('pending', 'retry', 'leased') and due_at <= now())),
  'last_tick_at', (select max(created_at) from public.sync_runs where kind = 'system'),
  'runs', json_build_object(
    'running', (select count(*) from public.sync_runs where status = 'running' and kind = 'sync'),
    'stuck', (select count(*) from public.sync_runs
              where status = 'running' and kind = 'sync' and updated_at < now() - interval '15 minutes')),
  'partitions_ahead', (
    select count(*) from generate_series(1, 3) as ahead
    where to_regclass('sync.sync_events_' || to_char((now() at time zone 'UTC') + make_interval(months => ahead::integer),
      'YYYY_MM')) is not null),
  'integrations', (
    select json_build_object('active', count(*) filter (where status = 'active'),
      'inactive', count(*) filter (where status = 'inactive'), 'error', count(*) filter (where status = 'error'))
    from public.integrations),
  'breakers_open', (select count(*) from sync.breakers where state = 'open')
)::text
where $1::text is not null;
