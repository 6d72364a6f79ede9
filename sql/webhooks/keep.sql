-- Keeps one message of a platform and queues what follows from it, once however often the message comes.
-- Called by webhook-receive, after the signature was verified.
--   in  {integration_id, event_id, topic, item_type?, record_id?, delay_ms}
--   out {duplicate, queued}                            queued: jobs that will look, new ones and those that waited
-- A job that waits already is left as it is, one that waits for its next try too: it will see what changed meanwhile.
-- A realtime sync without items looks at everything that changed. Accounts that are switched off or in error are left
-- alone, as by the clock.
with input as materialized (
  select (j ->> 'integration_id')::uuid as integration_id, j ->> 'event_id' as event_id, j ->> 'topic' as topic,
    j ->> 'item_type' as item_type, j ->> 'record_id' as record_id,
    make_interval(secs => (j ->> 'delay_ms')::bigint / 1000.0) as delay
  from (select $1::text::jsonb as j) as given
),
configs as materialized (
  select c.id, c.user_id, c.org_id, c.mode, c.source_integration_id = input.integration_id as is_source
  from input
  join public.sync_configs as c on c.item_type = input.item_type and c.enabled
    and (c.source_integration_id = input.integration_id
      or c.direction = 'bidirectional' and c.target_integration_id = input.integration_id)
  join public.integrations as s on s.id = c.source_integration_id and s.status = 'active'
  join public.integrations as t on t.id = c.target_integration_id and t.status = 'active'
),
items as materialized (
  select i.id, i.user_id, i.org_id, i.config_id, i.priority
  from input, configs as c join public.sync_list as i on i.config_id = c.id and i.is_active
  where c.is_source and i.source_id = input.record_id
  union all
  -- On the other side of a two-way sync the record is known by its link.
  select i.id, i.user_id, i.org_id, i.config_id, i.priority
  from input, configs as c join sync.sync_links as l on l.config_id = c.id
  join public.sync_list as i on i.config_id = c.id and i.source_id = l.source_id and i.is_active
  where not c.is_source and l.target_id = input.record_id
),
wanted as materialized (
  select i.user_id, i.org_id, i.config_id, 'sync_items' as kind, 'item:' || i.id as dedupe_key,
    jsonb_build_object('item_ids', jsonb_build_array(i.id)) as payload, i.priority, 4 as max_attempts
  from items as i
  union all
  select c.user_id, c.org_id, c.id, 'changed', 'changed:' || c.id, '{}', 5, 100
  from configs as c
  where c.is_source and c.mode = 'realtime' and not exists (select from public.sync_list as i where i.config_id = c.id)
),
kept as (
  insert into sync.webhook_events (integration_id, event_id, topic, record_id, state)
  select i.id, input.event_id, input.topic, coalesce(input.record_id, ''),
    case when exists (select from wanted) then 'queued' else 'ignored' end
  from input join public.integrations as i on i.id = input.integration_id
  on conflict do nothing
  returning integration_id
),
added as (
  insert into sync.sync_queue (user_id, org_id, config_id, kind, payload, group_key, dedupe_key, priority, due_at, max_attempts)
  select w.user_id, w.org_id, w.config_id, w.kind, w.payload, 'config:' || w.config_id, w.dedupe_key, w.priority,
    now() + input.delay, w.max_attempts
  from input, wanted as w
  where exists (select from kept)
  order by w.config_id, w.dedupe_key
  on conflict (dedupe_key) where state in ('pending', 'retry') do nothing
)
select json_build_object('duplicate', not exists (select from kept),
  'queued', (select count(*) from wanted where exists (select from kept)))::text;
