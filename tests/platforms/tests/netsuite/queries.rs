//! SuiteQL, the collection filter and the catalogue of types.

use platforms::{Platforms, catalogue, product};
use serde_json::{Value, json};

use crate::support::{netsuite, suiteql};
use crate::{ITEMS, SUITEQL};

const PREFER: &[(&str, &str)] = &[("prefer", "transient")];

#[tokio::test]
async fn suiteql_pages_through_a_catalogue_with_text_values() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let books = platforms.netsuite("1234567");
    let products = catalogue(1, 120);
    books.has_all(&products);
    let sql = "SELECT id, itemid, displayname, isinactive, upccode, parent, TO_CHAR(lastmodifieddate, 'YYYY-MM-DD\"T\"HH24:MI:SS') AS lastmodified \
               FROM item WHERE lastmodifieddate >= TO_TIMESTAMP(?, 'YYYY-MM-DD HH24:MI:SS') AND parent IS NULL ORDER BY lastmodifieddate, id";
    let body = json!({ "q": sql, "params": ["2020-01-01 00:00:00"] });
    let mut seen = 0;
    for offset in [0, 50, 100] {
        let target = format!("{SUITEQL}?limit=50&offset={offset}");
        let page = netsuite(&books, "POST", &target, &[("prefer", "transient")], body.clone()).await?.json();
        assert_eq!(page["totalResults"], 120, "{page}");
        assert_eq!(page["hasMore"], offset < 100);
        for item in page["items"].as_array().unwrap() {
            assert!(item["id"].is_string() && item.get("parent").is_none() && item.get("upccode").is_none());
            assert!(["T", "F"].contains(&item["isinactive"].as_str().unwrap()));
            seen += 1;
        }
    }
    assert_eq!(seen, 120);
    let prices = suiteql(&books, "SELECT p.unitprice, c.symbol, BUILTIN.DF(p.pricelevel) AS lvl FROM pricing p JOIN currency c ON c.id = p.currency JOIN item i ON i.id = p.item WHERE i.itemid = ?", json!([products[0].variants[0].sku])).await?;
    assert!(prices.iter().any(|row| row["symbol"] == "USD" && row["lvl"] == "Base Price"), "{prices:?}");
    Ok(())
}

#[tokio::test]
async fn suiteql_refuses_what_the_vendor_refuses() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let books = platforms.netsuite("1234567");
    let ask = |target: &'static str, headers: &'static [(&'static str, &'static str)], sql: &'static str| {
        let books = books.clone();
        async move { netsuite(&books, "POST", target, headers, json!({ "q": sql })).await.unwrap().status }
    };
    assert_eq!(ask(SUITEQL, PREFER, "SELECT id FROM item").await, 200);
    assert_eq!(ask(SUITEQL, &[], "SELECT id FROM item").await, 400);
    assert_eq!(ask("/services/rest/query/v1/suiteql?limit=1001", PREFER, "SELECT id FROM item").await, 400);
    assert_eq!(
        ask("/services/rest/query/v1/suiteql?limit=10&offset=5", PREFER, "SELECT id FROM item").await,
        400
    );
    assert_eq!(ask(SUITEQL, PREFER, "SELECT nonsense FROM item").await, 400);
    assert_eq!(ask(SUITEQL, PREFER, "SELECT id FROM nothing").await, 400);
    assert_eq!(ask(SUITEQL, PREFER, "SELECT id FROM item LIMIT 5").await, 400);
    assert_eq!(ask(SUITEQL, PREFER, "DELETE FROM item").await, 400);
    Ok(())
}

#[tokio::test]
async fn times_in_suiteql_follow_the_accounts_zone() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let books = platforms.netsuite("1234567");
    books.set_clock_skew(None);
    platforms.clock().stop();
    platforms.clock().set("2026-11-20T02:30:00Z".parse()?);
    books.has(product("A"));
    let sql = "SELECT TO_CHAR(lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS t, lastmodifieddate AS d FROM item WHERE lastmodifieddate >= TO_TIMESTAMP(?, 'YYYY-MM-DD HH24:MI:SS')";
    assert_eq!(suiteql(&books, sql, json!(["2026-11-20 02:30:00"])).await?[0]["t"], "2026-11-20 02:30:00");
    assert!(books.set_time_zone("America/Los_Angeles"));
    let rows = suiteql(&books, sql, json!(["2026-11-19 18:30:00"])).await?;
    assert_eq!((&rows[0]["t"], &rows[0]["d"]), (&json!("2026-11-19 18:30:00"), &json!("19/11/2026")));
    assert!(suiteql(&books, sql, json!(["2026-11-19 18:30:01"])).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn the_collection_filter_and_the_catalogue_of_types_answer() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let books = platforms.netsuite("1234567");
    books.has(product("ABC"));
    books.has(product("XYZ"));
    let list = netsuite(
        &books,
        "GET",
        &format!("{ITEMS}?q=itemId%20START_WITH%20%22AB%22&limit=5"),
        &[],
        Value::Null,
    )
    .await?
    .json();
    assert_eq!(list["totalResults"], 2, "the parent and its variant: {list}");
    assert_eq!(
        netsuite(&books, "GET", &format!("{ITEMS}?q=itemId%20LIKE%20A"), &[], Value::Null).await?.status,
        400
    );
    let accept = [("accept", "application/schema+json")];
    let schema = netsuite(
        &books,
        "GET",
        "/services/rest/record/v1/metadata-catalog/inventoryItem",
        &accept,
        Value::Null,
    )
    .await?
    .json();
    assert_eq!(schema["properties"]["itemId"]["type"], "string");
    let limits =
        netsuite(&books, "GET", "/services/rest/system/v1/governanceLimits", &[], Value::Null).await?.json();
    assert_eq!(limits["accountConcurrencyLimit"], 5);
    Ok(())
}
