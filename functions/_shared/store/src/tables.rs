//! The user's own tables, where they are a side of a sync. The database asks them as the account's owner.
//!
//! Questions and answers are the connector's: what stands in them is explained in `sql/tables`. A refusal that the user can
//! mend is part of the answer; an [`Error`](crate::Error) is the database being away, or a defect.

use crate::db::{Statement, sql};
use crate::{Db, Result};
use chrono::{DateTime, Utc};
use domain::{IntegrationId, Value};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
struct Input<'a> {
    integration_id: IntegrationId,
    asked: &'a Value,
}

async fn ask<T: DeserializeOwned>(
    db: &Db,
    statement: Statement,
    integration_id: IntegrationId,
    asked: &Value,
) -> Result<T> {
    db.call(statement, &Input { integration_id, asked }).await
}

/// One page of what changed, and the time at which it was read.
#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    /// The records, or why there are none.
    pub page: Value,
    /// The database's time.
    pub now: DateTime<Utc>,
}

/// One page of what changed.
pub async fn list(db: &Db, account: IntegrationId, asked: &Value) -> Result<Listed> {
    ask(db, sql!("tables/list"), account, asked).await
}

/// The rows that hold one of these values.
pub async fn find(db: &Db, account: IntegrationId, asked: &Value) -> Result<Value> {
    ask(db, sql!("tables/find"), account, asked).await
}

/// Writes rows, each with an outcome of its own. Repeated, it finds what it has made.
pub async fn write(db: &Db, account: IntegrationId, asked: &Value) -> Result<Value> {
    ask(db, sql!("tables/write"), account, asked).await
}

/// Deletes rows, or marks them deleted.
pub async fn delete(db: &Db, account: IntegrationId, asked: &Value) -> Result<Value> {
    ask(db, sql!("tables/delete"), account, asked).await
}

/// The columns of a table, and what of it does not do for a sync.
pub async fn describe(db: &Db, account: IntegrationId, asked: &Value) -> Result<Value> {
    ask(db, sql!("tables/describe"), account, asked).await
}
