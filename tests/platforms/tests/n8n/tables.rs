//! Data tables: typed columns, filters, and the filters that do not work.

use chrono::Duration;
use platforms::Platforms;
use serde_json::{Value, json};

use crate::{ask, encoded, ids, read, said};

fn where_is(column: &str, condition: &str, value: &str) -> Value {
    let one = json!({ "columnName": column, "condition": condition, "value": value });
    json!({ "type": "and", "filters": [one] })
}

#[tokio::test]
async fn rows_are_written_by_what_tells_them_apart() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let server = platforms.n8n("demo");
    let columns = json!([
        { "name": "external_id", "type": "string" }, { "name": "amount", "type": "number" },
        { "name": "paid", "type": "boolean" }, { "name": "due", "type": "date" },
    ]);
    let made = ask(&server, "POST", "/data-tables", json!({ "name": "orders", "columns": columns })).await?;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let unknown = json!({ "name": "other", "columns": [{ "name": "a", "type": "json" }] });
    assert_eq!(ask(&server, "POST", "/data-tables", unknown).await?.status, 400);
    assert_eq!(ids(&read(&server, "/data-tables").await?), std::slice::from_ref(&id));

    let rows = format!("/data-tables/{id}/rows");
    let two =
        json!({ "data": [{ "external_id": "c1", "amount": 5 }, { "external_id": "c2", "paid": true }] });
    let inserted = ask(&server, "POST", &rows, two).await?;
    assert_eq!(inserted.json()["insertedRows"], 2, "{}", inserted.text);
    for wrong in [json!({ "amount": "five" }), json!({ "nothing": 1 }), json!({ "due": "tomorrow" })] {
        let refused = ask(&server, "POST", &rows, json!({ "data": [wrong] })).await?;
        assert_eq!(refused.status, 400, "{}", refused.text);
    }
    let upsert = async |key: &str, amount: u64| {
        let body = json!({
            "filter": where_is("external_id", "eq", key), "returnData": true,
            "data": { "external_id": key, "amount": amount },
        });
        ask(&server, "POST", &format!("{rows}/upsert"), body).await
    };
    assert_eq!(upsert("c1", 7).await?.json()[0]["id"], 1);
    assert_eq!(upsert("c3", 9).await?.json()[0]["id"], 3);
    let swap = |old: &str| json!({ "filter": where_is("external_id", "eq", old), "data": { "paid": false }, "returnData": true });
    let update = format!("{rows}/update");
    assert_eq!(ask(&server, "PATCH", &update, swap("none")).await?.json(), json!([]));
    assert_eq!(ask(&server, "PATCH", &update, swap("c2")).await?.json()[0]["paid"], false);
    let gone = encoded(&where_is("external_id", "eq", "c2").to_string());
    assert_eq!(
        ask(&server, "DELETE", &format!("{rows}/delete?filter={gone}"), Value::Null).await?.status,
        200
    );
    assert_eq!(ask(&server, "DELETE", &format!("{rows}/delete"), Value::Null).await?.status, 400);
    let left: Vec<Value> = server.rows(&id).iter().map(|row| row["external_id"].clone()).collect();
    assert_eq!(left, [json!("c1"), json!("c3")]);
    assert!(server.creates_per_key()["dataTableRow external_id c3"] == 1);
    Ok(())
}

#[tokio::test]
async fn rows_are_sorted_by_time_but_not_filtered_by_it() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    platforms.clock().stop();
    let server = platforms.n8n("demo");
    let id = server.add_table("orders", &[("external_id", "string")]);
    for number in 0..5 {
        platforms.clock().advance(Duration::seconds(1));
        server.insert_row(&id, &json!({ "external_id": format!("c{number}") }));
    }
    platforms.clock().advance(Duration::seconds(1));
    assert!(server.edit_row(&id, 2, &json!({ "external_id": "again" })));
    let rows = format!("/data-tables/{id}/rows");
    let numbers = async |query: &str| {
        let answer = read(&server, &format!("{rows}?{query}")).await?;
        anyhow::ensure!(answer.status == 200, "{}", answer.text);
        let data = answer.json()["data"].as_array().cloned().unwrap();
        anyhow::Ok(data.iter().map(|row| row["id"].as_u64().unwrap()).collect::<Vec<_>>())
    };
    assert_eq!(numbers("sortBy=updatedAt%3Adesc&limit=2").await?, [2, 5]);
    assert_eq!(said(&read(&server, &format!("{rows}?sortBy=updatedAt:desc")).await?).0, 400);
    assert_eq!(numbers("search=AGA").await?, [2]);
    for (condition, found) in [("gt", 0), ("gte", 0), ("eq", 0), ("lt", 5)] {
        let filter = where_is("updatedAt", condition, "2020-01-01T00:00:00.000Z").to_string();
        assert_eq!(numbers(&format!("filter={}", encoded(&filter))).await?.len(), found, "{condition}");
    }
    let page = read(&server, &format!("{rows}?limit=3")).await?;
    let cursor = encoded(page.json()["nextCursor"].as_str().unwrap());
    assert_eq!(numbers(&format!("cursor={cursor}")).await?, [4, 5]);
    assert!(server.delete_row(&id, 1));
    assert_eq!(numbers("").await?, [2, 3, 4, 5]);
    Ok(())
}
