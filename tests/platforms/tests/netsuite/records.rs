//! Records, one at a time and in batches.

use platforms::{Platforms, order, product, variant};
use serde_json::{Value, json};

use crate::support::{netsuite, suiteql};
use crate::{ASYNC, COLLECTION, ITEMS, STRICT, code, price};

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
