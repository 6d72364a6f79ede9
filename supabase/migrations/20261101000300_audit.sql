-- The audit: who changed or used what. Rows are only ever added, and each carries the hash of the one before it,
-- so that a row changed or taken out afterwards shows. One chain per owner; its head moves in the same statement.

create table if not exists public.sync_audit (
  id bigint generated always as identity primary key,
  -- Whose data it was; the zero uuid is the system itself. No foreign key: the audit outlives the account.
  owner_id uuid not null,
  org_id uuid,
  position bigint not null,
  -- Who did it; null is the system.
  actor_id uuid,
  action text not null,
  subject text not null,
  subject_id text not null,
  details jsonb not null default '{}',
  at timestamptz not null default now(),
  previous_hash text not null,
  hash text not null,

  constraint audit_positions_are_used_once unique (owner_id, position)
);
comment on table public.sync_audit is 'Append-only: who changed or used what, hash-chained per owner.';

create table if not exists sync.audit_heads (
  owner_id uuid primary key,
  position bigint not null,
  hash text not null
);
comment on table sync.audit_heads is 'The newest position and hash of each owner''s audit chain.';

-- Serves the audit of an organization and of one subject.
create index if not exists sync_audit_of_an_organization on public.sync_audit (org_id, id);
create index if not exists sync_audit_of_a_subject on public.sync_audit (owner_id, subject, subject_id);

-- The hash of one row: SHA-256 over the previous hash and everything the row says.
create or replace function sync.audit_hash(
  previous text, owner_id uuid, place bigint, actor_id uuid, action text, subject text, subject_id text,
  details jsonb, at timestamptz
)
returns text
language sql
stable
set search_path = ''
as $$
  select encode(sha256(convert_to(
    jsonb_build_array(previous, owner_id, place, actor_id, action, subject, subject_id, details,
      to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text, 'UTF8')), 'hex');
$$;
revoke execute on function sync.audit_hash from public;

-- Adds one row to its owner's chain. The actor is the user whose request this is, or the system.
create or replace function sync.audit(
  owner uuid, org uuid, action text, subject text, subject_id text, details jsonb default '{}'
)
returns bigint
language plpgsql
security definer
set search_path = ''
as $$
declare
  head sync.audit_heads;
  system constant uuid := '00000000-0000-0000-0000-000000000000';
  fresh text;
begin
  insert into sync.audit_heads as h (owner_id, position, hash)
  values (coalesce(owner, system), 1, '')
  on conflict (owner_id) do update set position = h.position + 1
  returning * into head;
  fresh := sync.audit_hash(head.hash, head.owner_id, head.position, auth.uid(), action, subject, subject_id,
    coalesce(details, '{}'), pg_catalog.now());
  insert into public.sync_audit
    (owner_id, org_id, position, actor_id, action, subject, subject_id, details, at, previous_hash, hash)
  values (head.owner_id, org, head.position, auth.uid(), action, subject, subject_id,
    coalesce(details, '{}'), pg_catalog.now(), head.hash, fresh);
  update sync.audit_heads set hash = fresh where owner_id = head.owner_id;
  return head.position;
end
$$;
revoke execute on function sync.audit from public;

-- Where a chain is broken: the first position whose hash does not follow from the row before; null if it holds.
create or replace function sync.audit_break(owner uuid)
returns bigint
language sql
stable
set search_path = ''
as $$
  select min(row.position)
  from (
    select a.position, a.hash, a.previous_hash,
      lag(a.hash) over chain as before, lag(a.position) over chain as place_before,
      sync.audit_hash(a.previous_hash, a.owner_id, a.position, a.actor_id, a.action, a.subject, a.subject_id,
        a.details, a.at) as expected
    from public.sync_audit as a
    where a.owner_id = owner
    window chain as (order by a.position)
  ) as row
  where row.hash <> row.expected
     or (row.before is not null and (row.before <> row.previous_hash or row.place_before <> row.position - 1));
$$;
revoke execute on function sync.audit_break from public;

-- Nobody changes the audit, not even its owner; only retention drops what is too old, after leaving an anchor.
create or replace function sync.refuse_audit_change()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if tg_op = 'DELETE' and pg_catalog.current_setting('sync.retention', true) = 'on' then
    return null;
  end if;
  raise exception using errcode = 'PT409', message = 'The audit can only be added to.';
end
$$;
revoke execute on function sync.refuse_audit_change from public;
create or replace trigger audit_is_append_only before update or delete or truncate on public.sync_audit
  for each statement execute function sync.refuse_audit_change();

-- Writes down each change of a row of the table it hangs on: which columns changed, never what they hold.
create or replace function sync.audit_change()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  row jsonb := case when tg_op = 'DELETE' then to_jsonb(old) else to_jsonb(new) end;
  before jsonb := case when tg_op = 'UPDATE' then to_jsonb(old) else '{}' end;
  changed jsonb;
begin
  select coalesce(jsonb_agg(field.key order by field.key), '[]') into changed
  from jsonb_each(row) as field
  where field.value is distinct from before -> field.key and field.key <> 'updated_at';
  if tg_op = 'UPDATE' and changed = '[]' then
    return null;
  end if;
  perform sync.audit((row ->> 'user_id')::uuid, (row ->> 'org_id')::uuid, lower(tg_op), tg_table_name,
    coalesce(row ->> 'id', row ->> 'config_id', row ->> 'integration_id', row ->> 'org_id'),
    case when tg_op = 'UPDATE' then jsonb_build_object('columns', changed) else '{}' end);
  return null;
end
$$;
revoke execute on function sync.audit_change from public;

create or replace trigger organization_members_audit after insert or update or delete on public.organization_members
  for each row execute function sync.audit_change();

alter table public.sync_audit enable row level security;
alter table sync.audit_heads enable row level security;
grant select on public.sync_audit to authenticated;
drop policy if exists "Users see the audit of their own data" on public.sync_audit;
create policy "Users see the audit of their own data" on public.sync_audit for select to authenticated
  using (owner_id = (select auth.uid()) or org_id = any ((select sync.my_organizations('admin'))::uuid[]));
