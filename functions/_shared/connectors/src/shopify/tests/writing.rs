use super::{account, chair, connection, data, variant, write};
use crate::shopify::Shopify;
use crate::testing::{fields, mutated, play, play_some};
use crate::{Connector, ErrorKind, Write};
use domain::{Fields, ItemType};
use proptest::prelude::*;
use serde_json::{Value, json};

const ID: &str = "gid://shopify/Product/1";

fn create(content: Value) -> Write {
    Write {
        external_key: "k1".into(),
        fields: fields(content),
        idempotency_key: "u1".into(),
        ..Write::default()
    }
}

fn update(content: Value, current: Value) -> Write {
    let (fields, current) = (fields(content), fields(current));
    Write { id: Some(ID.into()), fields, current, idempotency_key: "u1".into(), ..Write::default() }
}

fn wanted_variant(sku: &str, size: &str, price: &str) -> Value {
    json!({ "sku": sku, "price": price, "options": { "Size": size }, "prices": { "EUR": "17.50" } })
}

fn accepted(product: &Value) -> Value {
    json!({ "product": product, "userErrors": [] })
}

fn parts() -> Value {
    let media = json!([
        { "id": "gid://shopify/MediaImage/1", "mediaContentType": "IMAGE", "image": { "url": "https://cdn/1.jpg" } },
        { "id": "gid://shopify/Video/2", "mediaContentType": "VIDEO" },
    ]);
    let variants = json!([variant(11, "C-S", "S"), variant(12, "C-M", "M")]);
    json!({ "nodes": [{ "id": ID, "media": connection(&media, None), "variants": connection(&variants, None) }] })
}

#[test]
fn a_product_that_is_off_sale_elsewhere_keeps_its_variants_here() {
    let off = update(json!({ "status": "ARCHIVED", "variants": [] }), json!({ "status": "ACTIVE" }));
    let (sent, _) = play_some(
        write(ItemType::Product, &[off]),
        &[data(&parts()), data(&json!({ "a_0": accepted(&chair()) }))],
    );
    let input = &sent[1].variables()["input_0"];
    assert_eq!(input["status"], "ARCHIVED");
    assert!(input.get("variants").is_none() && input.get("productOptions").is_none(), "{input}");
}

#[test]
fn a_product_for_sale_without_a_variant_is_refused_before_anything_is_sent() {
    let wanted = json!({ "title": "Chair", "status": "ACTIVE", "options": [], "variants": [] });
    let refused = Shopify.write_many(&account(), ItemType::Product, &[create(wanted)]).unwrap_err();
    assert_eq!((refused.kind, refused.message.contains("needs at least one")), (ErrorKind::Rejected, true));
}

#[test]
fn a_create_carries_its_key_and_answers_with_the_record() {
    let wanted = json!({
        "title": "Chair", "status": "active", "tags": ["a"], "images": [{ "url": "https://x/1.jpg", "alt": "front" }],
        "options": [{ "name": "Size", "values": ["S"] }], "variants": [wanted_variant("C-S", "S", "19.90"), wanted_variant("C-M", "M", "19.90")],
    });
    let (sent, outcomes) =
        play(write(ItemType::Product, &[create(wanted)]), &[data(&json!({ "a_0": accepted(&chair()) }))]);

    let variables = sent[0].variables();
    assert_eq!(variables["identifier_0"]["customId"]["value"], "k1");
    let input = &variables["input_0"];
    assert_eq!(
        input["metafields"],
        json!([{ "namespace": "syncline", "key": "key", "type": "id", "value": "k1" }])
    );
    assert_eq!(input["status"], "ACTIVE");
    assert_eq!(
        input["files"],
        json!([{ "originalSource": "https://x/1.jpg", "alt": "front", "contentType": "IMAGE" }])
    );
    assert_eq!(
        input["productOptions"],
        json!([{ "name": "Size", "values": [{ "name": "S" }, { "name": "M" }] }])
    );
    let first = &input["variants"][0];
    assert_eq!(first["optionValues"], json!([{ "optionName": "Size", "name": "S" }]));
    assert_eq!(first["inventoryItem"], json!({ "sku": "C-S", "tracked": true }));
    assert_eq!(first["metafields"][0]["value"], r#"{"EUR":"17.50"}"#);
    let written = outcomes.unwrap().remove(0).unwrap();
    assert_eq!(written.now.unwrap().fields["title"], "Chair");
}

#[test]
fn an_update_of_plain_fields_sends_only_those_at_once() {
    let exchange =
        write(ItemType::Product, &[update(json!({ "title": "Stool" }), json!({ "title": "Chair" }))]);
    let (sent, outcomes) = play(exchange, &[data(&json!({ "a_0": accepted(&chair()) }))]);
    assert_eq!(sent[0].variables()["identifier_0"], json!({ "id": ID }));
    assert_eq!(sent[0].variables()["input_0"], json!({ "title": "Stool" }));
    assert!(outcomes.unwrap()[0].is_ok());
}

#[test]
fn an_update_keeps_the_variants_and_media_that_stay() {
    let current = json!({ "options": [{ "name": "Size", "values": ["S", "M"] }], "variants": [
        { "sku": "C-S", "options": { "Size": "S" }, "prices": { "EUR": "17.50" } }, { "sku": "C-M", "options": { "Size": "M" }, "prices": {} },
    ] });
    let wanted = json!({
        "images": [{ "url": "https://cdn/1.jpg", "alt": "new" }, { "url": "https://x/2.jpg" }],
        "variants": [wanted_variant("C-S", "S", "20"), wanted_variant("C-M", "M", "21"), wanted_variant("C-L", "L", "22")],
    });
    let mut after = chair();
    let three = json!([variant(11, "C-S", "S"), variant(12, "C-M", "M"), variant(13, "C-L", "L")]);
    after["variants"] = connection(&three, None);
    let replies = [
        data(&parts()),
        data(&json!({ "a_0": accepted(&after) })),
        data(&json!({ "a_0": { "userErrors": [] } })),
    ];
    let (sent, outcomes) = play(write(ItemType::Product, &[update(wanted, current)]), &replies);

    let input = &sent[1].variables()["input_0"];
    let ids: Vec<&Value> =
        input["variants"].as_array().unwrap().iter().map(|variant| &variant["id"]).collect();
    assert_eq!(
        ids,
        [&json!("gid://shopify/ProductVariant/11"), &json!("gid://shopify/ProductVariant/12"), &Value::Null]
    );
    assert_eq!(input["files"][0], json!({ "id": "gid://shopify/MediaImage/1", "alt": "new" }));
    assert_eq!(input["files"][1]["originalSource"], "https://x/2.jpg");
    assert_eq!(input["files"][2], json!({ "id": "gid://shopify/Video/2" }));
    // Prices that changed are set apart, so that the metafields of others stay.
    let priced = sent[2].variables()["metafields_0"].as_array().unwrap();
    let owners: Vec<&Value> = priced.iter().map(|one| &one["ownerId"]).collect();
    assert_eq!(owners, ["gid://shopify/ProductVariant/12", "gid://shopify/ProductVariant/13"]);
    assert_eq!(outcomes.unwrap()[0].as_ref().unwrap().now, None, "it was shown before its prices were set");
}

#[test]
fn one_refused_product_does_not_touch_the_others() {
    let refused = json!({ "product": null, "userErrors": [{ "field": ["input", "title"], "message": "can't be blank", "code": "INVALID_INPUT" }] });
    let writes = [
        create(json!({ "title": "" })),
        create(json!({ "title": "Chair" })),
        create(json!({ "colour": "red" })),
        create(json!({ "title": "x" })),
    ];
    let answer = json!({
        "data": { "a_0": refused, "a_1": accepted(&chair()), "a_2": null },
        "errors": [{ "message": "oops", "path": ["a_2"], "extensions": { "code": "INTERNAL_SERVER_ERROR" } }],
    });
    let (_, outcomes) = play(write(ItemType::Product, &writes), &[crate::testing::ok(&answer)]);
    let outcomes = outcomes.unwrap();
    let first = outcomes[0].as_ref().unwrap_err();
    assert_eq!((first.kind, first.message.as_str()), (ErrorKind::Rejected, "input.title: can't be blank"));
    assert!(outcomes[1].is_ok());
    assert_eq!(outcomes[2].as_ref().unwrap_err().message, "colour: Shopify has no such field to write");
    assert_eq!(outcomes[3].as_ref().unwrap_err().kind, ErrorKind::Unavailable);
}

#[test]
fn a_product_that_is_gone_is_not_made_anew() {
    let exchange = write(ItemType::Product, &[update(json!({ "images": [] }), json!({}))]);
    let (_, outcomes) = play(exchange, &[data(&json!({ "nodes": [null] }))]);
    assert_eq!(outcomes.unwrap()[0].as_ref().unwrap_err().kind, ErrorKind::NotFound);
}

#[test]
fn images_that_are_still_being_read_are_waited_for() {
    let mut unread = chair();
    unread["media"]["nodes"][0] =
        json!({ "mediaContentType": "IMAGE", "status": "PROCESSING", "alt": "front", "image": null });
    let wanted = json!({ "title": "Chair", "images": [{ "url": "https://x/1.jpg" }] });
    let replies = [data(&json!({ "a_0": accepted(&unread) })), data(&json!({ "nodes": [chair()] }))];
    let (sent, outcomes) = play(write(ItemType::Product, &[create(wanted)]), &replies);
    assert_eq!(sent[1].after.as_millis(), 500);
    let now = outcomes.unwrap().remove(0).unwrap().now.unwrap();
    assert_eq!(now.fields["images"][0]["url"], "https://cdn/1.jpg");
}

#[test]
fn stock_is_set_only_where_it_still_is_what_was_read() {
    let write_of = |id: &str, key: &str, to: Value, from: Value| Write {
        id: Some(id.into()),
        fields: fields(json!({ "quantities": to })),
        current: fields(json!({ "quantities": from })),
        idempotency_key: key.into(),
        ..Write::default()
    };
    let writes = [
        write_of("i1", "u1", json!({ "Main": 7, "Shop": 2 }), json!({ "Main": 5, "Shop": 2 })),
        write_of("i2", "u2", json!({ "Moon": 1 }), json!({})),
        write_of("i3", "u3", json!({ "Main": 1 }), json!({ "Main": 1 })),
        write_of("i4", "u4", json!({ "Main": 9 }), json!({})),
    ];
    let locations = json!([{ "id": "l1", "name": "Main" }, { "id": "l2", "name": "Shop" }]);
    let stale = json!([{ "field": ["input"], "message": "stale", "code": "CHANGE_FROM_QUANTITY_STALE" }]);
    let replies = [
        data(&json!({ "page": connection(&locations, None) })),
        data(&json!({ "a_0": { "userErrors": stale }, "a_1": { "userErrors": [] } })),
    ];
    let (sent, outcomes) = play(write(ItemType::Inventory, &writes), &replies);

    let input = &sent[1].variables()["input_0"];
    assert_eq!(sent[1].variables()["key_0"], "u1");
    assert_eq!(
        input["quantities"],
        json!([{ "inventoryItemId": "i1", "locationId": "l1", "quantity": 7, "changeFromQuantity": 5 }])
    );
    assert_eq!(sent[1].variables()["input_1"]["quantities"][0]["changeFromQuantity"], Value::Null);
    assert!(
        sent[1].query().contains("a_1: inventorySetQuantities(input: $input_1) @idempotent(key: $key_1)")
    );
    let outcomes = outcomes.unwrap();
    assert_eq!(outcomes[0].as_ref().unwrap_err().kind, ErrorKind::Conflict);
    assert_eq!(outcomes[1].as_ref().unwrap_err().message, "quantities.Moon: the shop has no such location");
    assert!(outcomes[2].is_ok() && outcomes[3].is_ok());
}

fn order() -> Value {
    let line = json!({ "sku": "C-S", "title": "Chair", "quantity": 2, "originalUnitPriceSet": { "shopMoney": { "amount": "19.90" } } });
    json!({
        "id": "gid://shopify/Order/9", "updatedAt": "2026-11-20T10:00:00Z", "name": "#1001", "email": null, "currencyCode": "CHF",
        "processedAt": "2026-11-20T09:00:00Z", "note": null, "tags": [], "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "UNFULFILLED", "totalPriceSet": { "shopMoney": { "amount": "39.80" } },
        "shippingAddress": null, "lineItems": connection(&json!([line]), None),
    })
}

#[test]
fn an_order_that_an_earlier_attempt_made_is_found_and_not_made_twice() {
    let wanted = json!({ "currency": "CHF", "lines": [{ "sku": "C-S", "title": "Chair", "quantity": 2, "price": "19.90" }], "total": "39.80" });
    let made = data(&json!({ "a_0": order() }));
    let (sent, outcomes) = play(write(ItemType::Order, &[create(wanted.clone())]), &[made]);
    assert_eq!(sent[0].variables()["identifier_0"]["customId"]["value"], "k1");
    assert_eq!(outcomes.unwrap()[0].as_ref().unwrap().id, "gid://shopify/Order/9");

    let replies =
        [data(&json!({ "a_0": null })), data(&json!({ "a_0": { "order": order(), "userErrors": [] } }))];
    let (sent, outcomes) = play(write(ItemType::Order, &[create(wanted)]), &replies);
    let input = &sent[1].variables()["order_0"];
    assert_eq!(
        input["lineItems"][0]["priceSet"],
        json!({ "shopMoney": { "amount": "19.90", "currencyCode": "CHF" } })
    );
    assert_eq!(input["metafields"][0]["value"], "k1");
    assert_eq!(outcomes.unwrap()[0].as_ref().unwrap().now.as_ref().unwrap().fields["total"], "39.80");
}

#[test]
fn what_shopify_does_not_let_change_in_an_order_is_told() {
    let fixed = update(json!({ "lines": [] }), json!({}));
    let note = update(json!({ "note": "n" }), json!({}));
    let answer = data(&json!({ "a_0": { "order": order(), "userErrors": [] } }));
    let (sent, outcomes) = play(write(ItemType::Order, &[fixed, note]), &[answer]);
    assert_eq!(sent[0].variables()["input_0"], json!({ "id": ID, "note": "n" }));
    let outcomes = outcomes.unwrap();
    assert!(outcomes[0].as_ref().unwrap_err().message.starts_with("lines:"));
    assert!(outcomes[1].is_ok());
}

#[test]
fn a_request_is_filled_only_as_far_as_it_may_cost() {
    let variants: Vec<Value> = (0..2_000)
        .map(|n| json!({ "sku": format!("C-{n}"), "options": { "Size": n.to_string() } }))
        .collect();
    let large = json!({ "options": [{ "name": "Size", "values": [] }], "variants": variants });
    let replies = [
        data(&json!({ "a_0": accepted(&chair()), "a_1": accepted(&chair()) })),
        data(&json!({ "a_0": accepted(&chair()) })),
    ];
    let (sent, outcomes) = play(write(ItemType::Product, &vec![create(large); 3]), &replies);
    assert!(sent.iter().all(|sent| sent.cost < 1_000));
    assert_eq!(outcomes.unwrap().into_iter().flatten().count(), 3);
}

proptest! {
    #[test]
    fn no_answer_to_a_write_can_make_us_panic(reply in mutated(json!({ "data": { "a_0": accepted(&chair()) } }))) {
        let _ = play_some(write(ItemType::Product, &[create(json!({ "title": "x" }))]), &[crate::testing::ok(&reply)]);
    }

    #[test]
    fn no_wanted_product_can_make_us_panic(wanted in mutated(json!({ "options": [{ "name": "Size", "values": ["S"] }], "variants": [wanted_variant("C-S", "S", "1")], "images": [{ "url": "https://x" }], "tags": ["a"] }))) {
        let content = wanted.as_object().cloned().unwrap_or_else(Fields::new);
        let write_one = Write { external_key: "k".into(), fields: content, ..Write::default() };
        let _ = crate::Connector::write_many(&super::Shopify, &super::account(), ItemType::Product, &[write_one]);
    }
}
