-- Links, intents and cursors: the memory of a sync.

-- This source record and that target record are the same thing, and so they looked when they last agreed.
create table if not exists sync.sync_links (
  config_id uuid not null references public.sync_configs (id) on delete cascade,
  source_id text not null,
  target_id text not null,
  source_version text,
  source_hash text,
  target_version text,
  -- The mapped view of the source, and what the target really held. `json` keeps every digit and every escape.
  base_source json not null,
  base_target json not null,
  -- How often each side answered the other's change at once: an artificial ping-pong shows here.
  hops integer not null default 0,
  linked_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),

  constraint sources_are_linked_once primary key (config_id, source_id),
  constraint targets_are_linked_once unique (config_id, target_id)
);
comment on table sync.sync_links is 'Which records are the same thing, and how they looked when they last agreed.';

-- A person says that an item has another target, or none any more: what was remembered of the old one goes. The
-- functions keep both in step themselves.
create or replace function sync.forget_link()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  delete from sync.sync_links as l
  where l.config_id = new.config_id and l.source_id = new.source_id and l.target_id is distinct from new.target_id;
  return null;
end
$$;
revoke execute on function sync.forget_link from public;
create or replace trigger sync_list_forget_link after update of target_id on public.sync_list
  for each row when (old.target_id is distinct from new.target_id and current_user <> 'sync_functions')
  execute function sync.forget_link();

-- That a record is about to be created, written down before it is: so a crash after the platform's commit is found
-- again by its external key, and nothing is created twice.
create table if not exists sync.intents (
  config_id uuid not null references public.sync_configs (id) on delete cascade,
  source_id text not null,
  external_key text not null,
  idempotency_key text not null,
  run_id uuid not null,
  created_at timestamptz not null default now(),

  constraint intents_are_one_per_record primary key (config_id, source_id)
);
comment on table sync.intents is 'Records that are about to be created.';

-- Where the listing of what changed stands. It moves in the statement that stores the page's results.
create table if not exists sync.cursors (
  config_id uuid primary key references public.sync_configs (id) on delete cascade,
  -- The greatest time of the source itself, and the id that had it.
  seen_at timestamptz,
  seen_id text,
  -- Inside a listing: where its window begins, and the platform's page token.
  since timestamptz,
  page text,
  updated_at timestamptz not null default now()
);
comment on table sync.cursors is 'Where the listing of what changed stands, per sync.';

alter table sync.sync_links enable row level security;
alter table sync.intents enable row level security;
alter table sync.cursors enable row level security;
