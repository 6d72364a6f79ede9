-- The next page of a listed run: the items at its position, with what is known of them. Extends the lease.
-- Called by engine, at the start of a run; later pages come with `record_page`.
--   in  {run_id, fence, limit, lease_seconds}
--   out {lost, cancelled, items, position, remaining}
with input as materialized (
  select (j ->> 'run_id')::uuid as run_id, (j ->> 'fence')::bigint as fence,
    least(greatest((j ->> 'limit')::integer, 0), 1000) as size,
    make_interval(secs => (j ->> 'lease_seconds')::integer) as lease
  from (select $1::text::jsonb as j) as given
),
held as (
  update sync.leases as l
  set expires_at = now() + input.lease
  from input, public.sync_runs as r
  where r.id = input.run_id and r.status = 'running'
    and l.key = 'config:' || r.config_id and l.run_id = r.id and l.fence = input.fence
  returning l.key, r.id, r.user_id, r.config_id, r.mode, r.position, r.total, r.cancel_requested_at
),
continued as (
  insert into sync.sync_queue as q (user_id, config_id, kind, group_key, dedupe_key, due_at, max_attempts)
  select held.user_id, held.config_id, 'run', held.key, 'run:' || held.config_id, now() + input.lease, 100
  from held, input
  on conflict (dedupe_key) where state in ('pending', 'retry') do update set due_at = excluded.due_at, attempts = 0
),
page as (
  select held.*, least(held.position + input.size, held.total) as reached, w.item_ids
  from held join input on true left join sync.run_work as w on w.run_id = held.id
)
select json_build_object(
  'lost', not exists (select from held),
  'cancelled', coalesce((select page.cancel_requested_at is not null from page), false),
  'items', coalesce((
    select sync.known_items(page.config_id, page.mode, page.item_ids[page.position + 1:page.reached], null)
    from page where page.cancel_requested_at is null), '[]'),
  'position', coalesce((select page.reached from page), 0),
  'remaining', coalesce((select page.total - page.reached from page), 0)
)::text;
