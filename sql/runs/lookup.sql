-- What is known of these source records, for a run over what changed. Extends the lease.
-- Called by engine, once per page of the source's listing.
--   in  {run_id, fence, source_ids, lease_seconds}
--   out {lost, cancelled, items, position, remaining}
-- Records whose row of the sync list is switched off are left out. The position counts pages.
-- `offset 0`: or the planner would read the whole text once for each field.
with input as materialized (
  select (j ->> 'run_id')::uuid as run_id, (j ->> 'fence')::bigint as fence,
    array(select jsonb_array_elements_text(j -> 'source_ids')) as source_ids,
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
    select sync.known_items(held.config_id, held.mode, null, input.source_ids)
    from held, input where held.cancel_requested_at is null), '[]'),
  'position', coalesce((select held.position + 1 from held), 0),
  'remaining', 0
)::text;
