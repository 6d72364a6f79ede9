-- Issues: records that fail. One row per record, however often it fails; it closes itself when the record succeeds.
--
--   open ──the record succeeds──▶ resolved ──it fails again──▶ open
--     └──a person──▶ ignored

create table if not exists public.sync_issues (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users (id) on delete cascade,
  org_id uuid references public.organizations (id),
  config_id uuid not null references public.sync_configs (id) on delete cascade,
  item_id uuid references public.sync_list (id) on delete set null,
  run_id uuid,
  source_id text not null,
  error_class text not null,
  error_code text not null,
  message text not null,
  status text not null default 'open',
  times bigint not null default 1,
  first_seen_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  resolved_at timestamptz,

  constraint issues_are_one_per_record unique (config_id, source_id),
  constraint issue_status_is_known check (status in ('open', 'resolved', 'ignored')),
  constraint issues_end_when_resolved check ((status = 'resolved') = (resolved_at is not null))
);
comment on table public.sync_issues is 'Records that fail, until they succeed.';
create index if not exists sync_issues_of_a_user on public.sync_issues (user_id, status, last_seen_at);
create index if not exists sync_issues_of_an_organization on public.sync_issues (org_id);
create index if not exists sync_issues_of_an_item on public.sync_issues (item_id);

alter table public.sync_issues enable row level security;
grant select, update (status) on public.sync_issues to authenticated;
drop policy if exists "Users see their own issues and their organizations'" on public.sync_issues;
create policy "Users see their own issues and their organizations'" on public.sync_issues for select to authenticated
  using (user_id = (select auth.uid()) or org_id = any ((select sync.my_organizations('viewer'))::uuid[]));
drop policy if exists "Users ignore open issues, or open ignored ones" on public.sync_issues;
create policy "Users ignore open issues, or open ignored ones" on public.sync_issues for update to authenticated
  using (status <> 'resolved'
    and (user_id = (select auth.uid()) or org_id = any ((select sync.my_organizations('operator'))::uuid[])))
  with check (status in ('open', 'ignored')
    and (user_id = (select auth.uid()) or org_id = any ((select sync.my_organizations('operator'))::uuid[])));
