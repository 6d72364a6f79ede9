//! The search and its limits.

use platforms::{HubspotHandle, Platforms, contact};
use serde_json::{Value, json};

use crate::support::Answer;
use crate::{CONTACTS, ask, category, ids};

async fn search(portal: &HubspotHandle, filters: Value, limit: u64, after: &str) -> anyhow::Result<Answer> {
    let sort = json!({ "propertyName": "lastmodifieddate", "direction": "ASCENDING" });
    let body = json!({
        "filterGroups": [{ "filters": filters }], "sorts": [sort], "properties": ["email"], "limit": limit, "after": after,
    });
    ask(portal, "POST", &format!("{CONTACTS}/search"), body).await
}

fn since(value: &str) -> Value {
    json!([{ "propertyName": "lastmodifieddate", "operator": "GTE", "value": value }])
}

#[tokio::test]
async fn a_search_is_late_by_as_much_as_is_set() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    platforms.clock().stop();
    let portal = platforms.hubspot("demo");
    let old = portal.has(contact("old@example.com"));
    portal.set_index_delay(30);
    platforms.clock().advance(chrono::Duration::seconds(1));
    let new = portal.has(contact("new@example.com"));
    portal.edit(&old, |it| it.set("city", "Bern"));
    let city = json!([{ "propertyName": "city", "operator": "EQ", "value": "BERN" }]);
    assert_eq!(ids(&search(&portal, since("0"), 10, "0").await?), [old.as_str()]);
    assert!(ids(&search(&portal, city.clone(), 10, "0").await?).is_empty());
    platforms.clock().advance(chrono::Duration::seconds(30));
    assert_eq!(ids(&search(&portal, city, 10, "0").await?), [old.as_str()]);
    assert_eq!(
        ids(&search(&portal, since("0"), 10, "0").await?),
        [new, old.clone()],
        "equal times have no order"
    );
    portal.set_index_delay(0);
    portal.delete(&old);
    platforms.clock().advance(chrono::Duration::seconds(30));
    assert_eq!(
        search(&portal, since("0"), 10, "0").await?.json()["total"],
        1,
        "archived contacts are not found"
    );
    Ok(())
}

#[tokio::test]
async fn a_search_ends_after_ten_thousand_results() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let portal = platforms.hubspot("demo");
    portal.has(contact("ana@example.com"));
    assert_eq!(search(&portal, since("0"), 200, "9800").await?.status, 200);
    for (limit, after) in [(200, "9801"), (201, "0"), (0, "0"), (10, "x")] {
        let refused = search(&portal, since("0"), limit, after).await?;
        assert_eq!(
            (refused.status, category(&refused).as_str()),
            (400, "VALIDATION_ERROR"),
            "{limit} {after}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn filters_compare_numbers_texts_and_lists() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let portal = platforms.hubspot("demo");
    portal.set_limits(1_000, 1_000);
    portal.define("score", "number");
    let nine = portal.has(contact("a@example.com").with("score", "9").with("company", "Acme"));
    let ten = portal.has(contact("b@example.com").with("score", "10.5"));
    let found = async |name: &str, operator: &str, value: &str| -> anyhow::Result<Vec<String>> {
        let filter = json!({ "propertyName": name, "operator": operator, "value": value, "values": [value] });
        Ok(ids(&search(&portal, json!([filter]), 10, "0").await?))
    };
    assert_eq!(found("score", "GT", "9").await?, [ten.as_str()]);
    assert_eq!(found("hs_object_id", "LT", &ten).await?, [nine.as_str()]);
    assert_eq!(found("company", "IN", "acme").await?, [nine.as_str()]);
    assert!(found("company", "IN", "Acme").await?.is_empty(), "lists are asked for in small letters");
    assert_eq!(found("company", "NOT_HAS_PROPERTY", "").await?, [ten.as_str()]);
    let unknown = json!([{ "propertyName": "nothing", "operator": "EQ", "value": "x" }]);
    assert_eq!(search(&portal, unknown, 10, "0").await?.status, 400);
    Ok(())
}
