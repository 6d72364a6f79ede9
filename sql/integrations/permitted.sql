-- Whether a user may have an account's platform told what to send us: its owner, and operators of its organization.
-- Called by webhook-subscriptions, as the user.
--   in  {id}
--   out {permitted}                                            null: there is none, or they do not see it
with input as materialized (
  select ($1::text::jsonb ->> 'id')::uuid as id
)
select json_build_object('permitted', (
  select i.user_id = (select auth.uid())
    or coalesce(i.org_id = any ((select sync.my_organizations('operator'))::uuid[]), false)
  from input, public.integrations as i
  where i.id = input.id))::text;
