-- The caller's jobs, newest first.
-- Called by queue, as the user; the definer function shows them their own and their organizations' jobs.
--   in  {state?, id?, before_at?, before_id?, limit}
--   out {rows: [one more than limit, if there are more]}
select json_build_object('rows', sync.my_jobs($1::text::jsonb))::text;
