//! Searches, documents and what they cost.

use chrono::Duration;
use platforms::{Platforms, catalogue, product};
use serde_json::{Value, json};

use crate::input;
use crate::support::graphql;

const DELTA: &str = "query Delta($q: String, $after: String, $first: Int!) {
  products(first: $first, after: $after, query: $q, sortKey: UPDATED_AT) {
    nodes { id title handle updatedAt variants(first: 50) { nodes { id sku price inventoryItem { id tracked } } } }
    pageInfo { hasNextPage endCursor } } }";

#[tokio::test]
async fn a_delta_walks_all_products_once_in_order_of_change() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let shop = platforms.shopify("demo");
    shop.set_bucket(100_000.0, 1_000.0);
    shop.has_all(catalogue(1, 230));
    let (mut seen, mut after, mut last) = (Vec::new(), Value::Null, String::new());
    loop {
        let answer = graphql(
            &shop,
            DELTA,
            json!({ "q": "updated_at:>='2020-01-01T00:00:00Z'", "after": after, "first": 50 }),
        )
        .await?;
        let page = &answer["data"]["products"];
        for node in page["nodes"].as_array().unwrap() {
            let updated = node["updatedAt"].as_str().unwrap().to_owned();
            assert!(updated >= last);
            last = updated;
            seen.push(node["id"].as_str().unwrap().to_owned());
        }
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen.len(), 230);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 230);
    Ok(())
}

#[tokio::test]
async fn a_delta_finds_only_what_changed_since() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let shop = platforms.shopify("demo");
    platforms.clock().stop();
    shop.has(product("A"));
    shop.has(product("B"));
    platforms.clock().advance(Duration::seconds(10));
    let since = platforms.clock().now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    shop.edit("B", |it| it.title = "Changed".to_owned());
    let answer =
        graphql(&shop, DELTA, json!({ "q": format!("updated_at:>='{since}'"), "first": 10 })).await?;
    let nodes = answer["data"]["products"]["nodes"].as_array().unwrap().clone();
    assert_eq!(nodes.len(), 1);
    assert_eq!(nodes[0]["title"], "Changed");
    Ok(())
}

#[tokio::test]
async fn a_late_index_hides_changes_from_searches_but_not_from_reads_by_id() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let shop = platforms.shopify("demo");
    platforms.clock().stop();
    shop.set_index_delay(30);
    let id = shop.has(product("A"));
    let all = json!({ "q": "updated_at:>='2020-01-01T00:00:00Z'", "first": 10 });
    let answer = graphql(&shop, DELTA, all.clone()).await?;
    assert_eq!(answer["data"]["products"]["nodes"], json!([]));
    let read = graphql(&shop, "query($id: ID!) { product(id: $id) { id } }", json!({ "id": id })).await?;
    assert_eq!(read["data"]["product"]["id"], json!(id));
    platforms.clock().advance(Duration::seconds(31));
    let answer = graphql(&shop, DELTA, all).await?;
    assert_eq!(answer["data"]["products"]["nodes"].as_array().unwrap().len(), 1);
    Ok(())
}

#[tokio::test]
async fn unknown_fields_and_bad_documents_answer_200_with_errors_and_without_data() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let shop = platforms.shopify("demo");
    for query in [
        "{ shop { nonsense } }",
        "{ shop { name ",
        "query($id: ID!) { product(id: $id) { id } }",
        "mutation($v: [ProductVariantsBulkInput!]!) { productVariantsBulkUpdate(productId: \"gid://shopify/Product/1\", variants: $v) { userErrors { field nope } } }",
    ] {
        let answer = graphql(&shop, query, json!({})).await?;
        assert!(answer["errors"].is_array() && answer.get("data").is_none(), "{query}: {answer}");
    }
    let sku = json!({ "v": [{ "id": "gid://shopify/ProductVariant/1", "sku": "A" }] });
    let query = "mutation($v: [ProductVariantsBulkInput!]!) { productVariantsBulkUpdate(productId: \"gid://shopify/Product/1\", variants: $v) { userErrors { field } } }";
    assert!(graphql(&shop, query, sku).await?["errors"].is_array());
    let none = graphql(&shop, "{ products { nodes { id } } }", json!({})).await?;
    assert!(none["errors"][0]["message"].as_str().unwrap().contains("first or last"), "{none}");
    Ok(())
}

#[tokio::test]
async fn fragments_aliases_and_several_mutations_in_one_request_work() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let shop = platforms.shopify("demo");
    let id = shop.has(product("A").title("One").variant("SKU-1", "5"));
    let query = "query($ids: [ID!]!) { all: nodes(ids: $ids) { __typename ...P ... on Location { name } } } fragment P on Product { id name: title }";
    let answer = graphql(&shop, query, json!({ "ids": [id, "gid://shopify/Product/9"] })).await?;
    assert_eq!(answer["data"]["all"][0], json!({ "__typename": "Product", "id": id, "name": "One" }));
    assert_eq!(answer["data"]["all"][1], Value::Null);
    let two = "mutation($a: ProductSetInput!, $b: ProductSetInput!) {
      a: productSet(input: $a) { product { id } userErrors { message } } b: productSet(input: $b) { product { id } userErrors { message } } }";
    let variables = json!({ "a": input("A", "A", "1"), "b": input("", "B", "1") });
    let answer = graphql(&shop, two, variables).await?;
    assert!(answer["data"]["a"]["product"]["id"].is_string());
    assert_eq!(answer["data"]["b"]["product"], Value::Null);
    assert_eq!(answer["data"]["b"]["userErrors"].as_array().unwrap().len(), 1);
    Ok(())
}

#[tokio::test]
async fn an_sku_search_gives_neighbours_too() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let shop = platforms.shopify("demo");
    shop.has(product("A").variant("N-1", "1"));
    shop.has(product("B").variant("N-1-RED", "1"));
    shop.has(product("C").variant("M-1", "1"));
    let answer =
        graphql(&shop, "{ productVariants(first: 10, query: \"sku:'N-1'\") { nodes { sku } } }", json!({}))
            .await?;
    assert_eq!(answer["data"]["productVariants"]["nodes"].as_array().unwrap().len(), 2);
    Ok(())
}

#[tokio::test]
async fn costs_follow_the_published_rule_and_an_empty_bucket_throttles() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let shop = platforms.shopify("demo");
    platforms.clock().stop();
    let query = "query($id: ID!) { product(id: $id) { variants(first: 250) { nodes { inventoryItem { id tracked } } } } }";
    let answer = graphql(&shop, query, json!({ "id": "gid://shopify/Product/1" })).await?;
    assert_eq!(answer["extensions"]["cost"]["requestedQueryCost"], 25);
    assert_eq!(answer["extensions"]["cost"]["actualQueryCost"], 1);
    assert_eq!(answer["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"], 1_999);
    shop.drain_bucket();
    let throttled = graphql(&shop, query, json!({ "id": "gid://shopify/Product/1" })).await?;
    assert_eq!(throttled["errors"][0]["extensions"]["code"], "THROTTLED");
    assert_eq!(throttled["extensions"]["cost"]["actualQueryCost"], Value::Null);
    platforms.clock().advance(Duration::seconds(1));
    let restored = graphql(&shop, query, json!({ "id": "gid://shopify/Product/1" })).await?;
    assert!(restored.get("errors").is_none(), "{restored}");
    let dear = "{ products(first: 250) { nodes { variants(first: 250) { nodes { inventoryItem { inventoryLevels(first: 50) { nodes { location { id } quantities(names: [\"available\"]) { quantity } } } } } } } } }";
    let answer = graphql(&shop, dear, json!({})).await?;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "MAX_COST_EXCEEDED");
    Ok(())
}
