//! Who is let in, and how often.

use platforms::Platforms;
use serde_json::{Value, json};

use crate::support::send;
use crate::{CONTACTS, ask, batch, category};

#[tokio::test]
async fn tokens_and_scopes_are_checked_before_anything_else() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let portal = platforms.hubspot("demo");
    let uri = format!("{}{CONTACTS}", portal.address());
    let stranger = send("GET", &uri, &[], "").await?;
    assert_eq!((stranger.status, category(&stranger).as_str()), (401, "INVALID_AUTHENTICATION"));
    assert!(stranger.json()["correlationId"].as_str().is_some_and(|id| id.len() == 36));
    assert_eq!(ask(&portal, "GET", "/account-info/v3/details", Value::Null).await?.status, 200);

    portal.set_scopes(&["crm.objects.contacts.read"]);
    assert_eq!(ask(&portal, "GET", CONTACTS, Value::Null).await?.status, 200);
    let denied = batch(&portal, "update", json!([])).await?;
    assert_eq!((denied.status, category(&denied).as_str()), (403, "MISSING_SCOPES"));
    let defined = ask(&portal, "POST", "/crm/v3/properties/contacts", json!({})).await?;
    assert_eq!(defined.status, 403);
    portal.revoke_token();
    assert_eq!(ask(&portal, "GET", CONTACTS, Value::Null).await?.status, 401);
    Ok(())
}

#[tokio::test]
async fn who_asks_too_often_is_told_which_limit_was_met() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    platforms.clock().stop();
    let portal = platforms.hubspot("demo");
    portal.set_limits(4, 1);
    let first = ask(&portal, "GET", CONTACTS, Value::Null).await?;
    assert_eq!(
        (first.header("x-hubspot-ratelimit-max"), first.header("x-hubspot-ratelimit-remaining")),
        ("4", "3")
    );
    assert_eq!(first.header("x-hubspot-ratelimit-interval-milliseconds"), "10000");

    let search = json!({ "filterGroups": [], "sorts": [], "properties": [], "limit": 1, "after": "0" });
    let found = ask(&portal, "POST", &format!("{CONTACTS}/search"), search.clone()).await?;
    assert_eq!((found.status, found.header("x-hubspot-ratelimit-max")), (200, ""));
    let limited = ask(&portal, "POST", &format!("{CONTACTS}/search"), search).await?;
    assert_eq!((limited.status, limited.json()["policyName"].as_str()), (429, Some("SECONDLY")));

    for _ in 0..2 {
        assert_eq!(ask(&portal, "GET", CONTACTS, Value::Null).await?.status, 200);
    }
    let limited = ask(&portal, "GET", CONTACTS, Value::Null).await?;
    assert_eq!((limited.status, limited.json()["policyName"].as_str()), (429, Some("TEN_SECONDLY_ROLLING")));
    assert_eq!(limited.json()["errorType"], "RATE_LIMIT");
    platforms.clock().advance(chrono::Duration::seconds(10));
    assert_eq!(ask(&portal, "GET", CONTACTS, Value::Null).await?.status, 200);
    assert_eq!(portal.throttled(), 2);
    portal.set_left_today(0);
    assert_eq!(ask(&portal, "GET", CONTACTS, Value::Null).await?.json()["policyName"], "DAILY");
    Ok(())
}
