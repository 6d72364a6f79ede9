-- Puts items on the caller's list. What is on it already stays as it is, and is answered as such.
-- Called by sync-list and item-search, as the user; a trigger fills in accounts and sync, or refuses.
--   in  {items: [{org_id?, item_type, source_platform?, target_platform?, source_integration_id?,
--        target_integration_id?, config_id?, source_id, target_id?, sync_mode?, is_active?, priority?, schedule?, fields?,
--        filter_config?, metadata?}]}
--   out {added: [ids], already}
with given as materialized (
  select item.*
  from jsonb_to_recordset($1::text::jsonb -> 'items') as item (org_id uuid, item_type text, source_platform text,
    target_platform text, source_integration_id uuid, target_integration_id uuid, config_id uuid, source_id text,
    target_id text, sync_mode text, is_active boolean, priority smallint, schedule text, fields text[], filter_config jsonb, metadata jsonb)
),
added as (
  insert into public.sync_list (org_id, item_type, source_platform, target_platform, source_integration_id,
    target_integration_id, config_id, source_id, target_id, sync_mode, is_active, priority, schedule, fields, filter_config, metadata)
  select org_id, item_type, coalesce(source_platform, ''), coalesce(target_platform, ''), source_integration_id,
    target_integration_id, config_id, source_id, target_id, coalesce(sync_mode, 'delta'), coalesce(is_active, true),
    coalesce(priority, 5::smallint), schedule, fields, filter_config, coalesce(metadata, '{}')
  from given
  on conflict (user_id, item_type, source_integration_id, source_id, target_integration_id) do nothing
  returning id
)
select json_build_object('added', (select coalesce(json_agg(added.id), '[]') from added),
  'already', (select count(*) from given) - (select count(*) from added))::text;
