-- A workflow whose server is entered anew keeps its counts: what began until then has been counted, even if the new account's first
-- reading tells of it again.
alter table public.mvp_workflows add column if not exists counted_until timestamptz;
comment on column public.mvp_workflows.counted_until is 'Executions that began up to here have been counted with an account that was removed.';

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
    join public.mvp_workflows as m on m.id = n.mvp_workflow_id
    where n.start_time > coalesce(m.counted_until, '-infinity') and (o.status, o.start_time) is distinct from (n.status, n.start_time)
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
