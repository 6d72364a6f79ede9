//! `sync-configs`: syncs: which account follows which, by which rules, with every version of them.

mod row;

pub use row::{Page, Row, Version, Versions};

use domain::{ConfigId, Fields, IntegrationId, ItemType};
use edge::describe::Operation;
use edge::{Call, Created, Door, Either, Empty, Problem, Tagged};
use engine::{Deadline, Settings};
use schemars::JsonSchema;
use serde::Deserialize;
use store::config_input::{Change, New};
use store::configs::{self, Config, ConfigQuery};
use store::{Claims, Db};

/// Which syncs to show.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Query {
    /// This one; the answer has an `ETag`.
    pub id: Option<ConfigId>,
    /// With `id`: the versions of its rules, newest first, each with what it changed.
    pub versions: bool,
    /// Syncs of this kind of item.
    pub item_type: Option<ItemType>,
    /// Syncs that work, or do not.
    pub enabled: Option<bool>,
    /// Where the page before ended (`next_cursor`).
    pub cursor: Option<String>,
    /// 1 to 1,000; 50 when absent.
    pub limit: Option<i32>,
}

/// Which sync to delete.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Removal {
    /// The sync.
    pub id: ConfigId,
}

/// One sync with its `ETag`, its versions, or a page of syncs.
type Shown = Either<Tagged<Row>, Either<Versions, Page>>;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).get(list).post(create).put(change).delete(remove).answer().await
}

async fn list(call: Call<Query>) -> Result<Shown, Problem> {
    let user = call.caller.user()?;
    let Query { id, versions, item_type, enabled, cursor, limit } = call.input;
    let db = Db::open().await?;
    match id {
        Some(id) if versions => {
            let (before, limit) = (edge::cursor::number(cursor.as_deref())?, edge::cursor::limit(limit)?);
            one(&db, &user.claims, id).await?;
            let page = configs::versions(&db, &user.claims, id, before, limit).await?;
            Ok(Either::Right(Either::Left(Versions::from(page))))
        }
        Some(id) => Ok(Either::Left(tagged(one(&db, &user.claims, id).await?))),
        None => {
            let before = edge::cursor::read(cursor.as_deref())?;
            let limit = edge::cursor::limit(limit)?;
            let query = ConfigQuery { item_type, enabled, before, limit, ..ConfigQuery::default() };
            let page = configs::list(&db, &user.claims, &query).await?;
            Ok(Either::Right(Either::Right(Page::from(page))))
        }
    }
}

async fn create(call: Call<New>) -> Result<Created<Row>, Problem> {
    let user = call.caller.user()?;
    let db = Db::open().await?;
    let new = call.input.checked(&db, &user.claims).await?;
    let accounts = (new.source_integration_id, new.target_integration_id);
    let about = (new.item_type, new.direction.as_deref(), &new.rules);
    must_fit(&db, accounts, about, Deadline::of_run(call.deadline.at())).await?;
    let id = configs::create(&db, &user.claims, &new).await?.ok_or_else(Problem::forbidden)?;
    Ok(Created(Row::from(one(&db, &user.claims, id).await?)))
}

async fn change(call: Call<Change>) -> Result<Tagged<Row>, Problem> {
    let user = call.caller.user()?;
    let db = Db::open().await?;
    let old = one(&db, &user.claims, call.input.id).await?;
    let change = call.input.checked(&old, call.if_match.as_deref())?;
    let accounts = (old.source_integration_id, old.target_integration_id);
    let direction = change.direction.as_deref().unwrap_or(&old.direction);
    if change.rules.is_some() || change.direction.is_some() {
        let about = (old.item_type, Some(direction), change.rules.as_ref().unwrap_or(&old.rules));
        must_fit(&db, accounts, about, Deadline::of_run(call.deadline.at())).await?;
    }
    if !configs::update(&db, &user.claims, &change).await? {
        return Err(Problem::forbidden());
    }
    Ok(tagged(one(&db, &user.claims, old.id).await?))
}

async fn remove(call: Call<Removal>) -> Result<Empty, Problem> {
    let user = call.caller.user()?;
    let db = Db::open().await?;
    if configs::delete(&db, &user.claims, call.input.id).await? {
        Ok(Empty)
    } else {
        Err(Problem::not_found())
    }
}

/// Refuses a mapping that does not fit its two sides, as far as they can be asked now.
async fn must_fit(
    db: &Db,
    accounts: (IntegrationId, IntegrationId),
    about: (ItemType, Option<&str>, &Fields),
    deadline: Deadline,
) -> Result<(), Problem> {
    let fit = engine::fit_of(db, &Settings::read().await?, accounts, about, deadline).await?;
    if fit.fatal().next().is_some() {
        return Err(Problem::unfit("/rules", fit.fatal()));
    }
    Ok(())
}

async fn one(db: &Db, claims: &Claims, id: ConfigId) -> Result<Config, Problem> {
    configs::get(db, claims, id).await?.ok_or_else(Problem::not_found)
}

fn tagged(config: Config) -> Tagged<Row> {
    Tagged { version: config.revision.to_string(), output: Row::from(config) }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get(Door::User, list)
            .summary("Shows syncs, newest first; with `id` one, or its versions."),
        Operation::post(Door::User, create).summary("Makes a sync."),
        Operation::put(Door::User, change)
            .summary("Changes a sync; new rules, or an older version's, become a new version."),
        Operation::delete(Door::User, remove).summary("Deletes a sync that no item belongs to."),
    ]
}
