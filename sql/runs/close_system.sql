-- Says that no more runs will be opened below this one; it ends with the last of them.
-- Called by engine, at the end of scheduled-sync.
--   in  {run_id}
--   out {}
with closing as (
  update public.sync_runs as r
  set last_page_reached = true
  where r.id = ($1::text::jsonb ->> 'run_id')::uuid and r.kind = 'system' and r.status = 'running'
  returning r.id
)
select json_build_object('run_id', (select id from closing))::text;
