-- Leases: who is at a thing, and until when we believe that. Times are the database's.
--
-- The fence counts up with every new holder. Whoever writes says which fence it holds: a holder that was only slow
-- finds it out of date, and writes nothing.

create table if not exists sync.leases (
  -- `config:<id>` for a sync.
  key text primary key,
  -- The run that holds it, or that waits to be continued; null when there is none.
  run_id uuid,
  -- The run above it, the one that people know it by.
  top_run_id uuid,
  -- Whose unfinished run the holder took over, if it did.
  previous_run_id uuid,
  fence bigint not null default 1,
  expires_at timestamptz not null,
  -- A run that was laid aside keeps its place until then, although anybody may continue it.
  reserved_until timestamptz not null default '-infinity',

  constraint fences_count_up check (fence >= 1)
);
comment on table sync.leases is 'Who is at work on what, and until when we believe that.';
alter table sync.leases enable row level security;
