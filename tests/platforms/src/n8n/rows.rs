//! The rows of data tables: lists and writes.

use serde_json::{Value, json};

use super::filter::Filter;
use super::problem::Problem;
use super::routes::Call;
use super::table::{Row, Table, ordered};
use super::{Instance, page, tables, workflow};
use crate::journal::{Effect, Verb};
use crate::web::Reply;

/// Columns whose values tell rows apart.
const KEYS: [&str; 4] = ["external_id", "sku", "key", "email"];

/// A page of the rows that are asked for, by their ids or as the query says.
pub(crate) fn list(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let table = tables::named(&instance.state, call)?;
    let filter = queried(table, call)?.unwrap_or_default();
    let search = call.request.query_value("search").unwrap_or_default().to_lowercase();
    let finds = |row: &Row| {
        let mut texts = row.values.values().filter_map(Value::as_str);
        search.is_empty() || texts.any(|text| text.to_lowercase().contains(&search))
    };
    let mut rows: Vec<&Row> = table.rows.values().filter(|row| filter.holds(row) && finds(row)).collect();
    if let Some((column, down)) = sorting(table, call)? {
        rows.sort_by(|one, other| {
            let order = ordered(&one.value(&column), &other.value(&column));
            if down { order.reverse() } else { order }
        });
    }
    Ok(Reply::json(200, &page::paged(page::window(call.request)?, &rows, |row| row.shown())))
}

/// The filter in the query, which is JSON.
fn queried(table: &Table, call: &Call) -> Result<Option<Filter>, Problem> {
    let Some(given) = call.request.query_value("filter").filter(|given| !given.is_empty()) else {
        return Ok(None);
    };
    let given: Value = serde_json::from_str(&given).map_err(|_| Problem::bad("Invalid filter format"))?;
    Filter::of(table, &given).map(Some)
}

/// The column and whether it goes down. Its colon must have come percent-encoded.
fn sorting(table: &Table, call: &Call) -> Result<Option<(String, bool)>, Problem> {
    let raw = call.request.query.split('&').find_map(|pair| pair.strip_prefix("sortBy="));
    let Some(raw) = raw else { return Ok(None) };
    if raw.contains(':') {
        let message =
            "Parameter 'sortBy' must be url encoded. Its value may not contain reserved characters.";
        return Err(Problem::bad(message));
    }
    let given = call.request.query_value("sortBy").unwrap_or_default();
    let (column, direction) = given.split_once(':').ok_or_else(|| Problem::bad("Invalid sort format"))?;
    table.kind(column)?;
    match direction.to_ascii_lowercase().as_str() {
        "asc" => Ok(Some((column.to_owned(), false))),
        "desc" => Ok(Some((column.to_owned(), true))),
        _ => Err(Problem::bad("Invalid sort direction")),
    }
}

/// Adds rows: all of them, or none when one is wrong.
pub(crate) fn insert(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let table = tables::named(&instance.state, call)?;
    let given = call.body.get("data").and_then(Value::as_array);
    let given = given.ok_or_else(|| Problem::bad("request/body must have required property 'data'"))?;
    let checked = given.iter().map(|row| table.checked(row)).collect::<Result<Vec<_>, Problem>>()?;
    let kind = match workflow::text(&call.body, "returnType") {
        "" => "count",
        kind @ ("count" | "id" | "all") => kind,
        _ => {
            let message =
                "request/body/returnType must be equal to one of the allowed values: count, id, all";
            return Err(Problem::bad(message));
        }
    };
    let now = instance.state.now();
    let mut made = Vec::new();
    if let Some(table) = instance.state.tables.get_mut(call.id()) {
        made.extend(checked.into_iter().map(|values| table.add(values, now)));
    }
    tell(instance, call, Verb::Created, &made);
    let shown = match kind {
        "count" => json!({ "success": true, "insertedRows": made.len() }),
        "id" => made.iter().map(|row| json!({ "id": row.id })).collect(),
        _ => shown(&made),
    };
    Ok(Reply::json(200, &shown))
}

fn shown(rows: &[Row]) -> Value {
    rows.iter().map(Row::shown).collect()
}

/// Whether the body says so.
fn says(call: &Call, name: &str) -> bool {
    call.body.get(name).and_then(Value::as_bool) == Some(true)
}

/// Writes the rows that are meant; that there are none is no error.
pub(crate) fn update(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let table = tables::named(&instance.state, call)?;
    let filter = Filter::required(table, call.body.get("filter"))?;
    let data = call
        .body
        .get("data")
        .ok_or_else(|| Problem::bad("request/body must have required property 'data'"))?;
    let values = table.checked(data)?;
    let ids = filter.ids(table);
    Ok(write(instance, call, &ids, &values))
}

/// Writes the rows that are meant, or adds one.
pub(crate) fn upsert(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let table = tables::named(&instance.state, call)?;
    let filter = Filter::required(table, call.body.get("filter"))?;
    let data = call
        .body
        .get("data")
        .ok_or_else(|| Problem::bad("request/body must have required property 'data'"))?;
    let values = table.checked(data)?;
    let ids = filter.ids(table);
    if !ids.is_empty() {
        return Ok(write(instance, call, &ids, &values));
    }
    let now = instance.state.now();
    let mut tried = table.clone();
    let row = tried.add(values, now);
    if says(call, "dryRun") {
        return Ok(Reply::json(200, &json!([dry(&row, "after")])));
    }
    instance.state.tables.insert(tried.id.clone(), tried);
    let made = [row];
    tell(instance, call, Verb::Created, &made);
    Ok(answered(call, &made))
}

/// What a write answers: the rows where they are asked for, or that it was done.
fn answered(call: &Call, rows: &[Row]) -> Reply {
    // A write that met no row answers so in either case.
    let with_rows = says(call, "returnData") || rows.is_empty();
    Reply::json(200, &if with_rows { shown(rows) } else { json!(true) })
}

fn write(
    instance: &mut Instance,
    call: &Call,
    ids: &[u64],
    values: &serde_json::Map<String, Value>,
) -> Reply {
    let now = instance.state.now();
    let Some(table) = instance.state.tables.get_mut(call.id()) else { return Problem::not_found().reply() };
    if says(call, "dryRun") {
        let mut tried = table.clone();
        let both = |id: &u64| {
            let before = table.rows.get(id).map(|row| dry(row, "before"));
            [before, tried.write(*id, values, now).map(|row| dry(&row, "after"))]
        };
        return Reply::json(200, &ids.iter().flat_map(both).flatten().collect());
    }
    let written: Vec<Row> = ids.iter().filter_map(|id| table.write(*id, values, now)).collect();
    tell(instance, call, Verb::Updated, &written);
    answered(call, &written)
}

/// A row as it was or would be.
fn dry(row: &Row, state: &str) -> Value {
    let mut shown = row.shown();
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("dryRunState".to_owned(), state.into());
    }
    shown
}

/// Deletes the rows that are meant by the filter in the query.
pub(crate) fn delete(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let table = tables::named(&instance.state, call)?;
    let given = call.request.query_value("filter").map(|given| serde_json::from_str::<Value>(&given));
    let given = given.transpose().map_err(|_| Problem::bad("Invalid filter format"))?;
    let ids = Filter::required(table, given.as_ref())?.ids(table);
    let asked = |name: &str| call.request.query_value(name).is_some_and(|value| value == "true");
    if asked("dryRun") {
        let rows = ids.iter().filter_map(|id| table.rows.get(id)).map(|row| dry(row, "before"));
        return Ok(Reply::json(200, &rows.collect()));
    }
    let gone = remove(instance, call, &ids);
    Ok(Reply::json(200, &if asked("returnData") { shown(&gone) } else { json!(true) }))
}

/// Deletes every row.
pub(crate) fn clear(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let ids: Vec<u64> = tables::named(&instance.state, call)?.rows.keys().copied().collect();
    remove(instance, call, &ids);
    Ok(Reply::json(200, &json!(true)))
}

fn remove(instance: &mut Instance, call: &Call, ids: &[u64]) -> Vec<Row> {
    let table = instance.state.tables.get_mut(call.id());
    let gone: Vec<Row> =
        table.map(|table| ids.iter().filter_map(|id| table.rows.remove(id)).collect()).unwrap_or_default();
    tell(instance, call, Verb::Deleted, &gone);
    gone
}

fn tell(instance: &mut Instance, call: &Call, verb: Verb, rows: &[Row]) {
    for row in rows {
        let effect = Effect::new(verb, "dataTableRow", format!("{}/{}", call.id(), row.id));
        let effect = KEYS.into_iter().fold(effect, |effect, key| {
            effect.key(key, row.values.get(key).and_then(Value::as_str).unwrap_or_default())
        });
        instance.state.effects.push(effect);
    }
}
