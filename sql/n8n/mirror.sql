-- Stores what a server says of its workflows, registers those that are new, and brings the users' own up to date.
-- Called by engine, with a complete list, or with some of them.
--   in  {integration_id, workflows: [{id, name, active, is_archived, tags, webhook?, trigger_node?, trigger_takes?, in_mcp,
--        node_types, fingerprint, created_at?, updated_at?}], complete, etag?}
--   out {created, updated, unchanged, missing: [workflow ids that a complete list lacks]}
-- `offset 0`: or the planner would read the whole text once for each field.
with input as materialized (
  select (j ->> 'integration_id')::uuid as id, (j ->> 'complete')::boolean as complete, j ->> 'etag' as etag,
    j -> 'workflows' as workflows
  from (select $1::text::jsonb as j offset 0) as given
),
server as materialized (
  select i.id, i.user_id, i.org_id from input join public.integrations as i on i.id = input.id
),
told as materialized (
  select w.*, coalesce(m.user_id, server.user_id) as user_id,
    case when m.id is null then server.org_id else m.org_id end as org_id, m.id as mvp_id
  from input, server,
    jsonb_to_recordset(input.workflows) as w (id text, name text, active boolean, is_archived boolean, tags text[],
      webhook jsonb, trigger_node text, trigger_takes text, in_mcp boolean, node_types text[], fingerprint text, created_at timestamptz,
      updated_at timestamptz)
    left join public.mvp_workflows as m on m.integration_id = (select id from input) and m.n8n_workflow_id = w.id
),
known as materialized (
  select n.workflow_id, n.fingerprint, n.user_id
  from input join public.n8n_workflows as n on n.integration_id = input.id
),
stored as (
  insert into public.n8n_workflows as n (user_id, org_id, integration_id, workflow_id, name, is_active, is_archived, tags,
    webhook, trigger_node, trigger_takes, in_mcp, node_types, fingerprint, n8n_created_at, n8n_updated_at)
  select t.user_id, t.org_id, server.id, t.id, t.name, t.active, t.is_archived, t.tags, t.webhook, t.trigger_node,
    t.trigger_takes, t.in_mcp,
    t.node_types, t.fingerprint, t.created_at, t.updated_at
  from told as t, server
  on conflict (integration_id, workflow_id) do update
  set user_id = excluded.user_id, org_id = excluded.org_id, name = excluded.name, is_active = excluded.is_active,
      is_archived = excluded.is_archived, tags = excluded.tags, webhook = excluded.webhook,
      trigger_node = excluded.trigger_node, trigger_takes = excluded.trigger_takes, in_mcp = excluded.in_mcp, node_types = excluded.node_types,
      fingerprint = excluded.fingerprint, n8n_updated_at = excluded.n8n_updated_at, seen_at = now(),
      missing_since = null, gone_at = null
  returning n.workflow_id
),
registered as (
  insert into public.workflow_registry as r (user_id, org_id, integration_id, workflow_id, workflow_name)
  select t.user_id, t.org_id, server.id, t.id, coalesce(nullif(t.name, ''), t.id)
  from told as t, server
  on conflict (integration_id, workflow_id) do update
  set workflow_name = excluded.workflow_name, user_id = excluded.user_id, org_id = excluded.org_id
  where (r.workflow_name, r.user_id, r.org_id) is distinct from (excluded.workflow_name, excluded.user_id, excluded.org_id)
  returning 1
),
own as (
  update public.mvp_workflows as m
  set is_active = t.active, last_sync_at = now(),
      status = case when t.is_archived then 'archived' when m.status = 'archived' then 'deployed' else m.status end
  from told as t
  where m.id = t.mvp_id
  returning 1
),
absent as (
  update public.n8n_workflows as n
  set missing_since = coalesce(n.missing_since, now())
  from input
  where input.complete and n.integration_id = input.id and n.gone_at is null
    and not exists (select from told as t where t.id = n.workflow_id)
  returning n.workflow_id
),
marked as (
  update sync.n8n_servers as s
  set workflows_at = now(), etag = input.etag
  from input
  where input.complete and s.integration_id = input.id
  returning 1
)
select json_build_object(
  'created', (select count(*) from told as t where not exists (select from known as k where k.workflow_id = t.id)),
  'updated', (select count(*) from told as t join known as k on k.workflow_id = t.id where k.fingerprint <> t.fingerprint),
  'unchanged', (select count(*) from told as t join known as k on k.workflow_id = t.id where k.fingerprint = t.fingerprint),
  'missing', (select coalesce(json_agg(absent.workflow_id order by absent.workflow_id), '[]') from absent))::text;
