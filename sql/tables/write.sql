-- Writes rows of a user's table; one that is refused stops no other. A repeated create finds the row it has made.
-- Called by engine, for the connector of users' own tables.
--   in  {integration_id, asked: {run_as, table, writes: [{id?, external_key, fields, expected_version?}]}}
--   out {outcomes: [{id, now} or {error}]} in the order of the writes, or {error}
select sync.table_call('write', $1::text::jsonb)::text;
