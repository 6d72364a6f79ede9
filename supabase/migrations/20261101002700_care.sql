-- Care for syncs that would do harm by themselves: the brake on those that feed each other, empty listings, and what each
-- side is known to hold (`sync.known_items`).

alter table sync.sync_links
  -- The side that the last write went to, and when: a change there soon after is an answer to it.
  add column if not exists wrote_side text,
  add column if not exists wrote_at timestamptz;
comment on column sync.sync_links.hops is
  'How many writes in a row answered a change that came at once after our last write. Ten are held: nobody types that fast.';
do $$
begin
  if not exists (select from pg_catalog.pg_constraint where conname = 'wrote_side_is_known') then
    alter table sync.sync_links add constraint wrote_side_is_known check (wrote_side in ('source', 'target', 'both')),
      add constraint writes_have_a_time check ((wrote_side is null) = (wrote_at is null));
  end if;
end
$$;

-- New rules are another try.
create or replace function sync.forget_hops()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  update sync.sync_links as l set hops = 0 where l.config_id = new.config_id and l.hops > 0;
  return null;
end
$$;
revoke execute on function sync.forget_hops from public;
create or replace trigger sync_config_versions_forget_hops after insert on public.sync_config_versions
  for each row execute function sync.forget_hops();

-- Whether an empty listing is worth a look: each of the ten runs before saw many records.
create or replace function sync.is_suspiciously_empty(run public.sync_runs)
returns boolean
language sql
stable
set search_path = ''
as $$
  select run.seen = 0 and run.selection = 'changed' and count(*) = 10 and min(before.seen) >= 20
  from (
    select r.seen from public.sync_runs as r
    where r.config_id = run.config_id and r.id <> run.id and r.status <> 'running'
    order by r.created_at desc limit 10) as before;
$$;
revoke execute on function sync.is_suspiciously_empty from public;
grant execute on function sync.is_suspiciously_empty to sync_functions;

-- What is known of these records of a sync, in the given order: of list rows (`item_ids`), or of source records
-- (`source_ids`). Rows that were switched off or removed meanwhile are left out. The target is that of the link, else
-- the list's, else the one that the sync in the other direction linked. A pair that goes its own ways is left out, unless
-- somebody has it on the list again.
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
    where i.is_active or i.id is null and not exists (
      select from sync.sync_links as l
      where l.config_id = config and l.source_id = asked.source_id and l.ended_at is not null)
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
      'trail', case when link.wrote_at is not null then json_build_object('hops', link.hops, 'side', link.wrote_side,
        'at', link.wrote_at, 'opposite_at', (
          select l.wrote_at from opposite join sync.sync_links as l on l.config_id = opposite.id
          where l.source_id = link.target_id limit 1)) end,
      'missing', case when link.missing_run is not null then json_build_object('side', link.missing_side,
        'run', link.missing_run, 'since', link.missing_since) end,
      'resolution', case when decided.id is not null then json_build_object('decided', decided.resolution,
        'seen', decided.seen) end
    ) order by w.place), '[]')
  from wanted as w
  left join sync.sync_links as link on link.config_id = config and link.source_id = w.source_id and link.ended_at is null
  left join sync.intents as intent on intent.config_id = config and intent.source_id = w.source_id
  left join public.data_sync_conflicts as decided on decided.config_id = config and decided.source_id = w.source_id
    and decided.status = 'pending' and decided.resolution is not null;
$$;
