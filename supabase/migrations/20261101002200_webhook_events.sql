-- Webhooks: which messages of platforms have been taken in, so that one that comes again does nothing.
--
-- What a message says of a record is not kept and not believed: the record is read from the platform. A message only
-- says where to look, sooner than the clock would.

create table if not exists sync.webhook_events (
  -- The account that the message is of; its secret proved that.
  integration_id uuid not null references public.integrations (id) on delete cascade,
  -- The platform's own id of what happened: the same when a message is sent again.
  event_id text not null,
  -- The platform's word for what happened. One event may be told under several topics.
  topic text not null,
  -- The record to look at, as the sync list names it; empty for topics that we do not follow. One event may be about several.
  record_id text not null,
  -- When the message came first; when it is old enough, the row goes.
  received_at timestamptz not null default now(),
  -- Whether anybody's sync wanted to know: what a person asks who waits for an edit to arrive.
  state text not null,

  constraint webhook_events_are_taken_in_once primary key (integration_id, event_id, topic, record_id),
  constraint webhook_event_is_named check (event_id <> '' and length(event_id) <= 200),
  constraint webhook_topic_is_named check (topic <> '' and length(topic) <= 200),
  constraint webhook_state_is_known check (state in ('queued', 'ignored'))
);
comment on table sync.webhook_events is 'Messages of platforms that were taken in, without what they said.';
create index if not exists webhook_events_by_age on sync.webhook_events (received_at);

alter table sync.webhook_events enable row level security;
grant select, insert on sync.webhook_events to sync_functions;
drop policy if exists "The functions do the system's work" on sync.webhook_events;
create policy "The functions do the system's work" on sync.webhook_events
  for all to sync_functions using (true) with check (true);

-- A job may also be about whatever changed in the source of a sync.
alter table sync.sync_queue drop constraint if exists job_kind_is_known;
alter table sync.sync_queue add constraint job_kind_is_known check (kind in ('run', 'sync_items', 'changed'));

-- The nightly job, which now drops messages as well. No platform sends one again after so long.
create or replace function sync.prune(keep jsonb default '{}')
returns json
language plpgsql
security definer
set search_path = ''
as $$
declare
  made integer := sync.make_partitions(3);
  dropped text[] := sync.drop_partitions(coalesce((keep ->> 'event_days')::integer, 90));
  jobs bigint;
  groups bigint;
  keys bigint;
  uses bigint;
  webhooks bigint;
begin
  with gone as (
    delete from sync.sync_queue as q
    where q.finished_at < pg_catalog.now() - make_interval(days =>
      case when q.state = 'dead' then coalesce((keep ->> 'dead_job_days')::integer, 90)
           else coalesce((keep ->> 'job_days')::integer, 7) end)
    returning 1
  )
  select count(*) into jobs from gone;
  with gone as (
    delete from sync.queue_groups as g
    where g.used_at < pg_catalog.now() - interval '7 days' and g.busy_until < pg_catalog.now()
      and not exists (select from sync.sync_queue as q
        where q.group_key = g.group_key and q.state in ('pending', 'retry', 'leased'))
    returning 1
  )
  select count(*) into groups from gone;
  with gone as (delete from sync.idempotency_keys where expires_at < pg_catalog.now() returning 1)
  select count(*) into keys from gone;
  with gone as (
    delete from sync.credential_uses where used_at < pg_catalog.now() - interval '30 days' returning 1
  )
  select count(*) into uses from gone;
  with gone as (
    delete from sync.webhook_events
    where received_at < pg_catalog.now() - make_interval(days => coalesce((keep ->> 'webhook_days')::integer, 14))
    returning 1
  )
  select count(*) into webhooks from gone;
  -- The inputs of a run's decisions are only needed while it works.
  delete from sync.run_work as w using public.sync_runs as r
  where r.id = w.run_id and r.finished_at < pg_catalog.now() - interval '7 days';
  if to_regclass('cron.job_run_details') is not null then
    execute $sql$delete from cron.job_run_details where end_time < now() - interval '7 days'$sql$;
  end if;
  return json_build_object('partitions_made', made, 'partitions_dropped', dropped, 'jobs', jobs,
    'groups', groups, 'keys', keys, 'uses', uses, 'webhooks', webhooks);
end
$$;
revoke execute on function sync.prune from public;
