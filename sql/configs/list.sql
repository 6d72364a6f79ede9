-- The syncs that a user may see, newest first, each with the rules it has now.
-- Called by sync-configs and others, as the user.
--   in  {id?, item_type?, enabled?, before?: [created_at, id], limit}
--   out {rows: [one more than limit, if there are more]}
with input as materialized (
  select (j ->> 'id')::uuid as id, j ->> 'item_type' as item_type, (j ->> 'enabled')::boolean as enabled,
    (j -> 'before' ->> 0)::timestamptz as before_at, (j -> 'before' ->> 1)::uuid as before_id,
    least(greatest((j ->> 'limit')::integer, 1), 1000) as size
  from (select $1::text::jsonb as j) as given
),
rows as (
  select c.id, c.user_id, c.org_id, c.name, c.item_type, c.source_integration_id, c.target_integration_id,
    s.platform as source_platform, t.platform as target_platform, c.direction, c.enabled, c.mode, c.schedule, c.time_zone,
    c.implicit, c.current_version, c.revision, v.rules, c.last_due_at, c.created_at, c.updated_at
  from input, public.sync_configs as c
  join public.sync_config_versions as v on v.config_id = c.id and v.version = c.current_version
  join public.integrations as s on s.id = c.source_integration_id
  join public.integrations as t on t.id = c.target_integration_id
  where (input.id is null or c.id = input.id)
    and (input.item_type is null or c.item_type = input.item_type)
    and (input.enabled is null or c.enabled = input.enabled)
    and (input.before_at is null or (c.created_at, c.id) < (input.before_at, input.before_id))
  order by c.created_at desc, c.id desc
  limit 1001
)
select json_build_object('rows', (
  select coalesce(json_agg(to_json(cut) order by cut.created_at desc, cut.id desc), '[]')
  from (select * from rows order by created_at desc, id desc limit (select size + 1 from input)) as cut))::text;
