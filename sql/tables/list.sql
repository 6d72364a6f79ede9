-- One page of what changed in a user's table, as the account's owner sees it.
-- Called by engine, for the connector of users' own tables.
--   in  {integration_id, asked: {run_as, table, since?, page?: [time, id], text?, limit}}
--   out {page: {records: [{id, fields, version, modified_at, deleted}], next?: [time, id]} or {error}, now}
select json_build_object('page', sync.table_call('list', $1::text::jsonb), 'now', now())::text;
