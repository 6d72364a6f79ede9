-- Syncs: which account follows which, for which kind of thing, by which rules. A change of the rules makes a new
-- version; a version never changes, and every run says which one it ran with.

create table if not exists public.sync_configs (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
  org_id uuid references public.organizations (id),
  name text not null,
  item_type text not null,
  source_integration_id uuid not null references public.integrations (id),
  target_integration_id uuid not null references public.integrations (id),
  direction text not null default 'unidirectional',
  enabled boolean not null default true,
  mode text not null default 'batch',
  -- Five cron fields in this time zone; null: with the hourly tick, for what is on the sync list.
  schedule text,
  time_zone text not null default 'UTC',
  last_due_at timestamptz,
  -- The one that sync-list rows belong to when they name none.
  implicit boolean not null default false,
  current_version integer not null default 1,
  -- Counts every change that a person makes, so that nobody overwrites what they have not seen.
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),

  constraint configs_are_named check (name <> '' and length(name) <= 200),
  constraint config_item_type_is_known check (item_type in ('product', 'order', 'inventory')),
  constraint config_direction_is_known check (direction in ('unidirectional', 'bidirectional')),
  constraint config_mode_is_known check (mode in ('batch', 'realtime')),
  constraint config_sides_differ check (source_integration_id <> target_integration_id),
  constraint config_schedule_has_five_fields check (schedule ~ '^\S+( \S+){4}$')
);
comment on table public.sync_configs is 'A sync: two accounts, a kind of thing, a schedule.';

create unique index if not exists sync_configs_implicit on public.sync_configs
  (user_id, source_integration_id, target_integration_id, item_type) where implicit;
create index if not exists sync_configs_of_a_user on public.sync_configs (user_id);
create index if not exists sync_configs_of_an_organization on public.sync_configs (org_id);
-- Serve the foreign keys, and the search for the sync that runs the other way.
create index if not exists sync_configs_by_source on public.sync_configs (source_integration_id, target_integration_id, item_type);
create index if not exists sync_configs_by_target on public.sync_configs (target_integration_id);

create table if not exists public.sync_config_versions (
  config_id uuid not null references public.sync_configs (id) on delete cascade,
  version integer not null,
  -- Field mapping, conflict strategy, match keys, delete policy. Empty: the connectors' defaults.
  rules jsonb not null default '{}',
  created_by uuid default auth.uid() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  primary key (config_id, version),

  constraint versions_count_from_1 check (version >= 1),
  constraint rules_are_an_object check (jsonb_typeof(rules) = 'object')
);
comment on table public.sync_config_versions is 'The rules of a sync, version by version. Never changed.';
create index if not exists sync_config_versions_created_by on public.sync_config_versions (created_by);

create or replace trigger sync_configs_touch before update on public.sync_configs
  for each row execute function sync.touch();
create or replace trigger sync_configs_audit after insert or update or delete on public.sync_configs
  for each row execute function sync.audit_change();

-- Whether this user may use this account, in this organization or alone. Without it, naming a stranger's account in
-- a row of one's own would be enough to work with it.
create or replace function sync.may_use_integration(owner uuid, org uuid, integration uuid)
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select exists (
    select from public.integrations as i
    where i.id = integration
      and (i.user_id = owner or (i.org_id is not null and i.org_id = org and exists (
        select from public.organization_members as m
        where m.org_id = i.org_id and m.user_id = owner and m.role <> 'viewer')))
  );
$$;
revoke execute on function sync.may_use_integration from public;

create or replace function sync.check_config()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if not sync.may_use_integration(new.user_id, new.org_id, new.source_integration_id) then
    perform sync.refuse(422, 'The source integration does not exist.', '/sourceIntegrationId');
  end if;
  if not sync.may_use_integration(new.user_id, new.org_id, new.target_integration_id) then
    perform sync.refuse(422, 'The target integration does not exist.', '/targetIntegrationId');
  end if;
  return new;
end
$$;
revoke execute on function sync.check_config from public;
create or replace trigger sync_configs_name_own_accounts
  before insert or update of user_id, org_id, source_integration_id, target_integration_id on public.sync_configs
  for each row execute function sync.check_config();

-- A new sync starts with version 1 and the default rules.
create or replace function sync.first_version()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.sync_config_versions (config_id, version, created_by) values (new.id, 1, auth.uid());
  return null;
end
$$;
revoke execute on function sync.first_version from public;
create or replace trigger sync_configs_first_version after insert on public.sync_configs
  for each row execute function sync.first_version();

-- A version that runs have used must stay what it was. It goes only with its sync.
create or replace function sync.refuse_version_change()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  -- The author's account may be erased; that says nothing about the rules.
  if (new.config_id, new.version, new.rules, new.created_at) = (old.config_id, old.version, old.rules, old.created_at)
      and new.created_by is null then
    return new;
  end if;
  raise exception using errcode = 'PT409', message = 'A version of a sync never changes. Add a new one.';
end
$$;
revoke execute on function sync.refuse_version_change from public;
create or replace trigger sync_config_versions_are_immutable before update on public.sync_config_versions
  for each row execute function sync.refuse_version_change();

alter table public.sync_configs enable row level security;
alter table public.sync_config_versions enable row level security;
grant select, delete on public.sync_configs to authenticated;
grant insert (user_id, org_id, name, item_type, source_integration_id, target_integration_id, direction, enabled,
  mode, schedule, time_zone) on public.sync_configs to authenticated;
grant update (name, direction, enabled, mode, schedule, time_zone) on public.sync_configs to authenticated;
grant select on public.sync_config_versions to authenticated;

drop policy if exists "Users see their own syncs and their organizations'" on public.sync_configs;
create policy "Users see their own syncs and their organizations'" on public.sync_configs for select to authenticated
  using (user_id = (select auth.uid()) or org_id = any ((select sync.my_organizations('viewer'))::uuid[]));
drop policy if exists "Users add syncs of their own" on public.sync_configs;
create policy "Users add syncs of their own" on public.sync_configs for insert to authenticated
  with check (user_id = (select auth.uid())
    and (org_id is null or org_id = any ((select sync.my_organizations('admin'))::uuid[])));
drop policy if exists "Users change their own syncs and admins their organizations'" on public.sync_configs;
create policy "Users change their own syncs and admins their organizations'" on public.sync_configs
  for update to authenticated
  using (user_id = (select auth.uid()) or org_id = any ((select sync.my_organizations('admin'))::uuid[]));
drop policy if exists "Users remove their own syncs and admins their organizations'" on public.sync_configs;
create policy "Users remove their own syncs and admins their organizations'" on public.sync_configs
  for delete to authenticated
  using (user_id = (select auth.uid()) or org_id = any ((select sync.my_organizations('admin'))::uuid[]));
drop policy if exists "Whoever sees a sync sees its versions" on public.sync_config_versions;
create policy "Whoever sees a sync sees its versions" on public.sync_config_versions for select to authenticated
  using (config_id in (select id from public.sync_configs));
