-- Dresses a fresh database as a Supabase project: roles, schemas, and stand-ins for the extensions that no package
-- registry has. Runs as the superuser, before the migrations; may run again.
--
-- What is here is what migrations and policies of Syncline touch. A real extension of the same name is left alone.

set client_min_messages = warning;

-- Roles belong to the whole cluster.
do $roles$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('postgres', 'login createdb createrole replication bypassrls'),
      ('anon', 'nologin noinherit'),
      ('authenticated', 'nologin noinherit'),
      ('service_role', 'nologin noinherit bypassrls'),
      ('authenticator', 'login noinherit'),
      ('supabase_auth_admin', 'login noinherit createrole'),
      ('supabase_storage_admin', 'login noinherit createrole'),
      ('supabase_realtime_admin', 'nologin noinherit'),
      ('supabase_functions_admin', 'login noinherit createrole'),
      ('dashboard_user', 'nologin createdb createrole replication')
    ) as r (name, attributes)
  loop
    if not exists (select from pg_catalog.pg_roles where rolname = wanted.name) then
      execute format('create role %I %s', wanted.name, wanted.attributes);
    end if;
  end loop;
end
$roles$;

grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role, authenticator to postgres with admin option;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres;
alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role postgres set search_path = "$user", public, extensions;

alter schema public owner to postgres;
grant usage on schema public to anon, authenticated, service_role;

-- Extensions live in a schema of their own.
create schema if not exists extensions authorization postgres;
create extension if not exists pgcrypto with schema extensions;
create extension if not exists "uuid-ossp" with schema extensions;
grant usage on schema extensions to anon, authenticated, service_role;

-- Sign-in: the users, and who the caller is according to the verified token.
create schema if not exists auth authorization supabase_auth_admin;
grant usage on schema auth to anon, authenticated, service_role, postgres;

create table if not exists auth.users (
  id uuid primary key default gen_random_uuid(),
  instance_id uuid,
  aud text default 'authenticated',
  role text default 'authenticated',
  email text,
  phone text,
  encrypted_password text,
  email_confirmed_at timestamptz,
  last_sign_in_at timestamptz,
  raw_app_meta_data jsonb,
  raw_user_meta_data jsonb,
  is_anonymous boolean not null default false,
  is_sso_user boolean not null default false,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  deleted_at timestamptz
);
create unique index if not exists users_email_key on auth.users (email) where not is_sso_user;
alter table auth.users owner to supabase_auth_admin;
alter table auth.users enable row level security;
grant all on auth.users to postgres, dashboard_user;

create or replace function auth.jwt() returns jsonb
language sql stable
return coalesce(
  nullif(current_setting('request.jwt.claim', true), ''),
  nullif(current_setting('request.jwt.claims', true), '')
)::jsonb;

create or replace function auth.uid() returns uuid
language sql stable
return coalesce(
  nullif(current_setting('request.jwt.claim.sub', true), ''),
  nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
)::uuid;

create or replace function auth.role() returns text
language sql stable
return coalesce(
  nullif(current_setting('request.jwt.claim.role', true), ''),
  nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
);

create or replace function auth.email() returns text
language sql stable
return coalesce(
  nullif(current_setting('request.jwt.claim.email', true), ''),
  nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email'
);

-- Realtime: messages for private channels, and the publication that clients follow.
create schema if not exists realtime authorization supabase_realtime_admin;
grant usage on schema realtime to anon, authenticated, service_role, postgres;

create table if not exists realtime.messages (
  id uuid not null default gen_random_uuid(),
  topic text not null,
  extension text not null,
  event text,
  payload jsonb,
  private boolean default false,
  inserted_at timestamp not null default now(),
  updated_at timestamp not null default now(),
  primary key (id, inserted_at)
) partition by range (inserted_at);
create table if not exists realtime.messages_all partition of realtime.messages default;
alter table realtime.messages owner to supabase_realtime_admin;
alter table realtime.messages enable row level security;
alter table realtime.messages_all enable row level security;
grant select, insert, update on realtime.messages to anon, authenticated, service_role, postgres;

create or replace function realtime.topic() returns text
language sql stable
return nullif(current_setting('realtime.topic', true), '');

-- Like the original it loses a message rather than the transaction that sends it.
create or replace function realtime.send(payload jsonb, event text, topic text, private boolean default true)
returns void
language plpgsql
security definer
set search_path = ''
as $body$
begin
  insert into realtime.messages (payload, event, topic, private, extension)
  values (send.payload, send.event, send.topic, send.private, 'broadcast');
exception when others then
  raise warning 'the message was not sent: %', sqlerrm;
end
$body$;

create or replace function realtime.broadcast_changes(
  topic_name text, event_name text, operation text, table_name text, table_schema text,
  new record, old record, level text default 'ROW'
) returns void
language plpgsql
as $body$
begin
  if level = 'STATEMENT' then
    raise exception 'changes are broadcast for each row, not for each statement';
  end if;
  perform realtime.send(
    jsonb_build_object(
      'operation', operation, 'schema', table_schema, 'table', table_name,
      'record', to_jsonb(new), 'old_record', to_jsonb(old)
    ),
    event_name, topic_name
  );
end
$body$;

do $publication$
begin
  if not exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
  end if;
  alter publication supabase_realtime owner to postgres;
end
$publication$;

-- Storage: buckets and objects, for policies that name them.
create schema if not exists storage authorization supabase_storage_admin;
grant usage on schema storage to anon, authenticated, service_role, postgres;
create table if not exists storage.buckets (
  id text primary key,
  name text not null unique,
  public boolean default false,
  owner_id text,
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);
create table if not exists storage.objects (
  id uuid primary key default gen_random_uuid(),
  bucket_id text references storage.buckets (id),
  name text,
  owner_id text,
  metadata jsonb,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  unique (bucket_id, name)
);
alter table storage.buckets owner to supabase_storage_admin;
alter table storage.objects owner to supabase_storage_admin;
alter table storage.buckets enable row level security;
alter table storage.objects enable row level security;
grant all on storage.buckets, storage.objects to postgres, service_role;
grant select, insert, update, delete on storage.objects to anon, authenticated;

-- Vault, without the encryption.
do $vault$
begin
  if exists (select from pg_catalog.pg_extension where extname = 'supabase_vault') then
    return;
  end if;

  create schema if not exists vault;
  create table if not exists vault.secrets (
    id uuid primary key default gen_random_uuid(),
    name text unique,
    description text not null default '',
    secret text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
  );
  create or replace view vault.decrypted_secrets as
    select id, name, description, secret, secret as decrypted_secret, created_at, updated_at from vault.secrets;

  create or replace function vault.create_secret(
    new_secret text, new_name text default null, new_description text default '', new_key_id uuid default null
  ) returns uuid
  language sql security definer set search_path = ''
  as 'insert into vault.secrets (secret, name, description)
      values (new_secret, new_name, coalesce(new_description, $$$$)) returning id';

  create or replace function vault.update_secret(
    secret_id uuid, new_secret text default null, new_name text default null, new_description text default null,
    new_key_id uuid default null
  ) returns void
  language sql security definer set search_path = ''
  as 'update vault.secrets set secret = coalesce(new_secret, secret), name = coalesce(new_name, name),
      description = coalesce(new_description, description), updated_at = now() where id = secret_id';

  revoke all on all functions in schema vault from public;
  grant usage on schema vault to postgres, service_role;
  grant select, delete on vault.secrets, vault.decrypted_secrets to postgres, service_role;
  grant execute on all functions in schema vault to postgres, service_role;
end
$vault$;

-- pg_net: requests are rows; the scheduler of the development program sends each at most once, after the commit.
do $net$
begin
  if exists (select from pg_catalog.pg_extension where extname = 'pg_net') then
    return;
  end if;

  create schema if not exists net;
  create unlogged table if not exists net.http_request_queue (
    id bigint generated always as identity primary key,
    method text not null,
    url text not null,
    headers jsonb not null default '{}',
    body bytea,
    timeout_milliseconds integer not null,
    created timestamptz not null default now()
  );
  create unlogged table if not exists net._http_response (
    id bigint,
    status_code integer,
    content_type text,
    headers jsonb,
    content text,
    timed_out boolean,
    error_msg text,
    created timestamptz not null default now()
  );

  create or replace function net.enqueue(
    method text, url text, body bytea, params jsonb, headers jsonb, timeout_milliseconds integer
  ) returns bigint
  language plpgsql security definer set search_path = ''
  as $body$
  declare
    query text;
    request bigint;
  begin
    if enqueue.url !~ '^https?://[^/?#\s]+' then
      raise exception 'not an address for a request: %', enqueue.url;
    end if;
    select string_agg(
      regexp_replace(key, '[^A-Za-z0-9_.~-]', '_', 'g') || '='
        || (select string_agg(
              case when chr(get_byte(value_bytes, at)) ~ '[A-Za-z0-9_.~-]' and get_byte(value_bytes, at) < 128
                then chr(get_byte(value_bytes, at))
                else '%' || upper(lpad(to_hex(get_byte(value_bytes, at)), 2, '0')) end, '' order by at)
            from generate_series(0, length(value_bytes) - 1) as at), '&')
    into query
    from (select key, convert_to(value, 'UTF8') as value_bytes from jsonb_each_text(coalesce(params, '{}'))) as pairs;
    insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
    values (
      enqueue.method,
      enqueue.url || coalesce(case when position('?' in enqueue.url) > 0 then '&' else '?' end || query, ''),
      coalesce(enqueue.headers, '{}'), enqueue.body, enqueue.timeout_milliseconds
    )
    returning id into request;
    return request;
  end
  $body$;

  create or replace function net.http_post(
    url text, body jsonb default '{}', params jsonb default '{}',
    headers jsonb default '{"Content-Type": "application/json"}', timeout_milliseconds integer default 5000
  ) returns bigint
  language plpgsql set search_path = ''
  as $body$
  declare
    content_type text;
  begin
    select value into content_type from jsonb_each_text(coalesce(http_post.headers, '{}'))
    where lower(key) = 'content-type' limit 1;
    if content_type is null then
      http_post.headers := coalesce(http_post.headers, '{}') || '{"Content-Type": "application/json"}';
    elsif content_type <> 'application/json' then
      raise exception 'Content-Type header must be "application/json"';
    end if;
    return net.enqueue('POST', http_post.url, convert_to(http_post.body::text, 'UTF8'), http_post.params,
      http_post.headers, http_post.timeout_milliseconds);
  end
  $body$;

  create or replace function net.http_get(
    url text, params jsonb default '{}', headers jsonb default '{}', timeout_milliseconds integer default 5000
  ) returns bigint
  language sql set search_path = ''
  as 'select net.enqueue($$GET$$, url, null, params, headers, timeout_milliseconds)';

  grant usage on schema net to postgres, anon, authenticated, service_role;
  grant all on all tables in schema net to postgres;
end
$net$;

-- pg_cron: jobs are rows; the scheduler of the development program runs those that are due.
do $cron$
begin
  if exists (select from pg_catalog.pg_extension where extname = 'pg_cron') then
    return;
  end if;

  create schema if not exists cron;
  create table if not exists cron.job (
    jobid bigint generated always as identity primary key,
    schedule text not null,
    command text not null,
    nodename text not null default 'localhost',
    nodeport integer not null default inet_server_port(),
    database text not null default current_database(),
    username text not null default session_user,
    active boolean not null default true,
    jobname text,
    unique (jobname, username)
  );
  create table if not exists cron.job_run_details (
    jobid bigint,
    runid bigint generated always as identity primary key,
    job_pid integer,
    database text,
    username text,
    command text,
    status text,
    return_message text,
    start_time timestamptz,
    end_time timestamptz
  );

  create or replace function cron.check_schedule(schedule text) returns text
  language plpgsql immutable
  as $body$
  begin
    if schedule !~ '^\s*([1-9]|[1-5][0-9]) seconds?\s*$'
       and (schedule !~ '^[-0-9*/,$A-Za-z\s]+$' or array_length(regexp_split_to_array(btrim(schedule), '\s+'), 1) <> 5)
    then
      raise exception 'invalid schedule: %', schedule;
    end if;
    return schedule;
  end
  $body$;

  -- A job that was switched off stays off when it is scheduled again.
  create or replace function cron.schedule(job_name text, schedule text, command text) returns bigint
  language sql security definer set search_path = ''
  as 'insert into cron.job (jobname, schedule, command)
      values (job_name, cron.check_schedule(schedule), command)
      on conflict (jobname, username)
      do update set schedule = excluded.schedule, command = excluded.command, database = excluded.database
      returning jobid';

  create or replace function cron.schedule(schedule text, command text) returns bigint
  language sql security definer set search_path = ''
  as 'insert into cron.job (schedule, command) values (cron.check_schedule(schedule), command) returning jobid';

  create or replace function cron.unschedule(job_name text) returns boolean
  language plpgsql security definer set search_path = ''
  as $body$
  begin
    delete from cron.job where jobname = job_name and username = session_user;
    if not found then
      raise exception 'could not find valid entry for job ''%''', job_name;
    end if;
    return true;
  end
  $body$;

  create or replace function cron.unschedule(job_id bigint) returns boolean
  language plpgsql security definer set search_path = ''
  as $body$
  begin
    delete from cron.job where jobid = job_id;
    if not found then
      raise exception 'could not find valid entry for job %', job_id;
    end if;
    return true;
  end
  $body$;

  create or replace function cron.alter_job(
    job_id bigint, schedule text default null, command text default null, database text default null,
    username text default null, active boolean default null
  ) returns void
  language sql security definer set search_path = ''
  as 'update cron.job j set
        schedule = coalesce(cron.check_schedule(alter_job.schedule), j.schedule),
        command = coalesce(alter_job.command, j.command),
        database = coalesce(alter_job.database, j.database),
        username = coalesce(alter_job.username, j.username),
        active = coalesce(alter_job.active, j.active)
      where j.jobid = job_id';

  grant usage on schema cron to postgres;
  grant execute on all functions in schema cron to postgres;
  grant select on cron.job to postgres;
  grant select, insert, update, delete, truncate, references on cron.job_run_details to postgres;
end
$cron$;

reset client_min_messages;
