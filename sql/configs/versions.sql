-- The versions of a sync's rules, newest first.
-- Called by sync-configs, as the user.
--   in  {id, before?: version, limit}
--   out {rows: [one more than limit, if there are more]}
with input as materialized (
  select (j ->> 'id')::uuid as id, (j ->> 'before')::integer as before_version,
    least(greatest((j ->> 'limit')::integer, 1), 1000) as size
  from (select $1::text::jsonb as j) as given
),
rows as (
  select v.version, v.rules, v.created_by, v.created_at
  from input, public.sync_config_versions as v
  where v.config_id = input.id and (input.before_version is null or v.version < input.before_version)
  order by v.version desc
  limit 1001
)
select json_build_object('rows', (
  select coalesce(json_agg(to_json(cut) order by cut.version desc), '[]')
  from (select * from rows order by version desc limit (select size + 1 from input)) as cut))::text;
