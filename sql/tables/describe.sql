-- The columns of a user's table, and what of it does not do for a sync yet.
-- Called by engine, for the connector of users' own tables.
--   in  {integration_id, asked: {run_as, table}}
--   out {columns: [{name, type, writable, required}], findings: {problems, warnings}} or {error}
select sync.table_call('describe', $1::text::jsonb)::text;
