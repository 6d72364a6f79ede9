//! What the fault plan does to requests, and what the journal keeps of it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod support;

use std::time::{Duration, Instant};

use platforms::{Fault, Matcher, Platforms, ShopifyHandle, Verb};
use serde_json::json;
use support::{graphql_uri, netsuite, send};

const SET: &str = "mutation($input: ProductSetInput!) { productSet(input: $input) { product { id } userErrors { message } } }";

async fn create(shop: &ShopifyHandle, title: &str) -> anyhow::Result<support::Answer> {
    let body = json!({ "query": SET, "variables": { "input": { "title": title } } }).to_string();
    let headers = [("content-type", "application/json"), ("x-shopify-access-token", &shop.token())];
    send("POST", &graphql_uri(shop), &headers, &body).await
}

#[tokio::test]
async fn a_reply_cut_after_the_commit_leaves_the_record_and_a_trace() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let shop = platforms.shopify("demo");
    shop.faults().next(Fault::DropAfterCommit);
    shop.faults().next(Fault::DropBefore);
    assert!(create(&shop, "One").await.is_err());
    assert!(create(&shop, "Two").await.is_err());
    assert_eq!(create(&shop, "Three").await?.status, 200);
    assert_eq!((shop.product_count(), shop.requests(), shop.writes()), (2, 3, 2));
    let journal = shop.journal();
    assert_eq!((journal[0].status, journal[0].effects[0].verb), (200, Verb::Created));
    assert_eq!(journal[0].faults, ["drop_after_commit"]);
    assert_eq!((journal[1].status, journal[1].effects.len()), (0, 0));
    assert!(journal[2].body.contains("Three"));
    assert_eq!(shop.creates_per_key()["product handle one"], 1);
    Ok(())
}

#[tokio::test]
async fn answers_are_replaced_cut_broken_and_slowed() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let shop = platforms.shopify("demo");
    shop.faults().next(Fault::too_many(7));
    let limited = create(&shop, "A").await?;
    assert_eq!((limited.status, limited.header("retry-after")), (429, "7"));
    shop.faults().next(Fault::Html(200));
    assert!(create(&shop, "A").await?.text.contains("<html>"));
    shop.faults().next(Fault::status(503));
    assert_eq!(create(&shop, "A").await?.status, 503);
    assert_eq!(shop.product_count(), 0);
    shop.faults().next(Fault::Truncate);
    assert!(create(&shop, "A").await.is_err());
    shop.faults().next(Fault::BadJson);
    assert!(create(&shop, "B").await?.json().is_null());
    assert_eq!(shop.product_count(), 2);
    shop.faults().next(Fault::Latency(Duration::from_millis(120)));
    let start = Instant::now();
    create(&shop, "C").await?;
    assert!(start.elapsed() >= Duration::from_millis(120));
    shop.faults().next(Fault::Drip(Duration::from_millis(1)));
    let start = Instant::now();
    let slow = create(&shop, "D").await?;
    assert!(slow.json()["data"].is_object() && start.elapsed() >= Duration::from_millis(100));
    Ok(())
}

#[tokio::test]
async fn rules_match_requests_and_chance_repeats_with_the_seed() -> anyhow::Result<()> {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let platforms = Platforms::start(9)?;
        let shop = platforms.shopify("demo");
        shop.faults().chance(0.5, Fault::status(500));
        let mut statuses = Vec::new();
        for at in 0..12 {
            statuses.push(create(&shop, &format!("P{at}")).await?.status);
        }
        runs.push(statuses);
        shop.faults().clear();
        shop.faults().on(Matcher::any().method("post").body("Special").after(1).times(1), Fault::status(418));
        assert_eq!(create(&shop, "Special").await?.status, 200);
        assert_eq!(create(&shop, "Plain").await?.status, 200);
        assert_eq!(create(&shop, "Special").await?.status, 418);
        assert_eq!(create(&shop, "Special").await?.status, 200);
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].contains(&500) && runs[0].contains(&200));
    Ok(())
}

#[tokio::test]
async fn chosen_items_of_a_batch_are_refused() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let books = platforms.netsuite("1234567");
    let items: Vec<_> =
        (0..4).map(|at| json!({ "itemId": format!("I{at}"), "externalId": format!("I{at}") })).collect();
    books.faults().next(Fault::PartialBatch(vec![1, 3]));
    let headers = [
        ("content-type", "application/vnd.oracle.resource+json; type=collection"),
        ("prefer", "respond-async"),
    ];
    let taken = netsuite(
        &books,
        "PUT",
        "/services/rest/record/v1/inventoryItem",
        &headers,
        json!({ "items": items }),
    )
    .await?;
    assert_eq!(taken.status, 202);
    assert_eq!(books.product_count(), 2);
    assert_eq!(books.journal().last().unwrap().effects.len(), 2);
    Ok(())
}

#[tokio::test]
async fn accounts_nobody_mentioned_do_not_exist() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let uri = format!("{}/shopify/other/admin/api/2026-10/graphql.json", platforms.address());
    assert_eq!(send("POST", &uri, &[], "{}").await?.status, 404);
    let shop = platforms.shopify("demo");
    assert!(shop.address().starts_with(&platforms.address()));
    platforms.stop();
    assert!(send("POST", &uri, &[], "{}").await.is_err());
    Ok(())
}
