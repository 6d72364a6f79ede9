-- How the executions that a user may see went over a period, and over the one before it.
-- Called by execution-report, as the user.
--   in  {before, from, to, bucket: hour | day | week, workflow?, provider?, workflow_type?}   the earlier period: before to from
--   out {known, totals, previous: figures | null, series: [{start, figures}], workflow_count, workflows, failures, servers}
--   figures {executions, success, failure, cancelled, running, by_hand, success_rate, average_ms, p50_ms, p95_ms, p99_ms}
with input as materialized (
  select (j ->> 'before')::timestamptz as before_from, (j ->> 'from')::timestamptz as period_from,
    (j ->> 'to')::timestamptz as period_to, j ->> 'bucket' as bucket, (j ->> 'workflow')::uuid as workflow,
    j ->> 'provider' as provider, j ->> 'workflow_type' as workflow_type
  from (select $1::text::jsonb as j) as given
),
named as materialized (
  select w.registry_id from input, sync.workflow_of(input.workflow) as w
),
watched as materialized (
  select r.id, r.integration_id, r.workflow_id, r.workflow_name, r.provider, r.workflow_type
  from input, public.workflow_registry as r
  where (input.workflow is null or r.id in (select registry_id from named))
    and (input.provider is null or r.provider = input.provider)
    and (input.workflow_type is null or r.workflow_type = input.workflow_type)
),
-- Both periods are read in one go.
seen as materialized (
  select e.id, e.execution_id, e.registry_id, e.status, e.start_time, e.duration_ms, e.trigger_way, e.error_message, e.error_node,
    e.start_time >= input.period_from as is_now, date_trunc(input.bucket, e.start_time, 'UTC') as bucket
  from input, public.workflow_executions as e join watched on watched.id = e.registry_id
  where e.start_time >= input.before_from and e.start_time < input.period_to
),
-- The same figures of each period as a whole (level 3), of each bucket (1) and of each workflow (2).
counted as materialized (
  select is_now, bucket, registry_id, grouping(bucket, registry_id) as level, count(*) as executions,
    count(*) filter (where status = 'success') as success, count(*) filter (where status = 'failure') as failure,
    count(*) filter (where status = 'cancelled') as cancelled, count(*) filter (where status = 'running') as running,
    count(trigger_way) as by_hand, round(avg(duration_ms)) as average_ms,
    percentile_cont(array[0.5, 0.95, 0.99]) within group (order by duration_ms) as percentiles
  from seen
  group by grouping sets ((is_now), (is_now, bucket), (is_now, registry_id))
),
told as materialized (
  select is_now, bucket, registry_id, level, failure, rated.success_rate,
    json_build_object('executions', executions, 'success', success, 'failure', failure, 'cancelled', cancelled,
      'running', running, 'by_hand', by_hand, 'success_rate', rated.success_rate, 'average_ms', average_ms,
      'p50_ms', round(percentiles[1]::numeric), 'p95_ms', round(percentiles[2]::numeric),
      'p99_ms', round(percentiles[3]::numeric)) as figures
  from counted
  -- What was stopped or goes on is neither a success nor a failure.
  cross join lateral (select round(success::numeric / nullif(success + failure, 0), 4) as success_rate) as rated
),
-- The worst come first; those of which nothing has ended yet are no bad ones.
worst as materialized (
  select row_number() over (order by told.success_rate nulls last, told.failure desc, w.workflow_name, w.id) as place,
    w.id, w.integration_id, w.workflow_id, w.workflow_name, w.provider, w.workflow_type, told.figures
  from told join watched as w on w.id = told.registry_id
  where told.level = 2 and told.is_now
  order by place
  limit 100
),
-- A message without what differs from one failure to the next: ids, quoted names, numbers and white space.
failed as materialized (
  select id, execution_id, registry_id, start_time, error_node, error_message,
    left(trim(
      regexp_replace(
        regexp_replace(
          regexp_replace(
            regexp_replace(
              regexp_replace(error_message,
                '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', '<id>', 'gi'),
              -- An apostrophe within a word quotes nothing.
              '"[^"]*"|`[^`]*`|“[^”]*”|(?<!\w)''[^'']*''(?!\w)', '<text>', 'g'),
            -- Eight and more hexadecimal digits with both kinds among them: hashes, and the ids of clouds.
            '\m(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{8,}\M', '<id>', 'gi'),
          '[0-9]+([.,:][0-9]+)*', '<n>', 'g'),
        '\s+', ' ', 'g')), 300) as pattern
  from seen
  where is_now and status = 'failure'
),
patterns as materialized (
  select pattern, error_node, count(*) as failures, min(start_time) as first_at, max(start_time) as last_at,
    count(distinct registry_id) as workflow_count, (array_agg(id order by start_time desc, id))[1] as example
  from failed
  group by pattern, error_node
  order by failures desc, last_at desc, pattern, error_node
  limit 20
)
select json_build_object(
  'known', (select input.workflow is null or exists (select from named) from input),
  'totals', (select figures from told where level = 3 and is_now),
  'previous', (select figures from told where level = 3 and not is_now),
  -- Every bucket, also those in which nothing began. In UTC a day has 24 hours whatever the session's time zone.
  'series', (
    select coalesce(json_agg(json_build_object('start', every.start_at, 'figures', told.figures) order by every.start_at), '[]')
    from input, generate_series(date_trunc(input.bucket, input.period_from, 'UTC'),
        input.period_to - interval '1 microsecond',
        case input.bucket when 'hour' then interval '1 hour' when 'day' then interval '24 hours'
          else interval '168 hours' end) as every (start_at)
      left join told on told.level = 1 and told.is_now and told.bucket = every.start_at),
  'workflow_count', (select count(*) from told where level = 2 and is_now),
  'workflows', (
    select coalesce(json_agg(json_build_object('registry_id', worst.id, 'workflow_id', m.id,
      'integration_id', worst.integration_id, 'n8n_workflow_id', worst.workflow_id, 'workflow_name', worst.workflow_name,
      'provider', worst.provider, 'workflow_type', worst.workflow_type, 'figures', worst.figures) order by worst.place), '[]')
    from worst left join public.mvp_workflows as m
      on m.integration_id = worst.integration_id and m.n8n_workflow_id = worst.workflow_id),
  'failures', (
    select coalesce(json_agg(json_build_object('pattern', p.pattern, 'node', p.error_node, 'count', p.failures,
      'first_seen', p.first_at, 'last_seen', p.last_at, 'example_id', p.example, 'example_execution_id', x.execution_id::text,
      'example_message', x.error_message, 'workflow_count', p.workflow_count, 'workflows', concerned.list)
      order by p.failures desc, p.last_at desc, p.pattern, p.error_node), '[]')
    from patterns as p join failed as x on x.id = p.example
      cross join lateral (
        select json_agg(json_build_object('registry_id', w.id, 'workflow_name', w.workflow_name)
          order by w.workflow_name, w.id) as list
        from (
          select watched.id, watched.workflow_name from watched
          where watched.id in (select f.registry_id from failed as f
            where f.pattern is not distinct from p.pattern and f.error_node is not distinct from p.error_node)
          -- Enough to see who suffers; `workflow_count` says how many there are.
          order by watched.workflow_name, watched.id
          limit 20) as w) as concerned),
  'servers', (
    select coalesce(json_object_agg(s.integration_id, sync.n8n_freshness(s.integration_id)), '{}')
    from (select distinct integration_id from watched) as s))::text;
