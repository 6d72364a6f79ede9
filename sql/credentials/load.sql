-- The sealed credentials of accounts: what their owners gave, and what we bought with it.
-- Called by engine, before the first exchange of a run with these accounts. The audit says so once per run.
--   in  {integration_ids, run_id?}
--   out {accounts: [{integration_id, user_id, kind, secret, token?: {sealed, expires_at}, fence}]}
with input as materialized (
  select id::uuid as integration_id, (j ->> 'run_id')::uuid as run_id
  from (select $1::text::jsonb as j) as given, jsonb_array_elements_text(j -> 'integration_ids') as one (id)
),
account as materialized (
  select i.id, i.user_id, i.org_id, i.credential_kind, s.sealed as secret, t.sealed as token, t.expires_at, t.bought_fence as fence
  from input join public.integrations as i on i.id = input.integration_id
  join sync.credentials as s on s.integration_id = i.id and s.slot = 'secret'
  left join sync.credentials as t on t.integration_id = i.id and t.slot = 'token'
),
used as (
  insert into sync.credential_uses (run_id, integration_id)
  select input.run_id, account.id from input, account where input.run_id is not null
  on conflict (run_id, integration_id) do nothing
  returning run_id, integration_id
),
audited as materialized (
  select account.id, sync.audit(account.user_id, account.org_id, 'credential_used', 'integrations', account.id::text,
    jsonb_build_object('run_id', input.run_id)) as position
  from input join account on account.id = input.integration_id
  where input.run_id is null or exists (select from used where used.integration_id = account.id)
)
select json_build_object('accounts', coalesce(json_agg(json_build_object('integration_id', account.id,
  'user_id', account.user_id, 'kind', account.credential_kind, 'secret', account.secret, 'fence', coalesce(account.fence, 0),
  'audited', exists (select from audited where audited.id = account.id and audited.position is not null),
  'token', case when account.token <> '' then json_build_object('sealed', account.token, 'expires_at', account.expires_at) end)),
  '[]'))::text
from account;
