use super::{account, chair, connection, data, find, get, list, strings, variant};
use crate::shopify::Shopify;
use crate::testing::{fields, mutated, play, play_some};
use crate::{Connector, ErrorKind, Key};
use domain::ItemType;
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn a_product_becomes_the_neutral_record() {
    let exchange = get(ItemType::Product, &["gid://shopify/Product/1", "gid://shopify/Product/2"]);
    let (sent, records) = play(exchange, &[data(&json!({ "nodes": [chair(), null] }))]);

    assert_eq!(sent[0].path, "/admin/api/2026-10/graphql.json");
    assert_eq!(sent[0].variables()["pricesNamespace"], "syncline");
    let [record] = records.unwrap().try_into().unwrap();
    assert_eq!(record.version.as_deref(), Some("2026-11-20T10:00:00Z"));
    let expected = json!({
        "title": "Chair", "descriptionHtml": "<p>Good</p>", "handle": "chair", "status": "ACTIVE", "vendor": "Acme",
        "productType": "Seat", "tags": ["a", "b"], "images": [{ "url": "https://cdn/1.jpg", "alt": "front" }],
        "options": [{ "name": "Size", "values": ["S", "M"] }],
        "variants": [
            { "sku": "C-S", "barcode": null, "price": "19.90", "compareAtPrice": null, "options": { "Size": "S" }, "prices": { "EUR": "17.50" } },
            { "sku": "C-M", "barcode": null, "price": "19.90", "compareAtPrice": null, "options": { "Size": "M" }, "prices": { "EUR": "17.50" } },
        ],
    });
    assert_eq!(Value::Object(record.fields), expected);
}

/// The chair under another id.
fn chair_of(id: &str) -> Value {
    let mut chair = chair();
    chair["id"] = id.into();
    chair
}

#[test]
fn many_products_are_read_through_the_listing_and_those_it_does_not_show_yet_by_id() {
    let ids: Vec<String> = (1..=30).map(|id| format!("gid://shopify/Product/{id}")).collect();
    let mut shown: Vec<Value> = ids.iter().take(28).map(|id| chair_of(id)).collect();
    shown.push(chair_of("gid://shopify/Product/99"));
    let replies = [
        data(&json!({ "page": connection(&json!(shown), None) })),
        data(&json!({ "nodes": [chair_of(&ids[28]), null] })),
    ];
    let exchange = Shopify.get_many(&account(), ItemType::Product, &ids).unwrap();
    let (sent, records) = play(exchange, &replies);

    let search = sent[0].variables()["query"].as_str().unwrap().to_owned();
    assert!(search.starts_with("id:1 OR id:2 OR ") && search.ends_with("id:30"), "{search}");
    assert_eq!(sent[0].variables()["first"], 30);
    assert!(sent[0].cost < 400, "{} points", sent[0].cost);
    assert_eq!(sent[1].variables()["ids"], json!([ids[28], ids[29]]));
    let found: Vec<String> = records.unwrap().into_iter().map(|record| record.id).collect();
    assert_eq!(found, ids[..29], "nothing that was not asked for, nothing that is gone");
}

#[test]
fn a_listing_that_is_too_dear_is_read_by_id() {
    let ids: Vec<String> = (1..=70).map(|id| format!("gid://shopify/Product/{id}")).collect();
    let dear = json!({ "errors": [{ "message": "dear", "extensions": { "code": "MAX_COST_EXCEEDED" } }] });
    let dear = http::Response::new(dear.to_string().into_bytes());
    let of =
        |ids: &[String]| data(&json!({ "nodes": ids.iter().map(|id| chair_of(id)).collect::<Vec<_>>() }));
    let exchange = Shopify.get_many(&account(), ItemType::Product, &ids).unwrap();
    let (_, records) = play(exchange, &[dear, of(&ids[..60]), of(&ids[60..])]);
    assert_eq!(records.unwrap().len(), 70);
}

#[test]
fn the_stand_in_for_no_option_is_not_shown() {
    let mut plain = chair();
    plain["options"] = json!([{ "name": "Title", "values": ["Default Title"] }]);
    let mut only = variant(11, "C", "S");
    only["selectedOptions"] = json!([{ "name": "Title", "value": "Default Title" }]);
    plain["variants"] = connection(&json!([only]), None);
    let (_, records) = play(get(ItemType::Product, &["x"]), &[data(&json!({ "nodes": [plain] }))]);

    let fields = records.unwrap().remove(0).fields;
    assert_eq!(fields["options"], json!([]));
    assert_eq!(fields["variants"][0]["options"], json!({}));
}

#[test]
fn variants_that_did_not_fit_are_read_on() {
    let mut large = chair();
    large["variants"] = connection(&json!([variant(11, "C-S", "S")]), Some("c1"));
    let more =
        |sku: &str, next| json!({ "a_0": { "variants": connection(&json!([variant(12, sku, "M")]), next) } });
    let replies =
        [data(&json!({ "nodes": [large] })), data(&more("C-M", Some("c2"))), data(&more("C-L", None))];
    let (sent, records) = play(get(ItemType::Product, &["x"]), &replies);

    assert_eq!(sent[1].variables()["variantsAfter_0"], "c1");
    assert_eq!(sent[1].variables()["moreImages_0"], false);
    assert_eq!(sent[2].variables()["variantsAfter_0"], "c2");
    assert_eq!(records.unwrap()[0].fields["variants"].as_array().unwrap().len(), 3);
}

#[test]
fn a_cursor_that_comes_twice_is_a_defect_and_no_endless_loop() {
    let mut large = chair();
    large["variants"] = connection(&json!([variant(11, "C-S", "S")]), Some("c1"));
    let same = json!({ "a_0": { "variants": connection(&json!([variant(12, "C-M", "M")]), Some("c1")) } });
    let (_, records) =
        play(get(ItemType::Product, &["x"]), &[data(&json!({ "nodes": [large] })), data(&same)]);
    assert_eq!(records.unwrap_err().kind, ErrorKind::Unexpected);

    let page = json!({ "page": connection(&json!([chair()]), Some("p1")) });
    let (_, page) = play(list(ItemType::Product, Some("p1")), &[data(&page)]);
    assert_eq!(page.unwrap_err().kind, ErrorKind::Unexpected);
}

#[test]
fn a_product_that_is_deleted_while_we_read_on_is_left_out() {
    let mut large = chair();
    large["variants"] = connection(&json!([variant(11, "C-S", "S")]), Some("c1"));
    let gone = json!({ "a_0": null });
    let (_, records) =
        play(get(ItemType::Product, &["x"]), &[data(&json!({ "nodes": [large] })), data(&gone)]);
    assert_eq!(records.unwrap(), Vec::new());
}

#[test]
fn a_listing_goes_by_time_of_change() {
    let page = json!({ "page": connection(&json!([chair()]), Some("p2")) });
    let (sent, page) = play(list(ItemType::Product, Some("p1")), &[data(&page)]);

    assert_eq!(sent[0].variables()["query"], r#"updated_at:>="2026-11-20T10:00:00Z""#);
    assert_eq!(sent[0].variables()["after"], "p1");
    assert_eq!(sent[0].variables()["first"], 250);
    assert_eq!(page.unwrap().next.as_deref(), Some("p2"));
}

#[test]
fn stock_is_walked_whole_because_it_moves_without_changing_its_item() {
    let level = json!({ "updatedAt": "2026-11-20T11:00:00Z", "location": { "name": "Main" }, "quantities": [{ "name": "available", "quantity": 7 }] });
    let item = json!({
        "id": "gid://shopify/InventoryItem/5", "updatedAt": "2026-11-20T10:00:00Z", "sku": "C-S", "tracked": true,
        "inventoryLevels": connection(&json!([level]), None),
    });
    let (sent, page) =
        play(list(ItemType::Inventory, None), &[data(&json!({ "page": connection(&json!([item]), None) }))]);

    assert_eq!(sent[0].variables()["query"], Value::Null);
    let record = page.unwrap().records.remove(0);
    assert_eq!(record.version.as_deref(), Some("2026-11-20T11:00:00Z"));
    assert_eq!(record.fields, fields(json!({ "sku": "C-S", "tracked": true, "quantities": { "Main": 7 } })));
}

#[test]
fn a_page_that_is_too_dear_is_asked_for_in_smaller_parts() {
    let dear = crate::testing::ok(
        &json!({ "errors": [{ "message": "too dear", "extensions": { "code": "MAX_COST_EXCEEDED" } }] }),
    );
    let page = json!({ "page": connection(&json!([]), None) });
    let (sent, page) = play(list(ItemType::Product, None), &[dear, data(&page)]);
    assert_eq!(sent[1].variables()["first"], 63);
    assert!(page.unwrap().records.is_empty());
}

#[test]
fn a_search_is_checked_again_because_shopify_compares_words() {
    let mut other = chair();
    other["variants"] = connection(&json!([variant(21, "C-S-OLD", "S")]), None);
    let page = json!({ "page": connection(&json!([chair(), other]), None) });
    let (sent, records) = play(find(ItemType::Product, "sku", &["C-S"]), &[data(&page)]);

    assert_eq!(sent[0].variables()["query"], r#"sku:"C-S""#);
    assert_eq!(records.unwrap().len(), 1);
}

#[test]
fn an_external_key_is_looked_up_as_a_unique_metafield() {
    let exchange =
        super::Shopify.find(&account(), ItemType::Product, &Key::External(strings(&["k1", "k2"]))).unwrap();
    let (sent, records) = play(exchange, &[data(&json!({ "a_0": null, "a_1": chair() }))]);
    assert_eq!(
        sent[0].variables()["identifier_1"],
        json!({ "customId": { "namespace": "syncline", "key": "key", "value": "k2" } })
    );
    assert_eq!(records.unwrap().len(), 1);
}

#[test]
fn settings_that_cannot_be_used_are_refused_before_anything_is_sent() {
    for (name, value) in
        [("api_version", "../2026-10"), ("prices_metafield", "prices"), ("prices_metafield", "a.b")]
    {
        let mut account = account();
        account.settings.insert(name.to_owned(), value.into());
        let error = super::Shopify.get_many(&account, ItemType::Product, &[]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Rejected, "{name} = {value}");
    }
}

proptest! {
    #[test]
    fn no_product_can_make_us_panic(reply in mutated(json!({ "data": { "nodes": [chair()] } }))) {
        let _ = play_some(get(ItemType::Product, &["x"]), &[crate::testing::ok(&reply)]);
    }

    #[test]
    fn no_page_can_make_us_panic(reply in mutated(json!({ "data": { "page": connection(&json!([chair()]), Some("p2")) } }))) {
        let _ = play_some(list(ItemType::Product, None), &[crate::testing::ok(&reply)]);
    }

    #[test]
    fn no_bytes_can_make_us_panic(body in ".{0,60}") {
        let _ = play_some(list(ItemType::Order, None), &[crate::testing::reply(200, &[], &body)]);
    }
}
