-- The user's own tables as a platform: whose rows an account reaches, in which tables, and as which role.
--
-- Nothing leaves the database. What an account of the platform `supabase` does runs as `authenticated` with its owner's
-- claims, so that the policies of the user's own tables decide; or, where the project's owner trusts that user with it,
-- as `sync_tables`, with policies of its own. Only sync.as_table_user changes the role.

-- There is one such place, and nobody is sent anywhere else with it. Another's rights are not lent to an organization.
alter table public.integrations drop constraint if exists addresses_are_absolute;
alter table public.integrations add constraint addresses_are_absolute
  check (base_url ~ '^https?://[^/@?#[:space:]]+' or base_url = 'supabase://tables');
alter table public.integrations drop constraint if exists own_tables_have_one_address;
alter table public.integrations add constraint own_tables_have_one_address
  check ((platform = 'supabase') = (base_url = 'supabase://tables'));
alter table public.integrations drop constraint if exists own_tables_are_reached_as_oneself;
alter table public.integrations add constraint own_tables_are_reached_as_oneself
  check (platform <> 'supabase' or org_id is null);

-- The system, as far as users' tables are concerned: whoever owns the project grants it tables and writes policies.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'sync_tables') then
    create role sync_tables nologin noinherit;
  end if;
end
$$;
grant sync_tables to sync_functions;
grant usage on schema public, sync to sync_tables;

-- For whom `sync_tables` works just now: for policies, `using (owner_id = (select sync.on_behalf_of()))`.
create or replace function sync.on_behalf_of()
returns uuid
language sql
stable
set search_path = ''
as $$
  select (nullif(pg_catalog.current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid;
$$;
revoke execute on function sync.on_behalf_of from public;
grant execute on function sync.on_behalf_of to sync_tables;

create table if not exists sync.table_trustees (
  user_id uuid primary key references auth.users (id) on delete cascade,
  trusted_at timestamptz not null default now()
);
comment on table sync.table_trustees is 'Whose accounts may say `run_as: system`. Else any user could choose the system''s rights.';
alter table sync.table_trustees enable row level security;
grant select on sync.table_trustees to sync_functions;
drop policy if exists "The functions see who is trusted" on sync.table_trustees;
create policy "The functions see who is trusted" on sync.table_trustees for select to sync_functions using (true);

-- Lets the accounts of a user act as `sync_tables`. To be called by the project's owner.
create or replace function sync.trust_with_tables(who uuid)
returns void
language sql
set search_path = ''
as $$
  insert into sync.table_trustees (user_id) values (who) on conflict (user_id) do nothing;
$$;
revoke execute on function sync.trust_with_tables from public;

-- Which row a create has made, where the table has no column for our key: a repeated create finds it.
create table if not exists sync.table_keys (
  integration_id uuid not null references public.integrations (id) on delete cascade,
  relation text not null,
  external_key text not null,
  -- Of the row; null while the first attempt is under way.
  row_id text,
  claimed_at timestamptz not null default now(),
  primary key (integration_id, relation, external_key)
);
comment on table sync.table_keys is 'Which rows of users'' tables we have made, by our own keys.';
create index if not exists table_keys_of_a_row on sync.table_keys (integration_id, relation, row_id);
alter table sync.table_keys enable row level security;
grant select, insert, update, delete on sync.table_keys to sync_functions;
drop policy if exists "The functions remember what they made" on sync.table_keys;
create policy "The functions remember what they made" on sync.table_keys to sync_functions
  using (true) with check (true);

-- Whether a table is no user's own: of a part of the project, or one of ours.
create or replace function sync.is_system_table(schema_name text, table_name text)
returns boolean
language sql
immutable
set search_path = ''
as $$
  select schema_name ~ '^pg_' or schema_name in ('sync', 'auth', 'vault', 'storage', 'realtime', 'cron', 'net',
      'information_schema', 'extensions', 'graphql', 'graphql_public', 'pgsodium', 'pgsodium_masks', 'pgmq',
      'pgmq_public', 'pgbouncer', 'supabase_functions', 'supabase_migrations', '_realtime', '_analytics', '_supavisor', 'dbdev', 'tiger', 'topology')
    or schema_name = 'public' and (table_name in ('integrations', 'organizations', 'organization_members',
      'saved_search_patterns', 'data_sync_conflicts', 'mvp_workflows', 'n8n_workflows', 'workflow_registry',
      'workflow_executions', 'workflow_alerts') or table_name ~ '^sync_(audit|config_versions|configs|deletes|events|issues|list|runs)$');
$$;
revoke execute on function sync.is_system_table from public;
grant execute on function sync.is_system_table to sync_functions;

-- The table that an account's setting names, with everything that statements about it are made of: quoted name, types,
-- columns, the role and the owner it is asked for. Refuses, with what to do, whatever is not there or not permitted.
create or replace function sync.table_named(account uuid, asked jsonb)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  given jsonb := asked -> 'table';
  given_name text := given ->> 'table';
  schema_name text := case when given_name like '%.%' then split_part(given_name, '.', 1) else 'public' end;
  plain_name text := case when given_name like '%.%' then substr(given_name, length(schema_name) + 2) else given_name end;
  acts_as text := case when asked ->> 'run_as' = 'system' then 'sync_tables' else 'authenticated' end;
  owner uuid := (select i.user_id from public.integrations as i where i.id = account and i.platform = 'supabase');
  relation oid;
  needed text[];
  t jsonb;
begin
  if owner is null then
    perform sync.refuse(404, 'There is no such account.');
  elsif acts_as = 'sync_tables' and not exists (select from sync.table_trustees as x where x.user_id = owner) then
    perform sync.refuse(403, format('This account may not act as the system. The project''s owner allows it: select sync.trust_with_tables(%L);', owner));
  elsif sync.is_system_table(schema_name, plain_name) then
    perform sync.refuse(403, format('%s belongs to the project''s own parts and is no table to sync.', given_name));
  end if;
  select c.oid into relation
  from pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  where n.nspname = schema_name and c.relname = plain_name and c.relkind in ('r', 'p');
  if relation is null then
    perform sync.refuse(404, format('There is no table %s.', given_name));
  elsif not has_schema_privilege(acts_as, schema_name, 'usage')
      or not has_any_column_privilege(acts_as, relation, 'select') then
    perform sync.refuse(403, format('The role %1$s may not read %2$s. The project''s owner grants it: grant usage on schema %3$I to %1$s; grant select, insert, update, delete on %3$I.%4$I to %1$s;',
      acts_as, given_name, schema_name, plain_name));
  end if;
  t := sync.table_columns(relation, acts_as) || jsonb_build_object('owner', owner, 'account', account, 'role', acts_as,
    'oid', relation, 'name', format('%I.%I', schema_name, plain_name), 'id', coalesce(given ->> 'id', 'id'),
    'changes', coalesce(given ->> 'changes', 'column'), 'deleted_at', given ->> 'deleted_at',
    'external_key', given ->> 'external_key', 'updated_at',
    case when given ->> 'changes' = 'trigger' then null else coalesce(given ->> 'updated_at', 'updated_at') end);
  if jsonb_typeof(given -> 'columns') = 'array' then
    t := jsonb_set(t, '{readable}', given -> 'columns');
  end if;
  perform sync.check_table_columns(t);
  return t;
end
$$;
revoke execute on function sync.table_named from public;
grant execute on function sync.table_named to sync_functions;

-- The columns of a table: their types, those this role may read, in order, and those that take values.
create or replace function sync.table_columns(relation oid, acts_as text)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'types', jsonb_object_agg(a.attname, format_type(a.atttypid, -1)),
    'nullable', coalesce(jsonb_agg(a.attname) filter (where not a.attnotnull), '[]'),
    'writable', coalesce(jsonb_agg(a.attname) filter (where a.attgenerated = '' and a.attidentity <> 'a'), '[]'),
    'readable', coalesce(jsonb_agg(a.attname order by a.attnum)
      filter (where has_column_privilege(acts_as, relation, a.attnum, 'select')), '[]'))
  from pg_catalog.pg_attribute as a
  where a.attrelid = relation and a.attnum > 0 and not a.attisdropped;
$$;
revoke execute on function sync.table_columns from public;
grant execute on function sync.table_columns to sync_functions;

-- Refuses a setting that names a column which is not there, cannot be read, or holds no time where one is needed.
create or replace function sync.check_table_columns(t jsonb)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
  named text;
begin
  for named in
    select value from jsonb_array_elements_text(t -> 'readable') as one (value)
    union select t ->> 'id' union select t ->> 'updated_at' union select t ->> 'deleted_at' union select t ->> 'external_key'
  loop
    if named is null then
      continue;
    elsif not t -> 'types' ? named then
      perform sync.refuse(422, format('The table %s has no column %I.', t ->> 'name', named));
    elsif not has_column_privilege(t ->> 'role', (t ->> 'oid')::oid, named, 'select') then
      perform sync.refuse(403, format('The role %1$s may not read the column %2$I. The project''s owner grants it: grant select (%2$I) on %3$s to %1$s;',
        t ->> 'role', named, t ->> 'name'));
    elsif named in (t ->> 'updated_at', t ->> 'deleted_at') and t -> 'types' ->> named !~ '^(timestamp|date)' then
      perform sync.refuse(422, format('The column %I of %s holds no time.', named, t ->> 'name'));
    end if;
  end loop;
end
$$;
revoke execute on function sync.check_table_columns from public;
grant execute on function sync.check_table_columns to sync_functions;

-- Runs one statement about a user's table, as the role and for the owner that sync.table_named found. Its one parameter
-- is `args`; its answer is one JSON. What the table's own deferred constraints and triggers have to say is said at once.
--
-- `statement` is made of quoted names of the catalogue and of nothing that anybody entered. The search path is that of
-- the Data API, because triggers of users' tables count on it.
create or replace function sync.as_table_user(t jsonb, statement text, args text[])
returns json
language plpgsql
set search_path = ''
set timezone = 'UTC'
as $$
declare
  answer json;
begin
  perform pg_catalog.set_config('request.jwt.claims',
    jsonb_build_object('sub', t ->> 'owner', 'role', t ->> 'role')::text, true);
  perform pg_catalog.set_config('search_path', 'public, extensions', true);
  perform pg_catalog.set_config('role', t ->> 'role', true);
  execute statement into answer using args;
  set constraints all immediate;
  perform pg_catalog.set_config('role', 'none', true);
  perform pg_catalog.set_config('request.jwt.claims', '', true);
  return answer;
end
$$;
revoke execute on function sync.as_table_user from public;
grant execute on function sync.as_table_user to sync_functions;
