-- n8n: what its servers say of their workflows, which of them are watched, and the users' own workflows.
--
-- `mvp_workflows` is the truth: users write it, the functions deploy it. `n8n_workflows` is a mirror and may be thrown away.

-- A server that every signed-in user may have workflows on, without seeing its key: the deployment's own.
alter table public.integrations add column if not exists is_shared boolean not null default false;
comment on column public.integrations.is_shared is
  'Every signed-in user may have workflows on this n8n server. Set by the project''s owner: select sync.share_n8n(id).';

create or replace function sync.share_n8n(integration uuid, shared boolean default true)
returns boolean
language sql
set search_path = ''
as $$
  update public.integrations set is_shared = shared where id = integration and platform = 'n8n' returning true;
$$;
revoke execute on function sync.share_n8n from public;

-- Which server the caller's workflows go to: the one named, if they may use it, or the only choice in the order own, organization's,
-- shared. Null: none. As `watch`: a server whose workflows they may have watched, which excludes shared ones.
create or replace function sync.n8n_of_mine(integration uuid, watch boolean default false)
returns uuid
language sql
stable
security definer
set search_path = ''
as $$
  select i.id
  from public.integrations as i
  where i.platform = 'n8n' and i.status <> 'inactive' and (integration is null or i.id = integration)
    and (i.user_id = (select auth.uid()) or i.org_id = any ((select sync.my_organizations('operator'))::uuid[])
      or i.is_shared and not watch and (select auth.uid()) is not null)
  order by i.user_id = (select auth.uid()) desc, i.is_shared, i.created_at, i.id
  limit 1;
$$;
revoke execute on function sync.n8n_of_mine from public;
grant execute on function sync.n8n_of_mine to authenticated;

create table if not exists public.mvp_workflows (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
  org_id uuid references public.organizations (id),
  name text not null,
  description text,
  -- Nodes, connections and settings, as n8n takes them.
  definition jsonb not null,

  -- Where it is deployed, and how that stands.
  integration_id uuid references public.integrations (id) on delete set null,
  n8n_workflow_id text,
  status text not null default 'draft',
  is_active boolean not null default false,
  deploy_error text,
  -- What of it n8n has: a changed definition has another hash, and an edit in n8n another version.
  deployed_hash text,
  deployed_version text,
  -- Nobody else deploys it until then.
  deploying_until timestamptz not null default '-infinity',

  -- Each execution is counted once, and stays counted when n8n drops it.
  execution_count bigint not null default 0,
  successful_executions bigint not null default 0,
  failed_executions bigint not null default 0,
  last_execution_at timestamptz,
  last_execution_status text,
  last_sync_at timestamptz,

  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),

  constraint workflows_are_named check (name <> '' and length(name) <= 100),
  constraint definitions_are_objects check (jsonb_typeof(definition) = 'object'),
  constraint workflow_status_is_known check (status in ('draft', 'deploying', 'deployed', 'failed', 'archived')),
  constraint deployed_workflows_are_somewhere check (status <> 'deployed' or n8n_workflow_id is not null),
  constraint last_execution_status_is_known check (last_execution_status in ('success', 'failure', 'running', 'cancelled')),
  constraint execution_counters_are_not_negative
    check (least(execution_count, successful_executions, failed_executions) >= 0)
);
comment on table public.mvp_workflows is 'The users'' own workflows: the truth that n8n is kept equal to.';
alter table public.mvp_workflows enable row level security;
create unique index if not exists mvp_workflows_in_n8n on public.mvp_workflows (integration_id, n8n_workflow_id)
  where n8n_workflow_id is not null;
create index if not exists mvp_workflows_of_an_integration on public.mvp_workflows (integration_id);
create index if not exists mvp_workflows_of_a_user on public.mvp_workflows (user_id, created_at);
create index if not exists mvp_workflows_of_an_organization on public.mvp_workflows (org_id);

create table if not exists public.n8n_workflows (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users (id) on delete cascade,
  org_id uuid references public.organizations (id),
  integration_id uuid not null references public.integrations (id) on delete cascade,
  workflow_id text not null,
  name text not null,
  is_active boolean not null,
  is_archived boolean not null,
  tags text[] not null default '{}',
  -- How it can be started: its production webhook, or the trigger that n8n's MCP server starts.
  webhook jsonb,
  trigger_node text,
  in_mcp boolean not null default false,
  node_types text[] not null default '{}',
  -- Changes whenever n8n's own copy does; its time of change alone does not tell of publishing and tags.
  fingerprint text not null,
  n8n_created_at timestamptz,
  n8n_updated_at timestamptz,
  seen_at timestamptz not null default now(),
  -- Not in a complete list; gone is what was asked for by its id and was not there.
  missing_since timestamptz,
  gone_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),

  constraint mirrored_workflows_are_one_each unique (integration_id, workflow_id)
);
comment on table public.n8n_workflows is 'What n8n says of its workflows, without anything that may hold a secret.';
alter table public.n8n_workflows enable row level security;
create index if not exists n8n_workflows_of_a_user on public.n8n_workflows (user_id, name);
create index if not exists n8n_workflows_of_an_organization on public.n8n_workflows (org_id);

create table if not exists public.workflow_registry (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
  org_id uuid references public.organizations (id),
  integration_id uuid not null references public.integrations (id) on delete cascade,
  workflow_id varchar(255) not null,
  workflow_name text not null,
  -- What it brings into the CMDB, and from where; null until somebody says so.
  workflow_type text,
  provider text not null default 'others',
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),

  constraint watched_workflows_are_one_each unique (integration_id, workflow_id),
  constraint watched_workflows_are_named check (workflow_name <> '' and workflow_id <> ''),
  constraint workflow_type_is_known check (workflow_type in ('vpc', 'subnet', 'transit_gateway', 'nat_gateway', 'vpn')),
  constraint provider_is_known check (provider in ('aws', 'azure', 'gcp', 'ali', 'oci', 'huawei', 'others'))
);
comment on table public.workflow_registry is 'Which workflows are watched, and what they are for.';
alter table public.workflow_registry enable row level security;
create index if not exists workflow_registry_of_a_user on public.workflow_registry (user_id, workflow_name);
create index if not exists workflow_registry_of_an_organization on public.workflow_registry (org_id);

create table if not exists public.workflow_executions (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users (id) on delete cascade,
  org_id uuid references public.organizations (id),
  registry_id uuid not null references public.workflow_registry (id) on delete cascade,
  integration_id uuid not null references public.integrations (id) on delete cascade,
  mvp_workflow_id uuid references public.mvp_workflows (id) on delete set null,
  workflow_id text not null,
  execution_id bigint not null,
  status text not null,
  -- The same in n8n's own words.
  n8n_status text not null,
  mode text,
  -- Of one that waits in n8n's queue: when we first saw it.
  start_time timestamptz not null,
  end_time timestamptz,
  duration_ms bigint,
  resources_created integer not null default 0,
  resources_updated integer not null default 0,
  resources_failed integer not null default 0,
  -- Why it failed, and in which node. Null on a failure until n8n was asked.
  error_message text,
  error_node text,
  -- Never n8n's data, which holds secrets: what else is known of it.
  execution_data jsonb,
  retry_of bigint,
  retry_success_id bigint,
  -- Who started it with workflow-trigger, and which way.
  triggered_by uuid references auth.users (id) on delete set null,
  trigger_way text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),

  constraint executions_are_one_each unique (integration_id, execution_id),
  constraint execution_status_is_known check (status in ('success', 'failure', 'running', 'cancelled')),
  constraint n8n_status_is_known check (n8n_status in
    ('new', 'running', 'waiting', 'success', 'error', 'canceled', 'crashed', 'unknown')),
  constraint running_executions_have_no_end check (status <> 'running' or end_time is null and duration_ms is null),
  constraint trigger_way_is_known check (trigger_way in ('webhook', 'mcp', 'retry'))
);
comment on table public.workflow_executions is 'Executions of watched workflows, each once.';
alter table public.workflow_executions enable row level security;
create index if not exists workflow_executions_of_a_user on public.workflow_executions (user_id, start_time desc, id);
create index if not exists workflow_executions_of_an_organization on public.workflow_executions (org_id, start_time desc);
create index if not exists workflow_executions_of_a_workflow on public.workflow_executions (registry_id, start_time desc);
create index if not exists workflow_executions_of_a_users_workflow on public.workflow_executions (mvp_workflow_id, start_time desc);
create index if not exists workflow_executions_open on public.workflow_executions (integration_id, execution_id)
  where status = 'running';
create index if not exists workflow_executions_unexplained on public.workflow_executions (integration_id, execution_id)
  where status = 'failure' and error_message is null;
create index if not exists workflow_executions_triggered_by on public.workflow_executions (triggered_by);

create table if not exists public.workflow_alerts (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users (id) on delete cascade,
  org_id uuid references public.organizations (id),
  execution_id uuid not null references public.workflow_executions (id) on delete cascade,
  alert_type text not null,
  -- Who is told; `dashboard` is everybody who may see it.
  recipients text not null default 'dashboard',
  message text not null,
  sent_at timestamptz,
  resolved_at timestamptz,
  created_at timestamptz not null default now(),

  constraint alerts_are_one_each unique (execution_id, alert_type),
  constraint alert_type_is_known check (alert_type in ('failure', 'success', 'manual_trigger')),
  constraint alerts_go_to_somebody check (recipients <> '')
);
comment on table public.workflow_alerts is 'What people should hear of executions.';
alter table public.workflow_alerts enable row level security;
create index if not exists workflow_alerts_of_a_user on public.workflow_alerts (user_id, created_at desc);
create index if not exists workflow_alerts_of_an_organization on public.workflow_alerts (org_id);

-- How far each server has been read.
create table if not exists sync.n8n_servers (
  integration_id uuid primary key references public.integrations (id) on delete cascade,
  -- Everything up to here that had ended is stored. One descent behind: what began while the lists were read, and was still
  -- running then, is in none of them.
  watermark bigint not null default 0,
  -- The newest of the last complete descent, and the newest and the lowest so far of the one at work.
  top bigint not null default 0,
  descent_top bigint,
  descent_below bigint,
  -- Of a list that fits on one page.
  etag text,
  workflows_at timestamptz,
  executions_at timestamptz,
  -- Whether it answered last, and if not why.
  is_available boolean not null default true,
  failure text,
  failed_since timestamptz,
  due_at timestamptz not null default now(),
  fence bigint not null default 0,
  leased_until timestamptz not null default '-infinity',

  constraint descents_have_both_ends check ((descent_top is null) = (descent_below is null))
);
comment on table sync.n8n_servers is 'How far each n8n server has been read, and whether it answers.';

do $$
declare
  wanted text;
begin
  foreach wanted in array array['mvp_workflows', 'n8n_workflows', 'workflow_registry'] loop
    execute format('create or replace trigger %I before update on public.%I for each row execute function sync.touch()',
      wanted || '_touch', wanted);
  end loop;
  foreach wanted in array
      array['mvp_workflows', 'n8n_workflows', 'workflow_registry', 'workflow_executions', 'workflow_alerts'] loop
    execute format('grant select on public.%I to authenticated', wanted);
    execute format('grant select, insert, update, delete on public.%I to sync_functions', wanted);
    execute format('drop policy if exists "Users see their own and their organizations''" on public.%I', wanted);
    execute format('create policy "Users see their own and their organizations''" on public.%I for select to authenticated '
      'using (user_id = (select auth.uid()) or org_id = any ((select sync.my_organizations(''viewer''))::uuid[]))', wanted);
    execute format('drop policy if exists "The functions do the system''s work" on public.%I', wanted);
    execute format('create policy "The functions do the system''s work" on public.%I for all to sync_functions '
      'using (true) with check (true)', wanted);
  end loop;
end
$$;
create or replace trigger workflow_executions_touch before update on public.workflow_executions
  for each row execute function sync.touch();

alter table sync.n8n_servers enable row level security;
grant select, insert, update on sync.n8n_servers to sync_functions;
drop policy if exists "The functions do the system's work" on sync.n8n_servers;
create policy "The functions do the system's work" on sync.n8n_servers for all to sync_functions using (true) with check (true);

grant insert (id, org_id, name, description, definition), update (name, description, definition), delete
  on public.mvp_workflows to authenticated;
drop policy if exists "Users make their own workflows" on public.mvp_workflows;
create policy "Users make their own workflows" on public.mvp_workflows for insert to authenticated
  with check (user_id = (select auth.uid())
    and (org_id is null or org_id = any ((select sync.my_organizations('admin'))::uuid[])));
drop policy if exists "Users change their own workflows" on public.mvp_workflows;
create policy "Users change their own workflows" on public.mvp_workflows for update to authenticated
  using (user_id = (select auth.uid()) or org_id = any ((select sync.my_organizations('operator'))::uuid[]));
-- What runs in n8n is taken off there first.
drop policy if exists "Users delete their own drafts" on public.mvp_workflows;
create policy "Users delete their own drafts" on public.mvp_workflows for delete to authenticated
  using ((n8n_workflow_id is null or integration_id is null) and user_id = (select auth.uid()));

grant insert (id, org_id, integration_id, workflow_id, workflow_name, workflow_type, provider, is_active),
  update (workflow_name, workflow_type, provider, is_active), delete on public.workflow_registry to authenticated;
drop policy if exists "Users register workflows of their servers" on public.workflow_registry;
create policy "Users register workflows of their servers" on public.workflow_registry for insert to authenticated
  with check (user_id = (select auth.uid()) and org_id is null and integration_id = sync.n8n_of_mine(integration_id, true));
drop policy if exists "Users change what they watch" on public.workflow_registry;
create policy "Users change what they watch" on public.workflow_registry for update to authenticated
  using (user_id = (select auth.uid()) or org_id = any ((select sync.my_organizations('operator'))::uuid[]));
create or replace function sync.is_in_n8n(integration uuid, workflow text)
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select exists (select from public.n8n_workflows as n
      where n.integration_id = integration and n.workflow_id = workflow and n.gone_at is null)
    or exists (select from public.mvp_workflows as w
      where w.integration_id = integration and w.n8n_workflow_id = workflow);
$$;
revoke execute on function sync.is_in_n8n from public;
grant execute on function sync.is_in_n8n to authenticated;
drop policy if exists "Users stop watching" on public.workflow_registry;
create policy "Users stop watching" on public.workflow_registry for delete to authenticated
  -- What is forgotten while n8n has it would be registered again, and its executions counted twice.
  using (not sync.is_in_n8n(integration_id, workflow_id::text) and (user_id = (select auth.uid()) or org_id = any ((select sync.my_organizations('admin'))::uuid[])));

-- Requests of the last minute, where no minute may have more than it has been promised.
alter table sync.rate_buckets add column if not exists recent_grants timestamptz[];

-- The ledger knows two more kinds of run.
alter table public.sync_runs drop constraint if exists run_sync_type_is_known;
alter table public.sync_runs add constraint run_sync_type_is_known
  check (sync_type in ('manual', 'delta', 'full', 'scheduled', 'workflows', 'executions'));

do $$
declare
  wanted text;
begin
  if not exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime') then
    return;
  end if;
  foreach wanted in array array['mvp_workflows', 'workflow_executions'] loop
    if not exists (
      select from pg_catalog.pg_publication_tables
      where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = wanted
    ) then
      execute format('alter publication supabase_realtime add table public.%I', wanted);
    end if;
  end loop;
end
$$;
