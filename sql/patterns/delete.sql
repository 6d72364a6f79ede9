-- Deletes a pattern of the caller.
-- Called by patterns, as the user.
--   in  {id}
--   out {deleted}                                                     false: there is none, or it is not theirs
with deleted as (
  delete from public.saved_search_patterns as p where p.id = ($1::text::jsonb ->> 'id')::uuid returning p.id
)
select json_build_object('deleted', exists (select from deleted))::text;
