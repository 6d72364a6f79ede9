-- A plan of this user that is not older than a day and was not applied, if the rules are still those it was made with.
-- Called by engine, for sync-apply.
--   in  {plan_id, user_id}
--   out {config_id, decisions, stale} or null                                       stale: the sync has other rules by now
select coalesce((
  select json_build_object('config_id', p.config_id, 'decisions', p.decisions,
    'stale', c.current_version <> p.config_version)
  from (select $1::text::jsonb as j) as given
  join sync.plans as p on p.id = (j ->> 'plan_id')::uuid and p.user_id = (j ->> 'user_id')::uuid
  join public.sync_configs as c on c.id = p.config_id
  where p.applied_run_id is null and p.created_at > now() - interval '1 day'), 'null')::text;
