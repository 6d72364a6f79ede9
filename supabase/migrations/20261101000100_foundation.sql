-- The ground everything stands on: the schema `sync`, the functions' own role, and the few helpers all tables use.
--
-- `public` is what people see through the Data API, row level security deciding who. `sync` is what only the
-- functions see: secrets, links, the queue, leases. Nothing is granted by default; every grant is written down.

create schema if not exists sync;
comment on schema sync is 'What only the functions see. Never exposed to the Data API.';

alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role;
alter default privileges in schema public revoke execute on functions from public, anon, authenticated, service_role;
alter default privileges in schema sync revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema sync revoke execute on functions from public, anon, authenticated, service_role;
-- Only without a schema can the built-in right of everybody to execute new functions be taken away.
alter default privileges revoke execute on functions from public;

-- The login of the functions. It has no password here: whoever deploys sets one.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'sync_functions') then
    create role sync_functions login noinherit;
  end if;
end
$$;

-- A request is over after 30 seconds; whatever of it still runs in the database must be over before.
alter role sync_functions set statement_timeout = '15s';
alter role sync_functions set lock_timeout = '5s';
alter role sync_functions set idle_in_transaction_session_timeout = '10s';
-- The host keeps its connections for ever, and each component has its own: let the idle ones go.
alter role sync_functions set idle_session_timeout = '30s';

-- It may act as the user whose token was verified (sync.as_user), and as nobody else.
grant authenticated to sync_functions;

grant usage on schema sync to sync_functions, authenticated;
grant usage on schema public to sync_functions;

-- Refuses with one of our own codes. `PT` followed by an HTTP status is what the Data API turns into that status,
-- and what the functions read the same way. `pointer` says which field is meant, as a JSON pointer.
create or replace function sync.refuse(status integer, message text, pointer text default '')
returns void
language plpgsql
set search_path = ''
as $$
begin
  raise exception using errcode = 'PT' || status, message = message, detail = pointer;
end
$$;
revoke execute on function sync.refuse from public;

-- Keeps `updated_at` true.
create or replace function sync.touch()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.updated_at := pg_catalog.now();
  return new;
end
$$;
revoke execute on function sync.touch from public;

-- Runs one statement as the user of a verified token: row level security decides what it sees and changes.
--
-- `statement` is a constant of the functions, never anybody's input; values travel in `args`, its parameter `$1`.
-- The one outer form is `select sync.as_user($1, $2, $3)`, because the role lasts until this function returns.
create or replace function sync.as_user(claims text, statement text, args text)
returns text
language plpgsql
set search_path = ''
as $$
declare
  answer text;
begin
  if (claims::jsonb ->> 'sub')::uuid is null or (claims::jsonb ->> 'role') is distinct from 'authenticated' then
    perform sync.refuse(403, 'This token is not that of a signed-in user.');
  end if;
  perform pg_catalog.set_config('request.jwt.claims', claims, true);
  perform pg_catalog.set_config('role', 'authenticated', true);
  execute statement into strict answer using args;
  perform pg_catalog.set_config('role', 'none', true);
  perform pg_catalog.set_config('request.jwt.claims', '', true);
  return answer;
end
$$;
revoke execute on function sync.as_user from public;
