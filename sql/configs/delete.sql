-- Deletes a sync with its links and cursors; its runs stay in the ledger. Nothing changes on the platforms. A sync that
-- items of the list belong to is refused.
-- Called by sync-configs, as the user.
--   in  {id}
--   out {deleted}                                                     false: there is none, or it is not theirs
with deleted as (
  delete from public.sync_configs as c where c.id = ($1::text::jsonb ->> 'id')::uuid returning c.id
)
select json_build_object('deleted', exists (select from deleted))::text;
