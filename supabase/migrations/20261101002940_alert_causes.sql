-- What raises alerts: executions, runs and servers when they go wrong, and every minute what only many runs together say.
--
-- Whoever raises several does it in the order of their subjects, so that two statements wait for each other instead of blocking
-- each other.

-- Of an execution that has ended. What is old when we first see it, is history.
create or replace function sync.alert_of(execution public.workflow_executions)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  called text := (select r.workflow_name from public.workflow_registry as r where r.id = execution.registry_id);
  well public.workflow_executions;
begin
  if coalesce(execution.end_time, execution.start_time) < pg_catalog.now() - interval '24 hours' then
    return;
  end if;
  if execution.status = 'failure' then
    perform sync.raise_alert(execution.user_id, execution.org_id, 'execution_failed', execution.registry_id,
      format('%s failed (execution %s)', called, execution.execution_id), null, execution.id);
    -- It may be told of later than what came after it.
    select * into well from public.workflow_executions as e
    where e.registry_id = execution.registry_id and e.status = 'success' and e.start_time > execution.start_time
    order by e.start_time desc limit 1;
  elsif execution.status = 'success' and exists (
    select from public.workflow_alerts as a
    where a.metric = 'execution_failed' and a.subject = execution.registry_id and a.alert_type = 'failure' and a.resolved_at is null
  ) and not exists (
    select from public.workflow_executions as e
    where e.registry_id = execution.registry_id and e.status = 'failure' and e.start_time > execution.start_time
  ) then
    well := execution;
  end if;
  if well.id is not null then
    perform sync.settle_alert('execution_failed', execution.registry_id,
      format('%s succeeds again (execution %s)', called, well.execution_id), well.id);
  end if;
end
$$;
revoke execute on function sync.alert_of from public;

-- Workflow by workflow, each in the order of time.
create or replace function sync.alert_of_each(ended uuid[])
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  select sync.alert_of(e) from (
    select e from public.workflow_executions as e where e.id = any (ended)
    order by e.registry_id, e.start_time, e.execution_id) as one;
$$;
revoke execute on function sync.alert_of_each from public;

create or replace function sync.count_new_executions()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.mvp_workflows as w
  set execution_count = w.execution_count + told.all_of_them,
      successful_executions = w.successful_executions + told.successes,
      failed_executions = w.failed_executions + told.failures,
      last_execution_status = coalesce(newest.status, w.last_execution_status),
      last_execution_at = coalesce(newest.start_time, w.last_execution_at)
  from (
    select e.mvp_workflow_id, count(*) as all_of_them, count(*) filter (where e.status = 'success') as successes,
      count(*) filter (where e.status = 'failure') as failures
    from fresh as e join public.mvp_workflows as m on m.id = e.mvp_workflow_id
    where e.start_time > coalesce(m.counted_until, '-infinity') group by e.mvp_workflow_id
  ) as told
  left join lateral sync.newest_execution(told.mvp_workflow_id) as newest on true
  where w.id = told.mvp_workflow_id;
  perform sync.alert_of_each(array(select f.id from fresh as f where f.status in ('success', 'failure')));
  return null;
end
$$;
revoke execute on function sync.count_new_executions from public;

create or replace function sync.count_changed_executions()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.mvp_workflows as w
  set successful_executions = w.successful_executions + told.successes,
      failed_executions = w.failed_executions + told.failures,
      last_execution_status = coalesce(newest.status, w.last_execution_status),
      last_execution_at = coalesce(newest.start_time, w.last_execution_at)
  from (
    select n.mvp_workflow_id,
      count(*) filter (where n.status = 'success') - count(*) filter (where o.status = 'success') as successes,
      count(*) filter (where n.status = 'failure') - count(*) filter (where o.status = 'failure') as failures
    from after as n join before as o on o.id = n.id
    join public.mvp_workflows as m on m.id = n.mvp_workflow_id
    where n.start_time > coalesce(m.counted_until, '-infinity') and (o.status, o.start_time) is distinct from (n.status, n.start_time)
    group by n.mvp_workflow_id
  ) as told
  left join lateral sync.newest_execution(told.mvp_workflow_id) as newest on true
  where w.id = told.mvp_workflow_id;
  perform sync.alert_of_each(array(
    select n.id from after as n join before as o on o.id = n.id where n.status in ('success', 'failure') and o.status <> n.status));
  return null;
end
$$;
revoke execute on function sync.count_changed_executions from public;

-- Whether an ended run went well. Null: it says nothing, since somebody stopped it, another took over, or its budget was spent.
create or replace function sync.went_well(status text, reason text)
returns boolean
language sql
immutable
set search_path = ''
as $$
  select case
    when status in ('completed', 'partial_success') then true
    when status = 'failed' or status = 'interrupted' and coalesce(reason, '') not in ('lease_expired', 'budget_spent') then false
  end;
$$;
revoke execute on function sync.went_well from public;

-- Of runs that have just ended: a sync that failed, or does no longer.
create or replace function sync.alert_of_runs(ended uuid[])
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  one record;
begin
  for one in
    select r.user_id, r.org_id, r.config_id, c.name, sync.went_well(r.status, r.reason) as well,
      coalesce(r.message, case r.reason when 'all_failed' then 'every record failed' when 'broken_off' then 'it broke off'
        else r.reason end) as cause
    from public.sync_runs as r join public.sync_configs as c on c.id = r.config_id
    where r.id = any (ended)
    order by r.config_id, r.finished_at, r.id
  loop
    if not one.well then
      perform sync.raise_alert(one.user_id, one.org_id, 'sync_failed', one.config_id, format('%s failed: %s', one.name, one.cause));
    elsif one.well then
      perform sync.settle_alert('sync_failed', one.config_id, format('%s works again', one.name));
    end if;
  end loop;
end
$$;
revoke execute on function sync.alert_of_runs from public;

-- What follows from runs that end, and from those that are written down when they are over.
create or replace function sync.count_ended_runs()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  ended uuid[];
begin
  if tg_op = 'INSERT' then
    ended := array(select f.id from fresh as f where f.kind = 'sync' and f.status <> 'running');
  else
    ended := array(select f.id from fresh as f join stale as s on s.id = f.id
      where f.kind = 'sync' and s.status = 'running' and f.status <> 'running');
  end if;
  if cardinality(ended) > 0 then
    perform sync.add_to_run_totals(ended);
    perform sync.alert_of_runs(ended);
  end if;
  return null;
end
$$;
revoke execute on function sync.count_ended_runs from public;

-- Of a server that was read: it did not answer as it should, or does again.
create or replace function sync.alert_of_server()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  account public.integrations;
begin
  select * into account from public.integrations as i where i.id = new.integration_id;
  if new.failure is not null then
    perform sync.raise_alert(account.user_id, account.org_id, 'n8n_error', account.id,
      format('%s: n8n unavailable: %s', account.name, new.failure));
  else
    perform sync.settle_alert('n8n_error', account.id, format('%s: n8n answers again', account.name));
  end if;
  return null;
end
$$;
revoke execute on function sync.alert_of_server from public;
create or replace trigger n8n_servers_are_told_of after update of failure on sync.n8n_servers
  for each row when (new.failure is not null or old.failure is not null) execute function sync.alert_of_server();

-- How the runs of an organization, or of a user alone, went lately.
create or replace function sync.measured(told text, about uuid, span interval)
returns table (runs bigint, value numeric, words text)
language sql
stable
security definer
set search_path = ''
as $$
  with lately as (
    select r.status, r.reason, count(*) as runs, sum(r.duration_ms) as milliseconds
    from public.sync_runs as r
    where coalesce(r.org_id, r.user_id) = about and r.kind = 'sync' and r.finished_at > pg_catalog.now() - span
      and (told = 'failure_rate' or r.sync_type in ('workflows', 'executions'))
    group by r.status, r.reason
  ),
  counted as (
    select coalesce(sum(l.runs), 0)::bigint as runs, coalesce(sum(l.runs) filter (where not judged.well), 0)::bigint as failed,
      round(sum(l.milliseconds) / nullif(sum(l.runs), 0) / 1000, 1) as seconds
    from lately as l, lateral (select sync.went_well(l.status, l.reason) as well) as judged
    where judged.well is not null
  )
  select c.runs, case told when 'failure_rate' then round(100.0 * c.failed / nullif(c.runs, 0), 1) else c.seconds end,
    case told
      when 'failure_rate' then format('%s of %s syncs failed', c.failed, c.runs)
      else format('Reading n8n takes %s s on average (%s times)', c.seconds, c.runs) end
  from counted as c;
$$;
revoke execute on function sync.measured from public;
create index if not exists sync_runs_of_an_owner on public.sync_runs (coalesce(org_id, user_id), finished_at) where kind = 'sync';
create index if not exists sync_runs_ended on public.sync_runs (finished_at) where kind = 'sync';

-- Who has been an owner of an organization for longest.
create or replace function sync.owner_of(organization uuid)
returns uuid
language sql
stable
set search_path = ''
as $$
  select m.user_id from public.organization_members as m
  where m.org_id = organization and m.role = 'owner' order by m.created_at, m.user_id limit 1;
$$;
revoke execute on function sync.owner_of from public;

-- When rates were looked at last.
create table if not exists sync.alert_clock (
  is_only boolean primary key default true,
  judged_at timestamptz not null default now(),
  constraint there_is_one_clock check (is_only)
);
comment on table sync.alert_clock is 'Up to when ended runs have been looked at together.';
insert into sync.alert_clock default values on conflict do nothing;
alter table sync.alert_clock enable row level security;

-- Looks at the rates of everybody whose runs have ended since it was called last, and closes what is about something that is gone.
-- In the database and not in a function, so that it says so when functions do not answer.
create or replace function sync.judge_alerts()
returns json
language plpgsql
security definer
set search_path = ''
as $$
declare
  since timestamptz;
  one record;
  told record;
  wrong integer := 0;
  gone bigint;
begin
  select c.judged_at into since from sync.alert_clock as c for update skip locked;
  if not found then
    return json_build_object('busy', true);
  end if;
  update sync.alert_clock set judged_at = pg_catalog.now();
  with closed as (
    update public.workflow_alerts as a
    set resolved_at = pg_catalog.now()
    where a.alert_type = 'failure' and a.resolved_at is null and case a.metric
      when 'sync_failed' then not exists (select from public.sync_configs as c where c.id = a.subject)
      when 'n8n_error' then not exists (select from public.integrations as i where i.id = a.subject)
      when 'execution_failed' then not exists (select from public.workflow_registry as r where r.id = a.subject) end
    returning 1
  )
  select count(*) into gone from closed;
  for one in
    select about.*, rule.threshold, rule.least_runs, rule.span
    from (select distinct on (subject, metric) * from (
      -- Some that ended before are stored after: a statement takes its time.
      select coalesce(r.org_id, r.user_id) as subject, coalesce(sync.owner_of(r.org_id), r.user_id) as user_id, r.org_id, d.metric
      from public.sync_runs as r, sync.alert_defaults() as d
      where r.kind = 'sync' and r.finished_at > since - interval '5 minutes' and r.user_id is not null
        and case d.metric when 'failure_rate' then true when 'average_duration' then r.sync_type in ('workflows', 'executions') end
      union all
      select a.subject, a.user_id, a.org_id, a.metric from public.workflow_alerts as a
      where a.alert_type = 'failure' and a.resolved_at is null and a.metric in ('failure_rate', 'average_duration')
    ) as every order by subject, metric) as about
    left join lateral sync.alert_rule(about.user_id, about.org_id, about.metric) as rule on true
    order by about.subject, about.metric
  loop
    select * into told from sync.measured(one.metric, one.subject, coalesce(one.span, interval '0'));
    if told.runs >= one.least_runs and told.value > one.threshold then
      wrong := wrong + 1;
      -- What is open stays open: this looks every minute.
      if not exists (select from public.workflow_alerts as a
          where a.metric = one.metric and a.subject = one.subject and a.alert_type = 'failure' and a.resolved_at is null) then
        perform sync.raise_alert(one.user_id, one.org_id, one.metric, one.subject, told.words, told.value);
      end if;
    else
      perform sync.settle_alert(one.metric, one.subject, told.words);
    end if;
  end loop;
  return json_build_object('wrong', wrong, 'gone', gone);
end
$$;
revoke execute on function sync.judge_alerts from public;

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
  execute 'select cron.schedule($1, $2, $3)' using 'syncline-alerts', '* * * * *', 'select sync.judge_alerts()';
  made := made || array['syncline-prune', 'syncline-alerts'];
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
