-- Deletes: what is gone on one side, and what becomes of its counterpart on the other.
--
--   found ──the run's end──▶ done
--     │└──too many, or changed meanwhile──▶ held ──a person──▶ approved ──the next run──▶ done
--     │                                       └──a person──▶ kept
--     └──it is there again──▶ settled

-- A record that was asked for by its id and not found, until another run asks again.
alter table sync.sync_links
  -- On which side, by which run and when it was first not found.
  add column if not exists missing_side text,
  add column if not exists missing_run uuid,
  add column if not exists missing_since timestamptz,
  -- The pair goes its own ways: what is left of it is not taken for something new.
  add column if not exists ended_at timestamptz,
  add column if not exists ended_by text;
do $$
begin
  if not exists (select from pg_catalog.pg_constraint where conname = 'missing_side_is_known') then
    alter table sync.sync_links add constraint missing_side_is_known check (missing_side in ('source', 'target')),
      add constraint what_is_missing_was_missed_by_a_run
        check ((missing_side is null) = (missing_run is null) and (missing_run is null) = (missing_since is null)),
      add constraint end_of_a_link_is_known check (ended_by in ('archived', 'unlinked')),
      add constraint links_end_for_a_reason check ((ended_at is null) = (ended_by is null));
  end if;
end
$$;
create index if not exists sync_links_missing on sync.sync_links (config_id, source_id) where missing_run is not null;

grant update (is_active) on public.sync_list to sync_functions;

-- The third place of a sync is that of its round through all pairs.
alter table sync.cursors drop constraint if exists cursor_side_is_known;
alter table sync.cursors add constraint cursor_side_is_known check (side in ('source', 'target', 'sweep'));

create table if not exists public.sync_deletes (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users (id) on delete cascade,
  org_id uuid references public.organizations (id),
  config_id uuid not null references public.sync_configs (id) on delete cascade,
  -- The run that found it last. No foreign key: runs are dropped earlier than an open question.
  run_id uuid,
  item_id uuid references public.sync_list (id) on delete set null,
  item_type text not null,
  source_id text not null,
  target_id text not null,
  -- Where it is gone, how we know, and what the sync does about it.
  gone_side text not null,
  reason text not null,
  policy text not null,
  status text not null default 'found',
  -- Why it waits, as a code and for people.
  code text,
  message text,
  decided_by uuid references auth.users (id) on delete set null,
  decided_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),

  constraint gone_side_is_known check (gone_side in ('source', 'target')),
  constraint delete_reason_is_known check (reason in ('not_found', 'tombstone')),
  constraint delete_policy_is_known check (policy in ('archive', 'delete', 'unlink')),
  constraint delete_status_is_known check (status in ('found', 'held', 'approved', 'done', 'kept', 'settled'))
);
comment on table public.sync_deletes is 'Records that are gone on one side, and what becomes of their counterparts.';
create unique index if not exists sync_deletes_open on public.sync_deletes (config_id, source_id)
  where status in ('found', 'held', 'approved');
create index if not exists sync_deletes_of_a_user on public.sync_deletes (user_id, status, created_at);
create index if not exists sync_deletes_of_an_organization on public.sync_deletes (org_id);
create index if not exists sync_deletes_of_a_config on public.sync_deletes (config_id, status);
create index if not exists sync_deletes_of_an_item on public.sync_deletes (item_id);
create index if not exists sync_deletes_decided_by on public.sync_deletes (decided_by);

create or replace trigger sync_deletes_touch before update on public.sync_deletes
  for each row execute function sync.touch();
create or replace trigger sync_deletes_audit after update of status on public.sync_deletes
  for each row when (new.status in ('approved', 'kept')) execute function sync.audit_change();

alter table public.sync_deletes enable row level security;
grant select on public.sync_deletes to authenticated;
drop policy if exists "Users see their own deletes and their organizations'" on public.sync_deletes;
create policy "Users see their own deletes and their organizations'" on public.sync_deletes
  for select to authenticated
  using (user_id = (select auth.uid()) or org_id = any ((select sync.my_organizations('viewer'))::uuid[]));
grant select, insert, update, delete on public.sync_deletes to sync_functions;
drop policy if exists "The functions work with deletes" on public.sync_deletes;
create policy "The functions work with deletes" on public.sync_deletes to sync_functions using (true) with check (true);

-- What a person decides about records that are gone: all those named, or all of a sync that wait; null when one is not
-- theirs to decide. Approved ones are deleted by the next run; kept ones go their own ways from here.
create or replace function sync.decide_deletes(asked uuid[], config uuid, approved boolean)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  theirs uuid[];
  answer jsonb;
begin
  select coalesce(array_agg(d.id), '{}') into theirs
  from public.sync_deletes as d
  where (d.id = any (asked) or asked is null and d.config_id = config and d.status = 'held')
    and (d.user_id = auth.uid() or d.org_id = any (sync.my_organizations('operator')));
  if asked is not null and exists (select from unnest(asked) as one (id) where one.id <> all (theirs))
    or asked is null and not exists (
      select from public.sync_configs as c
      where c.id = config and (c.user_id = auth.uid() or c.org_id = any (sync.my_organizations('operator')))) then
    return null;
  end if;
  if exists (select from public.sync_deletes as d where d.id = any (theirs) and d.status <> 'held') then
    perform sync.refuse(409, 'One of these does not wait for a decision.');
  end if;
  with decided as (
    update public.sync_deletes as d
    set status = case when approved then 'approved' else 'kept' end, decided_by = auth.uid(), decided_at = now()
    where d.id = any (theirs)
    returning d.id, d.config_id, d.source_id
  ),
  kept as (
    update sync.sync_links as l
    set ended_at = now(), ended_by = 'unlinked', missing_side = null, missing_run = null, missing_since = null
    from decided
    where not approved and l.config_id = decided.config_id and l.source_id = decided.source_id
  )
  select coalesce(jsonb_agg(to_jsonb(decided)), '[]') into answer from decided;
  return answer;
end
$$;
revoke execute on function sync.decide_deletes from public;
grant execute on function sync.decide_deletes to authenticated;
