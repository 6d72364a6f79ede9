//! Integrations: the accounts on platforms. Their secrets go in, sealed, and come out only through `credentials`.

use crate::db::{sql, user_sql};
use crate::page::Rows;
use crate::{Claims, Db, PageOf, Result};
use chrono::{DateTime, Utc};
use domain::auth::CredentialKind;
use domain::{Fields, IntegrationId, OrgId, Platform, UserId, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One side of a sync: an account as the engine needs it.
#[derive(Debug, Clone, Deserialize)]
pub struct Side {
    /// The account.
    pub integration_id: IntegrationId,
    /// Its owner, for whom its secret is sealed.
    pub user_id: UserId,
    /// Which platform it is on.
    pub platform: Platform,
    /// Where it is.
    pub base_url: String,
    /// What its connector needs besides.
    pub config: Fields,
    /// What kind of credential it has.
    pub credential_kind: CredentialKind,
    /// Whether it may be used.
    pub status: Status,
    /// Requests per minute.
    pub rate_per_minute: i64,
    /// Requests per hour.
    pub rate_per_hour: i64,
    /// How often a request is tried again, 0 to 10.
    pub max_retries: u32,
}

/// Whether an account may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It may.
    Active,
    /// Its owner switched it off.
    Inactive,
    /// Its credential was refused; nothing is sent until a test succeeds.
    Error,
}

/// An account as people see it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Integration {
    /// The account.
    pub id: IntegrationId,
    /// Its owner.
    pub user_id: UserId,
    /// The organization that shares it.
    pub org_id: Option<OrgId>,
    /// What people call it.
    pub name: String,
    /// Which platform it is on.
    pub platform: Platform,
    /// Where it is.
    pub base_url: String,
    /// What its connector needs besides.
    pub config: Fields,
    /// What kind of credential it has.
    pub credential_kind: CredentialKind,
    /// Whether it may be used.
    pub status: Status,
    /// When it was last tested.
    pub last_test_at: Option<DateTime<Utc>>,
    /// How that went, step by step.
    pub last_test_result: Option<Value>,
    /// Requests per minute.
    pub rate_per_minute: i64,
    /// Requests per hour.
    pub rate_per_hour: i64,
    /// How often a request is tried again, 0 to 10.
    pub max_retries: u32,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which accounts to list, newest first.
#[derive(Debug, Clone, Default, Serialize)]
pub struct IntegrationQuery {
    /// Only this one.
    pub id: Option<IntegrationId>,
    /// Only accounts on this platform.
    pub platform: Option<Platform>,
    /// Only accounts older than the one at this place: `created_at` and id of the last row of the page before.
    pub before: Option<(DateTime<Utc>, IntegrationId)>,
    /// How many, 1 to 1,000.
    pub limit: i32,
}

/// A new account. Its id comes from the caller, because the secret is sealed for it.
#[derive(Debug, Clone, Serialize)]
pub struct NewIntegration {
    /// The account.
    pub id: IntegrationId,
    /// The organization that shares it; its owner must be an admin there.
    pub org_id: Option<OrgId>,
    /// What people call it; unique for its owner.
    pub name: String,
    /// Which platform it is on.
    pub platform: Platform,
    /// Where it is: an absolute `https` address.
    pub base_url: String,
    /// What its connector needs besides.
    pub config: Fields,
    /// What kind of credential it has.
    pub credential_kind: CredentialKind,
    /// The secret, sealed for this id and this user.
    pub sealed: String,
    /// Requests per minute; `None`: 60.
    pub rate_per_minute: Option<i64>,
    /// Requests per hour; `None`: 1,000.
    pub rate_per_hour: Option<i64>,
    /// How often a request is tried again, 0 to 10; `None`: 3.
    pub max_retries: Option<u32>,
}

/// A change of an account. What is `None` stays.
#[derive(Debug, Clone, Serialize)]
pub struct IntegrationChange {
    /// The account.
    pub id: IntegrationId,
    /// What people call it.
    pub name: Option<String>,
    /// Where it is. Another address needs the secret again.
    pub base_url: Option<String>,
    /// What its connector needs besides; replaces all of it.
    pub config: Option<Fields>,
    /// Another kind of credential; needs a secret of that kind.
    pub credential_kind: Option<CredentialKind>,
    /// A new secret, sealed for this id and the account's owner. What was bought with the old one is forgotten.
    pub sealed: Option<String>,
    /// Switching it on or off.
    pub status: Option<Status>,
    /// Requests per minute.
    pub rate_per_minute: Option<i64>,
    /// Requests per hour.
    pub rate_per_hour: Option<i64>,
    /// How often a request is tried again, 0 to 10.
    pub max_retries: Option<u32>,
}

/// How the test of an account went.
#[derive(Debug, Clone, Serialize)]
pub struct Tested<'a> {
    /// The account.
    pub integration_id: IntegrationId,
    /// Whether it works. `false` puts it in error, `true` takes it out of it; one switched off stays so. `None`: that
    /// could not be found out, and it stays as it is.
    pub ok: Option<bool>,
    /// Step by step, for people. Never a secret.
    pub result: &'a Value,
}

#[derive(Serialize)]
struct ById {
    id: IntegrationId,
}

#[derive(Serialize)]
struct ByIntegrationId {
    integration_id: IntegrationId,
}

#[derive(Deserialize)]
struct MaybeId {
    id: Option<IntegrationId>,
}

/// The accounts that this user may see.
pub async fn list(db: &Db, claims: &Claims, query: &IntegrationQuery) -> Result<PageOf<Integration>> {
    let rows: Rows<Integration> = db.call_as(claims, user_sql!("integrations/list"), query).await?;
    Ok(PageOf::cut(rows, query.limit))
}

/// One account; `None` if there is none, or it is not for this user to see.
pub async fn get(db: &Db, claims: &Claims, id: IntegrationId) -> Result<Option<Integration>> {
    let query = IntegrationQuery { id: Some(id), limit: 1, ..IntegrationQuery::default() };
    Ok(list(db, claims, &query).await?.rows.into_iter().next())
}

/// The user's only active account on a platform; `None` when there is none, or more than one.
pub async fn only_active(db: &Db, claims: &Claims, platform: Platform) -> Result<Option<IntegrationId>> {
    let query = IntegrationQuery { platform: Some(platform), limit: 1000, ..IntegrationQuery::default() };
    let accounts = list(db, claims, &query).await?.rows;
    let mut active =
        accounts.iter().filter(|account| account.status == Status::Active).map(|account| account.id);
    let first = active.next();
    Ok(first.filter(|_| active.next().is_none()))
}

/// Adds an account with its sealed secret, in one step.
pub async fn create(db: &Db, claims: &Claims, input: &NewIntegration) -> Result<IntegrationId> {
    let answer: MaybeId = db.call_as(claims, user_sql!("integrations/create"), input).await?;
    Ok(answer.id.unwrap_or(input.id))
}

/// Changes an account. `false`: there is none, or it is not this user's to change.
pub async fn update(db: &Db, claims: &Claims, input: &IntegrationChange) -> Result<bool> {
    let answer: MaybeId = db.call_as(claims, user_sql!("integrations/update"), input).await?;
    Ok(answer.id.is_some())
}

/// Removes an account and its secrets. `false`: there is none, or it is not this user's to remove.
///
/// # Errors
/// [`crate::Error::Constraint`] while syncs or items use it.
pub async fn delete(db: &Db, claims: &Claims, id: IntegrationId) -> Result<bool> {
    #[derive(Deserialize)]
    struct Answer {
        deleted: bool,
    }
    Ok(db.call_as::<_, Answer>(claims, user_sql!("integrations/delete"), &ById { id }).await?.deleted)
}

/// Whether this user may have the account's platform told what to send us. `None`: there is none, or they do not see it.
pub async fn permitted(db: &Db, claims: &Claims, id: IntegrationId) -> Result<Option<bool>> {
    #[derive(Deserialize)]
    struct Answer {
        permitted: Option<bool>,
    }
    Ok(db.call_as::<_, Answer>(claims, user_sql!("integrations/permitted"), &ById { id }).await?.permitted)
}

/// An account as the engine needs it; `None` if it does not exist. For runs it comes with the run.
pub async fn load_for_run(db: &Db, integration_id: IntegrationId) -> Result<Option<Side>> {
    db.call(sql!("integrations/load_for_run"), &ByIntegrationId { integration_id }).await
}

/// Stores how the test of an account went, or that its credential was refused. `None` if it does not exist.
pub async fn record_test(db: &Db, input: &Tested<'_>) -> Result<Option<Status>> {
    #[derive(Deserialize)]
    struct Answer {
        status: Status,
    }
    Ok(db
        .call::<_, Option<Answer>>(sql!("integrations/record_test"), input)
        .await?
        .map(|answer| answer.status))
}
