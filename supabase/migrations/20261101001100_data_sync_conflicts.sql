-- Conflicts: records that both sides changed, or that a person must look at before anything is written.
--
--   pending ──a person decides──▶ resolved
--      └──both sides agree again──▶ settled

create table if not exists public.data_sync_conflicts (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users (id) on delete cascade,
  org_id uuid references public.organizations (id),
  config_id uuid not null references public.sync_configs (id) on delete cascade,
  -- The run that met it last. No foreign key: runs are dropped earlier than an open conflict.
  run_id uuid,
  item_id uuid references public.sync_list (id) on delete set null,
  item_type text not null,
  source_id text not null,
  target_id text,
  -- `conflicted`: both sides changed a field; `held`: something else that a person must decide.
  kind text not null,
  reason text,
  message text,
  -- Per field: base, source, target, rule.
  changes json,

  status text not null default 'pending',
  resolution jsonb,
  resolved_by uuid references auth.users (id) on delete set null,
  resolved_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),

  constraint conflict_kind_is_known check (kind in ('conflicted', 'held')),
  constraint conflict_status_is_known check (status in ('pending', 'resolved', 'settled')),
  constraint conflicts_end_when_decided check ((status = 'pending') = (resolved_at is null))
);
comment on table public.data_sync_conflicts is 'Records that a person must look at.';

-- A record is open for decision once.
create unique index if not exists data_sync_conflicts_open on public.data_sync_conflicts (config_id, source_id)
  where status = 'pending';
create index if not exists data_sync_conflicts_of_a_user on public.data_sync_conflicts (user_id, status, created_at);
create index if not exists data_sync_conflicts_of_an_organization on public.data_sync_conflicts (org_id);
create index if not exists data_sync_conflicts_of_a_config on public.data_sync_conflicts (config_id);
create index if not exists data_sync_conflicts_of_an_item on public.data_sync_conflicts (item_id);
create index if not exists data_sync_conflicts_resolved_by on public.data_sync_conflicts (resolved_by);

create or replace trigger data_sync_conflicts_touch before update on public.data_sync_conflicts
  for each row execute function sync.touch();
create or replace trigger data_sync_conflicts_audit after update of status on public.data_sync_conflicts
  for each row when (new.status = 'resolved') execute function sync.audit_change();

alter table public.data_sync_conflicts enable row level security;
grant select on public.data_sync_conflicts to authenticated;
drop policy if exists "Users see their own conflicts and their organizations'" on public.data_sync_conflicts;
create policy "Users see their own conflicts and their organizations'" on public.data_sync_conflicts
  for select to authenticated
  using (user_id = (select auth.uid()) or org_id = any ((select sync.my_organizations('viewer'))::uuid[]));
