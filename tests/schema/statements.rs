//! Statements and migrations as texts: they prepare, they apply again.

use super::{ANA, BOB, Schema, connect, root, state, statement};
use serde_json::json;
use std::path::{Path, PathBuf};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
    found.sort();
}

/// The statements that the store runs as a user.
fn as_user() -> String {
    let mut sources = Vec::new();
    files(&root().join("functions/_shared/store/src"), &mut sources);
    sources.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[tokio::test]
async fn every_statement_prepares_as_the_role_that_runs_it() {
    let schema = Schema::fresh().await;
    let users = connect(&schema.db.url()).await;
    users.batch_execute("set role authenticated").await.unwrap();
    let (sql, store) = (root().join("sql"), as_user());
    let mut paths = Vec::new();
    files(&sql, &mut paths);
    assert!(!paths.is_empty());

    let mut wrong = Vec::new();
    for path in paths {
        let name = path.strip_prefix(&sql).unwrap().with_extension("").display().to_string();
        let client =
            if store.contains(&format!("user_sql!(\"{name}\")")) { &users } else { &schema.functions };
        match client.prepare(&statement(&name)).await {
            Ok(prepared) if prepared.params().len() == 1 && prepared.columns().len() == 1 => {}
            Ok(_) => wrong.push(format!("{name}: one parameter, one column")),
            Err(error) => wrong.push(format!("{name}: {error:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn the_migrations_apply_again_without_harm() {
    let (schema, _) = Schema::with_items(&["1"]).await;
    let owner = connect(&schema.db.url()).await;
    owner.batch_execute("set role postgres").await.unwrap();
    let mut paths = Vec::new();
    files(&root().join("supabase/migrations"), &mut paths);

    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        owner.batch_execute(&text).await.unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
    }

    assert_eq!(schema.db.count("select count(*) from public.sync_list").await, 1);
    assert_eq!(schema.call_as(ANA, "sync_list/choose", json!({})).await.unwrap()["missing"], json!([]));
}

#[tokio::test]
async fn as_user_is_the_user_inside_and_the_functions_again_afterwards() {
    let schema = Schema::fresh().await;
    let claims = json!({"sub": BOB, "role": "authenticated"}).to_string();
    let inside = "select json_build_object('role', current_user, 'uid', auth.uid(), 'given', $1)::text";

    let row = schema
        .functions
        .query_one("select sync.as_user($1, $2, $3)", &[&claims, &inside, &"1.10"])
        .await
        .unwrap();
    let after = "select current_user::text, current_setting('request.jwt.claims', true)";
    let after = schema.functions.query_one(after, &[]).await.unwrap();

    let inside: serde_json::Value = serde_json::from_str(row.get(0)).unwrap();
    assert_eq!(inside, json!({"role": "authenticated", "uid": BOB, "given": "1.10"}));
    assert_eq!(after.get::<_, &str>(0), "sync_functions");
    assert_eq!(after.get::<_, Option<&str>>(1).unwrap_or_default(), "");
}

#[tokio::test]
async fn as_user_takes_the_claims_of_users_only_and_an_answer_of_one_row_only() {
    let schema = Schema::fresh().await;
    let ask = async |claims: serde_json::Value, inside: &str| {
        let claims = claims.to_string();
        let asked =
            schema.functions.query_one("select sync.as_user($1, $2, $3)", &[&claims, &inside, &"{}"]).await;
        asked.map(|row| json!(row.get::<_, String>(0)))
    };
    let user = json!({"sub": ANA, "role": "authenticated"});

    assert_eq!(state(ask(json!({"sub": ANA, "role": "service_role"}), "select $1").await), "PT403");
    assert_eq!(state(ask(json!({"role": "authenticated"}), "select $1").await), "PT403");
    assert_eq!(state(ask(user.clone(), "select $1 from generate_series(1, 2)").await), "P0003");
    assert_eq!(state(ask(user, "select $1 from sync.credentials").await), "42501");
}
