-- Says which run applied a plan: nobody applies it again.
-- Called by engine, for sync-apply.
--   in  {plan_id, run_id}
--   out {applied}
with marked as (
  update sync.plans as p
  set applied_run_id = (j ->> 'run_id')::uuid
  from (select $1::text::jsonb as j) as given
  where p.id = (j ->> 'plan_id')::uuid
  returning p.id
)
select json_build_object('applied', exists (select from marked))::text;
