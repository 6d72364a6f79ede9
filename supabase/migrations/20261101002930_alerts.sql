-- Alerts: what people hear of by themselves, once when it begins and once when it is over.
--
-- A metric is about a subject: a watched workflow, a sync, an n8n server, or everything of one owner. While something is wrong with
-- it there is one open row; what is wrong again soon after belongs to the same row. Rules change what counts as wrong, and whether
-- anybody is told; where there is none, `sync.alert_defaults` holds.

create table if not exists public.alert_rules (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
  -- For everything of the organization; else for what is the user's alone.
  org_id uuid references public.organizations (id) on delete cascade,
  owner_id uuid not null generated always as (coalesce(org_id, user_id)) stored,
  metric text not null,
  is_active boolean not null default true,
  -- Above it something is wrong: percent of runs, or seconds. Null, here and below: as by default.
  threshold numeric,
  -- Fewer runs than these say nothing.
  least_runs integer,
  -- How far back is counted, and for how long a repetition belongs to the alert before it.
  window_minutes integer,
  -- Who is told; `dashboard` is everybody who may see it.
  recipients text not null default 'dashboard',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),

  constraint owners_have_one_rule_for_a_metric unique (owner_id, metric),
  constraint alert_metric_is_known
    check (metric in ('execution_failed', 'sync_failed', 'n8n_error', 'failure_rate', 'average_duration')),
  constraint only_rates_have_thresholds
    check (metric in ('failure_rate', 'average_duration') or threshold is null and least_runs is null),
  constraint thresholds_are_reachable check (threshold >= 0 and (metric <> 'failure_rate' or threshold < 100)),
  constraint rules_count_some_runs check (least_runs between 1 and 10000),
  constraint alert_windows_are_a_minute_to_a_week check (window_minutes between 1 and 10080),
  constraint rules_tell_somebody check (recipients <> '' and length(recipients) <= 1000)
);
comment on table public.alert_rules is 'What people want to hear of, where it is not what everybody hears of.';
create index if not exists alert_rules_of_a_user on public.alert_rules (user_id);
create index if not exists alert_rules_of_an_organization on public.alert_rules (org_id);
create or replace trigger alert_rules_touch before update on public.alert_rules for each row execute function sync.touch();

alter table public.alert_rules enable row level security;
grant select, delete on public.alert_rules to authenticated;
grant insert (id, org_id, metric, is_active, threshold, least_runs, window_minutes, recipients),
  -- `metric`, for those who upsert.
  update (metric, is_active, threshold, least_runs, window_minutes, recipients) on public.alert_rules to authenticated;
drop policy if exists "Users see their own and their organizations'" on public.alert_rules;
create policy "Users see their own and their organizations'" on public.alert_rules for select to authenticated
  using (org_id is null and user_id = (select auth.uid()) or org_id = any ((select sync.my_organizations('viewer'))::uuid[]));
drop policy if exists "Users make rules for what is theirs" on public.alert_rules;
create policy "Users make rules for what is theirs" on public.alert_rules for insert to authenticated
  with check (user_id = (select auth.uid())
    and (org_id is null or org_id = any ((select sync.my_organizations('admin'))::uuid[])));
drop policy if exists "Users change rules for what is theirs" on public.alert_rules;
create policy "Users change rules for what is theirs" on public.alert_rules for update to authenticated
  using (org_id is null and user_id = (select auth.uid()) or org_id = any ((select sync.my_organizations('admin'))::uuid[]));
drop policy if exists "Users remove rules for what is theirs" on public.alert_rules;
create policy "Users remove rules for what is theirs" on public.alert_rules for delete to authenticated
  using (org_id is null and user_id = (select auth.uid()) or org_id = any ((select sync.my_organizations('admin'))::uuid[]));

-- One history of alerts: also of what is no execution.
alter table public.workflow_alerts alter column execution_id drop not null;
alter table public.workflow_alerts
  add column if not exists metric text,
  -- What it is about: the watched workflow, the sync, the account, or whose runs they are. It may be gone meanwhile.
  add column if not exists subject uuid,
  -- What was measured: percent, or seconds.
  add column if not exists value numeric,
  add column if not exists times integer not null default 1,
  add column if not exists last_at timestamptz not null default now();
comment on table public.workflow_alerts is 'What people should hear of executions, syncs and servers, and whether it is over.';

-- What there is: one alert for each workflow that still fails.
update public.workflow_alerts as a
set metric = 'execution_failed', subject = e.registry_id, last_at = a.created_at
from public.workflow_executions as e
where e.id = a.execution_id and a.metric is null and a.alert_type <> 'manual_trigger';
update public.workflow_alerts as a
set resolved_at = now()
where a.alert_type = 'failure' and a.resolved_at is null and exists (
  select from public.workflow_alerts as later
  where later.metric = a.metric and later.subject = a.subject and later.alert_type = 'failure' and later.resolved_at is null
    and (later.created_at, later.id) > (a.created_at, a.id));

alter table public.workflow_alerts
  -- An alert that goes on moves to the newest execution.
  drop constraint if exists alerts_are_one_each,
  drop constraint if exists alerts_are_about_something,
  add constraint alerts_are_about_something
    check (case alert_type when 'manual_trigger' then execution_id is not null else metric is not null and subject is not null end),
  drop constraint if exists alerts_happen_at_least_once,
  add constraint alerts_happen_at_least_once check (times > 0);
create unique index if not exists workflow_alerts_open on public.workflow_alerts (metric, subject)
  where alert_type = 'failure' and resolved_at is null;
create unique index if not exists workflow_alerts_by_hand on public.workflow_alerts (execution_id) where alert_type = 'manual_trigger';
create index if not exists workflow_alerts_of_an_execution on public.workflow_alerts (execution_id);
create index if not exists workflow_alerts_about on public.workflow_alerts (subject, metric, created_at desc);

-- People may close an alert themselves, and not open it: a second open row would stand in the way of what raises the next one.
-- What is still wrong when it is looked at next, opens it again.
grant update (resolved_at) on public.workflow_alerts to authenticated;
drop policy if exists "Users resolve what they were told" on public.workflow_alerts;
create policy "Users resolve what they were told" on public.workflow_alerts for update to authenticated
  using (user_id = (select auth.uid()) or org_id = any ((select sync.my_organizations('operator'))::uuid[]))
  with check (resolved_at is not null
    and (user_id = (select auth.uid()) or org_id = any ((select sync.my_organizations('operator'))::uuid[])));

-- What holds where there is no rule.
create or replace function sync.alert_defaults()
returns table (metric text, threshold numeric, least_runs integer, window_minutes integer)
language sql
immutable
set search_path = ''
as $$
  values
    ('execution_failed', null::numeric, null::integer, 60),
    ('sync_failed', null, null, 60),
    ('n8n_error', null, null, 60),
    ('failure_rate', 10, 5, 1440),
    ('average_duration', 5, 5, 1440);
$$;
revoke execute on function sync.alert_defaults from public;

-- What holds for an owner; no row where they do not want to hear of it.
create or replace function sync.alert_rule(owner uuid, organization uuid, told text)
returns table (threshold numeric, least_runs integer, span interval, recipients text)
language sql
stable
set search_path = ''
as $$
  select coalesce(r.threshold, d.threshold), coalesce(r.least_runs, d.least_runs),
    make_interval(mins => coalesce(r.window_minutes, d.window_minutes)), coalesce(r.recipients, 'dashboard')
  from sync.alert_defaults() as d
  left join public.alert_rules as r on r.metric = d.metric and r.owner_id = coalesce(organization, owner)
  where d.metric = told and coalesce(r.is_active, true);
$$;
revoke execute on function sync.alert_rule from public;

-- Something is wrong. Opens an alert, or counts one more in the one that is open or was lately.
create or replace function sync.raise_alert(
  owner uuid, organization uuid, told text, about uuid, words text, measured numeric default null, execution uuid default null
)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  rule record;
begin
  select * into rule from sync.alert_rule(owner, organization, told);
  if not found then
    return;
  end if;
  -- Whoever raises the same at once waits here, and then finds it open.
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(told || about, 0));
  update public.workflow_alerts as a
  set times = a.times + 1, last_at = pg_catalog.now(), message = left(words, 1000), value = measured, resolved_at = null,
      execution_id = coalesce(execution, a.execution_id), recipients = rule.recipients
  where a.id = (
    select b.id from public.workflow_alerts as b
    where b.metric = told and b.subject = about and b.alert_type = 'failure'
      and (b.resolved_at is null or b.created_at > pg_catalog.now() - rule.span)
    order by b.resolved_at is null desc, b.created_at desc limit 1);
  if not found then
    insert into public.workflow_alerts (user_id, org_id, alert_type, metric, subject, message, value, execution_id, recipients)
    values (owner, organization, 'failure', told, about, left(words, 1000), measured, execution, rule.recipients);
  end if;
end
$$;
revoke execute on function sync.raise_alert from public;

-- It is over, if it was wrong. Says so once in a window.
create or replace function sync.settle_alert(told text, about uuid, words text, execution uuid default null)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  open public.workflow_alerts;
  rule record;
begin
  -- Nearly always nothing was wrong.
  if not exists (select from public.workflow_alerts as a
      where a.metric = told and a.subject = about and a.alert_type = 'failure' and a.resolved_at is null) then
    return false;
  end if;
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(told || about, 0));
  update public.workflow_alerts as a
  set resolved_at = pg_catalog.now()
  where a.metric = told and a.subject = about and a.alert_type = 'failure' and a.resolved_at is null
  returning * into open;
  if not found then
    return false;
  end if;
  select * into rule from sync.alert_rule(open.user_id, open.org_id, told);
  if not found then
    return true;
  end if;
  update public.workflow_alerts as a
  set times = a.times + 1, last_at = pg_catalog.now(), message = left(words, 1000), execution_id = coalesce(execution, a.execution_id),
      resolved_at = pg_catalog.now()
  where a.id = (
    select b.id from public.workflow_alerts as b
    where b.metric = told and b.subject = about and b.alert_type = 'success' and b.created_at > pg_catalog.now() - rule.span
    order by b.created_at desc limit 1);
  if not found then
    insert into public.workflow_alerts (user_id, org_id, alert_type, metric, subject, message, execution_id, recipients, resolved_at)
    values (open.user_id, open.org_id, 'success', told, about, left(words, 1000), execution, rule.recipients, pg_catalog.now());
  end if;
  return true;
end
$$;
revoke execute on function sync.settle_alert from public;

-- Nobody syncs the rules as a table of their own.
create or replace function sync.is_system_table(schema_name text, table_name text)
returns boolean
language sql
immutable
set search_path = ''
as $$
  select schema_name ~ '^pg_' or schema_name in ('sync', 'auth', 'vault', 'storage', 'realtime', 'cron', 'net',
      'information_schema', 'extensions', 'graphql', 'graphql_public', 'pgsodium', 'pgsodium_masks', 'pgmq',
      'pgmq_public', 'pgbouncer', 'supabase_functions', 'supabase_migrations', '_realtime', '_analytics', '_supavisor', 'dbdev', 'tiger', 'topology')
    or schema_name = 'public' and (table_name in ('integrations', 'organizations', 'organization_members',
      'saved_search_patterns', 'data_sync_conflicts', 'mvp_workflows', 'n8n_workflows', 'workflow_registry',
      'workflow_executions', 'workflow_alerts', 'alert_rules')
      or table_name ~ '^sync_(audit|config_versions|configs|deletes|events|issues|list|runs)$');
$$;
revoke execute on function sync.is_system_table from public;
grant execute on function sync.is_system_table to sync_functions;

do $$
begin
  if exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime') and not exists (
    select from pg_catalog.pg_publication_tables
    where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = 'workflow_alerts'
  ) then
    alter publication supabase_realtime add table public.workflow_alerts;
  end if;
end
$$;
