//! `sync-perform`: carries out a sync now, over whatever changed since the last time.

use domain::{ConfigId, ItemType};
use edge::describe::Operation;
use edge::{Accepted, Call, Door, Either, Problem};
use engine::{RunReport, Settings};
use schemars::JsonSchema;
use serde::Deserialize;
use store::runs::Direction;
use store::{Db, configs};

/// Which sync: by its id, or as the only one that fits.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// The sync.
    pub config_id: Option<ConfigId>,
    /// The kind of item, instead of a sync.
    pub entity_type: Option<ItemType>,
    /// With `entityType`: which ways it goes.
    pub direction: Option<Direction>,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).post(sync_perform).answer().await
}

async fn sync_perform(call: Call<Input>) -> Result<Either<Accepted<RunReport>, RunReport>, Problem> {
    let user = call.caller.user()?;
    let Input { config_id, entity_type, direction } = call.input;
    let db = Db::open().await?;
    let config_id = if let Some(id) = config_id {
        let found = configs::permitted(&db, &user.claims, Some(id), None, None).await?;
        found.first().copied().ok_or_else(Problem::not_found)?
    } else {
        let entity_type =
            entity_type.ok_or_else(|| Problem::invalid("/configId", "Name a sync or a kind of item."))?;
        match *configs::permitted(&db, &user.claims, None, Some(entity_type), direction).await? {
            [one] => one,
            [] => return Err(Problem::invalid("/entityType", "You have no such sync.")),
            _ => return Err(Problem::invalid("/configId", "Several syncs fit. Name one.")),
        }
    };
    let settings = Settings::read().await?;
    let deadline = engine::Deadline::of_run(call.deadline.at());
    let later = call.prefer.respond_async;
    let summary = engine::sync_changed(&db, &settings, config_id, deadline, later).await?;
    let report = RunReport::from(summary.ok_or_else(|| {
        Problem::conflict("This sync is at work already, or switched off. Look at its runs, or switch it on.")
    })?);
    Ok(if later { Either::Left(Accepted(report)) } else { Either::Right(report) })
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::post(Door::User, sync_perform)]
}
