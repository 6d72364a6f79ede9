-- What changed in users' tables, for those that have no column which says so: one row per key, written by a trigger.
--
-- The trigger is deferred: it notes its time when the transaction ends, not when the row was touched. So a listing that
-- looks back a little misses nothing, however long a transaction was open.

create table if not exists sync.table_changes (
  -- As sync.watch_table was told: the schema's and the table's name, quoted where they need it.
  relation text not null,
  key text collate "C" not null,
  -- Whose row it is or was, where the table has a column for that; null where it has none.
  owner text,
  op text not null,
  changed_at timestamptz not null,
  primary key (relation, key),
  constraint change_is_known check (op in ('insert', 'update', 'delete'))
);
comment on table sync.table_changes is 'The latest change of each row of the tables that are watched.';
-- Serve the listings, of everybody's rows and of one owner's: oldest change first, equal times by key.
create index if not exists table_changes_by_time on sync.table_changes (relation, changed_at, key);
create index if not exists table_changes_of_an_owner on sync.table_changes (relation, owner, changed_at, key);
alter table sync.table_changes enable row level security;
grant select on sync.table_changes to sync_functions;
drop policy if exists "The functions read what changed" on sync.table_changes;
create policy "The functions read what changed" on sync.table_changes for select to sync_functions using (true);

-- Notes that a row changed. Its arguments are the names of the table, of the key column and of the owner's, which may be
-- empty; on a truncate every row is gone.
create or replace function sync.note_table_change()
returns trigger
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
declare
  -- Key and owner.
  before text[];
  after text[];
  columns text := format('array[($1).%I::text, %s]', tg_argv[1], coalesce('($1).' || quote_ident(nullif(tg_argv[2], '')) || '::text', 'null'));
begin
  if tg_op = 'TRUNCATE' then
    update sync.table_changes as c set op = 'delete', changed_at = clock_timestamp()
    where c.relation = tg_argv[0] and c.op <> 'delete';
    return null;
  end if;
  if tg_op <> 'INSERT' then
    execute 'select ' || columns into before using old;
  end if;
  if tg_op <> 'DELETE' then
    execute 'select ' || columns into after using new;
  end if;
  insert into sync.table_changes (relation, key, owner, op, changed_at)
  select tg_argv[0], before[1], before[2], 'delete', clock_timestamp()
  where before[1] is not null and before[1] is distinct from after[1]
  union all
  select tg_argv[0], after[1], after[2], lower(tg_op), clock_timestamp() where after[1] is not null
  on conflict (relation, key) do update set owner = excluded.owner, op = excluded.op, changed_at = excluded.changed_at;
  return null;
end
$$;
revoke execute on function sync.note_table_change from public;

-- Follows a table from now on. To be called by its owner, in the project's SQL editor or a migration; repeatable.
-- What the table holds already counts as changed now. Where each row has an owner, `owner_column` holds the user's id: then
-- a listing looks at one owner's changes only, and tells each owner which of their rows are gone.
create or replace function sync.watch_table(target regclass, key_column text default 'id', owner_column text default '')
returns void
language plpgsql
set search_path = ''
as $$
declare
  relation text := target::text;
begin
  execute format('drop trigger if exists syncline_change on %s', relation);
  execute format('drop trigger if exists syncline_truncation on %s', relation);
  execute format('create constraint trigger syncline_change after insert or update or delete on %s '
    'deferrable initially deferred for each row execute function sync.note_table_change(%L, %L, %L)',
    relation, relation, key_column, owner_column);
  execute format('create trigger syncline_truncation after truncate on %s '
    'for each statement execute function sync.note_table_change(%L, %L, %L)', relation, relation, key_column, owner_column);
  execute format('insert into sync.table_changes (relation, key, owner, op, changed_at) '
    'select %L, t.%I::text, %s, ''insert'', clock_timestamp() from %s as t where t.%2$I is not null '
    'on conflict (relation, key) do update set owner = excluded.owner',
    relation, key_column, coalesce('t.' || quote_ident(nullif(owner_column, '')) || '::text', 'null'), relation);
end
$$;
revoke execute on function sync.watch_table from public;

-- Follows it no longer, and forgets what changed.
create or replace function sync.unwatch_table(target regclass)
returns void
language plpgsql
set search_path = ''
as $$
begin
  execute format('drop trigger if exists syncline_change on %s', target::text);
  execute format('drop trigger if exists syncline_truncation on %s', target::text);
  delete from sync.table_changes where relation = target::text;
end
$$;
revoke execute on function sync.unwatch_table from public;

-- By which column a table that is followed by this key tells its rows' owners apart: empty for none, null where it is not
-- followed.
create or replace function sync.watch_of(target oid, key_column text)
returns text
language sql
stable
set search_path = ''
as $$
  select split_part(encode(x.tgargs, 'escape'), '\000', 3)
  from pg_catalog.pg_trigger as x
  where x.tgrelid = target and x.tgname = 'syncline_change' and x.tgenabled in ('O', 'A')
    and split_part(encode(x.tgargs, 'escape'), '\000', 1) = target::regclass::text
    and split_part(encode(x.tgargs, 'escape'), '\000', 2) = key_column;
$$;
revoke execute on function sync.watch_of from public;
grant execute on function sync.watch_of to sync_functions;
