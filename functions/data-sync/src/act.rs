//! What is done to syncs, conflicts and the queue.

use crate::{Input, Output, SyncStatus};
use domain::ConfigId;
use edge::{Call, Problem};
use engine::Settings;
use serde_json::json;
use std::collections::HashMap;
use store::configs::{self, ConfigQuery, Standing};
use store::conflicts::{self, ConflictQuery};
use store::sync_list::{self, Choose};
use store::{Claims, Db, queue};

pub(crate) async fn perform(db: &Db, call: Call<Input>) -> Result<Output, Problem> {
    let user = call.caller.user()?;
    let Input { config_id, entity_type, direction, .. } = call.input;
    if config_id.is_none() && entity_type.is_none() {
        return Err(Problem::invalid("/entityType", "Name a kind of item, or a sync by `configId`."));
    }
    let sync = match *configs::permitted(db, &user.claims, config_id, entity_type, direction).await? {
        [one] => one,
        [] if config_id.is_some() => return Err(Problem::not_found()),
        [] => return Err(Problem::invalid("/entityType", "You have no such sync.")),
        _ => return Err(Problem::invalid("/configId", "Several syncs fit. Name one.")),
    };
    let settings = Settings::read().await?;
    let deadline = engine::Deadline::of_run(call.deadline.at());
    let run = engine::sync_changed(db, &settings, sync, deadline, call.prefer.respond_async).await?;
    let run = run.ok_or_else(|| Problem::conflict("This sync is at work already, or switched off."))?;
    Ok(Output { run: Some(run.into()), ..Output::default() })
}

pub(crate) async fn status(db: &Db, claims: &Claims, id: Option<ConfigId>) -> Result<Output, Problem> {
    let query = ConfigQuery { id, limit: 1000, ..ConfigQuery::default() };
    let rows = configs::list(db, claims, &query).await?.rows;
    if id.is_some() && rows.is_empty() {
        return Err(Problem::not_found());
    }
    let ids: Vec<ConfigId> = rows.iter().map(|config| config.id).collect();
    let mut standing: HashMap<ConfigId, Standing> =
        configs::standing(db, &ids).await?.into_iter().map(|one| (one.config_id, one)).collect();
    let syncs = rows.into_iter().filter_map(|config| {
        let stands = standing.remove(&config.id)?;
        Some(SyncStatus {
            config_id: config.id,
            name: config.name,
            enabled: config.enabled,
            is_running: stands.running_run_id.is_some(),
            last_status: stands.last_run.map(|run| run.status),
            runs: stands.runs,
            runs_succeeded: stands.runs_succeeded,
            records_synced: stands.records_synced,
            errors: stands.errors,
            open_issues: stands.open_issues,
            pending_conflicts: stands.pending_conflicts,
        })
    });
    Ok(Output { syncs: Some(syncs.collect()), ..Output::default() })
}

pub(crate) async fn enqueue(db: &Db, call: Call<Input>) -> Result<Output, Problem> {
    let user = call.caller.user()?;
    let priority = call.input.priority.unwrap_or(5);
    if !(1..=9).contains(&priority) {
        return Err(Problem::invalid("/priority", "This is a number from 1 (first) to 9."));
    }
    let choose = Choose { ids: call.input.sync_list_ids, item_type: call.input.entity_type };
    let chosen = sync_list::choose(db, &user.claims, &choose).await?;
    if !chosen.missing.is_empty() {
        return Err(Problem::not_found());
    }
    let job_ids = queue::add(db, user.id, &chosen.item_ids, priority).await?;
    Ok(Output { job_ids: Some(job_ids), ..Output::default() })
}

pub(crate) async fn process(db: &Db, call: Call<Input>) -> Result<Output, Problem> {
    let user = call.caller.user()?;
    let settings = Settings::read().await?;
    let deadline = engine::Deadline::of_run(call.deadline.at());
    let drained = engine::drain(db, &settings, deadline, Some(user.id)).await?;
    Ok(Output { processed: Some(drained.claimed), empty: Some(drained.empty), ..Output::default() })
}

pub(crate) async fn resolve(db: &Db, call: Call<Input>) -> Result<Output, Problem> {
    let user = call.caller.user()?;
    let Input { conflict_id, choice, fields, .. } = call.input;
    let id = conflict_id.ok_or_else(|| Problem::invalid("/conflictId", "Name the conflict."))?;
    if choice.is_none() && fields.is_empty() {
        return Err(Problem::invalid("/choice", "Say what becomes of the fields."));
    }
    let decision = json!({ "choices": fields, "rest": choice });
    let decided = conflicts::decide(db, &user.claims, &[id], &decision).await?;
    let one = decided.and_then(|decided| decided.into_iter().next()).ok_or_else(Problem::not_found)?;
    let settings = Settings::read().await?;
    let deadline = engine::Deadline::of_run(call.deadline.at());
    let run = engine::sync_records(db, &settings, one.config_id, &[one.source_id], deadline).await?;
    let query = ConflictQuery { ids: Some(vec![id]), limit: 1, ..ConflictQuery::default() };
    let now = conflicts::list(db, &user.claims, &query).await?.rows.into_iter().next();
    let conflict_status = now.map(|conflict| conflict.status);
    Ok(Output { run: run.map(Into::into), conflict_status, ..Output::default() })
}
