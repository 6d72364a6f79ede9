-- Ends a deployment, well or not.
-- Called by engine.
--   in  {id, is_active?, hash?, version?, error?}
--   out {ended}
with input as materialized (
  select (j ->> 'id')::uuid as id, (j ->> 'is_active')::boolean as is_active, j ->> 'hash' as hash, j ->> 'version' as version, j ->> 'error' as error
  from (select $1::text::jsonb as j) as given
),
ended as (
  update public.mvp_workflows as w
  set status = case when input.error is null then 'deployed' else 'failed' end, deploying_until = '-infinity',
      is_active = coalesce(input.is_active, w.is_active), deployed_hash = coalesce(input.hash, w.deployed_hash),
      deployed_version = coalesce(input.version, w.deployed_version),
      deploy_error = input.error, last_sync_at = case when input.error is null then now() else w.last_sync_at end
  from input
  where w.id = input.id
  returning 1
)
select json_build_object('ended', exists (select from ended))::text;
