-- Opens the system's own run of one tick, above those of its users.
-- Called by engine, for scheduled-sync.
--   in  nothing ($1 is not looked at)
--   out {run_id}
with opened as (
  insert into public.sync_runs (kind, sync_type, metadata)
  select 'system', 'scheduled', '{}' where $1::text is not null
  returning id
)
select json_build_object('run_id', opened.id)::text from opened;
