-- Saved search patterns: filters worth keeping, to find the same kind of items again.

create table if not exists public.saved_search_patterns (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
  name text not null,
  description text,
  direction text not null,
  filter_config jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),

  constraint patterns_are_named check (name <> '' and length(name) <= 200),
  constraint pattern_names_are_unique unique (user_id, name),
  constraint pattern_direction_is_known
    check (direction in ('netsuite-to-shopify', 'shopify-to-netsuite', 'bidirectional')),
  constraint pattern_filter_is_an_object check (jsonb_typeof(filter_config) = 'object')
);
comment on table public.saved_search_patterns is 'Filters that a user keeps for later.';
-- Serves the list, newest first.
create index if not exists saved_search_patterns_of_a_user on public.saved_search_patterns (user_id, created_at, id);

create or replace trigger saved_search_patterns_touch before update on public.saved_search_patterns
  for each row execute function sync.touch();

alter table public.saved_search_patterns enable row level security;
grant select, delete on public.saved_search_patterns to authenticated;
grant insert (id, user_id, name, description, direction, filter_config) on public.saved_search_patterns to authenticated;
grant update (name, description, direction, filter_config) on public.saved_search_patterns to authenticated;

drop policy if exists "Users see their own patterns" on public.saved_search_patterns;
create policy "Users see their own patterns" on public.saved_search_patterns for select to authenticated
  using (user_id = (select auth.uid()));
drop policy if exists "Users add their own patterns" on public.saved_search_patterns;
create policy "Users add their own patterns" on public.saved_search_patterns for insert to authenticated
  with check (user_id = (select auth.uid()));
drop policy if exists "Users change their own patterns" on public.saved_search_patterns;
create policy "Users change their own patterns" on public.saved_search_patterns for update to authenticated
  using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
drop policy if exists "Users delete their own patterns" on public.saved_search_patterns;
create policy "Users delete their own patterns" on public.saved_search_patterns for delete to authenticated
  using (user_id = (select auth.uid()));
