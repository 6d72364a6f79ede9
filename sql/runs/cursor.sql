-- Where a side's listing of a `changed` run stands.
-- Called by engine, when such a run begins or goes on.
--   in  {run_id, side}                                  side: source or target
--   out {seen_at?, seen_id?, begun_at?, high_at?, high_id?, page?}
select json_build_object('seen_at', c.seen_at, 'seen_id', c.seen_id, 'begun_at', c.begun_at, 'high_at', c.high_at, 'high_id', c.high_id,
  'page', c.page)::text
from public.sync_runs as r
left join sync.cursors as c on c.config_id = r.config_id and c.side = $1::text::jsonb ->> 'side'
where r.id = ($1::text::jsonb ->> 'run_id')::uuid;
