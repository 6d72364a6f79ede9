-- Says how jobs ended, and takes the next ones: due, at most one of each group, urgent ones first, fair over owners.
-- Called by queue-drain, and by data-sync for one owner.
--   in  {finished: [{id, fence, end, error?, delay_ms?, run_id?}], limit, owner?}  end: done, retry or dead; limit at most 20
--   out {jobs: [{id, fence, kind, ...}], lost: [ids]}             lost: their lease ran out, somebody else has them
-- `retry` becomes `dead` once no attempts are left. A job whose worker died on its last attempt dies here as well.
-- `offset 0`: or the planner would read the whole text once for each field.
with recursive input as materialized (
  select j -> 'finished' as finished, least(greatest((j ->> 'limit')::integer, 0), 20) as size, gen_random_uuid() as start,
    (j ->> 'owner')::uuid as owner
  from (select $1::text::jsonb as j offset 0) as given
),
told as materialized (
  select distinct on (t.id) t.*, case
      when t."end" <> 'retry' then t."end"
      -- One like it waits already, and will do what is left.
      when exists (select from sync.sync_queue as w
                   where w.dedupe_key = q.dedupe_key and w.state in ('pending', 'retry')) then 'done'
      when q.attempts >= q.max_attempts then 'dead' else 'retry' end as word
  from input
  cross join jsonb_to_recordset(input.finished)
    as t (id uuid, fence bigint, "end" text, error text, delay_ms bigint, run_id uuid)
  join sync.sync_queue as q on q.id = t.id
),
ended as (
  update sync.sync_queue as q
  set state = told.word, last_error = coalesce(told.error, q.last_error), run_id = coalesce(told.run_id, q.run_id),
      due_at = now() + make_interval(secs => coalesce(told.delay_ms, 0) / 1000.0),
      finished_at = case told.word when 'retry' then null else now() end
  from told
  where q.id = told.id and q.fence = told.fence and q.state = 'leased'
  returning q.id, q.group_key
),
-- The owners of live jobs, one step in the index each. They begin anywhere and go once around (round 2 has the rest),
-- so that with more than 64 of them each has its turn.
owners (id, round, n) as (
  select input.start, 1, 0 from input
  union all
  select coalesce(next.id, '00000000-0000-0000-0000-000000000000'), case when next.id is null then 2 else owners.round end,
    owners.n + 1
  from owners, input,
    lateral (select (
      select q.user_id from sync.sync_queue as q
      where q.state in ('pending', 'retry', 'leased') and q.user_id > owners.id
        and (owners.round = 1 or q.user_id <= input.start)
      order by q.user_id limit 1) as id) as next
  where owners.n < 66 and (next.id is not null or owners.round = 1)
),
candidates as materialized (
  select job.*, owners.id as owner
  from (
    select distinct owners.id from owners, input where input.owner is null
    union
    select input.owner from input where input.owner is not null
  ) as owners, lateral (
    select q.id, q.group_key, q.priority, q.due_at
    from sync.sync_queue as q
    where q.user_id = owners.id and q.state in ('pending', 'retry', 'leased') and q.due_at <= now()
      and not exists (select from ended where ended.id = q.id)
      and exists (select from sync.queue_groups as g where g.group_key = q.group_key
        and (g.busy_until <= now() or g.group_key in (select ended.group_key from ended)))
    order by q.priority, q.due_at, q.id
    limit 64
  ) as job
),
firsts as (
  select one.*, row_number() over (partition by one.owner, one.priority order by one.due_at, one.id) as turn
  from (select distinct on (group_key) * from candidates order by group_key, priority, due_at, id) as one
),
locked as materialized (
  select g.group_key, firsts.id
  from firsts join sync.queue_groups as g on g.group_key = firsts.group_key
  where g.busy_until <= now() or g.group_key in (select ended.group_key from ended)
  order by firsts.priority, firsts.turn, firsts.due_at, firsts.id
  limit 20
  for update of g skip locked
),
taken as (
  update sync.sync_queue as q
  set state = case when q.state = 'leased' and q.attempts >= q.max_attempts then 'dead' else 'leased' end,
      finished_at = case when q.state = 'leased' and q.attempts >= q.max_attempts then now() end,
      last_error = case when q.state = 'leased' then coalesce(q.last_error, 'The worker died.') else q.last_error end,
      attempts = q.attempts + 1, fence = q.fence + 1, due_at = now() + interval '60 seconds'
  from (select locked.*, row_number() over () as place from locked) as chosen, input
  where q.id = chosen.id and chosen.place <= input.size
    and q.state in ('pending', 'retry', 'leased') and q.due_at <= now()
  returning q.*
),
marked as (
  update sync.queue_groups as g
  set busy_until = case when changed.leased then now() + interval '60 seconds' else '-infinity' end,
      fence = g.fence + case when changed.leased then 1 else 0 end, used_at = now()
  from (
    select every.group_key, bool_or(every.leased) as leased
    from (select group_key, false as leased from ended
          union all select group_key, state = 'leased' from taken) as every
    group by every.group_key
  ) as changed
  where g.group_key = changed.group_key
)
select json_build_object(
  'jobs', (select coalesce(json_agg(json_build_object('id', id, 'fence', fence, 'kind', kind, 'user_id', user_id,
      'org_id', org_id, 'config_id', config_id, 'payload', payload, 'priority', priority, 'attempts', attempts,
      'max_attempts', max_attempts) order by priority, created_at, id), '[]')
    from taken where state = 'leased'),
  'lost', (select coalesce(json_agg(told.id), '[]') from told where not exists (select from ended where ended.id = told.id))
)::text;
