-- Organizations: people who share integrations and syncs, each in one of four roles.
--
--   viewer < operator < admin < owner
--   sees     runs       changes  members

create table if not exists public.organizations (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  created_by uuid default auth.uid() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),

  constraint organizations_are_named check (name <> '' and length(name) <= 200)
);
comment on table public.organizations is 'Who shares integrations and syncs.';

create table if not exists public.organization_members (
  org_id uuid not null references public.organizations (id) on delete cascade,
  user_id uuid not null references auth.users (id) on delete cascade,
  role text not null default 'viewer',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (org_id, user_id),

  constraint roles_are_known check (role in ('viewer', 'operator', 'admin', 'owner'))
);
comment on table public.organization_members is 'Who belongs to an organization, and what they may do there.';

create index if not exists organizations_created_by on public.organizations (created_by);
-- Serves sync.my_organizations.
create index if not exists organization_members_of_a_user on public.organization_members (user_id, org_id, role);

create or replace trigger organizations_touch before update on public.organizations
  for each row execute function sync.touch();
create or replace trigger organization_members_touch before update on public.organization_members
  for each row execute function sync.touch();

-- The organizations in which the caller has at least this role. Policies ask once per statement:
-- `org_id = any ((select sync.my_organizations('viewer'))::uuid[])`.
create or replace function sync.my_organizations(at_least text)
returns uuid[]
language sql
stable
security definer
set search_path = ''
as $$
  select coalesce(array_agg(m.org_id), '{}')
  from public.organization_members as m
  where m.user_id = (select auth.uid())
    and array_position(array['viewer', 'operator', 'admin', 'owner'], m.role)
        >= array_position(array['viewer', 'operator', 'admin', 'owner'], at_least);
$$;
revoke execute on function sync.my_organizations from public;
grant execute on function sync.my_organizations to authenticated;

-- Whoever founds an organization is its first owner.
create or replace function sync.found_organization()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if new.created_by is not null then
    insert into public.organization_members (org_id, user_id, role) values (new.id, new.created_by, 'owner');
  end if;
  return new;
end
$$;
revoke execute on function sync.found_organization from public;
create or replace trigger organizations_have_an_owner after insert on public.organizations
  for each row execute function sync.found_organization();

-- An organization keeps at least one owner as long as it exists.
create or replace function sync.keep_an_owner()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  -- Two owners who leave at once must see each other.
  perform from public.organizations where id = old.org_id for update;
  if found and not exists (
    select from public.organization_members where org_id = old.org_id and role = 'owner'
  ) then
    perform sync.refuse(409, 'An organization needs at least one owner.');
  end if;
  return null;
end
$$;
revoke execute on function sync.keep_an_owner from public;
create or replace trigger organizations_keep_an_owner after update or delete on public.organization_members
  for each row when (old.role = 'owner') execute function sync.keep_an_owner();

alter table public.organizations enable row level security;
alter table public.organization_members enable row level security;
grant select, delete on public.organizations to authenticated;
grant insert (name), update (name) on public.organizations to authenticated;
grant select, delete on public.organization_members to authenticated;
grant insert (org_id, user_id, role), update (role) on public.organization_members to authenticated;

drop policy if exists "Members see their organizations" on public.organizations;
create policy "Members see their organizations" on public.organizations for select to authenticated
  using (created_by = (select auth.uid()) or id = any ((select sync.my_organizations('viewer'))::uuid[]));
drop policy if exists "Users found organizations" on public.organizations;
create policy "Users found organizations" on public.organizations for insert to authenticated
  with check (created_by = (select auth.uid()));
drop policy if exists "Owners rename their organizations" on public.organizations;
create policy "Owners rename their organizations" on public.organizations for update to authenticated
  using (id = any ((select sync.my_organizations('owner'))::uuid[]));
drop policy if exists "Owners dissolve their organizations" on public.organizations;
create policy "Owners dissolve their organizations" on public.organizations for delete to authenticated
  using (id = any ((select sync.my_organizations('owner'))::uuid[]));

drop policy if exists "Members see their fellow members" on public.organization_members;
create policy "Members see their fellow members" on public.organization_members for select to authenticated
  using (org_id = any ((select sync.my_organizations('viewer'))::uuid[]));
drop policy if exists "Owners add members" on public.organization_members;
create policy "Owners add members" on public.organization_members for insert to authenticated
  with check (org_id = any ((select sync.my_organizations('owner'))::uuid[]));
drop policy if exists "Owners change roles" on public.organization_members;
create policy "Owners change roles" on public.organization_members for update to authenticated
  using (org_id = any ((select sync.my_organizations('owner'))::uuid[]));
drop policy if exists "Owners remove members and members leave" on public.organization_members;
create policy "Owners remove members and members leave" on public.organization_members for delete to authenticated
  using (user_id = (select auth.uid()) or org_id = any ((select sync.my_organizations('owner'))::uuid[]));
