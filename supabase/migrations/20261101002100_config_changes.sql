-- Making and changing syncs with their rules, in one step each.

create or replace function sync.count_config_change()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if (new.name, new.direction, new.enabled, new.mode, new.schedule, new.time_zone, new.current_version)
      is distinct from (old.name, old.direction, old.enabled, old.mode, old.schedule, old.time_zone, old.current_version) then
    new.revision := old.revision + 1;
  end if;
  return new;
end
$$;
revoke execute on function sync.count_config_change from public;
create or replace trigger sync_configs_count before update on public.sync_configs
  for each row execute function sync.count_config_change();

-- Whether the caller may change a sync of this owner and organization.
create or replace function sync.may_change_config(owner uuid, org uuid)
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select coalesce(owner = auth.uid() or org = any (sync.my_organizations('admin')), false);
$$;
revoke execute on function sync.may_change_config from public;

-- Makes a sync of the caller with the first version of its rules; answers its id. What is absent is as the table has it.
create or replace function sync.config_create(given jsonb)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  made uuid;
  org uuid := (given ->> 'org_id')::uuid;
begin
  if auth.uid() is null then
    perform sync.refuse(403, 'A sync belongs to somebody.');
  elsif org is not null and not org = any (sync.my_organizations('admin')) then
    perform sync.refuse(422, 'There is no such organization.', '/orgId');
  end if;
  insert into public.sync_configs (user_id, org_id, name, item_type, source_integration_id, target_integration_id,
    direction, enabled, mode, schedule, time_zone)
  values (auth.uid(), org, given ->> 'name', given ->> 'item_type', (given ->> 'source_integration_id')::uuid,
    (given ->> 'target_integration_id')::uuid, coalesce(given ->> 'direction', 'unidirectional'),
    coalesce((given ->> 'enabled')::boolean, true), coalesce(given ->> 'mode', 'batch'), given ->> 'schedule',
    coalesce(given ->> 'time_zone', 'UTC'))
  returning id into made;
  -- The trigger has written the default rules as version 1; nobody has seen them yet.
  if given ? 'rules' then
    delete from public.sync_config_versions where config_id = made;
    insert into public.sync_config_versions (config_id, version, rules, created_by)
    values (made, 1, given -> 'rules', auth.uid());
  end if;
  return made;
end
$$;
revoke execute on function sync.config_create from public;
grant execute on function sync.config_create to authenticated;

-- Changes a sync, and adds a version where its rules change; answers its id, or null where there is none for the caller.
-- `expected` is the revision that the caller saw; `restore` brings back the rules of an older version, as a new one.
create or replace function sync.config_change(given jsonb)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  old public.sync_configs;
  held jsonb;
  fresh jsonb := given -> 'rules';
begin
  select * into old from public.sync_configs where id = (given ->> 'id')::uuid for update;
  if not found or not sync.may_change_config(old.user_id, old.org_id) then
    return null;
  end if;
  if given ? 'expected' and (given ->> 'expected')::integer <> old.revision then
    perform sync.refuse(412, 'The sync was changed in the meantime. Load it again.');
  end if;
  if given ? 'restore' then
    select v.rules into fresh from public.sync_config_versions as v
    where v.config_id = old.id and v.version = (given ->> 'restore')::integer;
    if not found then
      perform sync.refuse(422, 'The sync has no such version.', '/restore');
    end if;
  end if;
  select v.rules into held from public.sync_config_versions as v
  where v.config_id = old.id and v.version = old.current_version;
  if fresh is distinct from held and fresh is not null then
    insert into public.sync_config_versions (config_id, version, rules, created_by)
    values (old.id, (select max(v.version) + 1 from public.sync_config_versions as v where v.config_id = old.id), fresh,
      auth.uid());
  else
    fresh := null;
  end if;
  update public.sync_configs as c
  set name = coalesce(given ->> 'name', c.name), direction = coalesce(given ->> 'direction', c.direction),
      enabled = coalesce((given ->> 'enabled')::boolean, c.enabled), mode = coalesce(given ->> 'mode', c.mode),
      schedule = case when given ? 'schedule' then nullif(given ->> 'schedule', '') else c.schedule end,
      time_zone = coalesce(given ->> 'time_zone', c.time_zone),
      current_version = case when fresh is null then c.current_version else
        (select max(v.version) from public.sync_config_versions as v where v.config_id = c.id) end
  where c.id = old.id;
  return old.id;
end
$$;
revoke execute on function sync.config_change from public;
grant execute on function sync.config_change to authenticated;
