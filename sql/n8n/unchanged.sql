-- A server said that its list is the one we know.
-- Called by engine.
--   in  {integration_id}
--   out {unchanged, missing: [workflow ids that the list lacks, and that nobody has asked for yet]}
with input as materialized (
  select ($1::text::jsonb ->> 'integration_id')::uuid as id
),
seen as (
  update public.n8n_workflows as n set seen_at = now()
  from input where n.integration_id = input.id and n.gone_at is null and n.missing_since is null
  returning n.workflow_id
),
own as (
  update public.mvp_workflows as m set last_sync_at = now()
  from input where m.integration_id = input.id and m.n8n_workflow_id in (select workflow_id from seen)
  returning 1
),
marked as (
  update sync.n8n_servers as s set workflows_at = now()
  from input where s.integration_id = input.id
  returning 1
)
select json_build_object('unchanged', (select count(*) from seen), 'missing', (
  select coalesce(json_agg(n.workflow_id order by n.workflow_id), '[]')
  from input join public.n8n_workflows as n on n.integration_id = input.id
  where n.gone_at is null and n.missing_since is not null))::text;
