-- What users may ask about servers and workflows that are not theirs to read.

-- How fresh what we show of a server is, for whoever has workflows on it or watches it; null for others.
create or replace function sync.n8n_freshness(integration uuid)
returns json
language sql
stable
security definer
set search_path = ''
as $$
  select json_build_object('available', coalesce(s.is_available, true), 'failure', s.failure, 'failed_since', s.failed_since,
    'workflows_at', s.workflows_at, 'executions_at', s.executions_at)
  from public.integrations as i left join sync.n8n_servers as s on s.integration_id = i.id
  where i.id = integration and i.platform = 'n8n'
    and (sync.n8n_of_mine(i.id) is not null
      or exists (select from public.workflow_registry as r
        where r.integration_id = i.id and (r.user_id = (select auth.uid())
          or r.org_id = any ((select sync.my_organizations('viewer'))::uuid[])))
      or exists (select from public.mvp_workflows as w
        where w.integration_id = i.id and (w.user_id = (select auth.uid())
          or w.org_id = any ((select sync.my_organizations('viewer'))::uuid[]))));
$$;
revoke execute on function sync.n8n_freshness from public;
grant execute on function sync.n8n_freshness to authenticated;

-- Who a user is in names of workflows: the first eight digits of their id.
create or replace function sync.short_id(who uuid)
returns text
language sql
immutable
set search_path = ''
as $$
  select left(who::text, 8);
$$;
revoke execute on function sync.short_id from public;
grant execute on function sync.short_id to authenticated, sync_functions;

-- A workflow by whichever id people have of it: that of `mvp_workflows`, or that of `workflow_registry`. As the caller sees it.
create or replace function sync.workflow_of(asked uuid)
returns table (registry_id uuid, mvp_id uuid, integration_id uuid, workflow_id text, user_id uuid, org_id uuid, name text)
language sql
stable
set search_path = ''
as $$
  select r.id, m.id, m.integration_id, m.n8n_workflow_id, m.user_id, m.org_id, m.name
  from public.mvp_workflows as m
  left join public.workflow_registry as r on r.integration_id = m.integration_id and r.workflow_id = m.n8n_workflow_id
  where m.id = asked
  union all
  select r.id, m.id, r.integration_id, r.workflow_id, r.user_id, r.org_id, r.workflow_name
  from public.workflow_registry as r
  left join public.mvp_workflows as m on m.integration_id = r.integration_id and m.n8n_workflow_id = r.workflow_id
  where r.id = asked and not exists (select from public.mvp_workflows as same where same.id = asked);
$$;
revoke execute on function sync.workflow_of from public;
grant execute on function sync.workflow_of to authenticated;
