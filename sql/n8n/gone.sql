-- Workflows that were asked for by their ids and are not there any more. Their executions and counts stay.
-- Called by engine.
--   in  {integration_id, workflow_ids}
--   out {gone}
with input as materialized (
  select (j ->> 'integration_id')::uuid as id,
    array(select one.id from jsonb_array_elements_text(j -> 'workflow_ids') as one (id)) as ids
  from (select $1::text::jsonb as j) as given
),
mirrored as (
  update public.n8n_workflows as n
  set gone_at = now(), is_active = false
  from input where n.integration_id = input.id and n.workflow_id = any (input.ids) and n.gone_at is null
  returning 1
),
-- The users' own are the truth: they can be deployed again.
own as (
  update public.mvp_workflows as m
  set status = case when m.status = 'archived' then 'archived' else 'failed' end, is_active = false,
      n8n_workflow_id = null, deployed_hash = null, last_sync_at = now(),
      deploy_error = 'It was deleted in n8n. Deploy it again, or delete it here.'
  from input where m.integration_id = input.id and m.n8n_workflow_id = any (input.ids)
  returning 1
)
select json_build_object('gone', (select count(*) from mirrored))::text;
