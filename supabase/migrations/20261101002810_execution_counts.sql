-- What follows from an execution: its workflow's counters, and what people should hear of it. Triggers, because polls and
-- messages store executions side by side, and each is to be counted once however often and by whomever it is told.

-- The newest execution of a user's workflow, and how it stands. Volatile: it is to see what the statement has just stored.
create or replace function sync.newest_execution(workflow uuid)
returns table (status text, start_time timestamptz)
language sql
volatile
set search_path = ''
as $$
  select e.status, e.start_time
  from public.workflow_executions as e
  where e.mvp_workflow_id = workflow
  order by e.start_time desc, e.execution_id desc
  limit 1;
$$;
revoke execute on function sync.newest_execution from public;

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
    from fresh as e where e.mvp_workflow_id is not null group by e.mvp_workflow_id
  ) as told
  left join lateral sync.newest_execution(told.mvp_workflow_id) as newest on true
  where w.id = told.mvp_workflow_id;
  perform sync.alert_of(e) from (
    select (f::text)::public.workflow_executions as e from fresh as f where f.status <> 'running'
    order by f.start_time, f.execution_id) as one;
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
    where n.mvp_workflow_id is not null and (o.status, o.start_time) is distinct from (n.status, n.start_time)
    group by n.mvp_workflow_id
  ) as told
  left join lateral sync.newest_execution(told.mvp_workflow_id) as newest on true
  where w.id = told.mvp_workflow_id;
  perform sync.alert_of(e) from (
    select (n::text)::public.workflow_executions as e from after as n join before as o on o.id = n.id
    where n.status <> 'running' and o.status <> n.status
    order by n.start_time, n.execution_id) as one;
  return null;
end
$$;
revoke execute on function sync.count_changed_executions from public;

-- A failure is told once; the first success after it settles it and is told as well. What is old when we first see it, is history.
create or replace function sync.alert_of(execution public.workflow_executions)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  called text := (select r.workflow_name from public.workflow_registry as r where r.id = execution.registry_id);
begin
  if coalesce(execution.end_time, execution.start_time) < pg_catalog.now() - interval '24 hours' then
    return;
  end if;
  if execution.status = 'failure' then
    insert into public.workflow_alerts (user_id, org_id, execution_id, alert_type, message)
    values (execution.user_id, execution.org_id, execution.id, 'failure',
      format('%s failed (execution %s)', called, execution.execution_id))
    on conflict (execution_id, alert_type) do nothing;
  elsif execution.status = 'success' then
    with settled as (
      update public.workflow_alerts as a
      set resolved_at = pg_catalog.now()
      from public.workflow_executions as e
      where a.execution_id = e.id and e.registry_id = execution.registry_id and a.alert_type = 'failure'
        and a.resolved_at is null and e.start_time <= execution.start_time
      returning 1
    )
    insert into public.workflow_alerts (user_id, org_id, execution_id, alert_type, message, resolved_at)
    select execution.user_id, execution.org_id, execution.id, 'success',
      format('%s succeeds again (execution %s)', called, execution.execution_id), pg_catalog.now()
    where exists (select from settled)
    on conflict (execution_id, alert_type) do nothing;
  end if;
end
$$;
revoke execute on function sync.alert_of from public;

create or replace trigger workflow_executions_are_counted after insert on public.workflow_executions
  referencing new table as fresh for each statement execute function sync.count_new_executions();
create or replace trigger workflow_executions_are_counted_on after update on public.workflow_executions
  referencing old table as before new table as after for each statement execute function sync.count_changed_executions();
