-- What a run decided about records, with all that it decided on, and the rules of its syncs.
-- Called by run-replay, as the user.
--   in  {run_id, version?, after?: [created_at, id], limit}     version: other rules of the same sync than the run's
--   out {syncs: [{run_id, config_id, item_type, direction, source_platform, target_platform, version, rules}],
--        rows: [{id, run_id, source_id, outcome, changes, inputs, created_at}, one more than limit, if there are more]} or null
with input as materialized (
  select (j ->> 'run_id')::uuid as run_id, (j ->> 'version')::integer as version,
    (j -> 'after' ->> 0)::timestamptz as after_at, (j -> 'after' ->> 1)::uuid as after_id,
    least(greatest((j ->> 'limit')::integer, 1), 1000) as size
  from (select $1::text::jsonb as j) as given
),
runs as materialized (
  select r.id as run_id, r.config_id, r.created_at, r.started_at, c.item_type, c.direction, s.platform as source_platform,
    t.platform as target_platform, v.version, v.rules
  from input join public.sync_runs as r on (r.id = input.run_id or r.parent_run_id = input.run_id) and r.kind = 'sync'
  join public.sync_configs as c on c.id = r.config_id
  join public.integrations as s on s.id = c.source_integration_id
  join public.integrations as t on t.id = c.target_integration_id
  join public.sync_config_versions as v on v.config_id = c.id and v.version = coalesce(input.version, r.config_version)
),
found as (
  select e.id, e.run_id, e.source_id, e.outcome, e.changes, e.inputs, e.created_at
  from input, runs join public.sync_events as e on e.run_id = runs.run_id and e.created_at >= runs.created_at
  where json_typeof(e.inputs -> 'decision') = 'string'
    and (input.after_at is null or (e.created_at, e.id) > (input.after_at, input.after_id))
  order by e.created_at, e.id
  limit 1001
)
select coalesce((
  select json_build_object(
    'syncs', (select json_agg(json_build_object('run_id', runs.run_id, 'config_id', runs.config_id, 'item_type', runs.item_type,
      'direction', runs.direction, 'source_platform', runs.source_platform, 'target_platform', runs.target_platform,
      'version', runs.version, 'rules', runs.rules)) from runs),
    'rows', (
      select coalesce(json_agg(to_json(cut) order by cut.created_at, cut.id), '[]')
      from (select * from found order by created_at, id limit (select size + 1 from input)) as cut))
  from input where exists (select from runs)), 'null')::text;
