-- Frees the key of a request that changed nothing and may be tried again.
-- Called by edge, where the answer is one that another attempt could improve (503, 429).
--   in  {scope, function, key, attempt}
--   out {forgotten}
with forgotten as (
  delete from sync.idempotency_keys as k
  using (select $1::text::jsonb as j) as given
  where k.scope = j ->> 'scope' and k.function = j ->> 'function' and k.key = j ->> 'key'
    and k.attempt = (j ->> 'attempt')::uuid and k.status is null
  returning 1
)
select json_build_object('forgotten', exists (select from forgotten))::text;
