-- What monitoring counts: sums that only grow, added to as runs end, so that they cost the same after years and
-- do not shrink when history is dropped.

create table if not exists sync.run_totals (
  -- The platforms of the sync and its kind of item; empty for runs that read an n8n server.
  source text not null,
  target text not null,
  item_type text not null,
  -- What the runs were begun for, and how they ended.
  sync_type text not null,
  status text not null,
  runs bigint not null default 0,
  -- What became of their records.
  created bigint not null default 0,
  updated bigint not null default 0,
  unchanged bigint not null default 0,
  skipped bigint not null default 0,
  deleted bigint not null default 0,
  failed bigint not null default 0,
  conflicted bigint not null default 0,
  held bigint not null default 0,
  platform_requests bigint not null default 0,
  -- How long they took in all, and how many took at most 1, 5, 30, 120, 600 and 3,600 seconds (each counted once).
  seconds double precision not null default 0,
  within bigint[] not null default '{0,0,0,0,0,0}',
  primary key (source, target, item_type, sync_type, status),

  constraint run_totals_only_grow check (least(runs, created, updated, unchanged, skipped, deleted, failed, conflicted, held,
    platform_requests) >= 0 and seconds >= 0),
  constraint run_totals_have_six_classes check (cardinality(within) = 6)
);
comment on table sync.run_totals is 'Sums over ended runs, for monitoring.';

-- Adds runs that have just ended. In the order of the key, so that two statements that end several runs wait for each other
-- instead of blocking each other.
create or replace function sync.add_to_run_totals(ended uuid[])
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  insert into sync.run_totals as t (source, target, item_type, sync_type, status, runs, created, updated, unchanged,
    skipped, deleted, failed, conflicted, held, platform_requests, seconds, within)
  select coalesce(s.platform, ''), coalesce(d.platform, ''), coalesce(r.item_type, ''), r.sync_type, r.status, count(*),
    sum(r.created), sum(r.updated), sum(r.unchanged), sum(r.skipped), sum(r.deleted), sum(r.failed), sum(r.conflicted),
    sum(r.held), sum(r.platform_requests), sum(greatest(coalesce(r.duration_ms, 0), 0)) / 1000.0,
    array[
      count(*) filter (where coalesce(r.duration_ms, 0) <= 1000),
      count(*) filter (where r.duration_ms > 1000 and r.duration_ms <= 5000),
      count(*) filter (where r.duration_ms > 5000 and r.duration_ms <= 30000),
      count(*) filter (where r.duration_ms > 30000 and r.duration_ms <= 120000),
      count(*) filter (where r.duration_ms > 120000 and r.duration_ms <= 600000),
      count(*) filter (where r.duration_ms > 600000 and r.duration_ms <= 3600000)
    ]
  from public.sync_runs as r
  left join public.sync_configs as c on c.id = r.config_id
  left join public.integrations as s on s.id = c.source_integration_id
  left join public.integrations as d on d.id = c.target_integration_id
  where r.id = any (ended) and r.kind = 'sync'
  group by 1, 2, 3, 4, 5
  order by 1, 2, 3, 4, 5
  on conflict (source, target, item_type, sync_type, status) do update
  set runs = t.runs + excluded.runs, created = t.created + excluded.created, updated = t.updated + excluded.updated,
      unchanged = t.unchanged + excluded.unchanged, skipped = t.skipped + excluded.skipped,
      deleted = t.deleted + excluded.deleted, failed = t.failed + excluded.failed,
      conflicted = t.conflicted + excluded.conflicted, held = t.held + excluded.held,
      platform_requests = t.platform_requests + excluded.platform_requests, seconds = t.seconds + excluded.seconds,
      within = array(select a.n + b.n from unnest(t.within) with ordinality as a (n, place)
        join unnest(excluded.within) with ordinality as b (n, place) on a.place = b.place order by a.place);
$$;
revoke execute on function sync.add_to_run_totals from public;

-- Runs that end, and those that are written down when they are over.
create or replace function sync.count_ended_runs()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  ended uuid[];
begin
  if tg_op = 'INSERT' then
    ended := array(select f.id from fresh as f where f.kind = 'sync' and f.status <> 'running');
  else
    ended := array(select f.id from fresh as f join stale as s on s.id = f.id
      where f.kind = 'sync' and s.status = 'running' and f.status <> 'running');
  end if;
  if cardinality(ended) > 0 then
    perform sync.add_to_run_totals(ended);
  end if;
  return null;
end
$$;
revoke execute on function sync.count_ended_runs from public;
create or replace trigger sync_runs_counted_at_once after insert on public.sync_runs
  referencing new table as fresh for each statement execute function sync.count_ended_runs();
create or replace trigger sync_runs_counted_when_they_end after update on public.sync_runs
  referencing old table as stale new table as fresh for each statement execute function sync.count_ended_runs();

-- What ended before there were sums.
select sync.add_to_run_totals(array(select r.id from public.sync_runs as r where r.kind = 'sync' and r.status <> 'running'))
where not exists (select from sync.run_totals);

alter table sync.run_totals enable row level security;
grant select on sync.run_totals to sync_functions;
drop policy if exists "The functions do the system's work" on sync.run_totals;
create policy "The functions do the system's work" on sync.run_totals
  for select to sync_functions using (true);
