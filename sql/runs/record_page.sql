-- Stores how the records of a page ended, and answers with the next page. Everything or, if the lease was lost, nothing.
-- Called by engine, once per page.
--   in  {run_id, fence, position, results: [{item_id?, source_id, target_id?, outcome, link?, metadata?, changes,
--        error?, inputs?, conflicts?, seen?, gone?, wrote?}], undone?: [item ids], cursor?: {side, ...}, last_page, platform_requests, lease_seconds, next_limit}
--        What is to be kept to the letter (bases, changes, inputs, conflicts) comes as text that holds JSON.
--   out {lost, cancelled, items, position, remaining}
-- Items of the page without a result (switched off or removed meanwhile) count as skipped, so the balance holds.
-- Items of a listed run that are `undone` move behind those of their page that are done, and come next.
-- A page that comes twice (its answer was lost) is recorded once: its position is not beyond the run's.
-- `offset 0`: or the planner would read the whole text once for each field.
with input as materialized (
  select j, (j ->> 'run_id')::uuid as run_id, (j ->> 'fence')::bigint as fence,
    (j ->> 'position')::bigint as position, (j ->> 'last_page')::boolean as last_page,
    (j ->> 'platform_requests')::bigint as requests,
    make_interval(secs => (j ->> 'lease_seconds')::integer) as lease,
    least(greatest((j ->> 'next_limit')::integer, 0), 1000) as size
  from (select $1::text::jsonb as j offset 0) as given
),
lease as (
  update sync.leases as l
  set expires_at = now() + input.lease
  from input, public.sync_runs as r
  where r.id = input.run_id and r.status = 'running'
    and l.key = 'config:' || r.config_id and l.run_id = r.id and l.fence = input.fence
  returning l.key, r.id, r.user_id, r.org_id, r.config_id, r.item_type, r.mode, r.selection, r.position, r.total,
    r.cancel_requested_at
),
given as materialized (
  select lease.config_id, lease.user_id, lease.org_id, lease.id as run_id, lease.item_type,
    one.item_id, one.source_id, one.target_id, one.metadata::jsonb as metadata, one.changes::json as changes,
    one.inputs::json as inputs, one.link, one.error, one.outcome, one.seen, one.conflicts::json as conflicts, one.wrote,
    case when jsonb_typeof(one.gone) = 'object' then one.gone end as gone,
    -- The same target for two sources: the second would overwrite the first, for ever. It fails, the page does not.
    one.link is not null and one.target_id is not null and (
      row_number() over (partition by one.target_id, one.link is null order by one.place) > 1
      or exists (select from sync.sync_links as other where other.config_id = lease.config_id
                 and other.target_id = one.target_id and other.source_id <> one.source_id)) as clashes
  from lease join input on true, rows from (jsonb_to_recordset(input.j -> 'results') as (item_id uuid, source_id text,
    target_id text, outcome text, link jsonb, metadata text, changes text, error jsonb, inputs text, seen text, conflicts text, gone jsonb, wrote jsonb))
    with ordinality as one (item_id, source_id, target_id, outcome, link, metadata, changes, error, inputs, seen, conflicts, gone, wrote, place)
  -- A page is taken once: it moves the position. So is what was found gone, at the run's end: it is not open after that.
  where input.position > lease.position or exists (
    select from public.sync_deletes as d where d.config_id = lease.config_id and d.source_id = one.source_id
      and d.status in ('found', 'approved') and one.gone ->> 'step' = 'settled')
),
results as materialized (
  select given.config_id, given.user_id, given.org_id, given.run_id, given.item_type, given.item_id,
    given.source_id, given.target_id, given.metadata, given.changes, given.inputs, given.seen, given.conflicts, given.gone, given.wrote,
    case when clashes then 'failed' else outcome end as outcome,
    case when not clashes and jsonb_typeof(link) = 'object' then link end as link,
    case when clashes then 'rejected' else error ->> 'class' end as class,
    case when clashes then 'target_already_linked' else error ->> 'code' end as code,
    case when clashes then 'Another record is already linked to target ' || target_id || '.'
         else error ->> 'message' end as message
  from given
),
linked as (
  insert into sync.sync_links as l (config_id, source_id, target_id, source_version, source_hash, target_version,
    base_source, base_target, hops, wrote_side, wrote_at)
  select config_id, source_id, target_id, link ->> 'source_version', link ->> 'source_hash', link ->> 'target_version',
    (link ->> 'base_source')::json, (link ->> 'base_target')::json,
    coalesce((wrote ->> 'hops')::integer, 0), wrote ->> 'side', case when wrote ->> 'side' is not null then now() end
  from results
  where link is not null and target_id is not null
  order by source_id
  on conflict (config_id, source_id) do update
  set target_id = excluded.target_id, source_version = excluded.source_version, source_hash = excluded.source_hash,
      target_version = excluded.target_version, base_source = excluded.base_source, base_target = excluded.base_target,
      hops = case when excluded.wrote_side is null then l.hops else excluded.hops end,
      wrote_side = coalesce(excluded.wrote_side, l.wrote_side), wrote_at = coalesce(excluded.wrote_at, l.wrote_at),
      missing_side = null, missing_run = null, missing_since = null, ended_at = null, ended_by = null, updated_at = now()
  where l.missing_run is not null or l.ended_at is not null or excluded.wrote_side is not null or (l.target_id, l.source_version, l.source_hash, l.target_version, l.base_source::text, l.base_target::text)
    is distinct from (excluded.target_id, excluded.source_version, excluded.source_hash, excluded.target_version,
      excluded.base_source::text, excluded.base_target::text)
),
unlinked as (
  delete from sync.sync_links as l using results
  where results.outcome = 'deleted' and results.gone ->> 'ended' is null
    and l.config_id = results.config_id and l.source_id = results.source_id
),
ended as (
  update sync.sync_links as l
  set ended_at = now(), ended_by = results.gone ->> 'ended', missing_side = null, missing_run = null, missing_since = null
  from results
  where results.gone ->> 'ended' is not null and l.config_id = results.config_id and l.source_id = results.source_id
),
suspected as (
  update sync.sync_links as l
  set missing_side = results.gone ->> 'side', missing_run = results.run_id, missing_since = now()
  from results
  where results.gone ->> 'step' = 'suspected' and l.config_id = results.config_id and l.source_id = results.source_id
),
-- It was asked for again and is there. (Met on both sides, it has a new link, which forgets that as well.)
met as (
  update sync.sync_links as l
  set missing_side = null, missing_run = null, missing_since = null
  from results
  where l.config_id = results.config_id and l.source_id = results.source_id and l.missing_run is not null
    and results.link is null and results.outcome = 'unchanged' and results.gone is not null
),
found as (
  insert into public.sync_deletes as d (user_id, org_id, config_id, run_id, item_id, item_type, source_id, target_id,
    gone_side, reason, policy)
  select user_id, org_id, config_id, run_id, (select i.id from public.sync_list as i where i.id = results.item_id),
    item_type, source_id, target_id, gone ->> 'side', gone ->> 'reason', gone ->> 'policy'
  from results
  where outcome = 'gone' and target_id is not null
  on conflict (config_id, source_id) where status in ('found', 'held', 'approved') do update
  set run_id = excluded.run_id, target_id = excluded.target_id, gone_side = excluded.gone_side,
      reason = excluded.reason, policy = excluded.policy
),
settled_deletes as (
  update public.sync_deletes as d
  set status = case
        when results.outcome = 'unchanged' or results.link is not null then 'settled'
        when results.outcome = 'held' then 'held'
        when results.outcome = 'failed' then d.status
        else 'done' end,
      code = results.code, message = results.message
  from results
  where d.config_id = results.config_id and d.source_id = results.source_id and d.status in ('found', 'held', 'approved')
    and (results.gone ->> 'step' = 'settled' or results.gone ->> 'step' = 'there' or results.link is not null)
),
listed as (
  update public.sync_list as i
  set target_id = case results.outcome when 'deleted' then null else coalesce(results.target_id, i.target_id) end,
      -- What is gone is not looked for any more, unless somebody switches it on again.
      is_active = i.is_active and (results.gone is null or results.outcome not in ('deleted', 'skipped')
        or results.gone ->> 'step' <> 'settled'),
      last_checked_at = now(),
      last_synced_at = case when results.outcome in ('created', 'updated', 'unchanged') then now()
                            else i.last_synced_at end,
      last_sync_status = case
        when results.outcome in ('created', 'updated', 'unchanged', 'deleted') then 'success'
        when results.outcome = 'failed' then 'failed'
        when results.outcome in ('conflicted', 'held') then 'pending'
        else i.last_sync_status end,
      error_message = case when results.outcome in ('skipped', 'gone') then i.error_message else results.message end,
      metadata = i.metadata || coalesce(results.metadata, '{}')
  from results
  where i.id = results.item_id and i.config_id = results.config_id
),
told as (
  insert into public.sync_events (run_id, user_id, org_id, config_id, item_id, source_id, target_id, outcome, changes,
    error_class, error_code, error_message, inputs)
  select run_id, user_id, org_id, config_id, item_id, source_id, target_id, outcome, changes, class, code, message, inputs
  from results
  where outcome not in ('unchanged', 'gone') or outcome = 'unchanged' and inputs is not null
),
open_issues as (
  insert into public.sync_issues as s (user_id, org_id, config_id, item_id, run_id, source_id, error_class, error_code, message)
  select user_id, org_id, config_id, (select i.id from public.sync_list as i where i.id = results.item_id), run_id,
    source_id, coalesce(class, 'bug'), coalesce(code, 'unknown'), coalesce(message, '')
  from results
  where outcome = 'failed'
  on conflict (config_id, source_id) do update
  set item_id = excluded.item_id, run_id = excluded.run_id, error_class = excluded.error_class,
      error_code = excluded.error_code, message = excluded.message, last_seen_at = now(), times = s.times + 1,
      status = case s.status when 'ignored' then 'ignored' else 'open' end, resolved_at = null
),
closed_issues as (
  update public.sync_issues as s
  set status = 'resolved', resolved_at = now()
  from results
  where s.config_id = results.config_id and s.source_id in (results.source_id, 'target:' || results.target_id)
    and s.status <> 'resolved'
    and results.outcome in ('created', 'updated', 'unchanged', 'deleted')
),
open_conflicts as (
  insert into public.data_sync_conflicts as c (user_id, org_id, config_id, run_id, item_id, item_type, source_id,
    target_id, kind, reason, message, changes, seen)
  select user_id, org_id, config_id, run_id, (select i.id from public.sync_list as i where i.id = results.item_id),
    item_type, source_id, target_id, outcome, code, message, coalesce(conflicts, changes), seen
  from results
  where outcome in ('conflicted', 'held') and gone is null
  on conflict (config_id, source_id) where status = 'pending' do update
  set run_id = excluded.run_id, item_id = excluded.item_id, target_id = excluded.target_id, kind = excluded.kind,
      reason = excluded.reason, message = excluded.message, changes = excluded.changes, seen = excluded.seen,
      -- What a person decided was about what they saw.
      resolution = case when c.seen is not distinct from excluded.seen then c.resolution end,
      resolved_by = case when c.seen is not distinct from excluded.seen then c.resolved_by end
),
settled_conflicts as (
  update public.data_sync_conflicts as c
  set status = case when c.resolution is null then 'settled' else 'resolved' end, resolved_at = now(),
      resolution = coalesce(c.resolution, '{"rule": "both sides agree"}')
  from results
  where c.config_id = results.config_id and c.source_id in (results.source_id, 'target:' || results.target_id)
    and c.status = 'pending'
    and results.outcome in ('created', 'updated', 'unchanged', 'deleted')
),
-- A create that may or may not have happened keeps its intent: the next attempt looks for it first.
done_intents as (
  delete from sync.intents as i using results
  where i.config_id = results.config_id and i.source_id in (results.source_id, 'target:' || results.target_id)
    and (results.outcome in ('created', 'updated', 'unchanged', 'deleted')
      or (results.outcome = 'failed' and results.class = 'rejected'))
),
moved_cursor as (
  insert into sync.cursors as c (config_id, side, seen_at, seen_id, begun_at, high_at, high_id, page)
  select lease.config_id, moved.side, moved.seen_at, moved.seen_id, moved.begun_at, moved.high_at, moved.high_id, moved.page
  from lease, input, jsonb_to_record(case jsonb_typeof(j -> 'cursor') when 'object' then j -> 'cursor' end) as moved (side text,
    seen_at timestamptz, seen_id text, begun_at timestamptz, high_at timestamptz, high_id text, page text)
  where moved.side is not null
  on conflict (config_id, side) do update
  set seen_at = excluded.seen_at, seen_id = excluded.seen_id, begun_at = excluded.begun_at, high_at = excluded.high_at,
      high_id = excluded.high_id, page = excluded.page, updated_at = now()
),
later as (
  update sync.run_work as w
  set item_ids = w.item_ids[:lease.position] || array(
      select one.id
      from unnest(w.item_ids[lease.position + 1:input.position + cardinality(undone.ids)]) with ordinality as one (id, place)
      order by one.id = any (undone.ids), one.place)
    || w.item_ids[input.position + cardinality(undone.ids) + 1:]
  from lease join input on input.position > lease.position,
    lateral (select array(select jsonb_array_elements_text(j -> 'undone')::uuid) as ids) as undone
  where w.run_id = lease.id and cardinality(undone.ids) > 0
),
sums as materialized (
  select count(*) filter (where outcome <> 'gone') as ended, count(*) filter (where outcome = 'gone') as gone,
    count(*) filter (where outcome = 'created') as created, count(*) filter (where outcome = 'updated') as updated,
    count(*) filter (where outcome = 'unchanged') as unchanged, count(*) filter (where outcome = 'skipped') as skipped,
    count(*) filter (where outcome = 'deleted') as deleted, count(*) filter (where outcome = 'failed') as failed,
    count(*) filter (where outcome = 'conflicted') as conflicted, count(*) filter (where outcome = 'held') as held
  from results
),
page as materialized (
  select lease.*, reached.position as reached,
    -- What was found gone is counted when the run's end has settled it.
    greatest(case lease.selection when 'listed' then reached.position - lease.position - sums.gone else 0 end, sums.ended) as seen,
    input.last_page or (lease.selection = 'listed' and reached.position >= lease.total) as last_page
  from lease, input, sums,
    lateral (select least(greatest(input.position, lease.position),
      case lease.selection when 'listed' then lease.total else input.position end) as position) as reached
),
counted as (
  update public.sync_runs as r
  set position = page.reached, last_page_reached = page.last_page, seen = r.seen + page.seen,
      created = r.created + sums.created, updated = r.updated + sums.updated, unchanged = r.unchanged + sums.unchanged,
      skipped = r.skipped + sums.skipped + page.seen - sums.ended, deleted = r.deleted + sums.deleted,
      failed = r.failed + sums.failed, conflicted = r.conflicted + sums.conflicted, held = r.held + sums.held,
      platform_requests = r.platform_requests + input.requests
  from page, sums, input
  where r.id = page.id
),
continued as (
  insert into sync.sync_queue as q (user_id, config_id, kind, group_key, dedupe_key, due_at, max_attempts)
  select lease.user_id, lease.config_id, 'run', lease.key, 'run:' || lease.config_id, now() + input.lease, 100
  from lease, input
  on conflict (dedupe_key) where state in ('pending', 'retry') do update set due_at = excluded.due_at, attempts = 0
)
select json_build_object(
  'lost', not exists (select from lease),
  'cancelled', coalesce((select page.cancel_requested_at is not null from page), false),
  'items', coalesce((
    select sync.known_items(page.config_id, page.mode, w.item_ids[page.reached + 1:page.reached + input.size], null)
    from page join sync.run_work as w on w.run_id = page.id
    where page.cancel_requested_at is null and input.size > 0), '[]'),
  'position', coalesce((select least(page.reached + input.size, page.total) from page where page.selection = 'listed'),
    (select page.reached from page), 0),
  'remaining', coalesce((select greatest(page.total - page.reached - input.size, 0) from page), 0)
)::text
from input;
