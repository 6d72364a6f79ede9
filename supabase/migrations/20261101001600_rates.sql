-- Rates and breakers: how much of a platform we may use now, shared by everything that talks to it.
--
-- Budgets are token buckets: they fill with time up to a capacity, and a batch takes all it needs at once. A breaker
-- keeps us from a platform that only fails:
--
--   closed ──5 failures in a row, or half of the last 20──▶ open ──its time is over──▶ one probe ──success──▶ closed
--                                                            ▲                            └─failure─┐
--                                                            └──────────twice as long───────────────┘

create table if not exists sync.rate_buckets (
  integration_id uuid primary key references public.integrations (id) on delete cascade,
  -- May fall below zero when a batch is larger than the bucket: then the next one waits the longer.
  minute_tokens double precision not null default 60,
  hour_tokens double precision not null default 1000,
  -- Cost points, where a platform counts in those; the capacity and the flow are what its answers say.
  points double precision,
  points_capacity double precision,
  points_per_second double precision,
  refreshed_at timestamptz not null default now(),
  -- The platform said: not before.
  not_before timestamptz not null default '-infinity'
);
comment on table sync.rate_buckets is 'How much of a platform may be used now.';

create table if not exists sync.breakers (
  integration_id uuid primary key references public.integrations (id) on delete cascade,
  state text not null default 'closed',
  failures_in_row integer not null default 0,
  -- The last twenty ends, newest last: 0 success, 1 failure.
  recent text not null default '',
  times_opened integer not null default 0,
  open_until timestamptz not null default '-infinity',
  -- While somebody probes, nobody else does.
  probe_until timestamptz not null default '-infinity',
  updated_at timestamptz not null default now(),

  constraint breaker_state_is_known check (state in ('closed', 'open')),
  constraint breaker_memory_is_bounded check (recent ~ '^[01]{0,20}$')
);
comment on table sync.breakers is 'Whether a platform is worth asking.';
create or replace trigger breakers_touch before update on sync.breakers
  for each row execute function sync.touch();

-- Every account has its bucket and its breaker from the start, so that taking from them is a plain update.
create or replace function sync.give_budget()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into sync.rate_buckets (integration_id, minute_tokens, hour_tokens)
  values (new.id, new.rate_per_minute, new.rate_per_hour);
  insert into sync.breakers (integration_id) values (new.id);
  return null;
end
$$;
revoke execute on function sync.give_budget from public;
create or replace trigger integrations_have_a_budget after insert on public.integrations
  for each row execute function sync.give_budget();

alter table sync.rate_buckets enable row level security;
alter table sync.breakers enable row level security;
