-- Drops what has been kept long enough, and makes the partitions of the months to come.
-- Called by retention-apply; pg_cron calls the same function where the database has it.
--   in  {event_days?, job_days?, dead_job_days?, webhook_days?}
--   out {partitions_made, partitions_dropped, jobs, groups, keys, uses, webhooks}
select sync.prune($1::text::jsonb)::text;
