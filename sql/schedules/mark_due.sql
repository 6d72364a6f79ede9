-- Notes that the schedule of a sync was followed, so that the same slot is not followed twice.
-- Called by scheduled-sync, before it opens the run.
--   in  {config_id, last_due_at?, due_at}       last_due_at: as it was loaded; somebody else may have been first
--   out {marked}
with marked as (
  update public.sync_configs as c
  set last_due_at = (j ->> 'due_at')::timestamptz
  from (select $1::text::jsonb as j) as given
  where c.id = (j ->> 'config_id')::uuid and c.last_due_at is not distinct from (j ->> 'last_due_at')::timestamptz
  returning 1
)
select json_build_object('marked', exists (select from marked))::text;
