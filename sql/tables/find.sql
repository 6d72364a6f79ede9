-- The rows of a user's table that hold one of these values in a column; without a column, in that of our own key.
-- Called by engine, for the connector of users' own tables.
--   in  {integration_id, asked: {run_as, table, column?, values}}
--   out {records: [{id, fields, version, modified_at, deleted}]} or {error}
select sync.table_call('find', $1::text::jsonb)::text;
