//! `sync-start`: starts a sync: makes it, or switches one on.

use domain::{ConfigId, Fields, IntegrationId, ItemType};
use edge::describe::Operation;
use edge::{Call, Created, Door, Either, Problem};
use engine::{Deadline, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::config_input::{Change, New};
use store::configs;
use store::{Claims, Db};

/// A sync to be made, or the id of one that exists.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// A sync that exists.
    pub sync_id: Option<ConfigId>,
    /// The account to read.
    pub source_id: Option<IntegrationId>,
    /// The account to write.
    pub target_id: Option<IntegrationId>,
    /// `realtime` or `batch` (when absent).
    pub mode: Option<String>,
    /// What to call it; made of its kind of item when absent.
    pub name: Option<String>,
    /// What it syncs, and how.
    pub config: Option<SyncSettings>,
}

/// What a sync is about, and how.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Settings")]
pub struct SyncSettings {
    /// The kind of item.
    pub source_object: ItemType,
    /// The kind of item on the other side: the same one.
    pub target_object: Option<ItemType>,
    /// Which field feeds which, as an object or a list; the connectors' default when absent.
    pub field_mappings: Option<Value>,
    /// What becomes of values on the way.
    pub transformations: Option<Value>,
    /// Who wins where both sides changed: `source_wins`, `target_wins`, `last_write_wins`, `merge` or `manual`.
    pub conflict_resolution: Option<String>,
    /// `unidirectional` (when absent) or `bidirectional`.
    pub direction: Option<String>,
    /// Five cron fields.
    pub schedule: Option<String>,
    /// The time zone these are meant in.
    pub time_zone: Option<String>,
    /// The platform's events that a realtime sync follows: `created`, `updated`, `deleted`. It follows all of them.
    #[serde(default)]
    pub events: Vec<String>,
}

/// The sync.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// Its id, for `sync-status` and `sync-stop`.
    pub sync_id: ConfigId,
    /// `running`.
    pub status: &'static str,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).post(sync_start).answer().await
}

async fn sync_start(call: Call<Input>) -> Result<Either<Created<Output>, Output>, Problem> {
    let user = call.caller.user()?;
    let db = Db::open().await?;
    if let Some(sync_id) = call.input.sync_id {
        switch_on(&db, &user.claims, sync_id).await?;
        return Ok(Either::Right(Output { sync_id, status: "running" }));
    }
    let new = new_sync(call.input)?.checked(&db, &user.claims).await?;
    let accounts = (new.source_integration_id, new.target_integration_id);
    let about = (new.item_type, new.direction.as_deref(), &new.rules);
    let deadline = Deadline::of_run(call.deadline.at());
    let fit = engine::fit_of(&db, &Settings::read().await?, accounts, about, deadline).await?;
    if fit.fatal().next().is_some() {
        return Err(Problem::unfit("/config", fit.fatal()));
    }
    let sync_id = configs::create(&db, &user.claims, &new).await?.ok_or_else(Problem::forbidden)?;
    Ok(Either::Left(Created(Output { sync_id, status: "running" })))
}

async fn switch_on(db: &Db, claims: &Claims, id: ConfigId) -> Result<(), Problem> {
    let old = configs::get(db, claims, id).await?.ok_or_else(Problem::not_found)?;
    let change = Change::enabled(id, true).checked(&old, None)?;
    if configs::update(db, claims, &change).await? { Ok(()) } else { Err(Problem::forbidden()) }
}

fn new_sync(input: Input) -> Result<New, Problem> {
    let missing = |pointer: &str| Problem::invalid(pointer, "This is required, or name a sync by `syncId`.");
    let config = input.config.ok_or_else(|| missing("/config"))?;
    if config.target_object.is_some_and(|target| target != config.source_object) {
        return Err(Problem::invalid("/config/targetObject", "Both sides of a sync are of one kind."));
    }
    let mut rules = Fields::new();
    let strategy = config.conflict_resolution.map(Value::String);
    let written = [
        ("mapping", config.field_mappings),
        ("transformations", config.transformations),
        ("strategy", strategy),
    ];
    rules.extend(written.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Ok(New {
        name: input.name.unwrap_or_else(|| format!("Sync of {}", config.source_object)),
        item_type: config.source_object,
        source_integration_id: input.source_id.ok_or_else(|| missing("/sourceId"))?,
        target_integration_id: input.target_id.ok_or_else(|| missing("/targetId"))?,
        direction: config.direction,
        enabled: Some(true),
        mode: input.mode,
        schedule: config.schedule,
        time_zone: config.time_zone,
        rules,
    })
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::post(Door::User, sync_start)]
}
