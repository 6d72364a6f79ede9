-- Events: what was decided about each record, and why. Unchanged records are counted in the run, not written here.
--
-- One partition per month, so that what is too old is dropped, not deleted. The partitions live in `sync`.

create table if not exists public.sync_events (
  id uuid not null default gen_random_uuid(),
  run_id uuid not null,
  user_id uuid,
  org_id uuid,
  config_id uuid,
  item_id uuid,
  source_id text not null,
  target_id text,
  outcome text not null,
  -- Per field: base, source, target, rule. Kept to the letter, hence `json`.
  changes json,
  error_class text,
  error_code text,
  error_message text,
  -- What the decision was made from, so that it can be made again.
  inputs json,
  created_at timestamptz not null default now(),
  primary key (id, created_at),

  constraint event_outcome_is_known check (outcome in
    ('created', 'updated', 'unchanged', 'skipped', 'deleted', 'failed', 'conflicted', 'held'))
) partition by range (created_at);
comment on table public.sync_events is 'Per record: what was decided, and why. Partitioned by month.';

-- Serve a run's details, a record's story, and the policies.
create index if not exists sync_events_of_a_run on public.sync_events (run_id, created_at, id);
create index if not exists sync_events_of_a_record on public.sync_events (config_id, source_id, created_at);
create index if not exists sync_events_of_a_user on public.sync_events (user_id, created_at);
create index if not exists sync_events_of_an_organization on public.sync_events (org_id, created_at);

alter table public.sync_events enable row level security;
grant select on public.sync_events to authenticated;
drop policy if exists "Users see the events of their own runs and their organizations'" on public.sync_events;
create policy "Users see the events of their own runs and their organizations'" on public.sync_events
  for select to authenticated
  using (user_id = (select auth.uid()) or org_id = any ((select sync.my_organizations('viewer'))::uuid[]));

-- Makes the partitions of this month and of the `ahead` months after it. Harmless when they exist.
create or replace function sync.make_partitions(ahead integer default 2)
returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  month date;
  name text;
  made integer := 0;
begin
  for step in 0 .. ahead loop
    month := (date_trunc('month', now() at time zone 'UTC') + make_interval(months => step))::date;
    name := 'sync_events_' || to_char(month, 'YYYY_MM');
    continue when to_regclass('sync.' || name) is not null;
    execute format('create table sync.%I partition of public.sync_events for values from (%L) to (%L)', name,
      month::text || ' 00:00:00+00', (month + interval '1 month')::date::text || ' 00:00:00+00');
    execute format('alter table sync.%I enable row level security', name);
    made := made + 1;
  end loop;
  return made;
end
$$;
revoke execute on function sync.make_partitions from public;
select sync.make_partitions(3);

-- Drops the partitions that ended more than `keep_days` ago; answers their names.
create or replace function sync.drop_partitions(keep_days integer)
returns text[]
language plpgsql
security definer
set search_path = ''
as $$
declare
  old record;
  dropped text[] := '{}';
begin
  for old in
    select c.oid::regclass::text as name
    from pg_catalog.pg_inherits as h
    join pg_catalog.pg_class as c on c.oid = h.inhrelid
    where h.inhparent = 'public.sync_events'::regclass
      and to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month'
          < (now() at time zone 'UTC') - make_interval(days => keep_days)
  loop
    execute 'drop table ' || old.name;
    dropped := dropped || old.name;
  end loop;
  return dropped;
end
$$;
revoke execute on function sync.drop_partitions from public;
