-- The clock of n8n: every minute whoever is due is read (each server once an hour, and what a budget has cut off), and once a day
-- what nobody has any more is archived there.

create or replace function sync.call_with(name text, body jsonb, base_url_secret text, key_secret text)
returns text
language sql
immutable
set search_path = ''
as $$
  select replace(sync.call_text(name, base_url_secret, key_secret), '''{}''::jsonb', format('%L::jsonb', body));
$$;
revoke execute on function sync.call_with from public;

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
  execute 'select cron.schedule($1, $2, $3)'
    using 'syncline-execution-poll', '* * * * *', sync.call_text('execution-poll', base_url_secret, key_secret);
  execute 'select cron.schedule($1, $2, $3)'
    using 'syncline-workflow-cleanup', '43 3 * * *', sync.call_with('workflow-cleanup', '{"dryRun": false}', base_url_secret, key_secret);
  return made || array['syncline-scheduled-sync', 'syncline-queue-drain', 'syncline-execution-poll', 'syncline-workflow-cleanup'];
end
$$;
revoke execute on function sync.schedule_jobs from public;
select sync.schedule_jobs();
