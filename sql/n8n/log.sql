-- Writes a finished reading of a server into the ledger: how long it took, what it found, what went wrong.
-- Called by engine.
--   in  {integration_id, user_id?, sync_type, duration_ms, seen, created, updated, unchanged, requests, reason?, message?}
--   out {run_id}
with input as materialized (
  select (j ->> 'integration_id')::uuid as id, (j ->> 'user_id')::uuid as user_id, j ->> 'sync_type' as sync_type,
    (j ->> 'duration_ms')::bigint as duration, (j ->> 'seen')::bigint as seen, (j ->> 'created')::bigint as created,
    (j ->> 'updated')::bigint as updated, (j ->> 'unchanged')::bigint as unchanged, (j ->> 'requests')::bigint as requests,
    j ->> 'reason' as reason, j ->> 'message' as message
  from (select $1::text::jsonb as j) as given
),
logged as (
  insert into public.sync_runs (kind, user_id, org_id, sync_type, selection, status, reason, message, last_page_reached,
    total, position, seen, created, updated, unchanged, platform_requests, metadata, started_at, finished_at, duration_ms)
  select 'sync', coalesce(input.user_id, i.user_id), case when input.user_id is null or input.user_id = i.user_id then i.org_id end,
    input.sync_type, 'changed', case when input.message is null then 'completed' when input.reason = 'budget_spent' then 'interrupted' else 'failed' end, input.reason, input.message,
    input.message is null, input.seen, input.seen, input.seen, input.created, input.updated, input.unchanged, input.requests,
    jsonb_build_object('integration_id', i.id, 'integration', i.name),
    now() - make_interval(secs => input.duration / 1000.0), now(), input.duration
  from input join public.integrations as i on i.id = input.id
  returning id
)
select json_build_object('run_id', (select id from logged))::text;
