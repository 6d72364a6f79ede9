-- Ignores issues, or opens ignored ones again: all that are named or none.
-- Called by issue-retry, as the user: row level security says which are theirs to mark.
--   in  {ids, status}                                                                              open or ignored
--   out {marked: [ids]}                                                                 none: one of them is not to be seen
with input as materialized (
  select array(select distinct one.id::uuid from jsonb_array_elements_text(j -> 'ids') as one (id)) as ids, j ->> 'status' as status
  from (select $1::text::jsonb as j) as given
),
marked as (
  update public.sync_issues as s
  set status = input.status
  from input
  where s.id = any (input.ids)
    and (select count(*) from public.sync_issues as seen where seen.id = any (input.ids)) = cardinality(input.ids)
  returning s.id
)
select json_build_object('marked', (select coalesce(json_agg(marked.id), '[]') from marked))::text;
