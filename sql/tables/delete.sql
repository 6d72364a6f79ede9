-- Deletes rows of a user's table, or marks them deleted where the table has a column for that. What is gone stays gone.
-- Called by engine, for the connector of users' own tables.
--   in  {integration_id, asked: {run_as, table, ids}}
--   out {outcomes: [{id} or {error}]} in the order of the ids, or {error}
select sync.table_call('delete', $1::text::jsonb)::text;
