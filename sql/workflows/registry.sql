-- Watched workflows that a user may see, newest first, and how many of the servers' workflows they are.
-- Called by workflow-registry, as the user.
--   in  {ids?, integration_id?, workflow_type?, provider?, is_active?, before?: [created_at, id], limit}
--   out {rows: [one more than limit, if there are more], total, registered, watched, unclassified}
with input as materialized (
  select case when jsonb_typeof(j -> 'ids') = 'array'
      then array(select one.id::uuid from jsonb_array_elements_text(j -> 'ids') as one (id)) end as ids,
    (j ->> 'integration_id')::uuid as integration_id, j ->> 'workflow_type' as workflow_type, j ->> 'provider' as provider,
    (j ->> 'is_active')::boolean as is_active, (j -> 'before' ->> 0)::timestamptz as before_at,
    (j -> 'before' ->> 1)::uuid as before_id,
    least(greatest((j ->> 'limit')::integer, 1), 1000) as size
  from (select $1::text::jsonb as j) as given
),
rows as (
  select r.id, r.integration_id, r.workflow_id, r.workflow_name, r.workflow_type, r.provider, r.is_active, r.created_at, r.updated_at
  from input, public.workflow_registry as r
  where (input.ids is null or r.id = any (input.ids))
    and (input.integration_id is null or r.integration_id = input.integration_id)
    and (input.workflow_type is null or r.workflow_type = input.workflow_type)
    and (input.provider is null or r.provider = input.provider)
    and (input.is_active is null or r.is_active = input.is_active)
    and (input.before_at is null or (r.created_at, r.id) < (input.before_at, input.before_id))
  order by r.created_at desc, r.id desc
  limit 1001
),
coverage as materialized (
  select count(*) as total, count(r.id) as registered, count(r.id) filter (where r.is_active) as watched,
    count(r.id) filter (where r.workflow_type is null) as unclassified
  from input join public.n8n_workflows as n on input.integration_id is null or n.integration_id = input.integration_id
  left join public.workflow_registry as r on r.integration_id = n.integration_id and r.workflow_id = n.workflow_id
  where n.gone_at is null
)
select json_build_object('rows', (
    select coalesce(json_agg(to_json(cut) order by cut.created_at desc, cut.id desc), '[]')
    from (select * from rows order by created_at desc, id desc limit (select size + 1 from input)) as cut),
  'total', (select total from coverage), 'registered', (select registered from coverage),
  'watched', (select watched from coverage), 'unclassified', (select unclassified from coverage))::text;
