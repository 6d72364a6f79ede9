-- A user's workflows, newest first, with how fresh their counts are.
-- Called by workflows, as the user.
--   in  {ids?, status?, before?: [created_at, id], limit}
--   out {rows: [one more than limit, if there are more]}
with input as materialized (
  select case when jsonb_typeof(j -> 'ids') = 'array'
      then array(select one.id::uuid from jsonb_array_elements_text(j -> 'ids') as one (id)) end as ids,
    j ->> 'status' as status, (j -> 'before' ->> 0)::timestamptz as before_at, (j -> 'before' ->> 1)::uuid as before_id,
    least(greatest((j ->> 'limit')::integer, 1), 1000) as size
  from (select $1::text::jsonb as j) as given
),
rows as (
  select w.id, w.org_id, w.name, w.description, w.definition, w.integration_id, w.n8n_workflow_id, w.status, w.is_active,
    w.deploy_error, w.execution_count, w.successful_executions, w.failed_executions, w.last_execution_at,
    w.last_execution_status, w.last_sync_at, w.created_at, w.updated_at
  from input, public.mvp_workflows as w
  where (input.ids is null or w.id = any (input.ids))
    and (input.status is null or w.status = input.status)
    and (input.before_at is null or (w.created_at, w.id) < (input.before_at, input.before_id))
  order by w.created_at desc, w.id desc
  limit 1001
),
cut as materialized (
  select * from rows order by created_at desc, id desc limit (select size + 1 from input)
)
select json_build_object('rows', (
    select coalesce(json_agg(to_json(cut) order by cut.created_at desc, cut.id desc), '[]') from cut),
  'servers', (
    select coalesce(json_object_agg(s.integration_id, s.freshness) filter (where s.freshness is not null), '{}')
    from (select one.integration_id, sync.n8n_freshness(one.integration_id) as freshness
      from (select distinct cut.integration_id from cut where cut.integration_id is not null) as one) as s))::text;
