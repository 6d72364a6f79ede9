-- Keeps a plan, and forgets those of the same sync that are older than a day.
-- Called by engine, for sync-plan.
--   in  {user_id, config_id, config_version, decisions}
--   out {plan_id}
with input as materialized (
  select (j ->> 'user_id')::uuid as user_id, (j ->> 'config_id')::uuid as config_id,
    (j ->> 'config_version')::integer as config_version, j -> 'decisions' as decisions
  from (select $1::text::jsonb as j) as given
),
forgotten as (
  delete from sync.plans as p using input
  where p.config_id = input.config_id and p.created_at < now() - interval '1 day'
),
saved as (
  insert into sync.plans (user_id, config_id, config_version, decisions)
  select user_id, config_id, config_version, decisions from input
  returning id
)
select json_build_object('plan_id', saved.id)::text from saved;
