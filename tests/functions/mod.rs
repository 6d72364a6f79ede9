//! Each function through its own component: what it takes, what it answers, what the tables hold then.

mod data_sync;
mod direct_tables;
mod execution_export;
mod execution_report;
mod health;
mod integration_test;
mod integrations;
mod item_search;
mod jobs;
mod metrics;
mod patterns;
mod queue;
mod scheduled_jobs;
mod scheduled_sync;
mod schedules;
mod sync_history;
mod sync_list;
mod sync_list_items;
mod webhook_jobs;
mod webhook_receive;

use crate::world::{Database, Reply, User};
use platforms::{Product, product};
use serde_json::Value;
use tokio_postgres::{Client, NoTls};

/// A small product; its key is its handle as well, and begins its SKU.
fn small(key: &str) -> Product {
    product(key).handle(key).variant(&format!("{key}-1"), "10.00")
}

/// These small products are in the user's shop, and on the list towards the ERP; answers the items' ids.
async fn listed(user: &User<'_>, keys: &[&str]) -> Vec<String> {
    let ids: Vec<String> = keys.iter().map(|key| user.shop().has(small(key))).collect();
    user.lists("product", &ids).await
}

/// Gives a record of the shop another title, a minute later by the platforms' clock.
fn retitle(user: &User<'_>, key: &str, title: &str) {
    user.world.platforms.clock().advance(chrono::TimeDelta::minutes(1));
    assert!(user.shop().edit(key, |product| title.clone_into(&mut product.title)), "the shop has {key}");
}

/// The title that the ERP has for a product, by its item name.
fn title_in_erp(user: &User<'_>, key: &str) -> Option<String> {
    user.erp().product(key).map(|item| item.title)
}

/// The names of an object's fields, in the order of the alphabet.
fn names(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// One field of every row, as texts.
fn column(rows: &Value, field: &str) -> Vec<String> {
    let text = |row: &Value| row[field].as_str().map_or_else(|| row[field].to_string(), ToOwned::to_owned);
    rows.as_array().unwrap_or_else(|| panic!("no rows: {rows}")).iter().map(text).collect()
}

/// A reply that refuses one field: where that field is.
fn wrong_field(reply: &Reply) -> String {
    let problem = reply.problem("invalid");
    assert_eq!(problem["status"], 422, "{problem}");
    problem["errors"][0]["pointer"].as_str().unwrap_or_default().to_owned()
}

/// Everything of a refusal that may differ from one function's to another's, but not from one id's to another's.
fn refusal(reply: &Reply) -> (u16, Value) {
    let mut body = reply.problem("not_found");
    for field in ["instance", "request_id"] {
        body.as_object_mut().unwrap().remove(field);
    }
    (reply.status, body)
}

/// A connection as superuser, for a test that keeps one.
async fn connected(db: &Database) -> Client {
    let (client, connection) = tokio_postgres::connect(&db.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
