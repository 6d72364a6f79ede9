//! Products, stock and orders that are written.

use platforms::{Platforms, orders, product, variant};
use serde_json::{Value, json};

use crate::support::graphql;
use crate::{DEFINE, SET, input, key_definition};

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
