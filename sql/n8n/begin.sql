-- Begins to read a server: nobody else does until this is over or the lease runs out.
-- Called by engine.
--   in  {integration_id, lease_seconds}
--   out {fence?, watermark, top, descent_top?, descent_below?, etag?, workflows_at?, executions_at?}   no fence: another is at it
with input as materialized (
  select (j ->> 'integration_id')::uuid as id, make_interval(secs => (j ->> 'lease_seconds')::integer) as lease
  from (select $1::text::jsonb as j) as given
),
taken as (
  insert into sync.n8n_servers as s (integration_id, fence, leased_until)
  select input.id, 1, now() + input.lease from input
  on conflict (integration_id) do update
  set fence = s.fence + 1, leased_until = now() + (select lease from input)
  where s.leased_until <= now()
  returning s.*
)
select coalesce(
  (select json_build_object('fence', t.fence, 'watermark', t.watermark, 'top', t.top, 'descent_top', t.descent_top,
    'descent_below', t.descent_below, 'etag', t.etag, 'workflows_at', t.workflows_at, 'executions_at', t.executions_at)
   from taken as t),
  json_build_object('fence', null, 'watermark', 0, 'top', 0))::text;
