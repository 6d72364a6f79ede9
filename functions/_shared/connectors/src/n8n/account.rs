//! The account itself: a test of the connection, and the columns of its data tables.

use super::failure;
use super::replies::text;
use super::site::{self, Site, request};
use super::tables::{self, Setup, Table, is_column};
use crate::{
    Account, Error, ErrorKind, Exchange, Reply, Result, SchemaField, SchemaObject, Step, TestReport, read,
};
use domain::Value;
use domain::auth::Scheme;
use http::Method;
use serde::Deserialize;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// The scopes that workflows, executions and tags need.
const SCOPES: [&str; 14] = [
    "workflow:list",
    "workflow:read",
    "workflow:create",
    "workflow:update",
    "workflow:delete",
    "workflow:activate",
    "workflow:deactivate",
    "workflowTags:list",
    "workflowTags:update",
    "tag:list",
    "tag:create",
    "execution:list",
    "execution:read",
    "execution:retry",
];

/// The scopes that data tables need besides.
const TABLE_SCOPES: [&str; 5] = [
    "dataTable:read",
    "dataTableRow:read",
    "dataTableRow:update",
    "dataTableRow:upsert",
    "dataTableRow:delete",
];

/// What a server says of the key.
#[derive(Deserialize)]
struct Discovered {
    data: Scopes,
}

#[derive(Deserialize)]
struct Scopes {
    #[serde(default)]
    scopes: Option<Vec<String>>,
}

/// A data table. Some versions show its columns elsewhere.
#[derive(Deserialize)]
struct Described {
    #[serde(default)]
    columns: Option<Vec<Column>>,
}

/// One column.
#[derive(Clone, Deserialize)]
struct Column {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

/// Whether the server is ready, what the key may do, and whether each data table that the settings name is there.
pub(super) fn test(account: &Account) -> Result<Exchange<TestReport>> {
    let (site, tables) = (site::of(account)?, tables::all(account)?);
    let root = site.root();
    let place = format!("{}{}", root.host_str().unwrap_or_default(), root.path().trim_end_matches('/'));
    let report = TestReport { account_name: format!("n8n at {place}"), ..TestReport::default() };
    // The API of a server that is starting answers like one that has nothing.
    let ready = request(Method::GET, &site.address("/healthz/readiness"), "application/json", None)?;
    Ok(Exchange::steps(ready, Scheme::None, move |reply| {
        if reply.status().is_server_error() {
            return Err(failure::starting(reply));
        }
        Ok(Step::Next { exchange: discover(&site, &tables, report.clone())?, after: Duration::ZERO })
    }))
}

fn discover(site: &Site, tables: &[Table], report: TestReport) -> Result<Exchange<TestReport>> {
    let request = site.request(Method::GET, "/discover", &Value::Null)?;
    let (again, tables) = (Arc::clone(site), tables.to_vec());
    Ok(site.ask(request, move |reply| {
        let mut report = report.clone();
        match failure::of(reply) {
            Some(error) if failure::is_unknown(&error) => {
                let exchange = probe(&again, &tables, report)?;
                return Ok(Step::Next { exchange, after: Duration::ZERO });
            }
            Some(error) => return Err(error),
            None => {}
        }
        let Discovered { data } = read::json(reply.body())?;
        let Some(scopes) = data.scopes else {
            let exchange = probe(&again, &tables, report)?;
            return Ok(Step::Next { exchange, after: Duration::ZERO });
        };
        let needed = SCOPES.iter().chain(TABLE_SCOPES.iter().filter(|_| !tables.is_empty()));
        let missing = needed.filter(|scope| !scopes.iter().any(|one| one == *scope));
        report.missing_permissions = missing.map(|scope| (*scope).to_owned()).collect();
        look_at(tables.clone().into(), report)
    }))
}

/// Servers that do not say what a key may do are asked for the least.
fn probe(site: &Site, tables: &[Table], report: TestReport) -> Result<Exchange<TestReport>> {
    let request = site.request(Method::GET, "/workflows?limit=1", &Value::Null)?;
    let tables = tables.to_vec();
    Ok(site.ask(request, move |reply| {
        let mut report = report.clone();
        match failure::of(reply) {
            Some(error) if failure::lacks_permission(&error) => {
                report.missing_permissions.push("workflow:list".to_owned());
            }
            Some(error) => return Err(error),
            None => {
                let _: super::replies::Listing<Value> = read::json(reply.body())?;
                let warning = "this n8n server does not say what the API key may do";
                report.warnings.push(warning.to_owned());
            }
        }
        look_at(tables.clone().into(), report)
    }))
}

/// Looks at one data table after the other.
fn look_at(mut tables: VecDeque<Table>, report: TestReport) -> Result<Step<TestReport>> {
    let Some(table) = tables.pop_front() else { return Ok(Step::Done(report)) };
    let known = Arc::clone(&table);
    let exchange = columns(&table, move |found| {
        let mut report = report.clone();
        match found {
            Err(error) if failure::lacks_permission(&error) => {
                let scope = "dataTable:read".to_owned();
                if !report.missing_permissions.contains(&scope) {
                    report.missing_permissions.push(scope);
                }
            }
            Err(error) => return Err(error),
            Ok(columns) => has_key(&known, &columns)?,
        }
        look_at(tables.clone(), report)
    })?;
    Ok(Step::Next { exchange, after: Duration::ZERO })
}

fn has_key(table: &Setup, columns: &[Column]) -> Result<()> {
    match &table.key {
        Some(key) if !columns.iter().any(|column| column.name == *key && column.kind == "string") => {
            let message = format!(
                "The data table `{}` has no column `{key}` of type string, as tables.{}.key wants it.",
                table.id, table.item_type
            );
            Err(Error::new(ErrorKind::Rejected, message))
        }
        _ => Ok(()),
    }
}

/// The columns of every table that the settings name.
pub(super) fn schema(account: &Account) -> Result<Exchange<Vec<SchemaObject>>> {
    let none =
        || Error::new(ErrorKind::Rejected, "The account names no data table: set `tables` in its settings.");
    match describe(tables::all(account)?.into(), Vec::new())? {
        Step::Next { exchange, .. } => Ok(exchange),
        Step::Done(_) => Err(none()),
    }
}

fn describe(mut tables: VecDeque<Table>, objects: Vec<SchemaObject>) -> Result<Step<Vec<SchemaObject>>> {
    let Some(table) = tables.pop_front() else { return Ok(Step::Done(objects)) };
    let known = Arc::clone(&table);
    let exchange = columns(&table, move |found| {
        let mut objects = objects.clone();
        let fields = found?.iter().filter(|column| known.is_field(&column.name)).map(field).collect();
        objects.push(SchemaObject { item_type: known.item_type, fields });
        describe(tables.clone(), objects)
    })?;
    Ok(Step::Next { exchange, after: Duration::ZERO })
}

/// Reads the columns of a table: with the table, or by themselves.
fn columns<T: 'static>(
    table: &Table,
    then: impl Fn(Result<Vec<Column>>) -> Result<Step<T>> + Send + Sync + 'static,
) -> Result<Exchange<T>> {
    let (again, then) = (Arc::clone(table), Arc::new(then));
    table.ask(Method::GET, "", &Value::Null, move |reply| {
        let described = match reply {
            Ok(reply) => read::json::<Described>(reply.body())?,
            Err(error) => return then(Err(error)),
        };
        if let Some(columns) = described.columns {
            return then(Ok(columns));
        }
        let then = Arc::clone(&then);
        let exchange = again.ask(Method::GET, "/columns", &Value::Null, move |reply| match reply {
            Ok(reply) => then(Ok(listed(reply)?)),
            Err(error) => then(Err(error)),
        })?;
        Ok(Step::Next { exchange, after: Duration::ZERO })
    })
}

/// A list of columns, by itself or as the data of an answer.
fn listed(reply: &Reply) -> Result<Vec<Column>> {
    let answer: Value = read::json(reply.body())?;
    let columns = answer.get("data").unwrap_or(&answer);
    let columns =
        columns.as_array().ok_or_else(|| Error::unexpected("n8n does not show a table's columns"))?;
    let column =
        |column: &Value| Some(Column { name: text(column.get("name")?)?, kind: text(column.get("type")?)? });
    Ok(columns.iter().filter_map(column).filter(|column| is_column(&column.name)).collect())
}

fn field(column: &Column) -> SchemaField {
    let kind = match column.kind.as_str() {
        "number" => "number",
        "boolean" => "boolean",
        "date" => "time",
        "json" => "object",
        _ => "text",
    };
    SchemaField { path: column.name.clone(), kind: kind.to_owned(), writable: true, required: false }
}
