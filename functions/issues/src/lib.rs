//! `issues`: records that fail, each once however often it fails.

use chrono::{DateTime, Utc};
use domain::{ConfigId, IssueId, ItemId, RunId};
use edge::describe::Operation;
use edge::{Call, Door, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Db;
use store::issues::{self, Issue, IssueQuery};

/// The words of an issue's state.
const STATES: &[&str] = &["open", "resolved", "ignored"];

/// Which issues to show.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Query {
    /// This one.
    pub id: Option<IssueId>,
    /// Issues of this sync.
    pub config_id: Option<ConfigId>,
    /// `open`, `resolved` or `ignored`.
    pub status: Option<String>,
    /// Issues of this kind: the vendor's code, or ours.
    pub error_code: Option<String>,
    /// Where the page before ended (`next_cursor`).
    pub cursor: Option<String>,
    /// 1 to 1,000; 50 when absent.
    pub limit: Option<i32>,
}

/// One page of issues, those that failed last first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Page {
    /// The issues.
    pub data: Vec<Row>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

/// One issue.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The issue, for `issue-retry`.
    pub id: IssueId,
    /// The sync.
    pub config_id: ConfigId,
    /// Its row of the sync list.
    pub item_id: Option<ItemId>,
    /// The run in which it failed last.
    pub run_id: Option<RunId>,
    /// The source platform's id; `target:` and the target's for a record that only the target has.
    pub source_id: String,
    /// What can be done: `transient`, `throttled`, `auth`, `rejected`, `conflict` or `bug`.
    pub error_class: String,
    /// The vendor's code, or ours.
    pub error_code: String,
    /// What is wrong, and where known what to do.
    pub message: String,
    /// Its state.
    pub status: String,
    /// How often it failed.
    pub times: u64,
    /// When it failed first.
    pub first_seen_at: DateTime<Utc>,
    /// When it failed last.
    pub last_seen_at: DateTime<Utc>,
    /// When it succeeded.
    pub resolved_at: Option<DateTime<Utc>>,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).get(list).answer().await
}

async fn list(call: Call<Query>) -> Result<Page, Problem> {
    let user = call.caller.user()?;
    let Query { id, config_id, status, error_code, cursor, limit } = call.input;
    if status.as_deref().is_some_and(|status| !STATES.contains(&status)) {
        return Err(Problem::invalid("/status", format!("This is one of {}.", STATES.join(", "))));
    }
    let before = edge::cursor::read(cursor.as_deref())?;
    let ids = id.map(|id| vec![id]);
    let query = IssueQuery { ids, config_id, status, error_code, before, limit: edge::cursor::limit(limit)? };
    let page = issues::list(&Db::open().await?, &user.claims, &query).await?;
    if id.is_some() && page.rows.is_empty() {
        return Err(Problem::not_found());
    }
    let last = page.rows.last().filter(|_| page.has_more);
    let next_cursor = last.map(|row| edge::cursor::write(row.last_seen_at, row.id));
    Ok(Page { next_cursor, has_more: page.has_more, data: page.rows.into_iter().map(Row::from).collect() })
}

impl From<Issue> for Row {
    fn from(issue: Issue) -> Self {
        Self {
            id: issue.id,
            config_id: issue.config_id,
            item_id: issue.item_id,
            run_id: issue.run_id,
            source_id: issue.source_id,
            error_class: issue.error_class,
            error_code: issue.error_code,
            message: issue.message,
            status: issue.status,
            times: issue.times,
            first_seen_at: issue.first_seen_at,
            last_seen_at: issue.last_seen_at,
            resolved_at: issue.resolved_at,
        }
    }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::get(Door::User, list)]
}
