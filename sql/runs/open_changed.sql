-- Opens a run over whatever changed in the source of a sync since its cursor.
-- Called by engine, for syncs with a schedule and for webhooks.
--   in  {config_id, parent_run_id?, lease_seconds}
--   out {child: {run_id, fence, ...} or null}      null: another run is at this sync
-- A lease that ran out is taken over as in `open`; list rows that the cut-off run still had before it are queued.
with input as materialized (
  select (j ->> 'config_id')::uuid as config_id, (j ->> 'parent_run_id')::uuid as above,
    make_interval(secs => (j ->> 'lease_seconds')::integer) as lease, gen_random_uuid() as run_id
  from (select $1::text::jsonb as j) as given
),
config as materialized (
  select c.id, c.user_id, c.org_id, c.current_version, c.item_type, 'config:' || c.id as key,
    coalesce(above.sync_type, 'delta') as sync_type, above.mode
  from input join public.sync_configs as c on c.id = input.config_id and c.enabled
  left join public.sync_runs as above on above.id = input.above
),
taken as (
  insert into sync.leases as l (key, run_id, top_run_id, expires_at)
  select config.key, input.run_id, coalesce(input.above, input.run_id), now() + input.lease from config, input
  on conflict (key) do update
  set previous_run_id = case when greatest(l.expires_at, l.reserved_until) <= now() then l.run_id end,
      run_id = case when greatest(l.expires_at, l.reserved_until) <= now() then excluded.run_id else l.run_id end,
      top_run_id = case when greatest(l.expires_at, l.reserved_until) <= now() then excluded.top_run_id else l.top_run_id end,
      fence = case when greatest(l.expires_at, l.reserved_until) <= now() then l.fence + 1 else l.fence end,
      expires_at = case when greatest(l.expires_at, l.reserved_until) <= now() then excluded.expires_at else l.expires_at end
  returning l.key, l.run_id, l.previous_run_id, l.fence
),
ours as materialized (
  select config.*, taken.fence, taken.previous_run_id
  from config, taken, input where taken.run_id = input.run_id
),
cut_off as (
  update public.sync_runs as r
  set status = case when r.cancel_requested_at is null then 'interrupted' else 'cancelled' end,
      reason = 'lease_expired', message = 'The run was cut off; another one took over what was left.',
      finished_at = now(), duration_ms = (extract(epoch from now() - r.started_at) * 1000)::bigint
  from ours
  where r.id = ours.previous_run_id and r.status = 'running'
  returning r.id, r.user_id, r.config_id, r.position, r.status
),
queued as (
  insert into sync.sync_queue as q (user_id, config_id, kind, payload, group_key, dedupe_key)
  select cut_off.user_id, cut_off.config_id, 'sync_items', jsonb_build_object('item_ids', jsonb_build_array(item.id)),
    'config:' || cut_off.config_id, 'item:' || item.id
  from cut_off join sync.run_work as w on w.run_id = cut_off.id, unnest(w.item_ids[cut_off.position + 1:]) as item (id)
  where cut_off.status = 'interrupted'
  order by item.id
  on conflict (dedupe_key) where state in ('pending', 'retry') do update set due_at = least(q.due_at, excluded.due_at)
),
opened as (
  insert into public.sync_runs (id, kind, parent_run_id, user_id, org_id, config_id, config_version, item_type,
    sync_type, mode, selection)
  select input.run_id, 'sync', input.above, ours.user_id, ours.org_id, ours.id, ours.current_version, ours.item_type,
    ours.sync_type, ours.mode, 'changed'
  from ours, input
),
continued as (
  insert into sync.sync_queue as q (user_id, config_id, kind, group_key, dedupe_key, due_at, max_attempts)
  select ours.user_id, ours.id, 'run', ours.key, 'run:' || ours.id, now() + input.lease, 100
  from ours, input
  on conflict (dedupe_key) where state in ('pending', 'retry') do update set due_at = excluded.due_at, attempts = 0
)
select json_build_object('child', (
  select sync.sync_description(ours.id, null) || jsonb_build_object('run_id', input.run_id, 'parent_run_id', input.above,
    'user_id', ours.user_id, 'fence', ours.fence, 'mode', ours.mode, 'selection', 'changed', 'total', 0, 'position', 0)
  from ours, input))::text;
