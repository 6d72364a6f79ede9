//! `issue-retry`: tries records that failed again, one, many or all like this one, or ignores them.

use domain::{ConfigId, IssueId};
use edge::describe::Operation;
use edge::{Call, Door, Problem};
use engine::{RunReport, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::issues::{self, Failing, IssueQuery};
use store::{Claims, Db};

/// The most records that one call tries again.
const MOST: i32 = 1_000;

/// Which issues, and what to do with them.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// The issues, 1 to 1,000.
    pub ids: Vec<IssueId>,
    /// Instead of `ids`: all open issues of the same sync with the same code as this one, up to 1,000.
    pub all_like: Option<IssueId>,
    /// `retry` (when absent), `ignore`, or `reopen` for what was ignored.
    pub action: Action,
}

/// What to do with issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[schemars(rename = "IssueAction")]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Sync the records now: both sides are read and decided about anew.
    #[default]
    Retry,
    /// Do not show them as open any more; the records are still synced.
    Ignore,
    /// Show ignored ones as open again.
    Reopen,
}

/// What became of the issues.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// One row for each.
    pub data: Vec<Row>,
    /// The runs that tried again.
    pub runs: Vec<RunReport>,
}

/// One issue.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Row {
    /// The issue.
    pub id: IssueId,
    /// `resolved`: it succeeded. `open`: it failed again, or another run of its sync is at work. `ignored`.
    pub status: String,
    /// What is still wrong.
    pub message: Option<String>,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).post(issue_retry).answer().await
}

async fn issue_retry(call: Call<Input>) -> Result<Output, Problem> {
    let user = call.caller.user()?;
    let Input { ids, all_like, action } = call.input;
    let db = Db::open().await?;
    let ids = match all_like {
        Some(one) if ids.is_empty() => like(&db, &user.claims, one).await?,
        Some(_) => return Err(Problem::invalid("/allLike", "Name issues, or one that the others are like.")),
        None => ids,
    };
    if !(1..=1000).contains(&ids.len()) {
        return Err(Problem::invalid("/ids", "Name 1 to 1,000 issues."));
    }
    let mut runs = Vec::new();
    if action == Action::Retry {
        let records = issues::permitted(&db, &user.claims, &ids).await?.ok_or_else(Problem::not_found)?;
        let settings = Settings::read().await?;
        let deadline = engine::Deadline::of_run(call.deadline.at());
        for (config_id, source_ids) in by_sync(records) {
            let run = engine::sync_records(&db, &settings, config_id, &source_ids, deadline).await?;
            runs.extend(run.map(RunReport::from));
        }
    } else if !issues::mark(&db, &user.claims, &ids, action == Action::Ignore).await? {
        return Err(Problem::not_found());
    }
    let query = IssueQuery { ids: Some(ids), limit: MOST, ..IssueQuery::default() };
    let rows = issues::list(&db, &user.claims, &query).await?.rows;
    let data = rows.into_iter().map(|row| Row {
        id: row.id,
        message: Some(row.message).filter(|_| row.status != "resolved"),
        status: row.status,
    });
    Ok(Output { data: data.collect(), runs })
}

/// The open issues that fail in the same way in the same sync.
async fn like(db: &Db, claims: &Claims, one: IssueId) -> Result<Vec<IssueId>, Problem> {
    let query = IssueQuery { ids: Some(vec![one]), limit: 1, ..IssueQuery::default() };
    let model = issues::list(db, claims, &query).await?.rows.into_iter().next();
    let model = model.ok_or_else(Problem::not_found)?;
    let query = IssueQuery {
        config_id: Some(model.config_id),
        status: Some("open".to_owned()),
        error_code: Some(model.error_code),
        limit: MOST,
        ..IssueQuery::default()
    };
    Ok(issues::list(db, claims, &query).await?.rows.into_iter().map(|issue| issue.id).collect())
}

fn by_sync(records: Vec<Failing>) -> BTreeMap<ConfigId, Vec<String>> {
    let mut syncs: BTreeMap<ConfigId, Vec<String>> = BTreeMap::new();
    for one in records {
        syncs.entry(one.config_id).or_default().push(one.source_id);
    }
    syncs
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::post(Door::User, issue_retry)]
}
