-- Executions that have not ended as far as we know, and failures that nobody has explained yet.
-- Called by engine, after the lists were read.
--   in  {integration_id}
--   out {open: [execution ids], unexplained: [execution ids, newest first]}
with input as materialized (
  select ($1::text::jsonb ->> 'integration_id')::uuid as id
)
select json_build_object(
  'open', (select coalesce(json_agg(cut.execution_id), '[]') from (
    select e.execution_id from input, public.workflow_executions as e
    where e.integration_id = input.id and e.status = 'running' order by e.execution_id limit 1000) as cut),
  'unexplained', (select coalesce(json_agg(cut.execution_id), '[]') from (
    select e.execution_id from input, public.workflow_executions as e
    where e.integration_id = input.id and e.status = 'failure' and e.error_message is null
    order by e.execution_id desc limit 100) as cut))::text;
