-- Integrations: a user's account on a platform, and, out of everybody's sight, the sealed secrets that open it.
--
-- What people may see is in `public.integrations`. What opens the account is in `sync.credentials`, sealed by the
-- functions with a key that the database does not have.

create table if not exists public.integrations (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
  org_id uuid references public.organizations (id),
  name text not null,
  platform text not null,
  base_url text not null,
  -- What the connector needs besides the address: an account number, the fields to read.
  config jsonb not null default '{}',
  -- Which kind of credential it has; the kind is no secret.
  credential_kind text not null,

  -- `error`: its credential no longer holds; nothing is sent until a test succeeds.
  status text not null default 'active',
  last_test_at timestamptz,
  last_test_result jsonb,

  -- How much of it we may use, and how stubborn we are.
  rate_per_minute integer not null default 60,
  rate_per_hour integer not null default 1000,
  max_retries smallint not null default 3,

  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),

  constraint integrations_are_named check (name <> '' and length(name) <= 200),
  constraint integration_names_are_unique unique (user_id, name),
  constraint platforms_are_words check (platform ~ '^[a-z][a-z0-9_-]{1,39}$'),
  constraint addresses_are_absolute check (base_url ~ '^https?://[^/@?#[:space:]]+'),
  constraint integration_status_is_known check (status in ('active', 'inactive', 'error')),
  constraint credential_kind_is_named check (credential_kind <> ''),
  constraint rates_are_positive check (rate_per_minute between 1 and 100000 and rate_per_hour between 1 and 10000000),
  constraint retries_are_between_0_and_10 check (max_retries between 0 and 10)
);
comment on table public.integrations is 'A user''s account on a platform, without its secrets.';

-- Serve the policies, and the question for a user's only active account on a platform.
create index if not exists integrations_of_a_user on public.integrations (user_id, platform, status);
create index if not exists integrations_of_an_organization on public.integrations (org_id);

create or replace trigger integrations_touch before update on public.integrations
  for each row execute function sync.touch();
create or replace trigger integrations_audit after insert or update of user_id, org_id, name, platform, base_url,
  config, credential_kind, rate_per_minute, rate_per_hour, max_retries or delete on public.integrations
  for each row execute function sync.audit_change();

alter table public.integrations enable row level security;
grant select on public.integrations to authenticated;
drop policy if exists "Users see their own integrations and their organizations'" on public.integrations;
create policy "Users see their own integrations and their organizations'" on public.integrations
  for select to authenticated
  using (user_id = (select auth.uid()) or org_id = any ((select sync.my_organizations('viewer'))::uuid[]));

create table if not exists sync.credentials (
  integration_id uuid not null references public.integrations (id) on delete cascade,
  -- `secret` is what the owner gave us, `token` what we bought with it.
  slot text not null,
  sealed text not null,
  -- Of a token: when the platform stops accepting it.
  expires_at timestamptz,

  -- Who is buying a new token, and until when we believe that; and under which fence the stored one was bought.
  fence bigint not null default 0,
  bought_fence bigint not null default 0,
  leased_by uuid,
  leased_until timestamptz not null default '-infinity',

  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (integration_id, slot),

  constraint slots_are_known check (slot in ('secret', 'token')),
  -- An empty text is a token that is still to be bought; nothing else may be stored unsealed.
  constraint credentials_are_sealed check (sealed ~ '^v[0-9]+\.' or (slot = 'token' and sealed = ''))
);
comment on table sync.credentials is 'Sealed secrets and access tokens. The key is not in the database.';
create or replace trigger credentials_touch before update on sync.credentials
  for each row execute function sync.touch();
alter table sync.credentials enable row level security;

-- Which run has used which account: the audit says it once per run, not once per request.
create table if not exists sync.credential_uses (
  run_id uuid not null,
  integration_id uuid not null references public.integrations (id) on delete cascade,
  used_at timestamptz not null default now(),
  primary key (run_id, integration_id)
);
comment on table sync.credential_uses is 'Which runs have used which account, for the audit.';
create index if not exists credential_uses_of_an_integration on sync.credential_uses (integration_id);
create index if not exists credential_uses_by_age on sync.credential_uses (used_at);
alter table sync.credential_uses enable row level security;

-- Whether the caller may change this account: its user, or an admin of its organization.
create or replace function sync.may_change_integration(integration public.integrations)
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select integration.user_id = (select auth.uid())
      or coalesce(integration.org_id = any ((select sync.my_organizations('admin'))::uuid[]), false);
$$;
revoke execute on function sync.may_change_integration from public;

-- Adds an account and its sealed secret in one step. The id comes from the caller, because the secret is sealed for it.
create or replace function sync.integration_add(input jsonb)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  org uuid := (input ->> 'org_id')::uuid;
  fresh uuid := (input ->> 'id')::uuid;
begin
  if auth.uid() is null then
    perform sync.refuse(403, 'Only a signed-in user can add an integration.');
  end if;
  if org is not null and not org = any (sync.my_organizations('admin')) then
    perform sync.refuse(404, 'There is no such organization.', '/orgId');
  end if;
  insert into public.integrations
    (id, user_id, org_id, name, platform, base_url, config, credential_kind, rate_per_minute, rate_per_hour, max_retries)
  values (fresh, auth.uid(), org, input ->> 'name', input ->> 'platform', input ->> 'base_url',
    coalesce(input -> 'config', '{}'), input ->> 'credential_kind', coalesce((input ->> 'rate_per_minute')::integer, 60),
    coalesce((input ->> 'rate_per_hour')::integer, 1000), coalesce((input ->> 'max_retries')::smallint, 3));
  insert into sync.credentials (integration_id, slot, sealed) values (fresh, 'secret', input ->> 'sealed');
  return fresh;
end
$$;
revoke execute on function sync.integration_add from public;
grant execute on function sync.integration_add to authenticated;

-- Changes what is named in `input`. Another address asks for the secret again: else whoever may edit an account
-- could have its secret sent to a host of their own.
create or replace function sync.integration_change(input jsonb)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  row public.integrations;
begin
  select * into row from public.integrations where id = (input ->> 'id')::uuid for update;
  if not found or not sync.may_change_integration(row) then
    return null;
  end if;
  if input ->> 'sealed' is null and (coalesce(input ->> 'base_url', row.base_url) <> row.base_url
      or coalesce(input ->> 'credential_kind', row.credential_kind) <> row.credential_kind) then
    perform sync.refuse(422, 'Another address or kind of credential needs the secret again.', '/credentials');
  end if;
  update public.integrations
  set name = coalesce(input ->> 'name', name),
      base_url = coalesce(input ->> 'base_url', base_url),
      config = coalesce(input -> 'config', config),
      credential_kind = coalesce(input ->> 'credential_kind', credential_kind),
      rate_per_minute = coalesce((input ->> 'rate_per_minute')::integer, rate_per_minute),
      rate_per_hour = coalesce((input ->> 'rate_per_hour')::integer, rate_per_hour),
      max_retries = coalesce((input ->> 'max_retries')::smallint, max_retries),
      -- A new secret deserves a new chance.
      status = coalesce(input ->> 'status', case when input ->> 'sealed' is null then status else 'active' end)
  where id = row.id;
  if input ->> 'sealed' is not null then
    insert into sync.credentials as c (integration_id, slot, sealed) values (row.id, 'secret', input ->> 'sealed')
    on conflict (integration_id, slot) do update set sealed = excluded.sealed;
    -- What was bought with the old secret is not to be used with the new one. The fence stops a purchase under way.
    update sync.credentials
    set sealed = '', expires_at = null, fence = fence + 1, leased_until = '-infinity'
    where integration_id = row.id and slot = 'token';
    perform sync.audit(row.user_id, row.org_id, 'secret_replaced', 'integrations', row.id::text);
  end if;
  return row.id;
end
$$;
revoke execute on function sync.integration_change from public;
grant execute on function sync.integration_change to authenticated;

-- Removes an account and its secrets; answers whether there was one that the caller may remove. What still uses it
-- (syncs, items) keeps it: the foreign keys refuse.
create or replace function sync.integration_remove(integration uuid)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  row public.integrations;
begin
  select * into row from public.integrations where id = integration for update;
  if not found or not sync.may_change_integration(row) then
    return false;
  end if;
  delete from public.integrations where id = row.id;
  return true;
end
$$;
revoke execute on function sync.integration_remove from public;
grant execute on function sync.integration_remove to authenticated;
