-- A listing is read to its end before its cursor moves, and no further than the source's time when it began: what changes behind a
-- page that was read already is in the next one. `seen_at` and `seen_id` are where the last listing came to.
alter table sync.cursors add column if not exists begun_at timestamptz;
alter table sync.cursors add column if not exists high_at timestamptz;
alter table sync.cursors add column if not exists high_id text;
comment on column sync.cursors.begun_at is 'Inside a listing: the source''s own time when it began.';
comment on column sync.cursors.high_at is 'Inside a listing: the greatest time that it has shown, and in high_id the id that had it.';
comment on column sync.cursors.page is 'Inside a listing: the platform''s token for its next page.';

-- A listing that is under way begins again: until now, its cursor moved with each page.
do $$
begin
  if exists (select from information_schema.columns where table_schema = 'sync' and table_name = 'cursors' and column_name = 'since') then
    update sync.cursors set seen_at = since + interval '2 minutes', seen_id = null, page = null where page is not null;
    alter table sync.cursors drop column since;
  end if;
end
$$;
