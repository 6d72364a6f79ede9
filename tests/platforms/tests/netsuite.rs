//! What the simulated account is strict about.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use p256::ecdsa::signature::Signer as _;
use p256::pkcs8::DecodePrivateKey as _;
use platforms::{NetsuiteHandle, Platforms, catalogue, order, product, variant};
use serde_json::{Value, json};
use support::{claims, netsuite, nonce, oauth1, send, suiteql, token};

const ITEMS: &str = "/services/rest/record/v1/inventoryItem";
const SUITEQL: &str = "/services/rest/query/v1/suiteql";
const COLLECTION: (&str, &str) = ("content-type", "application/vnd.oracle.resource+json; type=collection");
const ASYNC: (&str, &str) = ("prefer", "respond-async");
const PREFER: &[(&str, &str)] = &[("prefer", "transient")];
const STRICT: (&str, &str) = ("x-netsuite-propertynamevalidation", "Error");

/// What is wrong with an assertion.
type Change = fn(&mut Value);

fn code(answer: &support::Answer) -> String {
    answer.json()["o:errorDetails"][0]["o:errorCode"].as_str().unwrap_or_default().to_owned()
}

fn price(currency: &str, amount: &Value) -> Value {
    json!({ "currencyPage": { "id": currency }, "priceLevel": { "id": "1" }, "quantity": { "value": "0" }, "price": amount })
}

async fn server_time(books: &NetsuiteHandle, authorization: &str) -> anyhow::Result<u16> {
    let uri = format!("{}/services/rest/system/v1/serverTime", books.address());
    Ok(send("GET", &uri, &[("authorization", authorization)], "").await?.status)
}

#[tokio::test]
async fn a_signature_is_good_once_and_only_in_time() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let books = platforms.netsuite("1234567-sb1");
    assert_eq!(books.tba().realm, "1234567_SB1");
    let path = "/services/rest/system/v1/serverTime";
    let now = chrono::Utc::now().timestamp();
    let signed = oauth1(&books, "GET", path, &[], now, &nonce());
    assert_eq!(server_time(&books, &signed).await?, 200);
    assert_eq!(server_time(&books, &signed).await?, 401, "a nonce is used once");
    assert_eq!(server_time(&books, &oauth1(&books, "GET", path, &[], now - 600, &nonce())).await?, 401);
    assert_eq!(server_time(&books, &oauth1(&books, "POST", path, &[], now, &nonce())).await?, 401);
    assert_eq!(server_time(&books, "").await?, 401);
    assert_eq!(server_time(&books, "Bearer nothing").await?, 401);
    Ok(())
}

#[tokio::test]
async fn assertions_are_verified_and_tokens_end() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let books = platforms.netsuite("1234567");
    let key = p256::ecdsa::SigningKey::from_pkcs8_pem(&books.private_key_pem())?;
    let sign = |text: String| {
        let signature: p256::ecdsa::Signature = key.sign(text.as_bytes());
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    };
    let kid = books.certificate_id();
    let granted = token(&books, &sign(claims(&books, "ES256", &kid, |_| {}))).await?;
    assert_eq!(granted.status, 200, "{}", granted.text);
    assert_eq!(granted.json()["expires_in"], "3600");
    let bearer = format!("Bearer {}", granted.json()["access_token"].as_str().unwrap());
    assert_eq!(server_time(&books, &bearer).await?, 200);
    platforms.clock().advance(Duration::minutes(61));
    assert_eq!(server_time(&books, &bearer).await?, 401);
    platforms.clock().advance(Duration::minutes(-61));
    let changes: [Change; 4] = [
        |it| it["aud"] = json!("https://elsewhere.example/token"),
        |it| it["exp"] = json!(it["iat"].as_i64().unwrap() + 4_000),
        |it| it["scope"] = json!(["restlets"]),
        |it| it["iss"] = json!("someone"),
    ];
    for change in changes {
        let refused = token(&books, &sign(claims(&books, "ES256", &kid, change))).await?;
        assert_eq!((refused.status, refused.json()["error"].as_str()), (400, Some("invalid_grant")));
    }
    assert_eq!(token(&books, &sign(claims(&books, "ES256", "other", |_| {}))).await?.status, 400);
    let mut forged = sign(claims(&books, "ES256", &kid, |_| {}));
    forged.truncate(forged.len() - 8);
    assert_eq!(token(&books, &forged).await?.status, 400);
    Ok(())
}

#[tokio::test]
async fn ps256_assertions_are_verified_too() -> anyhow::Result<()> {
    use rsa::signature::{RandomizedSigner as _, SignatureEncoding as _};
    let platforms = Platforms::start(1)?;
    let books = platforms.netsuite("1234567");
    let (kid, pem) = books.rsa_certificate();
    let key = rsa::pss::SigningKey::<rsa::sha2::Sha256>::new(rsa::RsaPrivateKey::from_pkcs8_pem(&pem)?);
    let text = claims(&books, "PS256", &kid, |_| {});
    let mut chance = <rand_chacha::ChaCha20Rng as rand_chacha::rand_core::SeedableRng>::seed_from_u64(1);
    let signature = key.sign_with_rng(&mut chance, text.as_bytes());
    let assertion = format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()));
    assert_eq!(token(&books, &assertion).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn an_item_is_created_read_changed_and_deleted() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let books = platforms.netsuite("1234567");
    let body = json!({
        "itemId": " CH-1 ", "externalId": "X-1", "displayName": "Chair", "custitem_syncline_tags": "[\"a\"]",
        "price": { "items": [price("1", &json!(19.90)), price("3", &json!("2500"))] },
    });
    let made = netsuite(&books, "POST", ITEMS, &[STRICT], body.clone()).await?;
    assert_eq!(made.status, 204, "{}", made.text);
    let id = made.header("location").rsplit('/').next().unwrap().to_owned();
    let again = netsuite(&books, "POST", ITEMS, &[STRICT], body).await?;
    assert_eq!((again.status, code(&again).as_str()), (400, "USER_ERROR"));
    let read = netsuite(&books, "GET", &format!("{ITEMS}/eid:X-1?expandSubResources=true"), &[], Value::Null)
        .await?
        .json();
    assert_eq!((&read["id"], &read["itemId"]), (&json!(id), &json!("CH-1")));
    assert_eq!(read["price"]["items"][0]["price"].to_string(), "19.9");
    assert_eq!(read["price"]["items"][0]["currencyPage"]["refName"], "Euro");
    assert!(read["lastModifiedDate"].as_str().unwrap().ends_with('Z'));
    let line = format!("{ITEMS}/{id}/price/currencypage=1,pricelevel=1,quantity=0");
    assert_eq!(netsuite(&books, "PATCH", &line, &[], json!({ "price": 21 })).await?.status, 204);
    assert_eq!(netsuite(&books, "GET", &line, &[], Value::Null).await?.json()["price"], 21);
    let replaced = format!("{ITEMS}/{id}?replace=price");
    netsuite(
        &books,
        "PATCH",
        &replaced,
        &[],
        json!({ "displayName": null, "price": { "items": [price("2", &json!(5))] } }),
    )
    .await?;
    let read = netsuite(&books, "GET", &format!("{ITEMS}/{id}?expandSubResources=true"), &[], Value::Null)
        .await?
        .json();
    assert_eq!(read["price"]["items"].as_array().unwrap().len(), 1);
    assert!(read.get("displayName").is_none());
    assert_eq!(netsuite(&books, "DELETE", &format!("{ITEMS}/{id}"), &[], Value::Null).await?.status, 204);
    let gone = netsuite(&books, "GET", &format!("{ITEMS}/{id}"), &[], Value::Null).await?;
    assert_eq!((gone.status, code(&gone).as_str()), (404, "NONEXISTENT_ID"));
    assert_eq!(books.creates_per_key()["inventoryItem externalId X-1"], 1);
    Ok(())
}

#[tokio::test]
async fn an_upsert_by_external_id_makes_one_record() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let books = platforms.netsuite("1234567");
    let target = format!("{ITEMS}/eid:P-1");
    let first = netsuite(&books, "PUT", &target, &[], json!({ "itemId": "P-1" })).await?;
    let second =
        netsuite(&books, "PUT", &target, &[], json!({ "itemId": "P-1", "displayName": "Two" })).await?;
    assert_eq!((first.status, second.status), (204, 204));
    assert_eq!(first.header("location"), second.header("location"));
    let child = json!({ "itemId": "P-1-S", "parent": { "externalId": "P-1" } });
    assert_eq!(netsuite(&books, "PUT", &format!("{ITEMS}/eid:P-1-S"), &[], child).await?.status, 204);
    let now = books.product("P-1").unwrap();
    assert_eq!((now.title.as_str(), now.variants[0].sku.as_str()), ("Two", "P-1-S"));
    Ok(())
}

#[tokio::test]
async fn unknown_names_are_errors_when_asked_and_ignored_when_not() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let books = platforms.netsuite("1234567");
    let body = json!({ "itemId": "A", "nonsense": 1 });
    let refused = netsuite(&books, "POST", ITEMS, &[STRICT], body.clone()).await?;
    assert_eq!((refused.status, code(&refused).as_str()), (400, "INVALID_CONTENT"));
    assert_eq!(refused.json()["o:errorDetails"][0]["o:errorPath"], "nonsense");
    let custom =
        netsuite(&books, "POST", ITEMS, &[STRICT], json!({ "itemId": "A", "custitem_mine": "x" })).await?;
    assert_eq!(custom.status, 400);
    books.define_field("custitem_mine");
    assert_eq!(
        netsuite(&books, "POST", ITEMS, &[STRICT], json!({ "itemId": "B", "custitem_mine": "x" }))
            .await?
            .status,
        204
    );
    assert_eq!(netsuite(&books, "POST", ITEMS, &[], body).await?.status, 204);
    for bad in [
        json!({ "itemId": "C", "externalId": "a b" }),
        json!({ "itemId": "C", "parent": { "id": "99" } }),
        json!({ "itemId": "C", "isInactive": "yes" }),
        json!({ "displayName": "none" }),
    ] {
        assert_eq!(netsuite(&books, "POST", ITEMS, &[], bad).await?.status, 400);
    }
    Ok(())
}

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
async fn stock_moves_by_adjustments() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let books = platforms.netsuite("1234567");
    books.has(product("A").variant_with(variant("A-1", "1").stock("Berlin Warehouse", 5)));
    let sql = "SELECT i.id, l.id AS place, s.quantityonhand FROM inventoryitemlocations s JOIN item i ON i.id = s.item JOIN location l ON l.id = s.location WHERE i.itemid = 'A-1' AND l.name = 'Berlin Warehouse'";
    let row = suiteql(&books, sql, json!([])).await?[0].clone();
    assert_eq!(row["quantityonhand"], "5");
    let line = json!({ "item": { "id": row["id"] }, "location": { "id": row["place"] }, "adjustQtyBy": -2 });
    let body = json!({ "account": { "id": "1" }, "externalId": "ADJ-1", "inventory": { "items": [line] } });
    let target = "/services/rest/record/v1/inventoryAdjustment";
    assert_eq!(netsuite(&books, "POST", target, &[STRICT], body.clone()).await?.status, 204);
    assert_eq!(
        netsuite(&books, "POST", target, &[STRICT], body).await?.status,
        400,
        "the same adjustment twice"
    );
    assert_eq!(suiteql(&books, sql, json!([])).await?[0]["quantityonhand"], "3");
    assert_eq!(books.product("A").unwrap().variants[0].stock["Berlin Warehouse"], 3);
    Ok(())
}

#[tokio::test]
async fn a_sales_order_is_created_and_read_back() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let books = platforms.netsuite("1234567");
    books.has(product("A").variant("A-1", "9.90"));
    let entity = suiteql(&books, "SELECT id FROM customer", json!([])).await?[0]["id"].clone();
    let item = suiteql(&books, "SELECT id FROM item WHERE itemid = 'A-1'", json!([])).await?[0]["id"].clone();
    let body = json!({
        "entity": { "id": entity }, "externalId": "SO-X", "otherRefNum": "#1001", "memo": "ring", "email": "a@example.com",
        "shippingAddress": { "addressee": "Ada", "addr1": "Street 1", "city": "Αθήνα", "country": { "id": "GR" } },
        "item": { "items": [{ "item": { "id": item }, "quantity": 3 }] },
    });
    let target = "/services/rest/record/v1/salesOrder";
    assert_eq!(netsuite(&books, "POST", target, &[STRICT], body).await?.status, 204);
    let read =
        netsuite(&books, "GET", &format!("{target}/eid:SO-X?expandSubResources=true"), &[], Value::Null)
            .await?
            .json();
    assert_eq!(read["total"].to_string(), "29.7");
    assert_eq!(read["item"]["items"][0]["item"]["refName"], "A-1");
    assert_eq!(read["shippingAddress"]["city"], "Αθήνα");
    let sql = "SELECT t.otherrefnum, t.foreigntotal, l.quantity, a.city FROM transaction t JOIN transactionline l ON l.transaction = t.id JOIN transactionshippingaddress a ON a.nkey = t.shippingaddress WHERE t.type = 'SalesOrd' AND l.mainline = 'F'";
    let rows = suiteql(&books, sql, json!([])).await?;
    assert_eq!(
        (&rows[0]["quantity"], &rows[0]["foreigntotal"], &rows[0]["city"]),
        (&json!("-3"), &json!("29.7"), &json!("Αθήνα"))
    );
    books.has_order(order("#1002").line("A-1", "Chair", 1, "9.90"));
    assert_eq!(books.orders().len(), 2);
    assert_eq!(books.order("#1001").unwrap().lines[0].price, "9.90");
    Ok(())
}

#[tokio::test]
async fn a_batch_goes_on_after_a_bad_record_and_its_key_works_once() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let books = platforms.netsuite("1234567");
    books.set_job_polls(1);
    let items = json!({ "items": [{ "itemId": "A", "externalId": "A" }, { "externalId": "B" }, { "itemId": "C", "externalId": "C" }] });
    let headers = [COLLECTION, ASYNC, STRICT, ("x-netsuite-idempotency-key", "k-1")];
    let taken = netsuite(&books, "PUT", ITEMS, &headers, items.clone()).await?;
    assert_eq!((taken.status, taken.header("preference-applied")), (202, "respond-async"), "{}", taken.text);
    let job = taken.header("location").strip_prefix(books.address()).unwrap().to_owned();
    let again = netsuite(&books, "PUT", ITEMS, &headers, items).await?;
    assert_eq!((again.status, code(&again).as_str()), (400, "IDEMPOTENCY_ERROR"));
    let first = netsuite(&books, "GET", &job, &[], Value::Null).await?.json();
    assert_eq!((&first["completed"], &first["progress"]), (&json!(false), &json!("pending")));
    let second = netsuite(&books, "GET", &job, &[], Value::Null).await?.json();
    assert_eq!((&second["completed"], &second["progress"]), (&json!(true), &json!("succeeded")));
    let tasks = netsuite(&books, "GET", &format!("{job}/task/"), &[], Value::Null).await?.json();
    let task = tasks["items"][0]["id"].as_str().unwrap().to_owned();
    let result =
        netsuite(&books, "GET", &format!("{job}/task/{task}/result"), &[], Value::Null).await?.json();
    let entries = result["items"].as_array().unwrap();
    assert_eq!(entries.len(), 3);
    assert!(entries[0]["links"][0]["href"].as_str().unwrap().contains("/inventoryItem/"));
    assert_eq!(entries[1]["o:errorDetails"][0]["o:errorCode"], "USER_ERROR");
    assert_eq!(entries[2]["status"], 204);
    assert_eq!(books.product_count(), 2);
    books.set_task_per_record(true);
    books.set_job_polls(0);
    let items = json!({ "items": [{ "itemId": "A" }, { "itemId": "D" }] });
    let taken = netsuite(&books, "POST", ITEMS, &[COLLECTION, ASYNC], items).await?;
    let job = taken.header("location").strip_prefix(books.address()).unwrap().to_owned();
    let tasks = netsuite(&books, "GET", &format!("{job}/task"), &[], Value::Null).await?;
    assert_eq!(tasks.json()["count"], 2);
    let first = netsuite(&books, "GET", &format!("{job}/task/1/result"), &[], Value::Null).await?;
    let second = netsuite(&books, "GET", &format!("{job}/task/2/result"), &[], Value::Null).await?;
    assert_eq!((first.status, second.status), (400, 200));
    let many: Vec<Value> =
        (0..101).map(|at| json!({ "itemId": format!("M{at}"), "externalId": format!("M{at}") })).collect();
    assert_eq!(
        netsuite(&books, "POST", ITEMS, &[COLLECTION, ASYNC], json!({ "items": many })).await?.status,
        400
    );
    Ok(())
}

#[tokio::test]
async fn more_requests_than_the_limit_are_refused() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let books = platforms.netsuite("1234567");
    books.set_concurrency(2);
    books.set_latency(std::time::Duration::from_millis(300));
    let calls = (0..4).map(|_| {
        let books = books.clone();
        tokio::spawn(async move { netsuite(&books, "GET", ITEMS, &[], Value::Null).await.unwrap() })
    });
    let calls: Vec<_> = calls.collect();
    let mut refused = 0;
    for call in calls {
        let answer = call.await?;
        if answer.status == 429 {
            assert_eq!(code(&answer), "CONCURRENCY_LIMIT_EXCEEDED");
            refused += 1;
        }
    }
    assert_eq!(refused, 2);
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
