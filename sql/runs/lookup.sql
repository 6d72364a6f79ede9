-- What is known of these records, for a run over what changed. Extends the lease.
-- Called by engine, once per page of a side's listing.
--   in  {run_id, fence, source_ids, target_ids, lease_seconds}
--   out {lost, cancelled, items, unlinked: [{target_id, intent?}], position, remaining}
-- Records whose row of the sync list is switched off are left out. Of targets, the linked ones come as the items they
-- are linked to; `unlinked` are the others, but for those of the sync that goes the other way. The position counts pages.
-- `offset 0`: or the planner would read the whole text once for each field.
with input as materialized (
  select (j ->> 'run_id')::uuid as run_id, (j ->> 'fence')::bigint as fence,
    array(select jsonb_array_elements_text(j -> 'source_ids')) as source_ids,
    array(select jsonb_array_elements_text(j -> 'target_ids')) as target_ids,
    make_interval(secs => (j ->> 'lease_seconds')::integer) as lease
  from (select $1::text::jsonb as j offset 0) as given
),
held as (
  update sync.leases as l
  set expires_at = now() + input.lease
  from input, public.sync_runs as r
  where r.id = input.run_id and r.status = 'running'
    and l.key = 'config:' || r.config_id and l.run_id = r.id and l.fence = input.fence
  returning l.key, r.user_id, r.config_id, r.mode, r.position, r.cancel_requested_at
),
named as materialized (
  select input.source_ids || array(
      select l.source_id from held join sync.sync_links as l on l.config_id = held.config_id
      where l.target_id = any (input.target_ids) and l.source_id <> all (input.source_ids) order by l.source_id) as source_ids
  from input
),
unlinked as materialized (
  select asked.target_id, intent.source_id, intent.external_key, intent.idempotency_key
  from held join input on true, unnest(input.target_ids) with ordinality as asked (target_id, place)
  left join sync.intents as intent on intent.config_id = (select held.config_id from held)
    and intent.source_id = 'target:' || asked.target_id
  where not exists (select from sync.sync_links as l where l.config_id = held.config_id and l.target_id = asked.target_id)
    and not exists (
      select from public.sync_configs as c
      join public.sync_configs as o on o.source_integration_id = c.target_integration_id
        and o.target_integration_id = c.source_integration_id and o.item_type = c.item_type
        and (o.user_id = c.user_id or o.org_id = c.org_id)
      join sync.sync_links as l on l.config_id = o.id and l.source_id = asked.target_id
      where c.id = held.config_id)
  order by asked.place
),
continued as (
  insert into sync.sync_queue as q (user_id, config_id, kind, group_key, dedupe_key, due_at, max_attempts)
  select held.user_id, held.config_id, 'run', held.key, 'run:' || held.config_id, now() + input.lease, 100
  from held, input
  on conflict (dedupe_key) where state in ('pending', 'retry') do update set due_at = excluded.due_at, attempts = 0
)
select json_build_object(
  'lost', not exists (select from held),
  'cancelled', coalesce((select held.cancel_requested_at is not null from held), false),
  'items', coalesce((
    select sync.known_items(held.config_id, held.mode, null, named.source_ids)
    from held, named where held.cancel_requested_at is null), '[]'),
  'unlinked', (
    select coalesce(json_agg(json_build_object('target_id', unlinked.target_id,
      'intent', case when unlinked.source_id is not null then json_build_object('source_id', unlinked.source_id,
        'external_key', unlinked.external_key, 'idempotency_key', unlinked.idempotency_key) end)), '[]')
    from unlinked),
  'position', coalesce((select held.position + 1 from held), 0),
  'remaining', 0
)::text;
