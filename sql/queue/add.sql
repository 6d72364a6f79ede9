-- Puts items of the caller into the queue, with a priority.
-- Called by queue-add, after `sync_list/choose` has said which items are theirs.
--   in  {user_id, item_ids, priority}
--   out {ids}                                                         of the jobs
-- `offset 0`: or the planner would read the whole text once for each field.
with added as (
  insert into sync.sync_queue as q (user_id, org_id, config_id, kind, payload, group_key, dedupe_key, priority)
  select (j ->> 'user_id')::uuid, i.org_id, i.config_id, 'sync_items',
    jsonb_build_object('item_ids', jsonb_build_array(i.id)), 'config:' || i.config_id, 'item:' || i.id,
    (j ->> 'priority')::smallint
  from (select $1::text::jsonb as j offset 0) as given, public.sync_list as i
  where i.id = any (array(select id::uuid from jsonb_array_elements_text(j -> 'item_ids') as one (id)))
  order by i.config_id, i.id
  on conflict (dedupe_key) where state in ('pending', 'retry')
    do update set priority = least(q.priority, excluded.priority), due_at = least(q.due_at, excluded.due_at)
  returning q.id
)
select json_build_object('ids', (select coalesce(json_agg(added.id), '[]') from added))::text;
