//! Data tables: which one holds which kind of item, and how its rows are records.
//!
//! A record's id is the row's, its fields are the row's columns, without those that n8n keeps itself (`id`, `createdAt`,
//! `updatedAt`) and without the one that holds our external key.

use super::failure;
use super::replies::{Listing, time};
use super::site::{self, Site};
use crate::{Account, Error, ErrorKind, Exchange, Reply, Result, Step, read};
use chrono::{DateTime, Utc};
use domain::{Fields, ItemType, Record, Value};
use http::Method;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use url::form_urlencoded;

/// The column with a row's time of change.
pub(super) const CHANGED: &str = "updatedAt";
/// The columns that n8n keeps itself.
const OWN: [&str; 3] = ["id", "createdAt", CHANGED];
/// The code of a table that is not there.
pub(super) const NO_TABLE: &str = "no_table";
/// The longest name of a column.
const LONGEST_NAME: usize = 63;

/// One table of the account's setting `tables`: `{"customer": {"table": "<id>", "key": "external_id"}}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    table: String,
    #[serde(default)]
    key: Option<String>,
}

/// A data table that holds one kind of item.
pub(super) struct Setup {
    site: Site,
    /// The kind of item.
    pub(super) item_type: ItemType,
    /// n8n's id of the table.
    pub(super) id: String,
    /// The column that holds our external key; without one no row can be made.
    pub(super) key: Option<String>,
}

/// A data table, cheap to hand on from step to step.
pub(super) type Table = Arc<Setup>;

/// The table that holds this kind of item.
pub(super) fn of(account: &Account, item_type: ItemType) -> Result<Table> {
    let table = all(account)?.into_iter().find(|table| table.item_type == item_type);
    table.ok_or_else(|| {
        let message = format!(
            "The account has no data table for this kind of item: set tables.{item_type} in its settings."
        );
        Error::new(ErrorKind::Rejected, message)
    })
}

/// All tables that the account's settings name.
pub(super) fn all(account: &Account) -> Result<Vec<Table>> {
    let named: BTreeMap<ItemType, Named> = match account.settings.get("tables") {
        None | Some(Value::Null) => BTreeMap::new(),
        Some(tables) => BTreeMap::deserialize(tables).map_err(|error| wrong(&error.to_string()))?,
    };
    let site = site::of(account)?;
    let table = |(item_type, Named { table, key }): (ItemType, Named)| {
        site::id(&table, "a data table")?;
        if key.as_deref().is_some_and(|key| !is_column(key)) {
            return Err(wrong(&format!("tables.{item_type}.key must be a column of the table's own")));
        }
        Ok(Arc::new(Setup { site: Arc::clone(&site), item_type, id: table, key }))
    };
    named.into_iter().map(table).collect()
}

fn wrong(why: &str) -> Error {
    let message = format!("The account's settings do not name its data tables: {}.", read::excerpt(why));
    Error::new(ErrorKind::Rejected, message)
}

/// Whether a column may have this name, and is not n8n's own.
pub(super) fn is_column(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name.bytes().next().is_some_and(|first| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !OWN.contains(&name)
}

impl Setup {
    /// Whether records have a field of this name.
    pub(super) fn is_field(&self, name: &str) -> bool {
        is_column(name) && self.key.as_deref() != Some(name)
    }

    /// An exchange about this table; the path begins behind its id. That the table is not there says nothing of a record.
    pub(super) fn ask<T: 'static>(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        read: impl Fn(Result<&Reply>) -> Result<Step<T>> + Send + 'static,
    ) -> Result<Exchange<T>> {
        let gone =
            format!("n8n has no data table `{}`: see tables.{} in the settings.", self.id, self.item_type);
        let request = self.site.request(method, &format!("/data-tables/{}{path}", self.id), body)?;
        Ok(self.site.ask(request, move |reply| match failure::of(reply) {
            Some(error) if error.kind == ErrorKind::NotFound => {
                read(Err(Error::new(ErrorKind::Rejected, gone.clone()).with_code(NO_TABLE)))
            }
            Some(error) => read(Err(error)),
            None => read(Ok(reply)),
        }))
    }

    /// The same, where anything but success is an error.
    pub(super) fn call<T: 'static>(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        read: impl Fn(&Reply) -> Result<Step<T>> + Send + 'static,
    ) -> Result<Exchange<T>> {
        self.ask(method, path, body, move |reply| read(reply?))
    }

    /// A page of rows.
    pub(super) fn rows<T: 'static>(
        &self,
        query: &[(&str, &str)],
        read: impl Fn(Listing<Value>) -> Result<Step<T>> + Send + 'static,
    ) -> Result<Exchange<T>> {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let read = move |reply: &Reply| read(read::json(reply.body())?);
        self.call(Method::GET, &format!("/rows?{query}"), &Value::Null, read)
    }

    /// The record of a row.
    pub(super) fn record(&self, row: &Value) -> Result<Record> {
        let changed = row.get(CHANGED);
        Ok(Record {
            id: id_of(row)?.to_string(),
            fields: self.fields(row),
            modified_at: changed.and_then(time),
            version: changed.and_then(Value::as_str).map(str::to_owned),
            deleted: false,
        })
    }

    fn fields(&self, row: &Value) -> Fields {
        let columns = row.as_object().into_iter().flatten();
        let fields = columns.filter(|(name, _)| self.is_field(name));
        fields.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// The id of a row.
pub(super) fn id_of(row: &Value) -> Result<i64> {
    row.get("id").and_then(read::integer).ok_or_else(|| Error::unexpected("n8n shows a row without an id"))
}

/// When a row changed.
pub(super) fn changed_at(row: &Value) -> Result<DateTime<Utc>> {
    let changed = row.get(CHANGED).and_then(time);
    changed.ok_or_else(|| Error::unexpected("n8n does not say when a row changed"))
}

/// The ids of rows, as n8n counts them.
pub(super) fn row_ids(ids: &[String]) -> Result<Vec<Value>> {
    let number = |id: &String| {
        let wrong = || Error::new(ErrorKind::Rejected, format!("`{}` is no id of a row", read::excerpt(id)));
        id.parse::<i64>().map(Value::from).map_err(|_| wrong())
    };
    ids.iter().map(number).collect()
}

/// The condition that a column has this value.
pub(super) fn equals(column: &str, value: &Value) -> Value {
    json!({ "columnName": column, "condition": "eq", "value": value })
}

/// The filter of rows whose column has one of these values.
pub(super) fn one_of(column: &str, values: &[Value]) -> Value {
    json!({ "type": "or", "filters": values.iter().map(|value| equals(column, value)).collect::<Vec<_>>() })
}
