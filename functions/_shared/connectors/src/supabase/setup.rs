//! The account's settings: which table holds which kind of item, and as whom it is asked.

use super::failure;
use crate::{Account, Error, ErrorKind, Exchange, Result, TABLES};
use domain::auth::Scheme;
use domain::{ItemType, Value};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, VecDeque};

/// The settings of an account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Setup {
    tables: BTreeMap<ItemType, Table>,
    #[serde(default)]
    run_as: RunAs,
}

/// With whose rights the tables are asked.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RunAs {
    /// The account's owner, as they would be through the Data API.
    #[default]
    Owner,
    /// The role `sync_tables`, for owners whom the project trusts with it.
    System,
}

/// One table. What is absent, the database decides: `id`, `updated_at`, all readable columns, changes by column.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    table: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    updated_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    external_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    columns: Option<Vec<String>>,
    #[serde(default)]
    changes: Changes,
}

/// How changes are found.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Changes {
    /// By a column that holds the time of the last change.
    #[default]
    Column,
    /// By what `sync.watch_table` makes the table note.
    Trigger,
}

/// A table to be asked, with the role to ask as.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) item_type: ItemType,
    table: Table,
    run_as: RunAs,
}

impl Setup {
    pub(super) fn of(account: &Account) -> Result<Self> {
        serde_json::from_value(Value::Object(account.settings.clone())).map_err(|error| {
            let message = format!("The account's settings do not name its tables: {error}.");
            Error::new(ErrorKind::Rejected, message)
        })
    }

    /// The table of this kind of item.
    pub(super) fn table(&self, item_type: ItemType) -> Result<Asked> {
        let table = self.tables.get(&item_type).cloned().ok_or_else(|| {
            let message = format!(
                "The account has no table for this kind of item: set tables.{item_type} in its settings."
            );
            Error::new(ErrorKind::Rejected, message)
        })?;
        Ok(Asked { item_type, table, run_as: self.run_as })
    }

    /// All tables.
    pub(super) fn into_tables(self) -> VecDeque<Asked> {
        let Self { tables, run_as } = self;
        tables.into_iter().map(|(item_type, table)| Asked { item_type, table, run_as }).collect()
    }
}

impl Asked {
    /// The table's name, as the settings write it.
    pub(super) fn name(&self) -> &str {
        &self.table.table
    }

    /// The column with the rows' keys.
    pub(super) fn id(&self) -> &str {
        self.table.id.as_deref().unwrap_or("id")
    }

    /// A question about this table: `more` is what the verb asks besides.
    pub(super) fn ask<T: 'static>(
        &self,
        verb: &str,
        more: Value,
        read: impl Fn(&crate::Reply) -> Result<T> + Send + 'static,
    ) -> Result<Exchange<T>> {
        Ok(Exchange::new(self.request(verb, more)?, Scheme::Database, move |reply| {
            failure::of(reply)?;
            read(reply)
        }))
    }

    /// The request of such a question.
    pub(super) fn request(&self, verb: &str, more: Value) -> Result<crate::Request> {
        let mut body = json!({ "table": self.table, "run_as": self.run_as });
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more);
        }
        http::Request::post(format!("{TABLES}/{verb}"))
            .body(body.to_string().into_bytes())
            .map_err(|error| Error::unexpected(error.to_string()))
    }
}
