-- Asks a run to stop.
-- Called by sync-stop, as the user; the definer function checks whose run it is.
--   in  {run_id}
--   out {cancelled}                                                   how many runs of syncs were still at work
select json_build_object('cancelled', sync.cancel_run(($1::text::jsonb ->> 'run_id')::uuid))::text;
