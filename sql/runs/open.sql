-- Opens a run for items of one user: a run above, and one run per sync whose lease is free.
-- Called by engine, for delta-sync, scheduled-sync and queued items.
--   in  {user_id, sync_type, mode?, item_ids, parent_run_id?, lease_seconds}
--   out {run_id, children: [{run_id, fence, config_id, ...}], queued, running?}
-- A lease that ran out is taken over: its run ends as interrupted, what it left joins the new run. Items of a sync
-- that another run is at, and does not still have before it, are queued. What waited in the queue comes along.
-- `offset 0`: or the planner would read the whole text once for each field.
with input as materialized (
  select (j ->> 'user_id')::uuid as user_id, j ->> 'sync_type' as sync_type, j ->> 'mode' as mode,
    (j ->> 'parent_run_id')::uuid as above, make_interval(secs => (j ->> 'lease_seconds')::integer) as lease,
    array(select id::uuid from jsonb_array_elements_text(j -> 'item_ids') as one (id)) as item_ids,
    gen_random_uuid() as run_id
  from (select $1::text::jsonb as j offset 0) as given
),
syncs as materialized (
  select i.config_id, 'config:' || i.config_id as key, gen_random_uuid() as run_id,
    array_agg(i.id order by i.priority, i.created_at, i.id) as item_ids, min(i.priority) as priority
  from input join public.sync_list as i on i.id = any (input.item_ids)
  where i.is_active
  group by i.config_id
),
-- The one form in which the loser of a race learns who won.
taken as (
  insert into sync.leases as l (key, run_id, top_run_id, expires_at)
  select syncs.key, syncs.run_id, input.run_id, now() + input.lease from syncs, input order by syncs.key
  on conflict (key) do update
  set previous_run_id = case when greatest(l.expires_at, l.reserved_until) <= now() then l.run_id end,
      run_id = case when greatest(l.expires_at, l.reserved_until) <= now() then excluded.run_id else l.run_id end,
      top_run_id = case when greatest(l.expires_at, l.reserved_until) <= now() then excluded.top_run_id else l.top_run_id end,
      fence = case when greatest(l.expires_at, l.reserved_until) <= now() then l.fence + 1 else l.fence end,
      expires_at = case when greatest(l.expires_at, l.reserved_until) <= now() then excluded.expires_at else l.expires_at end
  returning l.key, l.run_id, l.top_run_id, l.previous_run_id, l.fence
),
ours as materialized (
  select syncs.*, taken.fence, taken.previous_run_id
  from syncs join taken using (key) where taken.run_id = syncs.run_id
),
theirs as materialized (
  select syncs.config_id, syncs.item_ids, syncs.priority, taken.run_id as other_id, taken.top_run_id
  from syncs join taken using (key) where taken.run_id <> syncs.run_id
),
cut_off as (
  update public.sync_runs as r
  set status = case when r.cancel_requested_at is null then 'interrupted' else 'cancelled' end,
      reason = 'lease_expired', message = 'The run was cut off; another one took over what was left.',
      finished_at = now(), duration_ms = (extract(epoch from now() - r.started_at) * 1000)::bigint
  from ours
  where r.id = ours.previous_run_id and r.status = 'running'
  returning r.id, r.config_id, r.position, r.status
),
waited as (
  update sync.sync_queue as q
  set state = 'done', finished_at = now(), run_id = ours.run_id
  from ours
  where q.config_id = ours.config_id and q.kind = 'sync_items' and q.state in ('pending', 'retry')
  returning q.config_id, q.payload
),
work as materialized (
  select one.config_id, array_agg(one.id order by one.place) as item_ids
  from (
    select every.config_id, every.id, min(every.place) as place
    from (
      select ours.config_id, item.id, item.place
      from ours, unnest(ours.item_ids) with ordinality as item (id, place)
      union all
      select cut_off.config_id, item.id, 1000000 + item.place
      from cut_off join sync.run_work as w on w.run_id = cut_off.id,
        unnest(w.item_ids[cut_off.position + 1:]) with ordinality as item (id, place)
      where cut_off.status = 'interrupted'
      union all
      select waited.config_id, item.id::uuid, 2000000
      from waited, jsonb_array_elements_text(waited.payload -> 'item_ids') as item (id)
    ) as every
    group by every.config_id, every.id
  ) as one
  group by one.config_id
),
above as (
  insert into public.sync_runs
    (id, kind, parent_run_id, user_id, sync_type, mode, last_page_reached, total, status, finished_at, duration_ms)
  select input.run_id, 'user', input.above, input.user_id, input.sync_type, input.mode, true,
    coalesce((select sum(cardinality(work.item_ids)) from work), 0),
    case when exists (select from ours) then 'running' else 'completed' end,
    case when not exists (select from ours) then now() end, case when not exists (select from ours) then 0 end
  from input
  -- With nothing to do there is still an entry in the history; with everything in other hands there is theirs.
  where exists (select from ours) or not exists (select from theirs)
),
children as (
  insert into public.sync_runs (id, kind, parent_run_id, user_id, org_id, config_id, config_version, item_type,
    sync_type, mode, selection, total)
  select ours.run_id, 'sync', input.run_id, input.user_id, c.org_id, c.id, c.current_version, c.item_type,
    input.sync_type, input.mode, 'listed', cardinality(work.item_ids)
  from ours join public.sync_configs as c on c.id = ours.config_id join work on work.config_id = ours.config_id, input
  returning id, config_id, total
),
written as (
  insert into sync.run_work (run_id, item_ids)
  select ours.run_id, work.item_ids from ours join work using (config_id)
),
continued as (
  insert into sync.sync_queue as q (user_id, config_id, kind, group_key, dedupe_key, priority, due_at, max_attempts)
  select input.user_id, ours.config_id, 'run', ours.key, 'run:' || ours.config_id, ours.priority, now() + input.lease, 100
  from ours, input
  on conflict (dedupe_key) where state in ('pending', 'retry')
    do update set due_at = excluded.due_at, user_id = excluded.user_id, attempts = 0
),
-- Of a run that began while we waited for its lease we cannot see the work yet: then too much is queued, never too little.
covered as materialized (
  select theirs.config_id, item.id
  from theirs join public.sync_runs as r on r.id = theirs.other_id join sync.run_work as w on w.run_id = r.id,
    unnest(w.item_ids[r.position + 1:]) as item (id)
),
queued as (
  insert into sync.sync_queue as q (user_id, config_id, kind, payload, group_key, dedupe_key, priority)
  select input.user_id, theirs.config_id, 'sync_items', jsonb_build_object('item_ids', jsonb_build_array(item.id)),
    'config:' || theirs.config_id, 'item:' || item.id, theirs.priority
  from input, theirs, unnest(theirs.item_ids) as item (id)
  where not exists (select from covered where covered.config_id = theirs.config_id and covered.id = item.id)
  order by item.id
  on conflict (dedupe_key) where state in ('pending', 'retry')
    do update set priority = least(q.priority, excluded.priority), due_at = least(q.due_at, excluded.due_at)
  returning q.id
)
select json_build_object(
  'run_id', case when exists (select from ours) or not exists (select from theirs) then input.run_id
                 else (select top_run_id from theirs order by config_id limit 1) end,
  'children', (
    select coalesce(json_agg(sync.sync_description(children.config_id, null) || jsonb_build_object('run_id', children.id,
      'parent_run_id', input.run_id, 'user_id', input.user_id, 'fence', ours.fence, 'mode', input.mode,
      'selection', 'listed', 'total', children.total, 'position', 0) order by ours.key), '[]')
    from children join ours on ours.run_id = children.id),
  'queued', (select count(*) from queued),
  'running', case when not exists (select from ours) then (select top_run_id from theirs order by config_id limit 1) end
)::text
from input;
