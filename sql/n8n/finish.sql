-- Ends reading a server, well or not, and says when its turn comes again.
-- Called by engine.
--   in  {integration_id, fence, failure?, wait_seconds, executions_read}
--   out {lost}                                                 lost: another has taken over meanwhile; nothing was changed
-- `offset 0`: or the planner would read the whole text once for each field.
with input as materialized (
  select (j ->> 'integration_id')::uuid as id, (j ->> 'fence')::bigint as fence, j ->> 'failure' as failure,
    make_interval(secs => (j ->> 'wait_seconds')::double precision) as wait,
    (j ->> 'executions_read')::boolean as executions_read
  from (select $1::text::jsonb as j offset 0) as given
),
ended as (
  update sync.n8n_servers as s
  set leased_until = '-infinity', due_at = now() + input.wait, failure = input.failure,
      is_available = input.failure is null,
      failed_since = case when input.failure is not null then coalesce(s.failed_since, now()) end,
      executions_at = case when input.executions_read then now() else s.executions_at end
  from input
  where s.integration_id = input.id and s.fence = input.fence
  returning 1
)
select json_build_object('lost', not exists (select from ended))::text;
