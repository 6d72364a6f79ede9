-- Looking at users' tables before they are synced, and the one door through which the functions ask about them.

-- What is wrong with a table as one side of a sync (`problems`), and what a person should know (`warnings`): a right to
-- write that is missing is no problem for a table that is only read.
create or replace function sync.table_findings(t jsonb)
returns json
language sql
stable
set search_path = ''
as $$
  with found (kind, words) as (
    select 'problems', format('The column %I of %s is not unique. Add a constraint: alter table %2$s add unique (%1$I);', named, t ->> 'name')
    from unnest(array[t ->> 'id', t ->> 'external_key']) as one (named)
    where named is not null and not exists (
      select from pg_catalog.pg_index as i join pg_catalog.pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
      where i.indrelid = (t ->> 'oid')::oid and i.indisunique and i.indisvalid and i.indnkeyatts = 1 and i.indpred is null
        and a.attname = named)
    union all
    select 'problems', format('The table is not watched by its key. Its owner watches it: select sync.watch_table(%L, %L);', t ->> 'name', t ->> 'id')
    where t ->> 'changes' = 'trigger' and sync.watch_of((t ->> 'oid')::oid, t ->> 'id') is null
    union all
    select 'warnings', format('Syncs cannot %1$s rows of %2$s. If they shall, the project''s owner grants it: grant %1$s on %2$s to %3$s;',
      verb, t ->> 'name', t ->> 'role')
    from unnest(array['insert', 'update', 'delete']) as one (verb)
    where not case when verb = 'delete' then t ->> 'deleted_at' is not null or has_table_privilege(t ->> 'role', (t ->> 'oid')::oid, verb)
      else has_any_column_privilege(t ->> 'role', (t ->> 'oid')::oid, verb) end
    union all
    select 'warnings', format('Row level security is off for %s: the account sees and changes everybody''s rows.', t ->> 'name')
    where not (select c.relrowsecurity from pg_catalog.pg_class as c where c.oid = (t ->> 'oid')::oid)
    union all
    select 'warnings', format('No index of %s begins with %I: listings read the whole table.', t ->> 'name', t ->> 'updated_at')
    where t ->> 'updated_at' is not null and not exists (
      select from pg_catalog.pg_index as i join pg_catalog.pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
      where i.indrelid = (t ->> 'oid')::oid and i.indisvalid and i.indpred is null and a.attname = t ->> 'updated_at')
    union all
    select 'warnings', format('Rows of %s without a value in %I are seen once and their changes never.', t ->> 'name', t ->> 'updated_at')
    where t -> 'nullable' ? (t ->> 'updated_at')
  )
  select json_build_object(
    'problems', coalesce(json_agg(words) filter (where kind = 'problems'), '[]'),
    'warnings', coalesce(json_agg(words) filter (where kind = 'warnings'), '[]'))
  from found;
$$;
revoke execute on function sync.table_findings from public;
grant execute on function sync.table_findings to sync_functions;

-- A table's columns, as a sync sees them: what may be written, and what a new row must have.
create or replace function sync.table_description(t jsonb)
returns json
language sql
stable
set search_path = ''
as $$
  select coalesce(json_agg(json_build_object('name', a.attname, 'type', t -> 'types' ->> a.attname,
    'writable', t -> 'writable' ? a.attname and (has_column_privilege(t ->> 'role', a.attrelid, a.attnum, 'insert')
      or has_column_privilege(t ->> 'role', a.attrelid, a.attnum, 'update')),
    'required', a.attnotnull and not a.atthasdef and a.attidentity = '') order by a.attnum), '[]')
  from pg_catalog.pg_attribute as a
  where a.attrelid = (t ->> 'oid')::oid and a.attnum > 0 and not a.attisdropped and t -> 'readable' ? a.attname;
$$;
revoke execute on function sync.table_description from public;
grant execute on function sync.table_description to sync_functions;

-- What is asked of one table: `list`, `find`, `write`, `delete` or `describe`. What the user can mend comes back as
-- {error}; what passes by itself is raised.
create or replace function sync.table_call(verb text, input jsonb)
returns json
language plpgsql
set search_path = ''
as $$
declare
  account uuid := (input ->> 'integration_id')::uuid;
  asked jsonb := input -> 'asked';
  most integer := least(coalesce((asked ->> 'limit')::integer, 500), 500);
  wanted text[] := array(select value from jsonb_array_elements_text(asked -> 'values') as one (value));
  said_detail text;
  said_constraint text;
  said_column text;
  t jsonb;
begin
  t := sync.table_named(account, asked);
  case verb
    when 'list' then
      return case when t ->> 'changes' = 'trigger' then sync.watched_page(t, asked, most) else sync.table_page(t, asked, most) end;
    when 'find' then
      if asked ->> 'column' is null and t ->> 'external_key' is null then
        wanted := array(select k.row_id from sync.table_keys as k
          where k.integration_id = account and k.relation = t ->> 'name' and k.external_key = any (wanted) and k.row_id is not null);
        return json_build_object('records', sync.table_records(t, t ->> 'id', wanted));
      end if;
      return json_build_object('records', sync.table_records(t, coalesce(asked ->> 'column', t ->> 'external_key'), wanted));
    when 'describe' then
      return json_build_object('columns', sync.table_description(t), 'findings', sync.table_findings(t));
    else
      return sync.table_outcomes(t, asked);
  end case;
exception when others then
  get stacked diagnostics said_detail = pg_exception_detail, said_constraint = constraint_name, said_column = column_name;
  if sync.is_passing(sqlstate) then
    raise;
  end if;
  return sync.table_error(sqlstate, sqlerrm, said_detail, said_constraint, said_column);
end
$$;
revoke execute on function sync.table_call from public;
grant execute on function sync.table_call to sync_functions;
