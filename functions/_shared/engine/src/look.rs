//! What a sync would do, and how both sides differ, without writing anything.

use crate::chunk;
use crate::clock::Deadline;
use crate::error::{Error, Result};
use crate::gather::Stop;
use crate::gone;
use crate::report::RunReport;
use crate::run::{self, Scope};
use crate::settings::Settings;
use crate::sides::Sides;
use crate::wire::Wire;
use crate::write::Task;
use connectors::ErrorKind;
use domain::decide::{Change, Decision};
use domain::{ConfigId, PlanId, UserId, Value, hash};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use store::Db;
use store::plans::{self, NewPlan};
use store::runs::{self, ItemResult, Look, Outcome};

/// Which records to look at.
#[derive(Debug, Clone, Default)]
pub struct Which {
    /// These, by their ids at the source; `None`: those that are linked or listed.
    pub source_ids: Option<Vec<String>>,
    /// Of these, those behind this id.
    pub after: Option<String>,
    /// At most so many, 1 to 1,000.
    pub limit: i32,
}

/// What would happen to one record.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Planned {
    /// The source platform's id.
    pub source_id: String,
    /// The target platform's id, where the record is known there.
    pub target_id: Option<String>,
    /// `create`, `update`, `delete` (as the delete policy says), `unchanged`, `conflict`, `held`, `skip` or `fail`.
    pub action: &'static str,
    /// What a new record would hold.
    pub fields: Option<Value>,
    /// Field by field: both bases, both values, the rule, and which side would be written. Values about a person are
    /// masked.
    pub changes: Vec<Value>,
    /// Fields that differ and are left for a person.
    pub conflicts: Vec<Value>,
    /// Why nothing would be written, where that is no success.
    pub message: Option<String>,
}

/// What applying a plan would take, reckoned from batch sizes and the accounts' rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PlanEstimate")]
pub struct Estimate {
    /// Requests: reading once more, and writing in batches. A batch may take more than one where the platform works on it
    /// for a while.
    pub requests: i64,
    /// At least so many seconds, by the rates of both accounts.
    pub seconds: i64,
}

/// What a sync would do to records of it.
#[derive(Debug, Clone)]
pub struct Outlook {
    /// One row per record, in the order of their ids.
    pub records: Vec<Planned>,
    /// The version of the rules that decided.
    pub config_version: i32,
    /// Requests that reading took.
    pub requests: i64,
    /// What applying it would take.
    pub estimate: Estimate,
    /// Where the next page begins.
    pub next: Option<String>,
    decisions: BTreeMap<String, String>,
}

/// Reads both sides of these records and decides about them. `None`: there is no such sync. Whether the caller may, the
/// function has asked before.
pub async fn look(
    db: &Db,
    settings: &Settings,
    config_id: ConfigId,
    which: &Which,
    deadline: Deadline,
) -> Result<Option<Outlook>> {
    let source_ids = which.source_ids.as_deref();
    let asked = Look { config_id, source_ids, after: which.after.as_deref(), limit: which.limit };
    let Some(looked) = runs::look(db, &asked).await? else { return Ok(None) };
    let last = looked.items.last().map(|item| item.source_id.clone()).filter(|_| looked.more);
    let lines = run::lines(db, settings, &looked.child, deadline).await?;
    let sides = Sides::new(db, &looked.child, &lines.source, &lines.target, settings.lease_seconds)?;
    let seen = chunk::forecast(&sides, looked.items).await;
    crate::budget::give_back(db, &[&lines.source.budget, &lines.target.budget]).await?;
    let (tasks, results) = seen.map_err(error)?;
    let requests = lines.source.sent().saturating_add(lines.target.sent());
    let estimate = estimated(&sides, &tasks, requests);
    let decisions =
        tasks.iter().map(|task| (task.pending.item.source_id.clone(), fingerprint(&task.decision)));
    let gone = results.iter().filter(|result| result.outcome == Outcome::Gone);
    let gone = gone.map(|result| (result.source_id.clone(), gone::PLANNED.to_owned()));
    let decisions = decisions.chain(gone).collect();
    let mut records: Vec<Planned> =
        tasks.into_iter().map(Planned::of_task).chain(results.into_iter().map(Planned::of_result)).collect();
    records.sort_by(|left, right| left.source_id.cmp(&right.source_id));
    let config_version = looked.child.config_version;
    Ok(Some(Outlook { records, config_version, requests, estimate, next: last, decisions }))
}

/// What carrying these out would take.
fn estimated(sides: &Sides<'_>, tasks: &[Task], reading: i64) -> Estimate {
    let batches = |count: usize, wire: &Wire<'_>| {
        let at_once = wire.connector.limits(sides.child.item_type).write.max(1);
        i64::try_from(count.div_ceil(at_once)).unwrap_or(i64::MAX)
    };
    let there = batches(tasks.iter().filter(|task| task.write.is_some()).count(), sides.target);
    let back = batches(tasks.iter().filter(|task| task.back.is_some()).count(), sides.source);
    let rate = sides.child.source.rate_per_minute.min(sides.child.target.rate_per_minute).max(1);
    let requests = reading.saturating_add(there).saturating_add(back);
    let seconds = requests.saturating_mul(60).checked_div(rate).unwrap_or(0);
    Estimate { requests, seconds }
}

/// Keeps what was seen as a plan of this user's; [`apply`] does exactly this.
pub async fn keep(db: &Db, user_id: UserId, config_id: ConfigId, outlook: &Outlook) -> Result<PlanId> {
    let decisions = &outlook.decisions;
    let plan = NewPlan { user_id, config_id, config_version: outlook.config_version, decisions };
    Ok(plans::save(db, &plan).await?)
}

/// How the wish to apply a plan ended.
#[derive(Debug, Clone)]
pub enum Applied {
    /// It was carried out; records that have changed since are among the failed ones.
    Run(Box<RunReport>),
    /// There is no such plan of this user, it is older than a day, or it was applied.
    None,
    /// The sync has other rules by now.
    Stale,
    /// Another run of the sync is at work, or the sync is switched off.
    Busy,
}

/// Carries out exactly what was planned: both sides are read and decided about anew, and a record about which the
/// decision would be another one by now is left alone.
pub async fn apply(
    db: &Db,
    settings: &Settings,
    plan_id: PlanId,
    user_id: UserId,
    deadline: Deadline,
) -> Result<Applied> {
    let Some(plan) = plans::load(db, plan_id, user_id).await? else { return Ok(Applied::None) };
    if plan.stale {
        return Ok(Applied::Stale);
    }
    let Some(child) = runs::open_changed(db, plan.config_id, None, settings.lease_seconds).await? else {
        return Ok(Applied::Busy);
    };
    run::work(db, settings, &child, deadline, Scope::Planned(&plan.decisions)).await?;
    plans::applied(db, plan_id, child.run_id).await?;
    Ok(Applied::Run(Box::new(runs::summary(db, child.run_id).await?.into())))
}

/// Stands for a decision with all that it was made of.
pub(crate) fn fingerprint(decision: &Decision) -> String {
    let values = |changes: &[Change]| -> Vec<Value> {
        let of = |change: &Change| {
            json!([
                change.path,
                change.base_source,
                change.base_target,
                change.source,
                change.target,
                change.rule
            ])
        };
        changes.iter().map(of).collect()
    };
    let text = match decision {
        Decision::Create { fields } => json!(["create", fields]),
        Decision::Update { fields, back, changes, conflicts } => {
            json!(["update", fields, back, values(changes), values(conflicts)])
        }
        Decision::Conflict { conflicts } => json!(["conflict", values(conflicts)]),
        _ => json!(["nothing"]),
    };
    hash::bytes(text.to_string().as_bytes())
}

fn error(stop: Stop) -> Error {
    let platform = |kind, message: String| Error::Platform(connectors::Error::new(kind, message));
    match stop {
        Stop::Later(wait) => {
            let late = connectors::Error::new(ErrorKind::RateLimited, "the platform asks to wait");
            Error::Platform(late.with_retry_after(Some(wait)))
        }
        Stop::Unauthorized(_, message) => platform(ErrorKind::Unauthorized, message),
        Stop::Unavailable(message) => platform(ErrorKind::Unavailable, message),
        Stop::Lost => platform(ErrorKind::Unexpected, "there is no run to lose".to_owned()),
        Stop::Store(error) => error.into(),
    }
}

impl Planned {
    fn of_task(task: Task) -> Self {
        let shown = |changes: &[Change]| {
            changes.iter().filter_map(|change| serde_json::to_value(change).ok()).collect()
        };
        let (changes, conflicts) = task.explanation();
        let (changes, conflicts) = (shown(changes), shown(conflicts));
        let (action, fields) = match task.decision {
            Decision::Create { fields } => ("create", Some(Value::Object(fields))),
            _ => ("update", None),
        };
        let item = task.pending.item;
        let target_id = task.pending.target.map(|target| target.id).or(item.target_id);
        Self { source_id: item.source_id, target_id, action, fields, changes, conflicts, message: None }
    }

    fn of_result(result: ItemResult) -> Self {
        let list = |value: Value| if let Value::Array(values) = value { values } else { Vec::new() };
        let action = match result.outcome {
            Outcome::Conflicted => "conflict",
            Outcome::Held => "held",
            Outcome::Skipped => "skip",
            Outcome::Failed => "fail",
            Outcome::Gone => "delete",
            Outcome::Created | Outcome::Updated | Outcome::Unchanged | Outcome::Deleted => "unchanged",
        };
        let (changes, conflicts) = match result.conflicts {
            Some(conflicts) => (Vec::new(), list(conflicts)),
            None => (list(result.changes), Vec::new()),
        };
        let message = result.error.map(|error| error.message);
        let (source_id, target_id) = (result.source_id, result.target_id);
        Self { source_id, target_id, action, fields: None, changes, conflicts, message }
    }
}
