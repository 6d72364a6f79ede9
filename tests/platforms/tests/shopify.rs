//! What the simulated shop is strict about.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod support;

use chrono::Duration;
use platforms::{Fault, Platforms, catalogue, orders, product, variant};
use serde_json::{Value, json};
use support::{graphql, graphql_uri, send};

const DELTA: &str = "query Delta($q: String, $after: String, $first: Int!) {
  products(first: $first, after: $after, query: $q, sortKey: UPDATED_AT) {
    nodes { id title handle updatedAt variants(first: 50) { nodes { id sku price inventoryItem { id tracked } } } }
    pageInfo { hasNextPage endCursor } } }";
const SET: &str = "mutation Set($identifier: ProductSetIdentifiers, $input: ProductSetInput!) {
  productSet(identifier: $identifier, input: $input, synchronous: true) {
    product { id title handle updatedAt tags variants(first: 10) { nodes { id sku price } } media(first: 5) { nodes { id alt ... on MediaImage { image { url } } } } }
    userErrors { field message code } } }";
const DEFINE: &str = "mutation Define($definition: MetafieldDefinitionInput!) {
  metafieldDefinitionCreate(definition: $definition) { createdDefinition { id } userErrors { code } } }";

fn input(title: &str, sku: &str, price: &str) -> Value {
    json!({
        "title": title,
        "productOptions": [{ "name": "Title", "values": [{ "name": "Default Title" }] }],
        "variants": [{ "sku": sku, "price": price, "optionValues": [{ "optionName": "Title", "name": "Default Title" }] }],
    })
}

fn key_definition() -> Value {
    json!({ "definition": {
        "namespace": "syncline", "key": "key", "name": "Key", "type": "id", "ownerType": "PRODUCT",
        "capabilities": { "uniqueValues": { "enabled": true } },
    } })
}

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
async fn a_product_set_by_custom_id_is_created_once_and_then_updated() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let shop = platforms.shopify("demo");
    let identifier = json!({ "customId": { "namespace": "syncline", "key": "key", "value": "N-1" } });
    let variables = json!({ "identifier": identifier, "input": input("  Chair ", "CH-1", "19.9") });
    let refused = graphql(&shop, SET, variables.clone()).await?;
    assert_eq!(refused["data"]["productSet"]["userErrors"].as_array().unwrap().len(), 1, "{refused}");
    let made = graphql(&shop, DEFINE, key_definition()).await?;
    assert!(made["data"]["metafieldDefinitionCreate"]["createdDefinition"]["id"].is_string(), "{made}");
    let again = graphql(&shop, DEFINE, key_definition()).await?;
    assert_eq!(again["data"]["metafieldDefinitionCreate"]["userErrors"][0]["code"], "TAKEN");
    let first = graphql(&shop, SET, variables.clone()).await?;
    let second = graphql(&shop, SET, variables).await?;
    let made = &first["data"]["productSet"]["product"];
    assert_eq!(made["title"], "Chair", "{first}");
    assert_eq!(made["handle"], "chair");
    assert_eq!(made["variants"]["nodes"][0]["price"], "19.90");
    assert_eq!(made, &second["data"]["productSet"]["product"]);
    assert_eq!(shop.product_count(), 1);
    assert_eq!(shop.creates_per_key()["product syncline.key N-1"], 1);
    assert_eq!(shop.metafield("CH-1", "syncline", "key").as_deref(), Some("N-1"));
    Ok(())
}

#[tokio::test]
async fn lists_that_are_given_become_the_whole_list() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let shop = platforms.shopify("demo");
    let wanted = product("A").option("Size", &["S", "M"]).image("https://x.example/1.jpg", "one");
    let id = shop.has(
        wanted
            .variant_with(variant("A-S", "1").option("Size", "S"))
            .variant_with(variant("A-M", "2").option("Size", "M")),
    );
    let options = json!([{ "name": "Size", "values": [{ "name": "M" }, { "name": "L" }] }]);
    let value = |name: &str| json!([{ "optionName": "Size", "name": name }]);
    let variants =
        json!([{ "optionValues": value("M"), "price": "3" }, { "optionValues": value("L"), "sku": "A-L" }]);
    let change = json!({ "identifier": { "id": id }, "input": { "productOptions": options, "variants": variants, "files": [] } });
    let answer = graphql(&shop, SET, change).await?;
    assert_eq!(answer["data"]["productSet"]["userErrors"], json!([]), "{answer}");
    let now = shop.product("A").unwrap();
    let skus: Vec<&str> = now.variants.iter().map(|it| it.sku.as_str()).collect();
    assert_eq!(skus, ["A-M", "A-L"]);
    assert_eq!(now.variant_of("A-M").unwrap().price, "3.00");
    assert!(now.images.is_empty());
    let missing = json!({ "identifier": { "id": id }, "input": { "variants": [] } });
    let answer = graphql(&shop, SET, missing).await?;
    assert_eq!(answer["data"]["productSet"]["userErrors"][0]["code"], "PRODUCT_OPTIONS_INPUT_MISSING");
    Ok(())
}

#[tokio::test]
async fn bad_data_is_named_in_user_errors() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let shop = platforms.shopify("demo");
    for bad in [input(" ", "A", "1"), input(&"x".repeat(256), "A", "1"), input("A", "A", "-1")] {
        let answer = graphql(&shop, SET, json!({ "input": bad })).await?;
        assert_eq!(answer["data"]["productSet"]["product"], Value::Null);
        assert!(!answer["data"]["productSet"]["userErrors"].as_array().unwrap().is_empty(), "{answer}");
    }
    let unknown = json!({ "identifier": { "id": "gid://shopify/Product/1" }, "input": input("A", "A", "1") });
    let answer = graphql(&shop, SET, unknown).await?;
    assert_eq!(answer["data"]["productSet"]["userErrors"][0]["code"], "PRODUCT_DOES_NOT_EXIST");
    assert_eq!(shop.writes(), 0);
    Ok(())
}

#[tokio::test]
async fn a_handle_made_from_the_title_is_made_unique() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let shop = platforms.shopify("demo");
    for (sku, handle) in [("A", "chair"), ("B", "chair-1"), ("C", "chair-2")] {
        let answer = graphql(&shop, SET, json!({ "input": input("Chair", sku, "1") })).await?;
        assert_eq!(answer["data"]["productSet"]["product"]["handle"], handle);
    }
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

#[tokio::test]
async fn tokens_end_and_scopes_are_checked() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let shop = platforms.shopify("demo");
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        shop.client_id(),
        shop.client_secret()
    );
    let form_type = [("content-type", "application/x-www-form-urlencoded")];
    let uri = format!("{}/admin/oauth/access_token", shop.address());
    let granted = send("POST", &uri, &form_type, &form).await?.json();
    assert_eq!(granted["expires_in"], 86_399);
    let token = granted["access_token"].as_str().unwrap().to_owned();
    let body = json!({ "query": "{ shop { name } }" }).to_string();
    let headers = [("content-type", "application/json"), ("x-shopify-access-token", token.as_str())];
    let answer = send("POST", &graphql_uri(&shop), &headers, &body).await?;
    assert_eq!((answer.status, answer.header("x-shopify-api-version")), (200, "2026-10"));
    platforms.clock().advance(Duration::hours(25));
    assert_eq!(send("POST", &graphql_uri(&shop), &headers, &body).await?.status, 401);
    assert_eq!(
        send("POST", &uri, &form_type, "grant_type=client_credentials&client_id=x").await?.status,
        400
    );
    shop.set_scopes(&["read_products"]);
    let denied = graphql(&shop, SET, json!({ "input": input("A", "A", "1") })).await?;
    assert_eq!(denied["errors"][0]["extensions"]["code"], "ACCESS_DENIED");
    assert_eq!(shop.product_count(), 0);
    let scopes = graphql(&shop, "{ currentAppInstallation { accessScopes { handle } } }", json!({})).await?;
    assert_eq!(
        scopes["data"]["currentAppInstallation"]["accessScopes"],
        json!([{ "handle": "read_products" }])
    );
    Ok(())
}

const QUANTITIES: &str = "mutation Q($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { createdAt reason changes { name delta } } userErrors { code field message } } }";

#[tokio::test]
async fn stock_is_compared_before_it_is_set_and_a_key_works_once() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let shop = platforms.shopify("demo");
    shop.has(product("A").variant("A-1", "1").stock("Berlin Warehouse", 5));
    let ids = graphql(&shop, "{ productVariants(first: 1) { nodes { inventoryItem { id inventoryLevels(first: 3) { nodes { location { id name } quantities(names: [\"available\"]) { quantity } } } } } } }", json!({})).await?;
    let item = &ids["data"]["productVariants"]["nodes"][0]["inventoryItem"];
    let level = &item["inventoryLevels"]["nodes"][0];
    assert_eq!(level["quantities"][0]["quantity"], 5, "{ids}");
    let variables = |from: i64, to: i64, key: &str| {
        let line = json!({ "inventoryItemId": item["id"], "locationId": level["location"]["id"], "quantity": to, "changeFromQuantity": from });
        json!({ "input": { "name": "available", "reason": "correction", "quantities": [line] }, "key": key })
    };
    let without = QUANTITIES.replace("@idempotent(key: $key)", "").replace(", $key: String!", "");
    let refused = graphql(&shop, &without, variables(5, 7, "k")).await?;
    assert!(refused["errors"][0]["message"].as_str().unwrap().contains("@idempotent"), "{refused}");
    let stale = graphql(&shop, QUANTITIES, variables(4, 7, "k1")).await?;
    assert_eq!(
        stale["data"]["inventorySetQuantities"]["userErrors"][0]["code"],
        "CHANGE_FROM_QUANTITY_STALE"
    );
    let set = graphql(&shop, QUANTITIES, variables(5, 7, "k2")).await?;
    assert_eq!(
        set["data"]["inventorySetQuantities"]["inventoryAdjustmentGroup"]["changes"][0]["delta"], 2,
        "{set}"
    );
    let again = graphql(&shop, QUANTITIES, variables(5, 7, "k2")).await?;
    assert_eq!(again["data"], set["data"]);
    let other = graphql(&shop, QUANTITIES, variables(7, 9, "k2")).await?;
    assert_eq!(
        other["data"]["inventorySetQuantities"]["userErrors"][0]["code"],
        "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
    );
    assert_eq!(shop.product("A").unwrap().variants[0].stock["Berlin Warehouse"], 7);
    Ok(())
}

#[tokio::test]
async fn orders_are_created_changed_and_listed() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let shop = platforms.shopify("demo");
    for order in orders(3, 5) {
        shop.has_order(&order);
    }
    let money = json!({ "shopMoney": { "amount": "9.9", "currencyCode": "EUR" } });
    let order = json!({ "name": "SO-1", "email": "a@example.com", "currency": "EUR", "lineItems": [{ "title": "Chair", "sku": "CH-1", "quantity": 2, "priceSet": money }] });
    let create = "mutation($order: OrderCreateOrderInput!) { orderCreate(order: $order) { order { id name totalPriceSet { shopMoney { amount } } } userErrors { field message code } } }";
    let made = graphql(&shop, create, json!({ "order": order })).await?;
    let made = &made["data"]["orderCreate"]["order"];
    assert_eq!(made["totalPriceSet"]["shopMoney"]["amount"], "19.80");
    let update = "mutation($input: OrderInput!) { orderUpdate(input: $input) { order { note } userErrors { message } } }";
    let changed = graphql(&shop, update, json!({ "input": { "id": made["id"], "note": " hello " } })).await?;
    assert_eq!(changed["data"]["orderUpdate"]["order"]["note"], "hello");
    let list = "{ orders(first: 10, sortKey: UPDATED_AT, query: \"updated_at:>='2020-01-01T00:00:00Z'\") { nodes { id lineItems(first: 5) { nodes { sku quantity originalUnitPriceSet { shopMoney { amount currencyCode } } } } shippingAddress { city countryCodeV2 } } } }";
    let listed = graphql(&shop, list, json!({})).await?;
    assert_eq!(listed["data"]["orders"]["nodes"].as_array().unwrap().len(), 6);
    assert_eq!(shop.order("SO-1").unwrap().lines[0].quantity, 2);
    Ok(())
}

#[tokio::test]
async fn webhooks_are_signed_and_the_plan_may_double_them() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let shop = platforms.shopify("demo");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let uri = format!("http://{}/hook", listener.local_addr()?);
    let (sender, mut received) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        while let Ok((mut stream, _)) = listener.accept().await {
            let sender = sender.clone();
            tokio::spawn(async move {
                let mut text = Vec::new();
                let mut buffer = [0; 16_384];
                while let Ok(length) = stream.read(&mut buffer).await {
                    if length == 0 {
                        break;
                    }
                    text.extend_from_slice(&buffer[..length]);
                    let request = String::from_utf8_lossy(&text).into_owned();
                    if request.contains("\r\n\r\n") && request.ends_with('}') {
                        sender.send(request).unwrap();
                        text.clear();
                        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                    }
                }
            });
        }
    });
    let subscribe = "mutation($w: WebhookSubscriptionInput!) { webhookSubscriptionCreate(topic: PRODUCTS_UPDATE, webhookSubscription: $w) { webhookSubscription { id topic uri } userErrors { field message } } }";
    let made = graphql(&shop, subscribe, json!({ "w": { "uri": uri } })).await?;
    assert_eq!(made["data"]["webhookSubscriptionCreate"]["webhookSubscription"]["uri"], json!(uri), "{made}");
    shop.has(product("A"));
    shop.edit("A", |it| it.title = "New".to_owned());
    shop.faults().always(Fault::DuplicateEvents);
    let deliveries = shop.deliver_webhooks().await;
    assert_eq!(deliveries.iter().map(|it| it.status).collect::<Vec<_>>(), [Some(200), Some(200)]);
    let request = received.recv().await.unwrap();
    let lower = request.to_lowercase();
    for header in [
        "x-shopify-topic: products/update",
        "x-shopify-shop-domain: demo.myshopify.com",
        "x-shopify-hmac-sha256: ",
        "x-shopify-triggered-at: ",
    ] {
        assert!(lower.contains(header), "{header}");
    }
    let body = request.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(serde_json::from_str::<Value>(body)?["title"], "New");
    Ok(())
}
