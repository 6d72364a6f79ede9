-- Keeps the answer of a request for its repetitions.
-- Called by edge, with the answer.
--   in  {scope, function, key, attempt, status, body}
--   out {kept}                                                false: somebody else holds the key now
with finished as (
  update sync.idempotency_keys as k
  set status = (j ->> 'status')::integer, body = j ->> 'body'
  from (select $1::text::jsonb as j) as given
  where k.scope = j ->> 'scope' and k.function = j ->> 'function' and k.key = j ->> 'key'
    and k.attempt = (j ->> 'attempt')::uuid
  returning 1
)
select json_build_object('kept', exists (select from finished))::text;
