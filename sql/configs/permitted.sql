-- The syncs that a user may have carried out: their own, and those of organizations where they are operators.
-- Called by sync-perform and others, as the user.
--   in  {id?, item_type?, direction?}
--   out {config_ids}                                                                            at most 100, the newest first
with input as materialized (
  select (j ->> 'id')::uuid as id, j ->> 'item_type' as item_type, j ->> 'direction' as direction
  from (select $1::text::jsonb as j) as given
)
select json_build_object('config_ids', coalesce(json_agg(found.id), '[]'))::text
from (
  select c.id
  from input, public.sync_configs as c
  where (input.id is null or c.id = input.id)
    and (input.item_type is null or c.item_type = input.item_type)
    and (input.direction is null or c.direction = input.direction)
    and (c.user_id = (select auth.uid()) or c.org_id = any ((select sync.my_organizations('operator'))::uuid[]))
  order by c.created_at desc, c.id
  limit 100
) as found;
