-- Syncs that go both ways: a cursor for each side, and what a person decided about a conflict, until it is carried out.

alter table sync.cursors add column if not exists side text not null default 'source';
comment on column sync.cursors.side is 'Whose listing it is. A sync that goes both ways follows the target as well.';
do $$
begin
  if not exists (select from pg_catalog.pg_constraint where conname = 'cursors_are_one_per_side') then
    alter table sync.cursors drop constraint cursors_pkey;
    alter table sync.cursors add constraint cursors_are_one_per_side primary key (config_id, side);
    alter table sync.cursors add constraint cursor_side_is_known check (side in ('source', 'target'));
  end if;
end
$$;

alter table public.data_sync_conflicts add column if not exists seen text;
comment on column public.data_sync_conflicts.seen is
  'Stands for the values that the person is shown. A decision about other values is asked for again.';
comment on column public.data_sync_conflicts.resolution is
  'What a person decided: `choices` by field and `rest` for all others. While the conflict is pending it waits to be carried out.';

-- What is known of these records of a sync, in the given order: of list rows (`item_ids`), or of source records
-- (`source_ids`). Rows that were switched off or removed meanwhile are left out. The target is that of the link, else
-- the list's, else the one that the sync in the other direction linked.
create or replace function sync.known_items(config uuid, run_mode text, item_ids uuid[], source_ids text[])
returns json
language sql
stable
set search_path = ''
as $$
  with wanted as materialized (
    select asked.place, i.id, i.source_id, i.target_id, i.sync_mode, i.fields
    from unnest(item_ids) with ordinality as asked (id, place)
    join public.sync_list as i on i.id = asked.id and i.config_id = config and i.is_active
    union all
    select asked.place, i.id, asked.source_id, i.target_id, i.sync_mode, i.fields
    from unnest(source_ids) with ordinality as asked (source_id, place)
    left join lateral (
      select * from public.sync_list as l
      where l.config_id = config and l.source_id = asked.source_id order by l.created_at limit 1
    ) as i on true
    where i.id is null or i.is_active
  ),
  opposite as materialized (
    select o.id
    from public.sync_configs as c
    join public.sync_configs as o
      on o.source_integration_id = c.target_integration_id and o.target_integration_id = c.source_integration_id
      and o.item_type = c.item_type and (o.user_id = c.user_id or o.org_id = c.org_id)
    where c.id = config
  )
  select coalesce(json_agg(json_build_object(
      'item_id', w.id, 'place', w.place, 'source_id', w.source_id,
      'target_id', coalesce(link.target_id, w.target_id, (
        select l.source_id from opposite join sync.sync_links as l on l.config_id = opposite.id
        where l.target_id = w.source_id limit 1)),
      'mode', coalesce(run_mode, w.sync_mode, 'delta'), 'fields', w.fields,
      'link', case when link.source_id is not null then json_build_object(
        'source_version', link.source_version, 'source_hash', link.source_hash,
        'target_version', link.target_version, 'base_source', link.base_source, 'base_target', link.base_target) end,
      'intent', case when intent.source_id is not null then json_build_object('source_id', intent.source_id,
        'external_key', intent.external_key, 'idempotency_key', intent.idempotency_key) end,
      'resolution', case when decided.id is not null then json_build_object('decided', decided.resolution,
        'seen', decided.seen) end
    ) order by w.place), '[]')
  from wanted as w
  left join sync.sync_links as link on link.config_id = config and link.source_id = w.source_id
  left join sync.intents as intent on intent.config_id = config and intent.source_id = w.source_id
  left join public.data_sync_conflicts as decided on decided.config_id = config and decided.source_id = w.source_id
    and decided.status = 'pending' and decided.resolution is not null;
$$;

-- The sync as the engine needs it, with the rules of a version.
create or replace function sync.sync_description(config uuid, wanted integer)
returns jsonb
language sql
stable
set search_path = ''
as $$
  with sides as (
    select i.id, jsonb_build_object('integration_id', i.id, 'user_id', i.user_id, 'platform', i.platform,
      'base_url', i.base_url, 'config', i.config, 'credential_kind', i.credential_kind, 'status', i.status,
      'rate_per_minute', i.rate_per_minute, 'rate_per_hour', i.rate_per_hour, 'max_retries', i.max_retries) as side
    from public.integrations as i
  )
  select jsonb_build_object('config_id', c.id, 'item_type', c.item_type, 'config_version', v.version,
    'direction', c.direction, 'rules', v.rules, 'source', source.side, 'target', target.side)
  from public.sync_configs as c
  join public.sync_config_versions as v on v.config_id = c.id and v.version = coalesce(wanted, c.current_version)
  join sides as source on source.id = c.source_integration_id
  join sides as target on target.id = c.target_integration_id
  where c.id = config;
$$;

-- What a person decides about conflicts of theirs, all of them or none: null when one is not theirs to decide. It is
-- carried out by the next run that meets the record, if the record still looks as it did.
create or replace function sync.decide_conflicts(asked uuid[], decision jsonb)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  theirs uuid[];
  answer jsonb;
begin
  select coalesce(array_agg(c.id), '{}') into theirs
  from public.data_sync_conflicts as c
  where c.id = any (asked) and (c.user_id = auth.uid() or c.org_id = any (sync.my_organizations('operator')));
  if exists (select from unnest(asked) as one (id) where one.id <> all (theirs)) then
    return null;
  end if;
  if exists (select from public.data_sync_conflicts as c where c.id = any (asked) and c.status <> 'pending') then
    perform sync.refuse(409, 'One of these conflicts is over already.');
  end if;
  if exists (select from public.data_sync_conflicts as c where c.id = any (asked) and c.kind <> 'conflicted') then
    perform sync.refuse(422, 'One of these records waits for something else than a choice between two values; its message says for what.', '/ids');
  end if;
  with decided as (
    update public.data_sync_conflicts as c
    set resolution = decision, resolved_by = auth.uid()
    where c.id = any (asked)
    returning c.id, c.config_id, c.source_id
  )
  select coalesce(jsonb_agg(to_jsonb(decided)), '[]') into answer from decided;
  return answer;
end
$$;
revoke execute on function sync.decide_conflicts from public;
grant execute on function sync.decide_conflicts to authenticated;

-- The issues of the caller that are named, all of them or null.
create or replace function sync.issues_to_retry(asked uuid[])
returns jsonb
language sql
stable
security definer
set search_path = ''
as $$
  with theirs as materialized (
    select s.id, s.config_id, s.source_id
    from public.sync_issues as s
    where s.id = any (asked) and (s.user_id = auth.uid() or s.org_id = any (sync.my_organizations('operator')))
  )
  select case when exists (select from unnest(asked) as one (id) where not exists (select from theirs where theirs.id = one.id))
    then null else (select coalesce(jsonb_agg(to_jsonb(theirs)), '[]') from theirs) end;
$$;
revoke execute on function sync.issues_to_retry from public;
grant execute on function sync.issues_to_retry to authenticated;

-- What a sync would do, decided and not done: applying it does exactly this, or leaves alone what has changed since.
create table if not exists sync.plans (
  id uuid primary key default gen_random_uuid(),
  -- Who made it; nobody else applies it.
  user_id uuid not null references auth.users (id) on delete cascade,
  config_id uuid not null references public.sync_configs (id) on delete cascade,
  -- Another version of the rules is another plan.
  config_version integer not null,
  -- By the record's id at the source, the fingerprint of what was decided.
  decisions jsonb not null,
  created_at timestamptz not null default now(),
  applied_run_id uuid,
  constraint decisions_are_an_object check (jsonb_typeof(decisions) = 'object')
);
comment on table sync.plans is 'What syncs would do, kept for a day.';
create index if not exists plans_of_a_user on sync.plans (user_id);
create index if not exists plans_of_a_config on sync.plans (config_id);
create index if not exists plans_by_age on sync.plans (created_at);
alter table sync.plans enable row level security;
grant select, insert, update, delete on sync.plans to sync_functions;
drop policy if exists "The functions work with plans" on sync.plans;
create policy "The functions work with plans" on sync.plans to sync_functions using (true) with check (true);
