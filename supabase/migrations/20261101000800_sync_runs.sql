-- Runs: the one ledger of what was done. Three kinds, one above the other:
--
--   system  one tick of the clock         its users' runs below it
--   user    what one user asked for       one run per sync below it
--   sync    one sync, under its lease     the records it looked at, in sync_events
--
--   running ──close──▶ completed | partial_success | failed | cancelled
--      └──another run takes over what is left──▶ interrupted
--
-- The sums of a run above are those of the runs below; it ends when the last of them has ended.

create table if not exists public.sync_runs (
  id uuid primary key default gen_random_uuid(),
  kind text not null default 'sync',
  parent_run_id uuid references public.sync_runs (id) on delete cascade,
  -- Null for the system's own.
  user_id uuid references auth.users (id) on delete cascade,
  org_id uuid references public.organizations (id),
  config_id uuid references public.sync_configs (id) on delete set null,
  config_version integer,
  item_type text,
  sync_type text not null,
  -- How all its items are looked at; null: as each item says.
  mode text,
  -- `listed`: rows of the sync list; `changed`: whatever changed since the cursor. Null above syncs.
  selection text,

  status text not null default 'running',
  reason text,
  message text,
  cancel_requested_at timestamptz,

  -- How far it is: items of a listed run that are done; how many there are; whether nothing more is to come.
  position bigint not null default 0,
  total bigint not null default 0,
  last_page_reached boolean not null default false,

  -- The balance: every record seen ended in exactly one of these ways.
  seen bigint not null default 0,
  created bigint not null default 0,
  updated bigint not null default 0,
  unchanged bigint not null default 0,
  skipped bigint not null default 0,
  deleted bigint not null default 0,
  failed bigint not null default 0,
  conflicted bigint not null default 0,
  held bigint not null default 0,
  platform_requests bigint not null default 0,

  metadata jsonb not null default '{}',
  -- Set when a user deletes it from the history; the audit and the sums stay.
  hidden_at timestamptz,
  started_at timestamptz not null default now(),
  finished_at timestamptz,
  duration_ms bigint,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),

  constraint run_kind_is_known check (kind in ('system', 'user', 'sync')),
  constraint run_sync_type_is_known check (sync_type in ('manual', 'delta', 'full', 'scheduled')),
  constraint run_mode_is_known check (mode in ('delta', 'full')),
  constraint run_selection_is_known check (selection in ('listed', 'changed')),
  constraint runs_of_syncs_select_records check ((kind = 'sync') = (selection is not null)),
  constraint run_status_is_known
    check (status in ('running', 'completed', 'partial_success', 'failed', 'interrupted', 'cancelled')),
  constraint runs_end_when_they_are_over check ((status = 'running') = (finished_at is null)),
  constraint run_counters_are_not_negative check (least(position, total, seen, created, updated, unchanged, skipped,
    deleted, failed, conflicted, held, platform_requests) >= 0),
  -- A run cannot call itself a success unless every record is accounted for.
  constraint runs_balance check (
    status not in ('completed', 'partial_success')
    or (last_page_reached
        and seen = created + updated + unchanged + skipped + deleted + failed + conflicted + held
        and (status = 'partial_success' or failed + conflicted + held = 0))
  )
);
comment on table public.sync_runs is 'The ledger of runs: what was asked, how far it is, how it ended.';

-- Serves the history, newest first, and the policies.
create index if not exists sync_runs_of_a_user on public.sync_runs (user_id, created_at desc, id desc);
create index if not exists sync_runs_of_an_organization on public.sync_runs (org_id, created_at desc);
create index if not exists sync_runs_below on public.sync_runs (parent_run_id);
create index if not exists sync_runs_of_a_config on public.sync_runs (config_id, created_at desc);
-- Serves the question when the clock last ticked.
create index if not exists sync_runs_of_the_system on public.sync_runs (created_at) where kind = 'system';
-- Serves the search for runs that are stuck.
create index if not exists sync_runs_running on public.sync_runs (updated_at) where status = 'running';

create or replace trigger sync_runs_touch before update on public.sync_runs
  for each row execute function sync.touch();

-- What a listed run has to do, in the order in which it does it. Apart, because it is long and is never changed.
create table if not exists sync.run_work (
  run_id uuid primary key references public.sync_runs (id) on delete cascade,
  item_ids uuid[] not null
);
comment on table sync.run_work is 'The items of a listed run, in order.';
alter table sync.run_work enable row level security;

-- How a run stands, judged by its own sums.
create or replace function sync.run_verdict(run public.sync_runs)
returns text
language sql
immutable
set search_path = ''
as $$
  select case
    when not run.last_page_reached
      or run.seen <> run.created + run.updated + run.unchanged + run.skipped + run.deleted + run.failed
                     + run.conflicted + run.held then 'interrupted'
    when run.seen > 0 and run.failed = run.seen then 'failed'
    when run.failed + run.conflicted + run.held = 0 then 'completed'
    else 'partial_success'
  end;
$$;
revoke execute on function sync.run_verdict from public;

-- Ends the run above once all its runs below have ended: completed only if all are, failed if all are, cancelled if
-- one was and nothing else went wrong, else a partial success; interrupted where records were left unaccounted for.
create or replace function sync.settle_run_above(above uuid)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  run public.sync_runs;
  below record;
begin
  -- Two runs below that end at once must see each other.
  select * into run from public.sync_runs where id = above for update;
  if not found or run.status <> 'running' or not run.last_page_reached then
    return;
  end if;
  select count(*) filter (where status = 'running') as running, count(*) as runs,
    count(*) filter (where status = 'completed') as completed, count(*) filter (where status = 'failed') as failed,
    count(*) filter (where status = 'interrupted') as interrupted,
    count(*) filter (where status = 'cancelled') as cancelled,
    coalesce(sum(seen), 0) as seen, coalesce(sum(r.created), 0) as created, coalesce(sum(r.updated), 0) as updated,
    coalesce(sum(r.unchanged), 0) as unchanged, coalesce(sum(r.skipped), 0) as skipped,
    coalesce(sum(r.deleted), 0) as deleted, coalesce(sum(r.failed), 0) as failures,
    coalesce(sum(r.conflicted), 0) as conflicted, coalesce(sum(r.held), 0) as held,
    coalesce(sum(r.platform_requests), 0) as requests,
    (array_agg(r.reason order by r.finished_at) filter (where r.reason is not null))[1] as reason,
    (array_agg(r.message order by r.finished_at) filter (where r.message is not null))[1] as message
  into below from public.sync_runs as r where r.parent_run_id = above;
  if below.running > 0 then
    return;
  end if;
  update public.sync_runs
  set seen = below.seen, created = below.created, updated = below.updated, unchanged = below.unchanged,
      skipped = below.skipped, deleted = below.deleted, failed = below.failures, conflicted = below.conflicted,
      held = below.held, platform_requests = below.requests, reason = below.reason, message = below.message,
      finished_at = pg_catalog.now(),
      duration_ms = (extract(epoch from pg_catalog.clock_timestamp() - started_at) * 1000)::bigint,
      status = case
        when below.completed = below.runs and below.failures + below.conflicted + below.held = 0 then 'completed'
        when below.failed = below.runs then 'failed'
        when below.cancelled > 0 then 'cancelled'
        when below.interrupted = below.runs then 'interrupted'
        -- A run below that broke off leaves records that no column counts.
        when below.seen <> below.created + below.updated + below.unchanged + below.skipped + below.deleted
          + below.failures + below.conflicted + below.held then 'interrupted'
        else 'partial_success'
      end
  where id = above;
end
$$;
revoke execute on function sync.settle_run_above from public;

create or replace function sync.settle_runs()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if new.status = 'running' then
    perform sync.settle_run_above(new.id);
  else
    perform sync.settle_run_above(new.parent_run_id);
  end if;
  return null;
end
$$;
revoke execute on function sync.settle_runs from public;
create or replace trigger sync_runs_settle_above after update of status on public.sync_runs
  for each row when (old.status = 'running' and new.status <> 'running' and new.parent_run_id is not null)
  execute function sync.settle_runs();
-- A run above learns that nothing more will come below it.
create or replace trigger sync_runs_settle_itself after update of last_page_reached on public.sync_runs
  for each row when (new.kind <> 'sync' and new.status = 'running' and new.last_page_reached and not old.last_page_reached)
  execute function sync.settle_runs();

alter table public.sync_runs enable row level security;
grant select on public.sync_runs to authenticated;
drop policy if exists "Users see their own runs and their organizations'" on public.sync_runs;
create policy "Users see their own runs and their organizations'" on public.sync_runs for select to authenticated
  using (user_id = (select auth.uid()) or org_id = any ((select sync.my_organizations('viewer'))::uuid[]));
