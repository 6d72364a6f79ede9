//! The account itself: what its tables are like, and whether they do for a sync.

use super::failure;
use super::replies::{Column, Description, Findings};
use super::setup::{Asked, Setup};
use crate::{Error, ErrorKind, Exchange, Reply, Result, SchemaField, SchemaObject, Step, TestReport, read};
use domain::auth::Scheme;
use serde_json::json;
use std::collections::VecDeque;
use std::time::Duration;

/// The columns of every table.
pub(super) fn schema(setup: Setup) -> Result<Exchange<Vec<SchemaObject>>> {
    each(setup.into_tables(), Vec::new(), |mut objects: Vec<SchemaObject>, table, described| {
        let fields = described.columns.into_iter().map(field).collect();
        objects.push(SchemaObject { item_type: table.item_type, fields });
        Ok(objects)
    })
}

/// Whether every table is there, tells its rows apart, says what changed, and may be written.
pub(super) fn test(setup: Setup) -> Result<Exchange<TestReport>> {
    each(setup.into_tables(), TestReport::default(), |mut report: TestReport, table, described| {
        let Findings { problems, warnings } = described.findings;
        if !problems.is_empty() {
            return Err(Error::new(ErrorKind::Rejected, problems.join(" ")));
        }
        if !report.account_name.is_empty() {
            report.account_name.push_str(", ");
        }
        report.account_name.push_str(table.name());
        report.warnings.extend(warnings);
        Ok(report)
    })
}

/// Describes one table after the other; `add` puts what is said of one to what was said of those before.
fn each<T: Clone + Send + 'static>(
    mut tables: VecDeque<Asked>,
    so_far: T,
    add: fn(T, &Asked, Description) -> Result<T>,
) -> Result<Exchange<T>> {
    let Some(table) = tables.pop_front() else {
        let message = "The account names no table: set `tables` in its settings.";
        return Err(Error::new(ErrorKind::Rejected, message));
    };
    let request = table.request("describe", json!({}))?;
    let read = move |reply: &Reply| {
        failure::of(reply)?;
        let so_far = add(so_far.clone(), &table, read::json(reply.body())?)?;
        if tables.is_empty() {
            return Ok(Step::Done(so_far));
        }
        Ok(Step::Next { exchange: each(tables.clone(), so_far, add)?, after: Duration::ZERO })
    };
    Ok(Exchange::steps(request, Scheme::Database, read))
}

fn field(column: Column) -> SchemaField {
    let Column { name, kind, writable, required } = column;
    SchemaField { path: name, kind: word(&kind).to_owned(), writable, required }
}

/// Our word for a type of Postgres.
fn word(kind: &str) -> &'static str {
    match kind {
        _ if kind.ends_with("[]") => "list",
        "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision" => "number",
        "money" => "money",
        "boolean" => "boolean",
        "json" | "jsonb" => "object",
        _ if kind.starts_with("timestamp") || kind == "date" => "time",
        _ => "text",
    }
}
