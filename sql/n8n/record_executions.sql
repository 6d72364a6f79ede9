-- Stores executions as n8n tells of them, and moves the place in the list in the same step.
-- Called by engine, for pages of the list, for single ones, and for what n8n tells by itself.
--   in  {integration_id, fence?, rows: [{id, workflow_id, status, n8n_status, mode?, started_at?, stopped_at?, retry_of?,
--        retry_success_id?, error_message?, error_node?, resources?: {created, updated, failed}, triggered_by?, trigger_way?}],
--        descent?: {top, below}, done?}
--   out {lost, stored}                                  lost: another has taken over the server; nothing was changed
-- What has ended does not begin again, whoever tells of it late. `done`: the descent has reached the watermark.
-- `offset 0`: or the planner would read the whole text once for each field.
with input as materialized (
  select (j ->> 'integration_id')::uuid as id, (j ->> 'fence')::bigint as fence, j -> 'rows' as rows,
    (j -> 'descent' ->> 'top')::bigint as top, (j -> 'descent' ->> 'below')::bigint as below,
    coalesce((j ->> 'done')::boolean, false) as done
  from (select $1::text::jsonb as j offset 0) as given
),
server as materialized (
  select i.id, i.user_id, i.org_id
  from input join public.integrations as i on i.id = input.id
  where input.fence is null or exists (
    select from sync.n8n_servers as s where s.integration_id = input.id and s.fence = input.fence for update)
),
told as materialized (
  select distinct on (r.id) r.*
  from server, input, jsonb_to_recordset(input.rows) as r (id bigint, workflow_id text, status text, n8n_status text, mode text,
    started_at timestamptz, stopped_at timestamptz, retry_of bigint, retry_success_id bigint, error_message text,
    error_node text, resources jsonb, triggered_by uuid, trigger_way text)
  where r.workflow_id is not null
  order by r.id
),
added as (
  insert into public.workflow_registry as g (user_id, org_id, integration_id, workflow_id, workflow_name)
  select distinct coalesce(m.user_id, server.user_id), case when m.id is null then server.org_id else m.org_id end, server.id,
    t.workflow_id, coalesce(nullif(n.name, ''), t.workflow_id)
  from server, told as t
  left join public.n8n_workflows as n on n.integration_id = (select id from input) and n.workflow_id = t.workflow_id
  left join public.mvp_workflows as m on m.integration_id = (select id from input) and m.n8n_workflow_id = t.workflow_id
  where not exists (select from public.workflow_registry as k
    where k.integration_id = (select id from input) and k.workflow_id = t.workflow_id)
  on conflict (integration_id, workflow_id) do update set workflow_name = g.workflow_name
  returning g.id, g.workflow_id, g.user_id, g.org_id, g.is_active
),
watched as materialized (
  select added.* from added
  union all
  select g.id, g.workflow_id, g.user_id, g.org_id, g.is_active
  from server join public.workflow_registry as g on g.integration_id = server.id
  where g.workflow_id in (select t.workflow_id from told as t)
    and not exists (select from added where added.workflow_id = g.workflow_id)
),
stored as (
  insert into public.workflow_executions as e (user_id, org_id, registry_id, integration_id, mvp_workflow_id, workflow_id,
    execution_id, status, n8n_status, mode, start_time, end_time, duration_ms, error_message, error_node, retry_of,
    retry_success_id, resources_created, resources_updated, resources_failed, triggered_by, trigger_way)
  select watched.user_id, watched.org_id, watched.id, server.id, m.id, t.workflow_id, t.id, t.status, t.n8n_status, t.mode,
    coalesce(t.started_at, now()), ended.at,
    case when ended.at is not null then greatest(0, extract(epoch from ended.at - coalesce(t.started_at, ended.at)) * 1000)::bigint end,
    t.error_message, t.error_node, t.retry_of, t.retry_success_id, coalesce((t.resources ->> 'created')::integer, 0),
    coalesce((t.resources ->> 'updated')::integer, 0), coalesce((t.resources ->> 'failed')::integer, 0),
    t.triggered_by, t.trigger_way
  from server, told as t
  -- What is stored already is followed to its end, watched or not.
  join watched on watched.workflow_id = t.workflow_id and (watched.is_active or exists (
    select from public.workflow_executions as old
    where old.integration_id = (select id from input) and old.execution_id = t.id))
  left join public.mvp_workflows as m on m.integration_id = (select id from input) and m.n8n_workflow_id = t.workflow_id
  cross join lateral (select case when t.status <> 'running' then t.stopped_at end as at) as ended
  order by t.id
  on conflict (integration_id, execution_id) do update
  -- What has ended does not begin again, and is not forgotten again.
  set status = case when e.status <> 'running' and (excluded.status = 'running' or excluded.n8n_status = 'unknown')
        then e.status else excluded.status end,
      n8n_status = case when e.status <> 'running' and (excluded.status = 'running' or excluded.n8n_status = 'unknown')
        then e.n8n_status else excluded.n8n_status end,
      mode = coalesce(excluded.mode, e.mode),
      start_time = case when e.n8n_status = 'new' and excluded.n8n_status <> 'new' then excluded.start_time
        else least(e.start_time, excluded.start_time) end,
      end_time = coalesce(excluded.end_time, e.end_time),
      duration_ms = coalesce(excluded.duration_ms, e.duration_ms),
      error_message = coalesce(excluded.error_message, e.error_message),
      error_node = coalesce(excluded.error_node, e.error_node),
      retry_of = coalesce(excluded.retry_of, e.retry_of),
      retry_success_id = coalesce(excluded.retry_success_id, e.retry_success_id),
      resources_created = greatest(excluded.resources_created, e.resources_created),
      resources_updated = greatest(excluded.resources_updated, e.resources_updated),
      resources_failed = greatest(excluded.resources_failed, e.resources_failed),
      triggered_by = coalesce(excluded.triggered_by, e.triggered_by),
      trigger_way = coalesce(excluded.trigger_way, e.trigger_way)
  where (excluded.status <> 'running' or e.status = 'running' or excluded.triggered_by is not null and e.triggered_by is null)
    and (e.status, e.n8n_status, e.end_time, coalesce(e.error_message, ''), coalesce(e.retry_success_id, 0), e.trigger_way, e.resources_created)
      is distinct from (excluded.status, excluded.n8n_status, coalesce(excluded.end_time, e.end_time),
        coalesce(excluded.error_message, e.error_message, ''), coalesce(excluded.retry_success_id, e.retry_success_id, 0),
        coalesce(excluded.trigger_way, e.trigger_way), greatest(excluded.resources_created, e.resources_created))
  returning 1
),
moved as (
  update sync.n8n_servers as s
  set descent_top = case when input.done then null else input.top end,
      descent_below = case when input.done then null else input.below end,
      watermark = case when input.done then greatest(s.watermark, s.top) else s.watermark end,
      top = case when input.done then greatest(s.top, input.top) else s.top end
  from input, server
  where s.integration_id = server.id and s.fence = input.fence and input.top is not null
  returning 1
)
select json_build_object('lost', not exists (select from server), 'stored', (select count(*) from stored))::text;
