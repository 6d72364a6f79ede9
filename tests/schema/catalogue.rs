//! What must hold for every table, function and policy there is: asked of the catalogue, so that new ones are asked too.

use super::Schema;

/// The rows of a query that looks for what breaks a rule.
async fn none(rule: &str, query: &str) {
    let schema = Schema::fresh().await;
    let found = schema
        .db
        .text(&format!("select coalesce(string_agg(x, ', ' order by x), '') from ({query}) as q (x)"))
        .await;
    assert!(found.is_empty(), "{rule}: {found}");
}

#[tokio::test]
async fn every_table_has_row_level_security() {
    none(
        "no row level security",
        "select c.oid::regclass::text from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
         where n.nspname in ('public', 'sync') and c.relkind in ('r', 'p') and not c.relrowsecurity",
    )
    .await;
}

#[tokio::test]
async fn every_function_looks_into_no_schema_by_itself_and_serves_nobody_by_default() {
    none(
        "no search_path",
        "select p.oid::regprocedure::text from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
         where n.nspname in ('public', 'sync') and p.prolang <> (select oid from pg_language where lanname = 'c')
           and not coalesce(p.proconfig @> array['search_path=\"\"'], false)",
    )
    .await;
    none(
        "anybody may execute it",
        "select p.oid::regprocedure::text from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
         where n.nspname = 'sync' and has_function_privilege('anon', p.oid, 'execute')",
    )
    .await;
}

#[tokio::test]
async fn every_foreign_key_begins_an_index() {
    none(
        "not indexed",
        "select k.conrelid::regclass || '.' || k.conname from pg_constraint as k join pg_namespace as n on n.oid = k.connamespace
         where k.contype = 'f' and n.nspname in ('public', 'sync') and not exists (
           select from pg_index as i where i.indrelid = k.conrelid and i.indpred is null
             and (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey)",
    )
    .await;
}

#[tokio::test]
async fn every_policy_asks_once_who_the_caller_is_and_is_a_sentence() {
    none(
        "asks for every row",
        "select p.tablename || ': ' || p.policyname from pg_policies as p
         where p.schemaname in ('public', 'sync')
           and regexp_replace(coalesce(p.qual, '') || coalesce(p.with_check, ''),
             'SELECT (auth\\.uid\\(\\)|sync\\.my_organizations\\()', '', 'g') ~ '(auth\\.uid\\(|my_organizations\\()'",
    )
    .await;
    none(
        "is no sentence, or is for everybody",
        "select p.tablename || ': ' || p.policyname from pg_policies as p
         where p.schemaname in ('public', 'sync') and (p.policyname not like '% % %' or 'public' = any (p.roles))",
    )
    .await;
}

#[tokio::test]
async fn strangers_have_no_right_at_all_and_users_none_in_sync() {
    none(
        "anon may use it",
        "select c.oid::regclass::text from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
         where n.nspname in ('public', 'sync') and c.relkind in ('r', 'p', 'v')
           and (has_table_privilege('anon', c.oid, 'select, insert, update, delete, truncate, references, trigger')
             or has_any_column_privilege('anon', c.oid, 'select, insert, update'))",
    )
    .await;
    none(
        "users may use it",
        "select c.oid::regclass::text from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
         where n.nspname = 'sync' and c.relkind in ('r', 'p', 'v')
           and (has_table_privilege('authenticated', c.oid, 'select, insert, update, delete, truncate')
             or has_any_column_privilege('authenticated', c.oid, 'select, insert, update'))",
    )
    .await;
    none(
        "the functions may look into it",
        "select n.nspname::text from pg_namespace as n
         where n.nspname in ('auth', 'vault', 'net', 'cron', 'storage', 'realtime')
           and has_schema_privilege('sync_functions', n.oid, 'usage')",
    )
    .await;
}

#[tokio::test]
async fn the_state_of_an_item_is_not_for_its_owner_to_write() {
    none(
        "users may write it",
        "select a.attname::text from pg_attribute as a
         where a.attrelid = 'public.sync_list'::regclass and a.attnum > 0
           and a.attname in ('last_synced_at', 'last_sync_status', 'error_message', 'last_checked_at')
           and (has_column_privilege('authenticated', a.attrelid, a.attnum, 'insert')
             or has_column_privilege('authenticated', a.attrelid, a.attnum, 'update'))",
    )
    .await;
}

#[tokio::test]
async fn every_view_asks_as_its_reader() {
    none(
        "asks as its owner",
        "select c.oid::regclass::text from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
         where n.nspname = 'public' and c.relkind = 'v' and not coalesce(c.reloptions @> array['security_invoker=true'], false)",
    )
    .await;
}
