use super::{account, child, find_error, parent, query, rows, with};
use crate::netsuite::Netsuite;
use crate::testing::{fields, mutated, ok, play, play_some, reply};
use crate::{Connector, ErrorKind, Key};
use domain::auth::{CredentialKind, Scheme};
use domain::{ItemType, Record};
use proptest::prelude::*;
use serde_json::{Value, json};

fn get(ids: &[&str]) -> crate::Exchange<Vec<Record>> {
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    Netsuite.get_many(&account(), ItemType::Product, &ids).unwrap()
}

#[test]
fn rows_of_items_and_prices_become_one_product() {
    let page = rows(
        &[
            parent(1, "2026-11-20T09:00:00"),
            child(1, 11, 1, "19.90"),
            child(1, 11, 1, "15.00"),
            child(1, 11, 2, "17.5"),
            child(1, 12, 1, "20"),
        ],
        false,
    );
    let (sent, records) = play(get(&["1", "2"]), &[page]);

    assert_eq!(sent[0].path, "/services/rest/query/v1/suiteql?limit=1000&offset=0");
    assert_eq!(sent[0].header("prefer"), "transient");
    assert_eq!(sent[0].body["params"], json!([1, 1, 2]));
    assert!(sent[0].query().contains("p.id IN (?, ?)"), "{}", sent[0].query());
    let [record] = records.unwrap().try_into().unwrap();
    assert_eq!((record.id.as_str(), record.version.as_deref()), ("1", Some("2026-11-20T10:00:00")));
    let expected = json!({
        "itemId": "P-1", "displayName": "Chair", "storeDetailedDescription": "<p>Good</p>", "isInactive": false, "manufacturer": "Acme",
        "category": "Seat", "tags": ["a"], "images": [{ "url": "https://x/1.jpg", "alt": null }], "options": [{ "name": "Size", "values": ["S"] }],
        "children": [
            { "itemId": "C-11", "upcCode": "4711", "price": "19.90", "compareAtPrice": "25", "options": { "Size": "S" }, "prices": { "EUR": "17.5" } },
            { "itemId": "C-12", "upcCode": "4711", "price": "20", "compareAtPrice": "25", "options": { "Size": "S" }, "prices": {} },
        ],
    });
    assert_eq!(Value::Object(record.fields), expected);
}

#[test]
fn a_child_that_is_switched_off_is_not_shown_and_what_was_typed_by_hand_is() {
    let mut off = child(1, 11, 1, "1");
    off["isinactive"] = "T".into();
    let mut typed = parent(1, "2026-11-20T09:00:00");
    typed["tags"] = "red, blue".into();
    typed["options"] = r#"[{"name":"Title","values":["Default Title"]}]"#.into();
    let (_, records) = play(get(&["1"]), &[rows(&[typed, off], false)]);
    let fields = records.unwrap().remove(0).fields;
    assert_eq!(fields["children"], json!([]));
    assert_eq!(fields["tags"], "red, blue");
    assert_eq!(fields["options"], json!([]), "Shopify's stand-in means none");
}

#[test]
fn an_id_that_cannot_be_one_matches_nothing_and_breaks_nothing() {
    let (sent, records) = play(get(&["1; DROP TABLE item", "x'--"]), &[rows(&[], false)]);
    assert_eq!(sent[0].body["params"], json!([1, null]));
    assert!(sent[0].query().contains("p.id IN (?)"));
    assert_eq!(records.unwrap(), Vec::new());
}

#[test]
fn hostile_values_are_bound_and_never_spliced() {
    let hostile = "x') OR 1=1 --";
    let key = Key::Field { name: "itemId".into(), values: vec![hostile.into()] };
    let exchange = Netsuite.find(&account(), ItemType::Product, &key).unwrap();
    let (sent, _) = play(exchange, &[rows(&[], false)]);
    assert!(!sent[0].query().contains("1=1"));
    assert_eq!(sent[0].body["params"], json!([1, hostile]));

    let mut query = query(ItemType::Product);
    query.filter.text = Some("50%_off\\' OR".into());
    query.filter.category = Some(hostile.into());
    query.filter.status = vec!["active".into()];
    let (sent, _) = play(Netsuite.list(&account(), &query).unwrap(), &[rows(&[], false)]);
    let params = &sent[0].body["params"];
    let epoch = "1970-01-01T00:00:00";
    assert_eq!(
        *params,
        json!([1, epoch, epoch, 0, "F", hostile, "%50\\%\\_off\\\\'%", "%50\\%\\_off\\\\'%", "%or%", "%or%"])
    );
    assert_eq!(sent[0].query().matches('?').count(), params.as_array().unwrap().len());
}

#[test]
fn the_name_of_a_custom_field_can_be_nothing_else() {
    for name in ["custitem_x, (SELECT 1)", "item", "custitem", "custitem'x", "custitem_é"] {
        assert_eq!(find_error(&with(&[("tags_field", name.into())])).kind, ErrorKind::Rejected, "{name}");
    }
    assert!(
        Netsuite.get_many(&with(&[("tags_field", "CUSTITEM_Tags1".into())]), ItemType::Product, &[]).is_ok()
    );
    assert_eq!(find_error(&with(&[("price_level_id", "1 OR 1".into())])).kind, ErrorKind::Rejected);
}

#[test]
fn a_listing_goes_on_behind_the_last_whole_product() {
    let mut query = query(ItemType::Product);
    query.since = Some("2026-11-20T08:00:00Z".parse().unwrap());
    let account = with(&[("time_zone_offset_minutes", json!("-480"))]);
    let first = rows(&[parent(1, "2026-11-20T01:00:00"), parent(2, "2026-11-20T02:00:00")], true);
    let (sent, page) = play(Netsuite.list(&account, &query).unwrap(), &[first]);

    assert_eq!(sent[0].body["params"], json!([1, "2026-11-20T00:00:00", "2026-11-20T00:00:00", 0]));
    let page = page.unwrap();
    assert_eq!(page.records.len(), 1, "the second product may have more rows on the next page");
    assert_eq!(page.records[0].modified_at, Some("2026-11-20T09:00:00Z".parse().unwrap()));
    assert_eq!(page.next.as_deref(), Some("2026-11-20T01:00:00|1"));

    query.page = page.next;
    let last = rows(&[parent(2, "2026-11-20T02:00:00")], false);
    let (sent, page) = play(Netsuite.list(&account, &query).unwrap(), &[last]);
    assert_eq!(sent[0].body["params"], json!([1, "2026-11-20T01:00:00", "2026-11-20T01:00:00", 1]));
    assert_eq!(page.unwrap().next, None);
}

#[test]
fn a_product_larger_than_a_page_is_read_to_its_end() {
    let first = rows(&[parent(1, "2026-11-20T10:00:00"), child(1, 11, 1, "1")], true);
    let second = rows(&[child(1, 12, 1, "2"), parent(2, "2026-11-20T10:00:00")], true);
    let (sent, page) = play(Netsuite.list(&account(), &query(ItemType::Product)).unwrap(), &[first, second]);
    assert_eq!(sent[1].path, "/services/rest/query/v1/suiteql?limit=1000&offset=1000");
    assert_eq!(page.unwrap().records[0].fields["children"].as_array().unwrap().len(), 2);
}

#[test]
fn a_page_that_is_none_of_ours_is_refused() {
    for page in ["", "x", "2026-11-20|1", "2026-11-20T00:00:00|x", "2026-11-20T00:00:00' OR|1"] {
        let mut query = query(ItemType::Product);
        query.page = Some(page.to_owned());
        assert_eq!(Netsuite.list(&account(), &query).unwrap_err().kind, ErrorKind::Rejected, "{page}");
    }
}

#[test]
fn stock_is_shown_by_location() {
    let row = |location: Value, on_hand: Value| json!({ "item": "11", "itemid": "C-11", "modified": "2026-11-20T10:00:00", "locationid": "1", "location": location, "onhand": on_hand });
    let page = rows(
        &[row(json!("Main"), json!("7")), row(json!("Shop"), json!(2)), row(json!("Van"), json!("0.5"))],
        false,
    );
    let exchange = Netsuite.get_many(&account(), ItemType::Inventory, &["11".to_owned()]).unwrap();
    let record = play(exchange, &[page]).1.unwrap().remove(0);
    assert_eq!(record.fields.get("itemId"), Some(&json!("C-11")));
    assert_eq!(record.fields["quantities"].to_string(), r#"{"Main":7,"Shop":2,"Van":0.5}"#);
}

#[test]
fn an_order_is_its_head_and_its_lines() {
    let head = json!({ "id": "5", "externalid": "k", "modified": "2026-11-20T10:00:00", "otherrefnum": "#1001", "currency": "USD", "trandate": "2026-11-20", "status": "B", "total": 39.8, "city": "Bern" });
    let line = json!({ "id": "5", "line": "1", "itemid": "C-11", "quantity": "2", "rate": "19.9" });
    let exchange = Netsuite.get_many(&account(), ItemType::Order, &["5".to_owned()]).unwrap();
    let (sent, records) = play(exchange, &[rows(&[head], false), rows(&[line], false)]);
    assert_eq!(sent[1].body["params"], json!([5]));
    let record = records.unwrap().remove(0);
    assert_eq!(
        record.fields["lines"],
        json!([{ "itemId": "C-11", "description": null, "quantity": 2, "rate": "19.9" }])
    );
    assert_eq!(record.fields["total"], "39.8");
    assert_eq!(record.fields["shippingAddress"]["city"], "Bern");
}

#[test]
fn the_realm_comes_from_the_setting_or_from_the_address() {
    let mut account = account();
    assert_eq!(Netsuite.scheme(&account), Some(Scheme::Bearer));
    account.credential = CredentialKind::TokenBased;
    assert_eq!(Netsuite.scheme(&account), Some(Scheme::OAuth1 { realm: "1234567_SB1".into() }));
    account.settings.insert("account_id".into(), "999-sb2".into());
    assert_eq!(Netsuite.scheme(&account), Some(Scheme::OAuth1 { realm: "999_SB2".into() }));
    account.credential = CredentialKind::AccessToken;
    assert_eq!(Netsuite.scheme(&account), None);
}

#[test]
fn a_token_is_bought_with_an_assertion_for_this_address() {
    let exchange = Netsuite.token(&account()).unwrap();
    let audience =
        "https://1234567-sb1.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token".to_owned();
    assert_eq!(
        exchange.scheme,
        Scheme::ClientAssertionForm { audience, scope: vec!["rest_webservices".into()] }
    );
    let token =
        play(exchange, &[ok(&json!({ "access_token": "t", "expires_in": "3600", "token_type": "bearer" }))])
            .1;
    assert_eq!(token.ok().map(|token| token.expires_in), Some(3_600));
    let refused =
        play(Netsuite.token(&account()).unwrap(), &[reply(400, &[], r#"{"error":"invalid_grant"}"#)])
            .1
            .err()
            .unwrap();
    assert_eq!(
        (refused.kind, refused.vendor_code.as_deref()),
        (ErrorKind::Unauthorized, Some("invalid_grant"))
    );
}

#[test]
fn a_test_tells_what_the_role_may_not_and_whether_clock_and_zone_are_right() {
    let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now());
    let time = ok(&json!({ "serverTime": now.to_rfc3339() }));
    let refused =
        reply(403, &[], r#"{"o:errorDetails":[{"detail":"no","o:errorCode":"INSUFFICIENT_PERMISSION"}]}"#);
    let report = play(Netsuite.test(&account()).unwrap(), &[time.clone(), refused]).1.unwrap();
    assert_eq!(report.missing_permissions.len(), 3);
    assert!(report.warnings.is_empty());

    let pacific = (now - chrono::TimeDelta::hours(8)).format("%Y-%m-%dT%H:%M:%S").to_string();
    let replies = [time, rows(&[json!({ "id": "1" })], true), rows(&[json!({ "now": pacific })], false)];
    let (sent, report) = play(Netsuite.test(&account()).unwrap(), &replies);
    assert_eq!(sent[1].path, "/services/rest/query/v1/suiteql?limit=1&offset=0");
    assert!(report.unwrap().warnings[0].contains("-480 minutes"));
}

#[test]
fn the_schema_shows_what_the_account_has() {
    let item = ok(
        &json!({ "type": "object", "properties": { "itemId": {}, "displayName": {}, "custitem_syncline_tags": {}, "parent": {}, "price": {}, "locations": {} } }),
    );
    let order = ok(&json!({ "properties": { "memo": {}, "item": {} } }));
    let (sent, objects) = play(Netsuite.schema(&account()).unwrap(), &[item, order]);
    assert_eq!(sent[0].header("accept"), "application/schema+json");
    let objects = objects.unwrap();
    let paths: Vec<&str> = objects[0].fields.iter().map(|field| field.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "itemId",
            "displayName",
            "tags",
            "children",
            "children[].itemId",
            "children[].price",
            "children[].prices"
        ]
    );
    assert_eq!(objects[2].fields.len(), 6);
}

proptest! {
    #[test]
    fn no_row_can_make_us_panic(body in mutated(json!({ "hasMore": false, "items": [parent(1, "2026-11-20T09:00:00"), child(1, 11, 1, "19.90"), child(1, 11, 2, "1")] }))) {
        let _ = play_some(get(&["1"]), &[ok(&body)]);
        let _ = play_some(Netsuite.list(&account(), &query(ItemType::Product)).unwrap(), &[ok(&body), ok(&body)]);
        let _ = play_some(Netsuite.list(&account(), &query(ItemType::Inventory)).unwrap(), &[ok(&body)]);
    }

    #[test]
    fn no_filter_leaves_a_value_unbound(text in any::<String>()) {
        let mut query = query(ItemType::Product);
        query.filter.text = Some(text);
        let (sent, _) = play_some(Netsuite.list(&account(), &query).unwrap(), &[rows(&[], false)]);
        prop_assert_eq!(sent[0].query().matches('?').count(), sent[0].body["params"].as_array().unwrap().len());
    }
}

#[test]
fn every_statement_begins_with_what_it_is_for_and_sends_none_of_it() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/netsuite");
    for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "suiteql") {
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(text.starts_with("-- "), "{}", file.display());
            assert!(!text.lines().skip(1).any(|line| line.contains("--")), "{}", file.display());
        }
    }
    let (sent, _) = play(get(&["1"]), &[rows(&[], false)]);
    assert!(
        sent[0].query().starts_with("SELECT")
            && !sent[0].query().contains("--")
            && !sent[0].query().contains('{')
    );
    assert_eq!(fields(sent[0].body.clone()).len(), 2);
}
