//! The database: what migrations and statements promise, whoever asks.
//!
//! Each test has a database of its own and talks to it as the functions do: with the texts of `sql/`, as the role
//! `sync_functions`, or as a user through `sync.as_user`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod alerts;
mod catalogue;
mod n8n;
mod pages;
mod queue;
mod rights;
mod runs;
mod sharing;
mod statements;
mod tables;
mod tokens;
mod views;

use crate::world::{Database, root};
use serde_json::{Value, json};
use tokio_postgres::{Client, Error, NoTls};

/// Two users who know nothing of each other.
const ANA: &str = "00000000-0000-4000-8000-00000000000a";
const BOB: &str = "00000000-0000-4000-8000-00000000000b";
/// Ana's accounts.
const SHOP: &str = "10000000-0000-4000-8000-000000000001";
const BOOKS: &str = "10000000-0000-4000-8000-000000000002";

/// A database with Ana and Bob in it, and a connection of the functions.
struct Schema {
    db: Database,
    functions: Client,
}

impl Schema {
    async fn fresh() -> Self {
        let db = Database::fresh().await;
        db.run(&format!(
            "insert into auth.users (id, email) values ('{ANA}', 'ana@test'), ('{BOB}', 'bob@test')"
        ))
        .await;
        let functions = connect(&db.functions_url()).await;
        Self { db, functions }
    }

    /// The same, and Ana has a shop, books, and these items on her list.
    async fn with_items(sources: &[&str]) -> (Self, Vec<Value>) {
        let schema = Self::fresh().await;
        for (id, name, platform) in [(SHOP, "shop", "shopify"), (BOOKS, "books", "netsuite")] {
            let account = json!({"id": id, "name": name, "platform": platform, "base_url": "https://x.test",
                "credential_kind": "access_token", "sealed": "v1.k.n.c"});
            schema.call_as(ANA, "integrations/create", account).await.unwrap();
        }
        let mut ids = Vec::new();
        // One by one: runs take items in the order in which they came to the list.
        for source in sources {
            let item = json!({"item_type": "product", "source_platform": "netsuite", "target_platform": "shopify",
                "source_id": source});
            let added = schema.call_as(ANA, "sync_list/add", json!({"items": [item]})).await.unwrap();
            ids.push(added["added"][0].clone());
        }
        (schema, ids)
    }

    /// Runs a statement of `sql/` as the functions.
    async fn try_call(&self, path: &str, input: Value) -> Result<Value, Error> {
        run(&self.functions, path, input).await
    }

    async fn call(&self, path: &str, input: Value) -> Value {
        self.try_call(path, input).await.unwrap_or_else(|error| panic!("{path}: {error:?}"))
    }

    /// Runs a statement of `sql/` as a user.
    async fn call_as(&self, user: &str, path: &str, input: Value) -> Result<Value, Error> {
        let claims = json!({"sub": user, "role": "authenticated"}).to_string();
        let row = self
            .functions
            .query_one("select sync.as_user($1, $2, $3)", &[&claims, &statement(path), &input.to_string()])
            .await?;
        Ok(serde_json::from_str(row.get::<_, &str>(0)).unwrap())
    }

    /// Opens a run for these items and answers what was opened.
    async fn open(&self, items: &[Value]) -> Value {
        self.call("runs/open", opening(items)).await
    }
}

fn opening(items: &[Value]) -> Value {
    json!({"user_id": ANA, "sync_type": "manual", "mode": null, "item_ids": items, "parent_run_id": null,
        "lease_seconds": 60})
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn run(client: &Client, path: &str, input: Value) -> Result<Value, Error> {
    let row = client.query_one(&statement(path), &[&input.to_string()]).await?;
    Ok(serde_json::from_str(row.get::<_, &str>(0)).unwrap())
}

/// The text of `sql/<path>.sql`.
fn statement(path: &str) -> String {
    let file = root().join("sql").join(format!("{path}.sql"));
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The SQLSTATE of what must have failed.
fn state(result: Result<Value, Error>) -> String {
    result.unwrap_err().code().map(|code| code.code().to_owned()).unwrap_or_default()
}
