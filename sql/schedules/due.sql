-- Up to 100 users with something that may be due, in the order of their ids, and what it is.
-- Called by scheduled-sync, page by page. Whether a schedule is due now is decided by its caller, which knows cron.
--   in  {after_user_id?}
--   out {users: [{user_id, item_ids, scheduled: [{item_id, schedule?, time_zone, last_checked_at, windows}],
--        configs: [{config_id, schedule, time_zone, last_due_at, windows}]}], more}
-- `windows` are the hours in which a sync may work; its items are looked at one by one for that.
-- A realtime sync with neither a schedule nor items is due every hour: what its messages lose is made good.
-- `item_ids` have no schedule of their own and go with every tick, 20,000 a user at most, those that waited longest
-- first. Left out: what is switched off, and what an account in error or switched off could not do anyway.
with users as materialized (
  select u.user_id
  from (
    select i.user_id from public.sync_list as i where i.is_active
    union
    select c.user_id from public.sync_configs as c where c.enabled and (c.schedule is not null or c.mode = 'realtime')
  ) as u
  where u.user_id > coalesce(($1::text::jsonb ->> 'after_user_id')::uuid, '00000000-0000-0000-0000-000000000000')
  order by u.user_id
  limit 101
),
configs as materialized (
  select c.id, c.user_id, c.time_zone, c.last_due_at, coalesce(c.schedule,
      case when c.mode = 'realtime' and not exists (select from public.sync_list as i where i.config_id = c.id)
        then '0 * * * *' end) as schedule,
    array_remove(array[v.rules -> 'businessHours', v.rules -> 'offPeak'], null) as windows
  from public.sync_configs as c
  join public.sync_config_versions as v on v.config_id = c.id and v.version = c.current_version
  join public.integrations as s on s.id = c.source_integration_id and s.status = 'active'
  join public.integrations as t on t.id = c.target_integration_id and t.status = 'active'
  where c.enabled
),
page as (
  select u.user_id,
    (select coalesce(json_agg(item.id), '[]') from (
      select i.id from public.sync_list as i join configs as c on c.id = i.config_id
      where i.user_id = u.user_id and i.is_active and i.schedule is null and c.schedule is null and c.windows = '{}'
      order by i.last_checked_at nulls first, i.id limit 20000) as item) as item_ids,
    (select coalesce(json_agg(json_build_object('item_id', item.id, 'schedule', item.schedule,
        'time_zone', item.time_zone, 'last_checked_at', item.last_checked_at, 'windows', item.windows)), '[]') from (
      select i.id, i.schedule, c.time_zone, i.last_checked_at, c.windows
      from public.sync_list as i join configs as c on c.id = i.config_id
      where i.user_id = u.user_id and i.is_active
        and (i.schedule is not null or c.schedule is null and c.windows <> '{}')
      order by i.last_checked_at nulls first, i.id limit 20000) as item) as scheduled,
    (select coalesce(json_agg(json_build_object('config_id', c.id, 'schedule', c.schedule, 'time_zone', c.time_zone,
        'last_due_at', c.last_due_at, 'windows', c.windows) order by c.id), '[]')
      from configs as c where c.user_id = u.user_id and c.schedule is not null) as configs
  from (select user_id from users order by user_id limit 100) as u
)
select json_build_object('users', (select coalesce(json_agg(to_json(page) order by page.user_id), '[]') from page),
  'more', (select count(*) > 100 from users))::text;
