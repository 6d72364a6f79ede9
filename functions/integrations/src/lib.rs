//! `integrations`: connected accounts: their address, settings and credentials, which go in and never come out.

mod change;
mod row;

pub use change::{Change, New};
pub use row::{Page, Row};

use domain::{IntegrationId, Platform};
use edge::describe::Operation;
use edge::{Call, Created, Door, Either, Empty, Problem};
use engine::Settings;
use schemars::JsonSchema;
use serde::Deserialize;
use store::integrations::{self, IntegrationQuery};
use store::{Claims, Db};

/// Which accounts to show. One can also be named in the path.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Query {
    /// This one.
    pub id: Option<IntegrationId>,
    /// Accounts on this platform.
    pub platform: Option<Platform>,
    /// Where the page before ended (`next_cursor`).
    pub cursor: Option<String>,
    /// 1 to 1,000; 50 when absent.
    pub limit: Option<i32>,
}

/// Which account to remove. It can also be named in the path.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Removal {
    /// The account.
    pub id: Option<IntegrationId>,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).get(list).post(create).put(change).delete(remove).answer().await
}

async fn list(call: Call<Query>) -> Result<Either<Row, Page>, Problem> {
    let user = call.caller.user()?;
    let db = Db::open().await?;
    if let Some(id) = named(call.input.id, &call.path)? {
        return Ok(Either::Left(one(&db, &user.claims, id).await?));
    }
    let Query { platform, cursor, limit, .. } = call.input;
    let query = IntegrationQuery {
        id: None,
        platform,
        before: edge::cursor::read(cursor.as_deref())?,
        limit: edge::cursor::limit(limit)?,
    };
    Ok(Either::Right(Page::from(integrations::list(&db, &user.claims, &query).await?)))
}

async fn create(call: Call<New>) -> Result<Created<Row>, Problem> {
    let user = call.caller.user()?;
    let settings = Settings::read().await?;
    let new = call.input.checked(&settings, user.id)?;
    let db = Db::open().await?;
    let id = integrations::create(&db, &user.claims, &new).await?;
    Ok(Created(one(&db, &user.claims, id).await?))
}

async fn change(call: Call<Change>) -> Result<Row, Problem> {
    let user = call.caller.user()?;
    let id = named(call.input.id, &call.path)?.ok_or_else(|| Problem::invalid("/id", "Name the account."))?;
    let settings = Settings::read().await?;
    let db = Db::open().await?;
    let old = integrations::get(&db, &user.claims, id).await?.ok_or_else(Problem::not_found)?;
    let change = call.input.checked(&settings, &old)?;
    if !integrations::update(&db, &user.claims, &change).await? {
        return Err(Problem::not_found());
    }
    one(&db, &user.claims, id).await
}

async fn remove(call: Call<Removal>) -> Result<Empty, Problem> {
    let user = call.caller.user()?;
    let id = named(call.input.id, &call.path)?.ok_or_else(|| Problem::invalid("/id", "Name the account."))?;
    let db = Db::open().await?;
    if integrations::delete(&db, &user.claims, id).await? { Ok(Empty) } else { Err(Problem::not_found()) }
}

async fn one(db: &Db, claims: &Claims, id: IntegrationId) -> Result<Row, Problem> {
    integrations::get(db, claims, id).await?.map(Row::from).ok_or_else(Problem::not_found)
}

/// The account that the query, the body or the path names.
fn named(given: Option<IntegrationId>, path: &[String]) -> Result<Option<IntegrationId>, Problem> {
    match (given, path.first()) {
        (Some(id), _) => Ok(Some(id)),
        (None, Some(text)) => text.parse().map(Some).map_err(|_| Problem::not_found()),
        (None, None) => Ok(None),
    }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get(Door::User, list).summary("Shows accounts, newest first; with `id` one of them."),
        Operation::post(Door::User, create).summary("Adds an account."),
        Operation::put(Door::User, change).summary("Changes an account."),
        Operation::delete(Door::User, remove).summary("Removes an account."),
    ]
}
