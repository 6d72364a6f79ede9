-- Stores how the test of an account went, or that its credential was refused during a run.
-- Called by engine. A success makes an account in error active again; an inactive one stays inactive.
--   in  {integration_id, ok?, result}                 no ok: the platform was away, which says nothing about the account
--   out {status} or null
with tested as (
  update public.integrations as i
  set last_test_at = now(), last_test_result = j -> 'result',
      status = case when i.status = 'inactive' or j ->> 'ok' is null then i.status
        when (j ->> 'ok')::boolean then 'active' else 'error' end
  from (select $1::text::jsonb as j) as given
  where i.id = (j ->> 'integration_id')::uuid
  returning i.status
)
select coalesce((select json_build_object('status', tested.status) from tested), 'null')::text;
