-- Claims an idempotency key for this request, or says what became of the one that had it before.
-- Called by edge, before anything is changed.
--   in  {scope, function, key, fingerprint, lock_seconds}
--   out {result: fresh, attempt} | {result: running, retry_after_seconds} | {result: mismatch}
--     | {result: replay, status, body}
-- A key whose request never ended is free again when its lock runs out; one that has expired is as good as new.
with input as materialized (
  select j ->> 'scope' as scope, j ->> 'function' as function, j ->> 'key' as key, j ->> 'fingerprint' as fingerprint,
    make_interval(secs => (j ->> 'lock_seconds')::integer) as lock, gen_random_uuid() as attempt
  from (select $1::text::jsonb as j) as given
),
claimed as (
  insert into sync.idempotency_keys as k (scope, function, key, fingerprint, attempt, locked_until)
  select scope, function, key, fingerprint, attempt, now() + lock from input
  on conflict (scope, function, key) do update
  set (fingerprint, attempt, locked_until, status, body, created_at, expires_at) = (
    select case when free then excluded.fingerprint else k.fingerprint end,
      case when free then excluded.attempt else k.attempt end,
      case when free then excluded.locked_until else k.locked_until end,
      case when free then null else k.status end, case when free then null else k.body end,
      case when free then now() else k.created_at end,
      case when free then now() + interval '7 days' else k.expires_at end
    from (select k.expires_at <= now() or (k.status is null and k.locked_until <= now()
      and k.fingerprint = excluded.fingerprint) as free) as state)
  returning k.*
)
select case
  when c.attempt = input.attempt then json_build_object('result', 'fresh', 'attempt', c.attempt)
  when c.fingerprint <> input.fingerprint then json_build_object('result', 'mismatch')
  when c.status is null then json_build_object('result', 'running',
    'retry_after_seconds', greatest(ceil(extract(epoch from c.locked_until - now())), 1)::bigint)
  else json_build_object('result', 'replay', 'status', c.status, 'body', c.body)
end::text
from claimed as c, input;
