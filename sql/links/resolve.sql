-- The other halves of these records, in the syncs of the same two accounts, whichever way those go.
-- Called by engine, where a mapping follows links to other kinds of item.
--   in  {config_id, wanted: [{object, id, to_target}]}       to_target: the id is the source's, of the sync that asks
--   out {found: [{object, id, to_target, other}]}
with input as materialized (
  select (j ->> 'config_id')::uuid as config_id, j -> 'wanted' as wanted from (select $1::text::jsonb as j) as given
),
wanted as materialized (
  select one.object, one.id, one.to_target
  from input, jsonb_to_recordset(input.wanted) as one (object text, id text, to_target boolean)
),
near as materialized (
  select o.id, o.item_type, o.source_integration_id = c.source_integration_id as same_way
  from input join public.sync_configs as c on c.id = input.config_id
  join public.sync_configs as o on (o.user_id = c.user_id or o.org_id = c.org_id)
    and ((o.source_integration_id, o.target_integration_id) = (c.source_integration_id, c.target_integration_id)
      or (o.target_integration_id, o.source_integration_id) = (c.source_integration_id, c.target_integration_id))
),
found as (
  select wanted.object, wanted.id, wanted.to_target, l.target_id as other
  from wanted join near on near.item_type = wanted.object and near.same_way = wanted.to_target
  join sync.sync_links as l on l.config_id = near.id and l.source_id = wanted.id and l.ended_at is null
  union
  select wanted.object, wanted.id, wanted.to_target, l.source_id
  from wanted join near on near.item_type = wanted.object and near.same_way <> wanted.to_target
  join sync.sync_links as l on l.config_id = near.id and l.target_id = wanted.id and l.ended_at is null
)
select json_build_object('found', (select coalesce(json_agg(to_json(found)), '[]') from found))::text;
