-- Reading users' tables: the texts of the statements, and the two ways to list what changed.
--
-- A record is {id, fields, version, modified_at, deleted}. Its version stands for the columns it shows, so that a write
-- can tell whether they still are what the decision was made on.

-- The rows of a table as records; more conditions and an order follow behind it. The row itself is `t`.
create or replace function sync.table_rows_text(t jsonb, more_columns text default '')
returns text
language sql
immutable
set search_path = ''
as $$
  select format('select t.%I::text as id, %s as modified_at, %s as deleted, f.fields, md5(f.fields::text) as version%s '
      'from %s as t cross join lateral (select row_to_json(shown) as fields from (select %s) as shown) as f',
    t ->> 'id',
    -- The largest times of Postgres are no times elsewhere.
    case when t ->> 'updated_at' is null then 'null::timestamptz' else format('case when t.%1$I::timestamptz >= ''0001-01-01'' '
      'and t.%1$I::timestamptz < ''9999-12-31'' then t.%1$I::timestamptz end', t ->> 'updated_at') end,
    case when t ->> 'deleted_at' is null then 'false' else format('t.%I is not null', t ->> 'deleted_at') end,
    more_columns, t ->> 'name',
    (select string_agg(format('t.%I', column_name), ', ' order by place)
     from jsonb_array_elements_text(t -> 'readable') with ordinality as one (column_name, place)));
$$;
revoke execute on function sync.table_rows_text from public;
grant execute on function sync.table_rows_text to sync_functions;

-- One row of sync.table_rows_text, called `r`, as a JSON.
create or replace function sync.table_record_text()
returns text
language sql
immutable
set search_path = ''
as $$
  select $text$json_build_object('id', r.id, 'fields', r.fields, 'version', r.version, 'modified_at', r.modified_at, 'deleted', r.deleted)$text$;
$$;
revoke execute on function sync.table_record_text from public;
grant execute on function sync.table_record_text to sync_functions;

-- The records whose column holds one of these values, at most 20 for each value. Where the table is watched, their time
-- is that of the latest change noted.
create or replace function sync.table_records(t jsonb, column_name text, wanted text[])
returns json
language plpgsql
set search_path = ''
as $$
declare
  records json;
begin
  if not t -> 'types' ? column_name then
    perform sync.refuse(422, format('The table %s has no column %I.', t ->> 'name', column_name));
  end if;
  records := sync.as_table_user(t, format('select coalesce(json_agg(%s), ''[]'') from (%s where t.%I = any ($1::%s[])) as r where r.place <= 20',
    sync.table_record_text(),
    sync.table_rows_text(t, format(', row_number() over (partition by t.%I order by t.%I) as place', column_name, t ->> 'id')),
    column_name, t -> 'types' ->> column_name), wanted);
  if t ->> 'changes' <> 'trigger' then
    return records;
  end if;
  return (
    select coalesce(json_agg(json_build_object('id', r -> 'id', 'fields', r -> 'fields', 'version', r -> 'version',
      'modified_at', c.changed_at, 'deleted', r -> 'deleted')), '[]')
    from json_array_elements(records) as one (r)
    left join sync.table_changes as c on c.relation = t ->> 'name' and c.key = r ->> 'id');
end
$$;
revoke execute on function sync.table_records from public;
grant execute on function sync.table_records to sync_functions;

-- One page of a table that has a column of changes: by that column, rows of one time by key. A row that never changed
-- has no time and comes first, when everything is asked for. A page begins behind `page`, [time, id] of the last one.
create or replace function sync.table_page(t jsonb, asked jsonb, most integer)
returns json
language plpgsql
set search_path = ''
as $$
declare
  changed text := format('t.%I', t ->> 'updated_at');
  type_name text := t -> 'types' ->> (t ->> 'updated_at');
  conditions text := 'true';
  texts text := (
    select string_agg(format('t.%I', column_name), ', ')
    from jsonb_array_elements_text(t -> 'readable') as one (column_name)
    where t -> 'types' ->> column_name in ('text', 'character varying', 'bpchar', 'extensions.citext', 'public.citext'));
begin
  if asked ->> 'since' is not null then
    conditions := format('%s >= $1[1]::timestamptz::%s', changed, type_name);
  elsif t -> 'nullable' ? (t ->> 'updated_at') then
    changed := format('coalesce(%s, ''-infinity'')', changed);
  end if;
  if jsonb_typeof(asked -> 'page') = 'array' then
    conditions := conditions || format(' and (%s, t.%I) > ($1[2]::%s, $1[3]::%s)', changed, t ->> 'id', type_name,
      t -> 'types' ->> (t ->> 'id'));
  end if;
  if asked ->> 'text' is not null then
    conditions := conditions || format(' and strpos(lower(concat_ws('' '', %s)), lower($1[4])) > 0', coalesce(texts, 'null'));
  end if;
  return sync.as_table_user(t, format('select json_build_object(''records'', coalesce(json_agg(%1$s order by r.place) filter (where r.place <= %2$s), ''[]''), '
      '''next'', case when count(*) > %2$s then json_agg(json_build_array(r.at, r.id)) filter (where r.place = %2$s) -> 0 end) '
      'from (%3$s where %4$s order by %5$s, t.%6$I limit %2$s + 1) as r',
    sync.table_record_text(), most,
    sync.table_rows_text(t, format(', %1$s::text as at, row_number() over (order by %1$s, t.%2$I) as place', changed, t ->> 'id')),
    conditions, changed, t ->> 'id'),
    array[asked ->> 'since', asked -> 'page' ->> 0, asked -> 'page' ->> 1, asked ->> 'text']);
end
$$;
revoke execute on function sync.table_page from public;
grant execute on function sync.table_page to sync_functions;

-- The next changes of a watched table, [{key, op, at, own}], one more than asked for where there are more. `own`: the log
-- says that the row is or was this owner's; then nobody else's changes are looked at.
create or replace function sync.watched_changes(t jsonb, asked jsonb, most integer)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  owner_column text := sync.watch_of((t ->> 'oid')::oid, t ->> 'id');
  own boolean := owner_column <> '' and t ->> 'role' = 'authenticated';
  answer jsonb;
begin
  if owner_column is null then
    perform sync.refuse(422, format('The table %s is not watched by its key. Its owner watches it: select sync.watch_table(%1$L, %2$L);',
      t ->> 'name', t ->> 'id'));
  end if;
  execute format('select coalesce(jsonb_agg(jsonb_build_object(''key'', c.key, ''op'', c.op, ''at'', c.changed_at, ''own'', $1) '
      'order by c.changed_at, c.key), ''[]'') '
      'from (select * from sync.table_changes as c where c.relation = $2 and c.changed_at >= coalesce($3::timestamptz, ''-infinity'') %s %s '
      'order by c.changed_at, c.key limit $4 + 1) as c',
    case when own then 'and c.owner = $5' else '' end,
    case when asked ->> 'page' is null then '' else 'and (c.changed_at, c.key) > ($6::timestamptz, $7)' end)
  into answer
  using own, t ->> 'name', asked ->> 'since', most, t ->> 'owner', asked -> 'page' ->> 0, asked -> 'page' ->> 1;
  return answer;
end
$$;
revoke execute on function sync.watched_changes from public;
grant execute on function sync.watched_changes to sync_functions;

-- One page of a watched table: by the times that its trigger noted. Of rows that are gone those are told which were this
-- owner's, or which a sync of this account has linked: the keys of other people's rows are not this owner's to know.
create or replace function sync.watched_page(t jsonb, asked jsonb, most integer)
returns json
language plpgsql
set search_path = ''
as $$
declare
  account uuid := (t ->> 'account')::uuid;
  changes jsonb;
  records json;
begin
  if asked ->> 'text' is not null then
    perform sync.refuse(422, 'A watched table is not searched for words.');
  end if;
  changes := sync.watched_changes(t, asked, most);
  records := sync.table_records(t, t ->> 'id', array(
    select change ->> 'key' from jsonb_array_elements(changes) with ordinality as one (change, place)
    where change ->> 'op' <> 'delete' and place <= most));
  return json_build_object('next', case when jsonb_array_length(changes) > most
      then jsonb_build_array(changes -> (most - 1) -> 'at', changes -> (most - 1) -> 'key') end,
    'records', (
      select coalesce(json_agg(coalesce(found.record, json_build_object('id', change ->> 'key', 'fields', json_build_object(),
        'modified_at', change -> 'at', 'deleted', true)) order by place), '[]')
      from jsonb_array_elements(changes) with ordinality as one (change, place)
      left join json_array_elements(records) as found (record) on found.record ->> 'id' = change ->> 'key'
      where place <= most and (found.record is not null or change ->> 'op' = 'delete' and ((change -> 'own')::boolean or exists (
        select from public.sync_configs as s join sync.sync_links as l on l.config_id = s.id
        where s.source_integration_id = account and l.source_id = change ->> 'key'
           or s.target_integration_id = account and l.target_id = change ->> 'key')))));
end
$$;
revoke execute on function sync.watched_page from public;
grant execute on function sync.watched_page to sync_functions;
