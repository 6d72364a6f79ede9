-- Stands in for the extensions of a Supabase project that no package registry has. Runs as the superuser, after
-- `bootstrap.sql` and before the migrations; may run again. A real extension of the same name is left alone.

set client_min_messages = warning;

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
