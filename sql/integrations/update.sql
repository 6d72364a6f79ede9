-- Changes an account, and its secret where a new one is given. Another address needs the secret again.
-- Called by integrations, as the user; the definer function checks whose account it is.
--   in  {id, name?, base_url?, config?, credential_kind?, sealed?, status?, rate_per_minute?, rate_per_hour?, max_retries?}
--   out {id}                                                  null: there is none, or it is not theirs to change
select json_build_object('id', sync.integration_change(jsonb_strip_nulls($1::text::jsonb)))::text;
