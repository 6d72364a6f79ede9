use super::{account, get};
use crate::testing::{ok, play, reply};
use crate::{Connector, Error, ErrorKind, Reply};
use domain::ItemType;
use serde_json::json;
use std::time::Duration;

fn failure(reply: Reply) -> Error {
    play(get(ItemType::Product, &["x"]), &[reply]).1.unwrap_err()
}

fn error(code: &str) -> Reply {
    ok(&json!({ "errors": [{ "message": "why", "extensions": { "code": code } }] }))
}

#[test]
fn every_failure_has_its_kind() {
    for (reply, expected) in [
        (reply(401, &[], r#"{"errors":"[API] Invalid API key"}"#), ErrorKind::Unauthorized),
        (reply(402, &[], ""), ErrorKind::Unauthorized),
        (reply(403, &[], ""), ErrorKind::Unauthorized),
        (reply(404, &[], r#"{"errors":"Not Found"}"#), ErrorKind::Unauthorized),
        (reply(423, &[], ""), ErrorKind::Unauthorized),
        (reply(429, &[("retry-after", "2.0")], ""), ErrorKind::RateLimited),
        (reply(400, &[], ""), ErrorKind::Rejected),
        (reply(301, &[], ""), ErrorKind::Unexpected),
        (reply(500, &[], ""), ErrorKind::Unavailable),
        (reply(502, &[], "<html>"), ErrorKind::Unavailable),
        (reply(503, &[("retry-after", "3")], ""), ErrorKind::RateLimited),
        (reply(503, &[], ""), ErrorKind::Unavailable),
        (reply(200, &[], "<!doctype html><p>Back soon"), ErrorKind::Unavailable),
        (reply(200, &[], r#"{"data":{"nodes":[{"id""#), ErrorKind::Unavailable),
        (reply(200, &[], r#"{"data":null}"#), ErrorKind::Unexpected),
        (reply(200, &[], r#"{"data":{"nodes":[{}, {"id": 1}]}}"#), ErrorKind::Unexpected),
        (ok(&json!({ "errors": "Not Found" })), ErrorKind::Unexpected),
        (error("THROTTLED"), ErrorKind::RateLimited),
        (error("ACCESS_DENIED"), ErrorKind::Unauthorized),
        (error("SHOP_INACTIVE"), ErrorKind::Unauthorized),
        (error("MAX_COST_EXCEEDED"), ErrorKind::Unexpected),
        (error("INTERNAL_SERVER_ERROR"), ErrorKind::Unavailable),
        (error("undefinedField"), ErrorKind::Unexpected),
    ] {
        let told = format!("{reply:?}");
        assert_eq!(failure(reply).kind, expected, "{told}");
    }
}

#[test]
fn a_throttled_reply_asks_to_wait_until_the_bucket_holds_enough() {
    let cost = |available: f64, rate: f64| {
        json!({
            "errors": [{ "message": "Throttled", "extensions": { "code": "THROTTLED" } }],
            "extensions": { "cost": { "requestedQueryCost": 960, "actualQueryCost": null, "throttleStatus": {
                "maximumAvailable": 2000.0, "currentlyAvailable": available, "restoreRate": rate } } },
        })
    };
    let wait = |available, rate| failure(ok(&cost(available, rate))).retry_after.unwrap();
    assert_eq!(wait(160.0, 100.0), Duration::from_secs(8));
    assert_eq!(wait(950.0, 100.0), Duration::from_secs(1));
    assert_eq!(wait(0.0, 0.0), Duration::from_secs(1));
    assert_eq!(wait(0.0, 0.001), Duration::from_mins(1));
    assert_eq!(failure(reply(429, &[("retry-after", "2.0")], "")).retry_after, Some(Duration::from_secs(2)));
}

#[test]
fn a_version_that_fell_forward_and_missing_permissions_are_told() {
    let body = json!({ "data": {
        "shop": { "name": "Acme", "currencyCode": "CHF" },
        "currentAppInstallation": { "accessScopes": [
            { "handle": "write_products" }, { "handle": "write_inventory" }, { "handle": "read_locations" }, { "handle": "read_orders" },
        ] },
    } });
    let answer = reply(200, &[("x-shopify-api-version", "2027-01")], &body.to_string());
    let report = play(super::Shopify.test(&account()).unwrap(), &[answer]).1.unwrap();
    assert_eq!(report.account_name, "Acme");
    assert_eq!(report.missing_permissions, ["write_orders"]);
    assert!(report.warnings[0].contains("2027-01"));

    let same = reply(200, &[("x-shopify-api-version", "2026-10")], &body.to_string());
    assert!(play(super::Shopify.test(&account()).unwrap(), &[same]).1.unwrap().warnings.is_empty());
}

#[test]
fn a_token_is_read_and_a_refused_secret_is_told() {
    let token = |answer| play(super::Shopify.token(&account()).unwrap(), &[answer]).1;
    let bought = token(ok(&json!({ "access_token": "t", "scope": "read_products", "expires_in": 86399 })));
    assert_eq!(bought.ok().map(|token| token.expires_in), Some(86_399));
    for status in [400, 401] {
        assert_eq!(token(reply(status, &[], "{}")).err().unwrap().kind, ErrorKind::Unauthorized);
    }
    assert_eq!(token(ok(&json!({ "access_token": "" }))).err().unwrap().kind, ErrorKind::Unexpected);
}

#[test]
fn a_definition_that_exists_is_no_failure() {
    let answer = |code: &str| {
        let errors = json!([{ "field": ["definition", "key"], "message": "is taken", "code": code }]);
        ok(&json!({ "data": { "a_0": { "userErrors": errors }, "a_1": { "userErrors": [] } } }))
    };
    let prepare = || super::Shopify.prepare(&account(), ItemType::Product).unwrap().unwrap();
    assert_eq!(play(prepare(), &[answer("TAKEN")]).1, Ok(()));
    assert_eq!(play(prepare(), &[answer("RESERVED_NAMESPACE_KEY")]).1.unwrap_err().kind, ErrorKind::Rejected);
}

#[test]
fn what_is_gone_already_counts_as_deleted() {
    let refused = |message: &str| json!({ "deletedProductId": null, "userErrors": [{ "field": ["id"], "message": message }] });
    let answer =
        json!({ "data": { "a_0": refused("Product does not exist"), "a_1": refused("Product is busy") } });
    let ids = super::strings(&["a", "b"]);
    let exchange = super::Shopify.delete_many(&account(), ItemType::Product, &ids).unwrap();
    let outcomes = play(exchange, &[ok(&answer)]).1.unwrap();
    assert_eq!(outcomes[0], Ok(()));
    assert_eq!(outcomes[1].as_ref().unwrap_err().message, "id: Product is busy");
}
