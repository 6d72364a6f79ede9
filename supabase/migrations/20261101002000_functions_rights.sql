-- What the functions themselves may do, when no user asks: all of it in this one place.
--
-- `sync_functions` bypasses nothing. Row level security is on everywhere, and these policies let it through where the
-- system works. It cannot read `auth`, `vault` or any other schema.

grant select on public.integrations to sync_functions;
grant update (status, last_test_at, last_test_result) on public.integrations to sync_functions;
grant select on public.sync_configs, public.sync_config_versions to sync_functions;
grant update (last_due_at) on public.sync_configs to sync_functions;
grant select on public.sync_list to sync_functions;
grant update (target_id, last_synced_at, last_sync_status, error_message, last_checked_at, metadata)
  on public.sync_list to sync_functions;
grant select, insert, update on public.sync_runs to sync_functions;
grant select, insert on public.sync_events to sync_functions;
grant select, insert, update on public.data_sync_conflicts to sync_functions;
grant select, insert, update on public.sync_issues to sync_functions;
grant select on public.sync_audit to sync_functions;

grant select, insert, update on sync.run_work, sync.leases, sync.cursors, sync.credentials, sync.sync_queue,
  sync.queue_groups, sync.rate_buckets, sync.breakers to sync_functions;
grant select, insert on sync.credential_uses to sync_functions;
grant select, insert, update, delete on sync.sync_links, sync.intents, sync.idempotency_keys to sync_functions;

grant execute on function sync.as_user, sync.refuse, sync.audit, sync.run_verdict, sync.my_organizations,
  sync.sync_description, sync.known_items, sync.make_partitions, sync.prune, sync.audit_break, sync.audit_hash to sync_functions;
grant execute on function sync.refuse to authenticated;

do $$
declare
  wanted record;
begin
  for wanted in
    select t.schemaname, t.tablename from pg_catalog.pg_tables as t
    where (t.schemaname, t.tablename) in (
      ('public', 'integrations'), ('public', 'sync_configs'), ('public', 'sync_config_versions'),
      ('public', 'sync_list'), ('public', 'sync_runs'), ('public', 'sync_events'),
      ('public', 'data_sync_conflicts'), ('public', 'sync_issues'), ('public', 'sync_audit'),
      ('sync', 'run_work'), ('sync', 'leases'), ('sync', 'cursors'), ('sync', 'credentials'),
      ('sync', 'credential_uses'), ('sync', 'sync_queue'), ('sync', 'queue_groups'), ('sync', 'rate_buckets'),
      ('sync', 'breakers'), ('sync', 'sync_links'), ('sync', 'intents'), ('sync', 'idempotency_keys'))
  loop
    execute format('drop policy if exists "The functions do the system''s work" on %I.%I',
      wanted.schemaname, wanted.tablename);
    execute format('create policy "The functions do the system''s work" on %I.%I for all to sync_functions '
      'using (true) with check (true)', wanted.schemaname, wanted.tablename);
  end loop;
end
$$;
