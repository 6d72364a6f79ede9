//! `integration-test`: whether an account can be used, and if not, at which step it ends.

use super::{listed, names};
use crate::world::{User, World};
use platforms::Fault;
use reqwest::Method;
use serde_json::{Value, json};

async fn account(user: &User<'_>, platform: &str) -> Value {
    user.get(&format!("integrations?platform={platform}")).await.ok()["data"][0].clone()
}

async fn test(user: &User<'_>, platform: &str) -> Value {
    let id = account(user, platform).await["id"].clone();
    user.invoke("integration-test", json!({ "integrationId": id })).await.ok()
}

/// The steps as `address, connection!`: those that failed have a mark.
fn steps(result: &Value) -> String {
    let mark = |step: &Value| {
        let name = step["step"].as_str().unwrap().to_owned();
        assert_eq!(step["ok"] == true, step["detail"] == "", "a failed step says why: {step}");
        if step["ok"] == true { name } else { name + "!" }
    };
    result["steps"].as_array().unwrap().iter().map(mark).collect::<Vec<_>>().join(" ")
}

fn why(result: &Value) -> &str {
    result["steps"].as_array().unwrap().last().unwrap()["detail"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_account_passes_every_step_and_the_result_is_kept_with_it() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    for (platform, api) in [("shopify", "Shopify Admin GraphQL 2026-10"), ("netsuite", "SuiteTalk REST v1")] {
        assert_eq!(account(&ana, platform).await["lastTestTime"], Value::Null);

        let result = test(&ana, platform).await;

        assert_eq!(
            names(&result),
            [
                "accountName",
                "apiName",
                "apiVersion",
                "currency",
                "integrationId",
                "ok",
                "status",
                "steps",
                "warnings"
            ]
        );
        let spoken = [&result["apiName"], &result["apiVersion"]].map(|word| word.as_str().unwrap());
        assert_eq!(spoken.join(" "), api);
        assert_eq!(steps(&result), "address credential connection permissions", "{platform}");
        assert_eq!(
            (&result["ok"], &result["status"], &result["warnings"]),
            (&json!(true), &json!("active"), &json!([])),
            "{result}"
        );
        assert!(result["accountName"].as_str().is_some_and(|name| !name.is_empty()), "{result}");
        let row = account(&ana, platform).await;
        assert!(row["lastTestTime"].is_string(), "{row}");
        assert_eq!(row["lastTestResult"]["steps"], result["steps"]);
        assert_eq!(row["lastTestResult"]["ok"], true);
    }
    assert_eq!((ana.shop().writes(), ana.erp().writes()), (0, 0), "a test changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crm_passes_every_step_and_says_which_scopes_are_missing() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    ana.connect_hubspot("ana", &["tier"]).await;

    let result = test(&ana, "hubspot").await;
    ana.crm().set_scopes(&["crm.objects.contacts.read"]);
    let limited = test(&ana, "hubspot").await;

    assert_eq!(steps(&result), "address credential connection permissions");
    assert!(
        result["accountName"].as_str().is_some_and(|name| name.starts_with("HubSpot account ")),
        "{result}"
    );
    assert_eq!(steps(&limited), "address credential connection permissions!");
    assert!(why(&limited).contains("crm.objects.contacts.write"), "{limited}");
    assert_eq!(ana.crm().writes(), 0, "a test changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_credential_is_said_and_a_new_one_makes_the_account_good_again() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["chair"]).await;
    let good = ana.shop().token();
    let shop = account(&ana, "shopify").await;
    let with = |token: &str| json!({ "id": shop["id"], "credential": { "kind": "access_token", "access_token": token } });
    ana.request(Method::PUT, "integrations", with(&format!("shpat_{}", "0".repeat(32)))).await.ok();

    let bad = test(&ana, "shopify").await;
    let (row, tick) = (account(&ana, "shopify").await, world.tick("scheduled-sync").await.ok());
    ana.request(Method::PUT, "integrations", with(&good)).await.ok();
    let mended = test(&ana, "shopify").await;

    assert_eq!((&bad["ok"], &bad["status"]), (&json!(false), &json!("error")), "{bad}");
    assert_eq!(steps(&bad), "address credential connection!");
    assert_eq!((&row["status"], &row["lastTestResult"]["ok"]), (&json!("error"), &json!(false)));
    assert_eq!(tick["totalItems"], 0, "nothing is sent with a credential that is known to be wrong: {tick}");
    assert_eq!((&mended["ok"], &mended["status"]), (&json!(true), &json!("active")), "{mended}");
    assert_eq!(world.tick("scheduled-sync").await.ok()["itemsSucceeded"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_erp_refuses_revoked_tokens_and_says_so() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let id = account(&ana, "netsuite").await["id"].clone();
    let mut tba = ana.erp().tba();
    tba.token_secret = "0".repeat(64);
    let credential = json!({ "kind": "token_based", "consumer_key": tba.consumer_key,
        "consumer_secret": tba.consumer_secret, "token": tba.token, "token_secret": tba.token_secret });
    ana.request(Method::PUT, "integrations", json!({ "id": id, "credential": credential })).await.ok();

    let result = test(&ana, "netsuite").await;

    assert_eq!(steps(&result), "address credential connection!");
    assert_eq!(result["status"], "error", "{result}");
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_permissions_are_named_one_by_one() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().set_scopes(&["read_products", "write_orders", "read_locations"]);

    let result = test(&ana, "shopify").await;

    assert_eq!(steps(&result), "address credential connection permissions!");
    assert_eq!(result["ok"], false, "{result}");
    for missing in ["write_products", "read_inventory", "write_inventory"] {
        assert!(why(&result).contains(missing), "{missing}: {result}");
    }
    assert!(!why(&result).contains("orders"), "who may write may also read: {result}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_version_that_is_no_longer_served_is_a_warning() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().set_answered_version("2099-01");

    let result = test(&ana, "shopify").await;

    assert_eq!(result["ok"], true, "{result}");
    assert!(result["warnings"][0].as_str().is_some_and(|text| text.contains("2099-01")), "{result}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_zone_that_is_set_wrong_is_a_warning() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    assert!(ana.erp().set_time_zone("Asia/Tokyo"));

    let wrong = test(&ana, "netsuite").await;
    let id = account(&ana, "netsuite").await["id"].clone();
    let config = json!({ "account_id": "ana-erp", "time_zone_offset_minutes": 540 });
    ana.request(Method::PUT, "integrations", json!({ "id": id, "config": config })).await.ok();
    let right = test(&ana, "netsuite").await;

    assert_eq!((&wrong["ok"], &right["ok"]), (&json!(true), &json!(true)));
    assert!(wrong["warnings"][0].as_str().is_some_and(|text| text.contains("540")), "{wrong}");
    assert_eq!(right["warnings"], json!([]), "{right}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_cannot_be_reached_is_told_apart_from_a_refusal() {
    for fault in [Fault::DropBefore, Fault::Html(502), Fault::status(503)] {
        let world = World::start().await;
        let ana = world.merchant("ana").await;
        listed(&ana, &["chair"]).await;
        ana.shop().faults().always(fault.clone());

        let result = test(&ana, "shopify").await;
        ana.shop().faults().clear();
        world.db.run("update sync.breakers set state = 'closed', recent = '', failures_in_row = 0").await;

        assert_eq!(
            (steps(&result).as_str(), &result["ok"]),
            ("address credential connection!", &json!(false))
        );
        assert_eq!(result["status"], "active", "{}: its credential was not refused: {result}", fault.name());
        let tick = world.tick("scheduled-sync").await.ok();
        assert_eq!(tick["itemsSucceeded"], 1, "the clock goes on when the platform is back: {tick}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_that_is_used_up_says_when_to_come_again() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().faults().always(Fault::too_many(40));

    let result = test(&ana, "shopify").await;

    assert_eq!(steps(&result), "address credential connection!");
    let seconds = why(&result).split_whitespace().find_map(|word| word.parse::<u32>().ok());
    assert!(seconds.is_some_and(|seconds| seconds >= 40), "never earlier than it asked: {result}");
    assert_eq!(result["status"], "active", "{result}");
    assert_eq!(ana.shop().requests(), 1, "a platform that asks for patience is not asked again at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn which_account_must_be_said() {
    let world = World::start().await;
    let ana = world.user("ana").await;

    let reply = ana.invoke("integration-test", json!({})).await;

    assert_eq!(super::wrong_field(&reply), "/integrationId");
}
