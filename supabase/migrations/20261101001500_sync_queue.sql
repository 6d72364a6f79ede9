-- The queue: work to be done, who is doing it, and how it ended.
--
--   pending ──claim──▶ leased ──finish──▶ done
--      │                 │  └─no attempts left─▶ dead ──replay──▶ pending
--   cancelled         retry ──claim, when due──▶ leased
--
-- Jobs of one group are worked one at a time: `queue_groups` has a row per group, which whoever claims locks. A
-- worker that dies lets its lease run out; then the job is simply due again. `due_at` says when: of a waiting job
-- its time, of a leased one the end of its lease.

create table if not exists sync.queue_groups (
  group_key text primary key,
  busy_until timestamptz not null default '-infinity',
  fence bigint not null default 0,
  used_at timestamptz not null default now()
);
comment on table sync.queue_groups is 'One row per group of jobs: who claims, locks it.';
create index if not exists queue_groups_by_age on sync.queue_groups (used_at);

create table if not exists sync.sync_queue (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users (id) on delete cascade,
  org_id uuid references public.organizations (id),
  config_id uuid references public.sync_configs (id) on delete cascade,
  kind text not null,
  payload jsonb not null default '{}',
  group_key text not null,
  dedupe_key text,

  state text not null default 'pending',
  priority smallint not null default 5,
  due_at timestamptz not null default now(),
  attempts integer not null default 0,
  -- One try and three retries.
  max_attempts integer not null default 4,
  -- Goes up with each claim: a worker that lost its job changes nothing.
  fence bigint not null default 0,

  last_error text,
  run_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  finished_at timestamptz,

  constraint job_kind_is_known check (kind in ('run', 'sync_items')),
  constraint job_group_is_named check (group_key <> ''),
  constraint job_state_is_known check (state in ('pending', 'leased', 'retry', 'done', 'dead', 'cancelled')),
  constraint job_priority_is_between_1_and_9 check (priority between 1 and 9),
  constraint job_attempts_count_up check (attempts >= 0 and max_attempts between 1 and 100),
  constraint jobs_finish_at_the_end check ((state in ('done', 'dead', 'cancelled')) = (finished_at is not null))
);
comment on table sync.sync_queue is 'Work to be done, who is doing it, and how it ended.';

-- A second enqueue of what still waits is absorbed. A leased job absorbs nothing: it may have read its data already.
create unique index if not exists sync_queue_waits_once on sync.sync_queue (dedupe_key)
  where state in ('pending', 'retry');
-- Serves the claim: an owner's jobs in the order in which they are claimed.
create index if not exists sync_queue_claimable on sync.sync_queue (user_id, priority, due_at, id)
  where state in ('pending', 'retry', 'leased');
-- Serves `open`, which takes along what waits for its sync; the question for the oldest job; the page; retention.
create index if not exists sync_queue_of_a_config on sync.sync_queue (config_id, kind, state);
create index if not exists sync_queue_by_due on sync.sync_queue (due_at) where state in ('pending', 'retry', 'leased');
create index if not exists sync_queue_of_a_user on sync.sync_queue (user_id, created_at, id);
create index if not exists sync_queue_of_an_organization on sync.sync_queue (org_id);
create index if not exists sync_queue_of_a_group on sync.sync_queue (group_key)
  where state in ('pending', 'retry', 'leased');
create index if not exists sync_queue_by_end on sync.sync_queue (finished_at) where finished_at is not null;
create index if not exists sync_queue_dead on sync.sync_queue (finished_at) where state = 'dead';

create or replace trigger sync_queue_touch before update on sync.sync_queue
  for each row execute function sync.touch();
alter table sync.queue_groups enable row level security;
alter table sync.sync_queue enable row level security;

-- A new job has its group. The update locks the row, so that retention cannot take it away meanwhile.
create or replace function sync.join_group()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into sync.queue_groups as g (group_key) values (new.group_key)
  on conflict (group_key) do update set used_at = pg_catalog.now()
    where g.used_at < pg_catalog.now() - interval '1 hour';
  return new;
end
$$;
revoke execute on function sync.join_group from public;
create or replace trigger sync_queue_joins_its_group before insert on sync.sync_queue
  for each row execute function sync.join_group();

-- The caller's jobs, newest first: what waits, runs, or has ended.
create or replace function sync.my_jobs(input jsonb)
returns json
language sql
stable
security definer
set search_path = ''
as $$
  select coalesce(json_agg(json_build_object('id', j.id, 'kind', j.kind, 'state', j.state, 'priority', j.priority,
    'payload', j.payload, 'config_id', j.config_id, 'attempts', j.attempts, 'max_attempts', j.max_attempts,
    'due_at', j.due_at, 'last_error', j.last_error, 'run_id', j.run_id, 'created_at', j.created_at,
    'finished_at', j.finished_at) order by j.created_at desc, j.id desc), '[]')
  from (
    select * from sync.sync_queue as q
    where (q.user_id = auth.uid() or q.org_id = any (sync.my_organizations('viewer')))
      and (input ->> 'state' is null or q.state = input ->> 'state')
      and (input ->> 'id' is null or q.id = (input ->> 'id')::uuid)
      and (input ->> 'before_at' is null
        or (q.created_at, q.id) < ((input ->> 'before_at')::timestamptz, (input ->> 'before_id')::uuid))
    order by q.created_at desc, q.id desc
    limit least(greatest(coalesce((input ->> 'limit')::integer, 50), 1), 1000) + 1
  ) as j;
$$;
revoke execute on function sync.my_jobs from public;
grant execute on function sync.my_jobs to authenticated;

-- Cancels the caller's waiting jobs; answers the ids of those that were still waiting.
create or replace function sync.cancel_jobs(ids uuid[])
returns uuid[]
language sql
security definer
set search_path = ''
as $$
  with theirs as materialized (
    select q.id
    from sync.sync_queue as q
    where q.id = any (ids) and (q.user_id = auth.uid() or q.org_id = any (sync.my_organizations('operator')))
  ),
  cancelled as (
    update sync.sync_queue as q
    set state = 'cancelled', finished_at = now()
    from theirs
    where q.id = theirs.id and q.state in ('pending', 'retry')
      and not exists (select from unnest(ids) as asked (id) where not exists (select from theirs where theirs.id = asked.id))
    returning q.id
  )
  select case when exists (
      select from unnest(ids) as asked (id) where not exists (select from theirs where theirs.id = asked.id)) then null
    else (select coalesce(array_agg(cancelled.id), '{}') from cancelled) end;
$$;
revoke execute on function sync.cancel_jobs from public;
grant execute on function sync.cancel_jobs to authenticated;
