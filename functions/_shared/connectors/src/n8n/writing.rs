//! Writing rows, one after the other: n8n changes rows by a filter, and takes one at a time.
//!
//! A create is an upsert by the column of our key: whoever repeats it finds what the attempt before made. An update names
//! the row by its id, and where a version is expected also by the values that it is to change, as they were read: what
//! somebody else changed meanwhile is then not found.

use super::reading::external;
use super::tables::{NO_TABLE, Setup, Table, equals, one_of, row_ids};
use crate::{Error, ErrorKind, Exchange, Outcome, Reply, Result, Step, Write, Written, read};
use domain::{Fields, Value};
use http::Method;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// A row as it is sent.
#[derive(Clone)]
struct Sent {
    /// Its place among the writes.
    at: usize,
    method: Method,
    path: &'static str,
    body: Value,
    /// What it means when no row is found: that it changed, or that there is none.
    absent: ErrorKind,
}

/// Outcomes so far, each with the place of its record.
type Decided = Vec<(usize, Outcome)>;

/// Writes rows. What is refused does not keep the others from being written.
pub(super) fn write(table: &Table, writes: &[Write]) -> Result<Exchange<Vec<Outcome>>> {
    let (mut decided, mut sent) = (Decided::new(), Vec::new());
    for (at, write) in writes.iter().enumerate() {
        match prepared(table, at, write) {
            Ok(row) => sent.push(row),
            Err(error) => decided.push((at, Err(error))),
        }
    }
    // Without anything to send the first refusal stands for the batch, which then comes back in parts.
    let refusal = decided.iter().find_map(|(_, outcome)| outcome.as_ref().err().cloned());
    match next(table, &sent, decided)? {
        Step::Next { exchange, .. } => Ok(exchange),
        Step::Done(_) => Err(refusal.unwrap_or_else(|| Error::unexpected("there is nothing to write"))),
    }
}

fn prepared(table: &Setup, at: usize, write: &Write) -> Result<Sent> {
    let mut data = data(table, &write.fields)?;
    let Some(id) = &write.id else {
        let (key, value) = (external(table)?, Value::String(write.external_key.clone()));
        if write.external_key.is_empty() {
            return Err(Error::unexpected("a new row needs a key that finds it again"));
        }
        data.retain(|_, value| !value.is_null());
        let filter = json!({ "type": "and", "filters": [equals(key, &value)] });
        data.insert(key.to_owned(), value);
        let body = json!({ "filter": filter, "data": data, "returnData": true });
        let absent = ErrorKind::Unexpected;
        return Ok(Sent { at, method: Method::POST, path: "/rows/upsert", body, absent });
    };
    let ids = row_ids(std::slice::from_ref(id))?;
    let mut filters: Vec<Value> = ids.iter().map(|id| equals("id", id)).collect();
    if write.expected_version.is_some() {
        let before = data.keys().filter_map(|name| Some((name, write.current.get(name)?)));
        filters.extend(
            before.filter(|(_, value)| is_comparable(value)).map(|(name, value)| equals(name, value)),
        );
    }
    let absent = if filters.len() > 1 { ErrorKind::Conflict } else { ErrorKind::NotFound };
    let body = json!({ "filter": { "type": "and", "filters": filters }, "data": data, "returnData": true });
    Ok(Sent { at, method: Method::PATCH, path: "/rows/update", body, absent })
}

/// Whether rows can be found by this value. By times they cannot, where n8n keeps its tables in `SQLite`.
fn is_comparable(value: &Value) -> bool {
    match value {
        Value::String(text) => read::time(text).is_err(),
        Value::Number(_) | Value::Bool(_) => true,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// The fields as columns.
fn data(table: &Setup, fields: &Fields) -> Result<Fields> {
    for (name, value) in fields {
        let refused = |why: &str| {
            let message = format!("{}: {why}", read::excerpt(name));
            Err(Error::new(ErrorKind::Rejected, message).with_code("INVALID_FIELD"))
        };
        if table.key.as_deref() == Some(name) {
            return refused("this column holds our key");
        }
        if !table.is_field(name) {
            return refused("a data table cannot have such a column to write");
        }
        if value.is_array() || value.is_object() {
            return refused("must be a text, a number, a time, yes or no");
        }
    }
    Ok(fields.clone())
}

/// Sends the first row, and the others after it. The refusal of a row is its outcome; any other failure is the end.
fn next(table: &Table, rows: &[Sent], decided: Decided) -> Result<Step<Vec<Outcome>>> {
    let Some((row, rest)) = rows.split_first() else { return Ok(Step::Done(ordered(decided))) };
    let (again, sent, rest) = (Arc::clone(table), row.clone(), rest.to_vec());
    let exchange = table.ask(row.method.clone(), row.path, &row.body, move |reply| {
        let outcome = match reply {
            Ok(reply) => written(&again, &sent, reply),
            Err(error)
                if error.kind == ErrorKind::Rejected && error.vendor_code.as_deref() != Some(NO_TABLE) =>
            {
                Err(error)
            }
            Err(error) => return Err(error),
        };
        match outcome {
            Err(error) if error.kind.retry_class().is_temporary() => Err(error),
            outcome => {
                let mut decided = decided.clone();
                decided.push((sent.at, outcome));
                next(&again, &rest, decided)
            }
        }
    })?;
    Ok(Step::Next { exchange, after: Duration::ZERO })
}

/// What a reply says of a row: the rows that were made or changed, of which there is one.
fn written(table: &Setup, row: &Sent, reply: &Reply) -> Outcome {
    let rows: Vec<Value> = read::json(reply.body())?;
    match rows.first() {
        Some(row) => {
            let record = table.record(row)?;
            Ok(Written { id: record.id.clone(), now: Some(record) })
        }
        None => Err(Error::new(
            row.absent,
            match row.absent {
                ErrorKind::Conflict => "the row has changed, or is no longer there",
                ErrorKind::NotFound => "the row is no longer there",
                _ => "n8n does not say what became of the row",
            },
        )),
    }
}

/// The outcomes in the order of the writes.
fn ordered(mut decided: Decided) -> Vec<Outcome> {
    decided.sort_by_key(|(at, _)| *at);
    decided.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Deletes rows; one that is not there counts as deleted.
pub(super) fn delete(table: &Table, ids: &[String]) -> Result<Exchange<Vec<Result<()>>>> {
    let (count, ids) = (ids.len(), row_ids(ids)?);
    if ids.is_empty() {
        // A filter without conditions might be taken for one that every row meets.
        return Err(Error::unexpected("there is nothing to delete"));
    }
    let filter = one_of("id", &ids).to_string();
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("filter", &filter).finish();
    table.call(Method::DELETE, &format!("/rows/delete?{query}"), &Value::Null, move |reply| {
        let _: Value = read::json(reply.body())?;
        Ok(Step::Done(vec![Ok(()); count]))
    })
}
