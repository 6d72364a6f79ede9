-- The sync list: the items that people want kept equal, one row per item and target.
--
-- People choose what is on it, how it is looked at, and, if they like, which record of the target it is. How it went
-- (last_synced_at, last_sync_status, error_message) is written by the functions alone; column grants see to that.

create table if not exists public.sync_list (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
  org_id uuid references public.organizations (id),
  item_type text not null,

  -- Where it comes from and where it goes. The accounts are filled in when the user has only one of each platform.
  source_platform text not null,
  target_platform text not null,
  source_integration_id uuid not null references public.integrations (id),
  target_integration_id uuid not null references public.integrations (id),
  config_id uuid not null references public.sync_configs (id),
  source_id text not null,

  -- How it is looked at.
  sync_mode text not null default 'delta',
  is_active boolean not null default true,
  priority smallint not null default 5,
  schedule text,
  -- Only these target fields flow; null: all.
  fields text[],
  -- The filter that found it, and what people recognise it by.
  filter_config jsonb,
  metadata jsonb not null default '{}',

  -- Null: not on the other side yet, so it is looked for there, and made. A person may name the record.
  target_id text,
  -- How it went.
  last_synced_at timestamptz,
  last_sync_status text,
  error_message text,
  last_checked_at timestamptz,

  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),

  constraint items_are_listed_once
    unique (user_id, item_type, source_integration_id, source_id, target_integration_id),
  constraint item_type_is_known check (item_type in ('product', 'order', 'inventory')),
  constraint item_sides_differ check (source_integration_id <> target_integration_id),
  constraint item_source_is_named check (source_id <> '' and length(source_id) <= 500),
  constraint item_target_is_named check (target_id <> '' and length(target_id) <= 500),
  constraint item_sync_mode_is_known check (sync_mode in ('delta', 'full')),
  constraint item_priority_is_between_1_and_9 check (priority between 1 and 9),
  constraint item_schedule_has_five_fields check (schedule ~ '^\S+( \S+){4}$'),
  constraint item_status_is_known check (last_sync_status in ('success', 'failed', 'pending')),
  constraint item_metadata_is_an_object check (jsonb_typeof(metadata) = 'object')
) with (fillfactor = 80);
comment on table public.sync_list is 'What people want kept equal, and how that went.';

-- Serves the list on the page, the choice of a user's items, and the policies.
create index if not exists sync_list_of_a_user on public.sync_list (user_id, created_at, id);
create index if not exists sync_list_of_an_organization on public.sync_list (org_id);
-- Serve runs and the foreign keys. No index has a column that a run writes: so its updates touch no index at all, for
-- which the pages keep some room.
create index if not exists sync_list_of_a_config on public.sync_list (config_id, source_id);
create index if not exists sync_list_by_source on public.sync_list (source_integration_id);
create index if not exists sync_list_by_target on public.sync_list (target_integration_id);

create or replace trigger sync_list_touch before update on public.sync_list
  for each row execute function sync.touch();

-- The only active account of this user on this platform, or a refusal that says what to do.
create or replace function sync.only_integration(owner uuid, org uuid, wanted text, pointer text)
returns uuid
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  found_ids uuid[];
begin
  select array_agg(i.id) into found_ids
  from public.integrations as i
  where i.platform = wanted and i.status <> 'inactive'
    and (i.user_id = owner or (org is not null and i.org_id = org));
  if found_ids is null then
    perform sync.refuse(422, 'There is no active integration with ' || wanted || ' yet. Add one first.', pointer);
  elsif cardinality(found_ids) > 1 then
    perform sync.refuse(422, 'There are several active integrations with ' || wanted || '. Say which one.', pointer);
  end if;
  return found_ids[1];
end
$$;
revoke execute on function sync.only_integration from public;

-- The sync that rows belong to when they name none. It is made when the first one needs it.
create or replace function sync.implicit_config(owner uuid, org uuid, source uuid, target uuid, kind text)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  found_id uuid;
begin
  select c.id into found_id from public.sync_configs as c
  where c.user_id = owner and c.source_integration_id = source and c.target_integration_id = target
    and c.item_type = kind and c.implicit;
  if found then
    return found_id;
  end if;
  insert into public.sync_configs as c
    (user_id, org_id, name, item_type, source_integration_id, target_integration_id, implicit)
  select owner, org, s.name || ' to ' || t.name || ': ' || kind, kind, source, target, true
  from public.integrations as s, public.integrations as t
  where s.id = source and t.id = target
  -- Somebody else may have been first: then theirs is the one.
  on conflict (user_id, source_integration_id, target_integration_id, item_type) where implicit
    do update set implicit = true
  returning c.id into found_id;
  return found_id;
end
$$;
revoke execute on function sync.implicit_config from public;

-- Completes a new row: accounts, sync, platforms; and refuses what does not belong to its user.
create or replace function sync.complete_list_item()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  config public.sync_configs;
begin
  -- A caller can only add rows of their own (the policy says so too, but after this trigger has acted).
  if auth.uid() is not null and new.user_id is distinct from auth.uid() then
    perform sync.refuse(403, 'An item is added to one''s own list.', '/userId');
  end if;
  if new.org_id is not null and auth.uid() is not null and not new.org_id = any (sync.my_organizations('operator')) then
    perform sync.refuse(422, 'There is no such organization.', '/orgId');
  end if;
  if new.config_id is not null then
    select * into config from public.sync_configs as c
    where c.id = new.config_id and (c.user_id = new.user_id or (c.org_id is not null and c.org_id = new.org_id));
    if not found then
      perform sync.refuse(422, 'There is no such sync.', '/configId');
    end if;
    new.source_integration_id := config.source_integration_id;
    new.target_integration_id := config.target_integration_id;
    new.item_type := config.item_type;
  end if;
  new.source_integration_id := coalesce(new.source_integration_id,
    sync.only_integration(new.user_id, new.org_id, new.source_platform, '/sourceIntegrationId'));
  new.target_integration_id := coalesce(new.target_integration_id,
    sync.only_integration(new.user_id, new.org_id, new.target_platform, '/targetIntegrationId'));
  if not sync.may_use_integration(new.user_id, new.org_id, new.source_integration_id) then
    perform sync.refuse(422, 'The source integration does not exist.', '/sourceIntegrationId');
  elsif not sync.may_use_integration(new.user_id, new.org_id, new.target_integration_id) then
    perform sync.refuse(422, 'The target integration does not exist.', '/targetIntegrationId');
  end if;
  new.source_platform := (select platform from public.integrations where id = new.source_integration_id);
  new.target_platform := (select platform from public.integrations where id = new.target_integration_id);
  new.config_id := coalesce(new.config_id, sync.implicit_config(new.user_id, new.org_id,
    new.source_integration_id, new.target_integration_id, new.item_type));
  return new;
end
$$;
revoke execute on function sync.complete_list_item from public;
create or replace trigger sync_list_complete before insert on public.sync_list
  for each row execute function sync.complete_list_item();

-- One line in the audit for each statement of a user, however many items it adds or removes.
create or replace function sync.audit_list()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if auth.uid() is not null then
    perform sync.audit(auth.uid(), null, lower(tg_op), 'sync_list', count(*)::text,
      jsonb_build_object('items', to_jsonb((array_agg(id order by id))[:100])))
    from touched having count(*) > 0;
  end if;
  return null;
end
$$;
revoke execute on function sync.audit_list from public;
create or replace trigger sync_list_audit_insert after insert on public.sync_list
  referencing new table as touched for each statement execute function sync.audit_list();
create or replace trigger sync_list_audit_delete after delete on public.sync_list
  referencing old table as touched for each statement execute function sync.audit_list();

alter table public.sync_list enable row level security;
grant select, delete on public.sync_list to authenticated;
grant insert (id, user_id, org_id, item_type, source_platform, target_platform, source_integration_id,
  target_integration_id, config_id, source_id, target_id, sync_mode, is_active, priority, schedule, fields, filter_config,
  metadata) on public.sync_list to authenticated;
grant update (target_id, sync_mode, is_active, priority, schedule, fields, filter_config, metadata)
  on public.sync_list to authenticated;

drop policy if exists "Users see their own items and their organizations'" on public.sync_list;
create policy "Users see their own items and their organizations'" on public.sync_list for select to authenticated
  using (user_id = (select auth.uid()) or org_id = any ((select sync.my_organizations('viewer'))::uuid[]));
drop policy if exists "Users add items to their own list" on public.sync_list;
create policy "Users add items to their own list" on public.sync_list for insert to authenticated
  with check (user_id = (select auth.uid())
    and (org_id is null or org_id = any ((select sync.my_organizations('operator'))::uuid[])));
drop policy if exists "Users change their own items and operators their organizations'" on public.sync_list;
create policy "Users change their own items and operators their organizations'" on public.sync_list
  for update to authenticated
  using (user_id = (select auth.uid()) or org_id = any ((select sync.my_organizations('operator'))::uuid[]));
drop policy if exists "Users remove their own items and operators their organizations'" on public.sync_list;
create policy "Users remove their own items and operators their organizations'" on public.sync_list
  for delete to authenticated
  using (user_id = (select auth.uid()) or org_id = any ((select sync.my_organizations('operator'))::uuid[]));
