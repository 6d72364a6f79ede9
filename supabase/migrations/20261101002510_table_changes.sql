-- What changed in users' tables, for those that have no column which says so: one row per key, written by a trigger.
--
-- The trigger is deferred: it notes its time when the transaction ends, not when the row was touched. So a listing that
-- looks back a little misses nothing, however long a transaction was open.

create table if not exists sync.table_changes (
  -- As sync.watch_table was told: the schema's and the table's name, quoted where they need it.
  relation text not null,
  key text collate "C" not null,
  op text not null,
  changed_at timestamptz not null,
  primary key (relation, key),
  constraint change_is_known check (op in ('insert', 'update', 'delete'))
);
comment on table sync.table_changes is 'The latest change of each row of the tables that are watched.';
-- Serves the listing: oldest change first, equal times by key.
create index if not exists table_changes_by_time on sync.table_changes (relation, changed_at, key);
alter table sync.table_changes enable row level security;
grant select on sync.table_changes to sync_functions;
drop policy if exists "The functions read what changed" on sync.table_changes;
create policy "The functions read what changed" on sync.table_changes for select to sync_functions using (true);

-- Notes that a row changed. Its arguments are the table's name and the key column's; on a truncate every row is gone.
create or replace function sync.note_table_change()
returns trigger
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
declare
  key_before text;
  key_after text;
begin
  if tg_op = 'TRUNCATE' then
    update sync.table_changes as c set op = 'delete', changed_at = clock_timestamp()
    where c.relation = tg_argv[0] and c.op <> 'delete';
    return null;
  end if;
  if tg_op <> 'INSERT' then
    execute format('select ($1).%I::text', tg_argv[1]) into key_before using old;
  end if;
  if tg_op <> 'DELETE' then
    execute format('select ($1).%I::text', tg_argv[1]) into key_after using new;
  end if;
  insert into sync.table_changes (relation, key, op, changed_at)
  select tg_argv[0], gone.key, 'delete', clock_timestamp() from (select key_before as key) as gone
  where gone.key is not null and gone.key is distinct from key_after
  union all
  select tg_argv[0], key_after, lower(tg_op), clock_timestamp() where key_after is not null
  on conflict (relation, key) do update set op = excluded.op, changed_at = excluded.changed_at;
  return null;
end
$$;
revoke execute on function sync.note_table_change from public;

-- Follows a table from now on. To be called by its owner, in the project's SQL editor or a migration; repeatable.
-- What the table holds already counts as changed now.
create or replace function sync.watch_table(target regclass, key_column text default 'id')
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
    'deferrable initially deferred for each row execute function sync.note_table_change(%L, %L)', relation, relation, key_column);
  execute format('create trigger syncline_truncation after truncate on %s '
    'for each statement execute function sync.note_table_change(%L, %L)', relation, relation, key_column);
  execute format('insert into sync.table_changes (relation, key, op, changed_at) '
    'select %L, t.%I::text, ''insert'', clock_timestamp() from %s as t where t.%I is not null '
    'on conflict (relation, key) do nothing', relation, key_column, relation, key_column);
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

-- Whether a table is followed by this key.
create or replace function sync.is_watched(target oid, key_column text)
returns boolean
language sql
stable
set search_path = ''
as $$
  select exists (
    select from pg_catalog.pg_trigger as x
    where x.tgrelid = target and x.tgname = 'syncline_change' and x.tgenabled in ('O', 'A')
      and encode(x.tgargs, 'escape') = target::regclass::text || '\000' || key_column || '\000');
$$;
revoke execute on function sync.is_watched from public;
grant execute on function sync.is_watched to sync_functions;
