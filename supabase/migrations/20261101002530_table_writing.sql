-- Writing users' tables: each record in a subtransaction of its own, so that one refused stops no other; and the one door
-- through which the functions ask for everything about users' tables.

-- What went wrong, for the connector to put into words.
create or replace function sync.table_error(state text, message text, detail text, constraint_name text, column_name text)
returns json
language sql
immutable
set search_path = ''
as $$
  select json_build_object('error', json_build_object('state', state, 'message', message, 'detail', nullif(detail, ''),
    'constraint', nullif(constraint_name, ''), 'column', nullif(column_name, '')));
$$;
revoke execute on function sync.table_error from public;
grant execute on function sync.table_error to sync_functions;

-- Whether a failure concerns everybody and passes by itself: then it is raised again, and the whole call is repeated.
create or replace function sync.is_passing(state text)
returns boolean
language sql
immutable
set search_path = ''
as $$
  select state ~ '^(08|40|53|57|58|XX)';
$$;
revoke execute on function sync.is_passing from public;
grant execute on function sync.is_passing to sync_functions;

-- The columns and values to write, without the key where it is that of the row. Refuses what takes no value. The column
-- of changes moves with every write, whether or not the table has a trigger for that: other syncs read this table too.
create or replace function sync.table_values(t jsonb, fields jsonb, row_id text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  named text;
  touched text := t ->> 'updated_at';
begin
  for named in select jsonb_object_keys(fields) loop
    if not t -> 'types' ? named then
      perform sync.refuse(422, format('The table %s has no column %I.', t ->> 'name', named));
    elsif row_id is not null and named = t ->> 'id' then
      if fields ->> named is distinct from row_id then
        perform sync.refuse(422, format('The key %I of a row is not changed.', named));
      end if;
      fields := fields - named;
    elsif not t -> 'writable' ? named then
      perform sync.refuse(422, format('The database computes the column %I itself; it takes no value.', named));
    elsif not t -> 'readable' ? named and named not in (coalesce(t ->> 'external_key', ''), coalesce(t ->> 'deleted_at', '')) then
      -- What is written and never seen again would be written for ever.
      perform sync.refuse(422, format('The column %I is none of those that the account shows.', named));
    end if;
  end loop;
  if t -> 'writable' ? touched and fields <> '{}' and has_column_privilege(t ->> 'role', (t ->> 'oid')::oid, touched, 'update') then
    fields := jsonb_build_object(touched, clock_timestamp() at time zone 'UTC') || fields;
  end if;
  return fields;
end
$$;
revoke execute on function sync.table_values from public;
grant execute on function sync.table_values to sync_functions;

-- Which row a create is about, if an earlier attempt or somebody else made it: the one with the key it brings, with our
-- key in the column for that, or the one we remember. Our own memory of the key is locked until the statement ends.
create or replace function sync.table_row_made(t jsonb, external_key text, fields jsonb)
returns text
language plpgsql
set search_path = ''
as $$
declare
  key_column text := coalesce(case when fields ->> (t ->> 'id') is not null then t ->> 'id' end, t ->> 'external_key');
  value text := case when key_column = t ->> 'id' then fields ->> key_column else external_key end;
begin
  if key_column is null then
    insert into sync.table_keys as k (integration_id, relation, external_key)
    values ((t ->> 'account')::uuid, t ->> 'name', table_row_made.external_key)
    on conflict on constraint table_keys_pkey do update set claimed_at = clock_timestamp()
    returning k.row_id into value;
    key_column := t ->> 'id';
  end if;
  if value is null then
    return null;
  end if;
  return sync.as_table_user(t, format('select to_json(min(t.%1$I::text)) from %2$s as t where t.%3$I = $1[1]::%4$s',
    t ->> 'id', t ->> 'name', key_column, t -> 'types' ->> key_column), array[value]) #>> '{}';
end
$$;
revoke execute on function sync.table_row_made from public;
grant execute on function sync.table_row_made to sync_functions;

-- Makes a row of these values; answers its key.
create or replace function sync.table_insert(t jsonb, given jsonb)
returns text
language plpgsql
set search_path = ''
as $$
declare
  names text := (select string_agg(format('%I', name), ', ' order by name) from jsonb_object_keys(given) as one (name));
  typed text := (select string_agg(format('%I %s', name, t -> 'types' ->> name), ', ') from jsonb_object_keys(given) as one (name));
  answer text;
begin
  answer := sync.as_table_user(t, format('with made as (insert into %s as t %s returning t.%I::text as id) select to_json(made.id) from made',
    t ->> 'name',
    coalesce(format('(%1$s) select %1$s from jsonb_to_record($1[1]::jsonb) as given (%2$s)', names, typed), 'default values'),
    t ->> 'id'), array[given::text]) #>> '{}';
  if answer is null then
    perform sync.refuse(422, 'A trigger of the table did not let the row be made.');
  end if;
  return answer;
end
$$;
revoke execute on function sync.table_insert from public;
grant execute on function sync.table_insert to sync_functions;

-- Changes a row that is there. Refuses when it no longer is what the decision was made on.
create or replace function sync.table_update(t jsonb, row_id text, given jsonb, expected text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  names text := (select string_agg(format('%I', name), ', ' order by name) from jsonb_object_keys(given) as one (name));
  typed text := (select string_agg(format('%I %s', name, t -> 'types' ->> name), ', ') from jsonb_object_keys(given) as one (name));
  this_row text := format('t.%I = $1[2]::%s', t ->> 'id', t -> 'types' ->> (t ->> 'id'));
  version text := sync.as_table_user(t, format('select to_json(r.version) from (%s where %s for update of t) as r',
    sync.table_rows_text(t), this_row), array[null, row_id]) #>> '{}';
begin
  if version is null then
    perform sync.refuse(404, 'There is no row with this key, or the table''s policies do not let it be changed.');
  elsif version <> expected then
    perform sync.refuse(409, 'The row has changed meanwhile.');
  elsif names is null then
    return;
  end if;
  if sync.as_table_user(t, format('with changed as (update %1$s as t set (%2$s) = (select %2$s from jsonb_to_record($1[1]::jsonb) as given (%3$s)) '
      'where %4$s returning 1) select to_json(count(*)) from changed', t ->> 'name', names, typed, this_row),
      array[given::text, row_id]) #>> '{}' = '0' then
    perform sync.refuse(404, 'The table''s policies or triggers do not let this row be changed.');
  end if;
end
$$;
revoke execute on function sync.table_update from public;
grant execute on function sync.table_update to sync_functions;

-- Writes one record and answers the row as it now is.
create or replace function sync.table_write(t jsonb, write jsonb)
returns json
language plpgsql
set search_path = ''
as $$
declare
  our_key text := write ->> 'external_key';
  fields jsonb := write -> 'fields';
  creates boolean := write ->> 'id' is null;
  the_row text := write ->> 'id';
begin
  if creates then
    the_row := sync.table_row_made(t, our_key, fields);
    if t ->> 'external_key' is not null then
      fields := fields || jsonb_build_object(t ->> 'external_key', our_key);
    end if;
    if the_row is not null and t ->> 'deleted_at' is not null then
      -- What is made again is there again.
      fields := jsonb_build_object(t ->> 'deleted_at', null) || fields;
    end if;
  end if;
  fields := sync.table_values(t, fields, the_row);
  if the_row is null then
    the_row := sync.table_insert(t, fields);
  else
    perform sync.table_update(t, the_row, fields, write ->> 'expected_version');
  end if;
  if creates then
    update sync.table_keys as k set row_id = the_row
    where k.integration_id = (t ->> 'account')::uuid and k.relation = t ->> 'name' and k.external_key = our_key;
  end if;
  return json_build_object('id', the_row, 'now', sync.table_records(t, t ->> 'id', array[the_row]) -> 0);
end
$$;
revoke execute on function sync.table_write from public;
grant execute on function sync.table_write to sync_functions;

-- Deletes one row, or sets its time of deletion where the table has a column for that. Already gone is as good.
create or replace function sync.table_delete(t jsonb, row_id text)
returns json
language plpgsql
set search_path = ''
as $$
declare
  kept text := t ->> 'deleted_at';
  this_row text := format('t.%I = $1[1]::%s', t ->> 'id', t -> 'types' ->> (t ->> 'id'))
    || coalesce(' and t.' || quote_ident(kept) || ' is null', '');
  still_there text := format('select to_json(count(*)) from %s as t where %s', t ->> 'name', this_row);
begin
  perform sync.as_table_user(t, format('with gone as (%s where %s returning 1) select to_json(count(*)) from gone',
    coalesce('update ' || (t ->> 'name') || ' as t set ' || quote_ident(kept) || ' = now()', 'delete from ' || (t ->> 'name') || ' as t'),
    this_row), array[row_id]);
  if sync.as_table_user(t, still_there, array[row_id]) #>> '{}' <> '0' then
    perform sync.refuse(422, 'The table''s policies or triggers do not let this row be deleted.');
  end if;
  -- A row that is only marked is recognised again when it is made again.
  delete from sync.table_keys as k
  where kept is null and k.integration_id = (t ->> 'account')::uuid and k.relation = t ->> 'name' and k.row_id = table_delete.row_id;
  return json_build_object('id', row_id);
end
$$;
revoke execute on function sync.table_delete from public;
grant execute on function sync.table_delete to sync_functions;

-- Carries out writes or deletes, one after the other; answers what became of each, in their order.
create or replace function sync.table_outcomes(t jsonb, asked jsonb)
returns json
language plpgsql
set search_path = ''
as $$
declare
  one jsonb;
  outcomes json[] := '{}';
  said_detail text;
  said_constraint text;
  said_column text;
begin
  for one in select value from jsonb_array_elements(coalesce(asked -> 'writes', asked -> 'ids')) as x (value) loop
    begin
      outcomes := outcomes || case when jsonb_typeof(one) = 'object' then sync.table_write(t, one)
        else sync.table_delete(t, one #>> '{}') end;
    exception when others then
      get stacked diagnostics said_detail = pg_exception_detail, said_constraint = constraint_name, said_column = column_name;
      if sync.is_passing(sqlstate) then
        raise;
      end if;
      outcomes := outcomes || sync.table_error(sqlstate, sqlerrm, said_detail, said_constraint, said_column);
    end;
  end loop;
  return json_build_object('outcomes', array_to_json(outcomes));
end
$$;
revoke execute on function sync.table_outcomes from public;
grant execute on function sync.table_outcomes to sync_functions;
