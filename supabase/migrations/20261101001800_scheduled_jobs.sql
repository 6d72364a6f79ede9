-- The clock: jobs of pg_cron that wake the functions through pg_net, and what is tidied up at night.
--
-- A tick means "do whatever is due". Calls may be lost or come twice; only our own tables are relied upon.

-- Drops what has been kept long enough; answers what it did. Payloads of events go first (the partitions' months),
-- then finished jobs, keys, and the traces of pg_cron. Nothing here touches runs, links, the audit or the list.
create or replace function sync.prune(keep jsonb default '{}')
returns json
language plpgsql
security definer
set search_path = ''
as $$
declare
  made integer := sync.make_partitions(3);
  dropped text[] := sync.drop_partitions(coalesce((keep ->> 'event_days')::integer, 90));
  jobs bigint;
  groups bigint;
  keys bigint;
  uses bigint;
begin
  with gone as (
    delete from sync.sync_queue as q
    where q.finished_at < pg_catalog.now() - make_interval(days =>
      case when q.state = 'dead' then coalesce((keep ->> 'dead_job_days')::integer, 90)
           else coalesce((keep ->> 'job_days')::integer, 7) end)
    returning 1
  )
  select count(*) into jobs from gone;
  with gone as (
    delete from sync.queue_groups as g
    where g.used_at < pg_catalog.now() - interval '7 days' and g.busy_until < pg_catalog.now()
      and not exists (select from sync.sync_queue as q
        where q.group_key = g.group_key and q.state in ('pending', 'retry', 'leased'))
    returning 1
  )
  select count(*) into groups from gone;
  with gone as (delete from sync.idempotency_keys where expires_at < pg_catalog.now() returning 1)
  select count(*) into keys from gone;
  with gone as (
    delete from sync.credential_uses where used_at < pg_catalog.now() - interval '30 days' returning 1
  )
  select count(*) into uses from gone;
  -- The inputs of a run's decisions are only needed while it works.
  delete from sync.run_work as w using public.sync_runs as r
  where r.id = w.run_id and r.finished_at < pg_catalog.now() - interval '7 days';
  if to_regclass('cron.job_run_details') is not null then
    execute $sql$delete from cron.job_run_details where end_time < now() - interval '7 days'$sql$;
  end if;
  return json_build_object('partitions_made', made, 'partitions_dropped', dropped, 'jobs', jobs,
    'groups', groups, 'keys', keys, 'uses', uses);
end
$$;
revoke execute on function sync.prune from public;

-- The text of a job that calls one of our functions. The address and the key are read from the vault when the job
-- runs: neither is in `cron.job`, nor in its log. `respond-async`, because pg_net sends one batch at a time and a slow
-- answer would hold up everybody's calls.
create or replace function sync.call_text(name text, base_url_secret text, key_secret text)
returns text
language sql
immutable
set search_path = ''
as $$
  select format(
    'select net.http_post('
    'url := (select rtrim(decrypted_secret, ''/'') from vault.decrypted_secrets where name = %L) || %L, '
    'headers := jsonb_build_object(''Content-Type'', ''application/json'', ''Prefer'', ''respond-async'', '
    '''apikey'', (select decrypted_secret from vault.decrypted_secrets where name = %L)), '
    'body := ''{}''::jsonb, timeout_milliseconds := 5000)',
    base_url_secret, '/functions/v1/' || name, key_secret);
$$;
revoke execute on function sync.call_text from public;

-- Makes the jobs, or changes them to these secrets. Answers the names of the jobs, none where there is no pg_cron.
-- Both arguments are names of secrets in the vault, not their values.
create or replace function sync.schedule_jobs(
  base_url_secret text default 'syncline_functions_url', key_secret text default 'syncline_secret_key'
)
returns text[]
language plpgsql
set search_path = ''
as $$
declare
  made text[] := '{}';
begin
  if to_regprocedure('cron.schedule(text, text, text)') is null then
    return made;
  end if;
  execute 'select cron.schedule($1, $2, $3)' using 'syncline-prune', '17 3 * * *', 'select sync.prune()';
  made := made || 'syncline-prune'::text;
  if to_regclass('vault.decrypted_secrets') is null
      or not exists (select from pg_catalog.pg_proc as p join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
                     where n.nspname = 'net' and p.proname = 'http_post') then
    return made;
  end if;
  execute 'select cron.schedule($1, $2, $3)'
    using 'syncline-scheduled-sync', '7 * * * *', sync.call_text('scheduled-sync', base_url_secret, key_secret);
  execute 'select cron.schedule($1, $2, $3)'
    using 'syncline-queue-drain', '* * * * *', sync.call_text('queue-drain', base_url_secret, key_secret);
  return made || array['syncline-scheduled-sync', 'syncline-queue-drain'];
end
$$;
revoke execute on function sync.schedule_jobs from public;
select sync.schedule_jobs();
