-- Three ways to look at the ledger, each with the columns and the words its readers expect.

-- The words of `sync_history`: the ledger's own.
create or replace function sync.history_word(status text)
returns text
language sql
immutable
set search_path = ''
as $$
  select case status
    when 'completed' then 'completed'
    when 'partial_success' then 'partial_success'
    when 'failed' then 'failed'
    when 'running' then 'running'
    when 'interrupted' then 'interrupted'
    when 'cancelled' then 'cancelled'
  end;
$$;

-- The words of `sync_logs`: whether it worked.
create or replace function sync.log_word(status text)
returns text
language sql
immutable
set search_path = ''
as $$
  select case status
    when 'completed' then 'success'
    when 'partial_success' then 'partial'
    when 'failed' then 'error'
    when 'interrupted' then 'error'
    when 'running' then 'running'
    when 'cancelled' then 'cancelled'
  end;
$$;

-- The words of `data_sync_logs`: where an operation stands.
create or replace function sync.operation_word(status text)
returns text
language sql
immutable
set search_path = ''
as $$
  select case status
    when 'running' then 'in_progress'
    when 'completed' then 'completed'
    when 'partial_success' then 'completed_with_errors'
    when 'failed' then 'failed'
    when 'interrupted' then 'failed'
    when 'cancelled' then 'cancelled'
  end;
$$;
revoke execute on function sync.history_word, sync.log_word, sync.operation_word from public;
grant execute on function sync.history_word, sync.log_word, sync.operation_word to authenticated, sync_functions;

-- What was asked for and how it went: the runs that stand at the top for their user.
create or replace view public.sync_history with (security_invoker = true) as
select r.id, r.user_id, r.org_id, r.sync_type, sync.history_word(r.status) as status,
  coalesce(below.seen, r.seen) as items_processed, coalesce(below.created, r.created) as items_created,
  coalesce(below.updated, r.updated) as items_updated, coalesce(below.failed, r.failed) as items_failed,
  coalesce(below.unchanged, r.unchanged) as items_unchanged, coalesce(below.skipped, r.skipped) as items_skipped,
  coalesce(below.deleted, r.deleted) as items_deleted, coalesce(below.conflicted, r.conflicted) as items_conflicted,
  coalesce(below.held, r.held) as items_held,
  coalesce(r.duration_ms, (extract(epoch from now() - r.started_at) * 1000)::bigint) as duration_ms,
  r.metadata || jsonb_strip_nulls(jsonb_build_object('reason', r.reason, 'message', r.message, 'kind', r.kind,
    'item_type', r.item_type, 'config_id', r.config_id,
    'platform_requests', coalesce(below.requests, r.platform_requests))) as metadata,
  r.created_at
from public.sync_runs as r
-- A run above gets its sums when the last run below it ends. Until then they are added up here.
left join lateral (
  select sum(b.seen)::bigint as seen, sum(b.created)::bigint as created, sum(b.updated)::bigint as updated,
    sum(b.failed)::bigint as failed, sum(b.unchanged)::bigint as unchanged, sum(b.skipped)::bigint as skipped,
    sum(b.deleted)::bigint as deleted, sum(b.conflicted)::bigint as conflicted, sum(b.held)::bigint as held,
    sum(b.platform_requests)::bigint as requests
  from public.sync_runs as b
  where b.parent_run_id = r.id and b.kind = 'sync' and r.status = 'running'
) as below on r.kind <> 'sync'
-- A sync that follows what changed has its own schedule: above it there is only the tick, which is nobody's.
where r.hidden_at is null and (r.kind <> 'sync' or r.parent_run_id is null or r.selection = 'changed');
comment on view public.sync_history is 'What was asked for, and how it went.';

-- Every single sync, with what exactly went wrong.
create or replace view public.sync_logs with (security_invoker = true) as
select r.id, r.user_id, r.org_id, r.config_id, r.sync_type, sync.log_word(r.status) as status,
  coalesce(r.duration_ms, (extract(epoch from now() - r.started_at) * 1000)::bigint) as duration_ms,
  r.seen as items_processed, r.failed as items_failed,
  coalesce(r.message, r.reason) as error_message, r.metadata, r.created_at
from public.sync_runs as r
where r.hidden_at is null and r.kind = 'sync';
comment on view public.sync_logs is 'Every single sync, and what exactly went wrong.';

-- The trail of operations between two systems.
create or replace view public.data_sync_logs with (security_invoker = true) as
select r.id, r.user_id, r.org_id, r.config_id, r.item_type as entity_type, r.sync_type as operation,
  s.platform as source_type, t.platform as target_type, c.direction as sync_direction,
  sync.operation_word(r.status) as status, r.seen as records_processed,
  r.created + r.updated + r.unchanged + r.skipped + r.deleted as records_succeeded, r.failed as records_failed,
  r.conflicted + r.held as conflicts_detected, coalesce(r.message, r.reason) as error_message,
  r.started_at, r.finished_at as completed_at,
  coalesce(r.duration_ms, (extract(epoch from now() - r.started_at) * 1000)::bigint) as duration_ms, r.created_at
from public.sync_runs as r
left join public.sync_configs as c on c.id = r.config_id
left join public.integrations as s on s.id = c.source_integration_id
left join public.integrations as t on t.id = c.target_integration_id
where r.hidden_at is null and r.kind = 'sync';
comment on view public.data_sync_logs is 'The trail of operations between two systems.';

-- Deleting from a view hides the run from its user. The ledger keeps it.
create or replace function sync.hide_run()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.sync_runs as r
  set hidden_at = pg_catalog.now()
  where r.id = old.id and r.status <> 'running'
    and (r.user_id = auth.uid() or r.org_id = any (sync.my_organizations('admin')));
  if not found then
    return null;
  end if;
  return old;
end
$$;
revoke execute on function sync.hide_run from public;
create or replace trigger sync_history_hides instead of delete on public.sync_history
  for each row execute function sync.hide_run();
create or replace trigger sync_logs_hides instead of delete on public.sync_logs
  for each row execute function sync.hide_run();
create or replace trigger data_sync_logs_hides instead of delete on public.data_sync_logs
  for each row execute function sync.hide_run();

grant select, delete on public.sync_history, public.sync_logs, public.data_sync_logs to authenticated;
