-- Whether a sync is still switched on: else a job that waits for its turn with it waits for nothing.
-- Called by queue-drain.
--   in  {config_id}
--   out {is_followed}
select json_build_object('is_followed', exists (
  select from public.sync_configs as c where c.id = ($1::text::jsonb ->> 'config_id')::uuid and c.enabled))::text;
