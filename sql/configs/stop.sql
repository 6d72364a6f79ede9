-- Asks the runs of a sync that are at work to stop: each does before its next page.
-- Called by sync-stop, as the user; the definer function checks whose runs they are.
--   in  {config_id}
--   out {cancelled}                                                             how many runs were still at work
select json_build_object('cancelled', (
  select coalesce(sum(sync.cancel_run(r.id)), 0)
  from public.sync_runs as r
  where r.config_id = ($1::text::jsonb ->> 'config_id')::uuid and r.kind = 'sync' and r.status = 'running'))::text;
