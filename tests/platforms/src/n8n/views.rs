//! What a test sees of a server.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::execution::Execution;
use super::state::State;
use super::workflow::Workflow;

/// A workflow as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct N8nWorkflow {
    /// Its id.
    pub id: String,
    /// Its name, a prefix included.
    pub name: String,
    /// Whether the API calls it published.
    pub active: bool,
    /// Whether it is in the archive.
    pub archived: bool,
    /// The draft.
    pub version_id: String,
    /// What is published.
    pub active_version_id: Option<String>,
    /// What runs, a little later than it is published.
    pub live_version_id: Option<String>,
    /// How often its content changed.
    pub version_counter: u64,
    /// When it changed, as far as n8n calls it a change.
    pub updated_at: DateTime<Utc>,
    /// The names of its tags, in order.
    pub tags: Vec<String>,
    /// The nodes of the draft.
    pub nodes: Value,
    /// The connections of the draft.
    pub connections: Value,
    /// Its settings.
    pub settings: Value,
}

impl N8nWorkflow {
    pub(crate) fn of(state: &State, workflow: &Workflow) -> Self {
        let id = |version: &super::workflow::Version| version.id.clone();
        let tags = state.tags.values().filter(|tag| workflow.tags.contains(&tag.id));
        let mut tags: Vec<String> = tags.map(|tag| tag.name.clone()).collect();
        tags.sort();
        Self {
            id: workflow.id.clone(),
            name: workflow.name.clone(),
            active: workflow.active.is_some(),
            archived: workflow.archived,
            version_id: workflow.draft.id.clone(),
            active_version_id: workflow.active.as_ref().map(id),
            live_version_id: workflow.live.as_ref().map(id),
            version_counter: workflow.counter,
            updated_at: workflow.updated,
            tags,
            nodes: workflow.draft.nodes.clone(),
            connections: workflow.draft.connections.clone(),
            settings: workflow.settings.clone().into(),
        }
    }
}

/// A run as it stands, whether or not the API shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct N8nExecution {
    /// Its id, a number.
    pub id: String,
    /// The workflow that runs.
    pub workflow_id: String,
    /// `new`, `running`, `waiting`, `success`, `error`, `canceled` or `crashed`.
    pub status: String,
    /// `webhook`, `trigger`, `manual` or `retry`.
    pub mode: String,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended, or began to wait.
    pub stopped_at: Option<DateTime<Utc>>,
    /// Until when it waits.
    pub wait_till: Option<DateTime<Utc>>,
    /// The run that it runs again.
    pub retry_of: Option<String>,
    /// The run that ran it again and succeeded.
    pub retry_success_id: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
    /// What its first node was given: of a webhook `headers`, `query` and `body`.
    pub input: Value,
    /// A secret that is in its data.
    pub resume_token: String,
    /// Whether the API shows it.
    pub saved: bool,
}

impl N8nExecution {
    pub(crate) fn of(execution: &Execution) -> Self {
        Self {
            id: execution.id.to_string(),
            workflow_id: execution.workflow.clone(),
            status: execution.status.word().to_owned(),
            mode: execution.mode.to_owned(),
            started_at: execution.started,
            stopped_at: execution.stopped,
            wait_till: execution.wait_till,
            retry_of: execution.retry_of.map(|id| id.to_string()),
            retry_success_id: execution.retry_success.map(|id| id.to_string()),
            error: execution.failure.as_ref().map(|failure| failure.message.clone()),
            input: execution.input.clone(),
            resume_token: execution.resume_token.clone(),
            saved: !execution.hidden,
        }
    }
}
