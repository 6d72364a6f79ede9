//! A run of a workflow, and how it may go.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::stamp;
use super::workflow::Workflow;

/// How a run goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Plan {
    /// It succeeds at once.
    #[default]
    Success,
    /// It fails at once.
    Error {
        /// What the error says.
        message: String,
        /// The node that fails.
        node: String,
    },
    /// It runs until it is finished or stopped.
    Running,
    /// It waits until this time, or until somebody resumes it, and is finished or stopped.
    Waiting(Option<DateTime<Utc>>),
    /// It is stopped at once.
    Canceled,
    /// The server dies meanwhile.
    Crashed,
    /// It waits for its turn and has not begun.
    Queued,
}

impl Plan {
    /// It fails at once, in the node `Code`.
    pub fn error(message: &str) -> Self {
        Self::Error { message: message.to_owned(), node: "Code".to_owned() }
    }
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    New,
    Running,
    Waiting,
    Success,
    Error,
    Canceled,
    Crashed,
}

impl Status {
    pub(crate) const ALL: [Self; 7] =
        [Self::Canceled, Self::Crashed, Self::Error, Self::New, Self::Running, Self::Success, Self::Waiting];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Success => "success",
            Self::Error => "error",
            Self::Canceled => "canceled",
            Self::Crashed => "crashed",
        }
    }

    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    /// Whether it will change.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::New | Self::Running | Self::Waiting)
    }
}

/// What went wrong, and where.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) node: String,
}

impl Failure {
    /// The error as n8n keeps it.
    pub(crate) fn shown(&self) -> Value {
        json!({
            "message": self.message, "name": "Error", "description": null, "lineNumber": 1,
            "stack": format!("Error: {}\n    at VmCodeWrapper (evalmachine.<anonymous>:1:7)", self.message),
        })
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Execution {
    pub(crate) id: u64,
    pub(crate) workflow: String,
    pub(crate) version: String,
    pub(crate) mode: &'static str,
    pub(crate) status: Status,
    pub(crate) created: DateTime<Utc>,
    pub(crate) started: Option<DateTime<Utc>>,
    pub(crate) stopped: Option<DateTime<Utc>>,
    pub(crate) wait_till: Option<DateTime<Utc>>,
    pub(crate) retry_of: Option<u64>,
    pub(crate) retry_success: Option<u64>,
    pub(crate) failure: Option<Failure>,
    /// The node it began with.
    pub(crate) trigger: String,
    /// What that node was given: of a webhook headers, parameters, query and body.
    pub(crate) input: Value,
    /// With this a stranger could resume it.
    pub(crate) resume_token: String,
    /// Whether the API never shows it, since its workflow does not save such runs.
    pub(crate) hidden: bool,
}

impl Execution {
    /// As an item of the list.
    pub(crate) fn listed(&self) -> Value {
        json!({
            "id": self.id.to_string(), "finished": self.status == Status::Success, "mode": self.mode,
            "retryOf": self.retry_of.map(|id| id.to_string()),
            "retrySuccessId": self.retry_success.map(|id| id.to_string()), "status": self.status.word(),
            "startedAt": self.started.map(stamp), "stoppedAt": self.stopped.map(stamp),
            "workflowId": self.workflow, "waitTill": self.wait_till.map(stamp),
        })
    }

    /// With what only the single run shows.
    pub(crate) fn shown(&self) -> Value {
        let mut shown = self.listed();
        let more = [
            ("createdAt", json!(stamp(self.created))),
            ("deletedAt", Value::Null),
            ("storedAt", json!("db")),
            ("workflowVersionId", json!(self.version)),
            ("jsonSizeBytes", json!(self.data().to_string().len())),
            ("deduplicationKey", Value::Null),
        ];
        if let Some(shown) = shown.as_object_mut() {
            shown.extend(more.map(|(name, value)| (name.to_owned(), value)));
        }
        shown
    }

    /// What a run leaves behind. The caller's headers, secrets included, and the token that resumes it are in it.
    pub(crate) fn data(&self) -> Value {
        let start = self.started.map(|time| time.timestamp_millis());
        let begun = json!([{
            "startTime": start, "executionIndex": 0, "source": [], "hints": [], "executionTime": 1,
            "executionStatus": "success",
            "data": { "main": [[{ "json": self.input, "pairedItem": { "item": 0 } }]] },
        }]);
        let mut nodes = Map::new();
        nodes.insert(self.trigger.clone(), begun);
        let mut result = Map::new();
        if let Some(failure) = &self.failure {
            let failed = json!([{
                "startTime": start, "executionIndex": 1, "executionTime": 133, "executionStatus": "error",
                "source": [{ "previousNode": self.trigger }], "error": failure.shown(),
            }]);
            if !failure.node.is_empty() {
                nodes.insert(failure.node.clone(), failed);
            }
            result.insert("error".to_owned(), failure.shown());
        }
        let last = self.failure.as_ref().map_or(&self.trigger, |failure| &failure.node);
        result.insert("lastNodeExecuted".to_owned(), json!(last));
        result.insert("runData".to_owned(), nodes.into());
        json!({
            "version": 1, "startData": {}, "resultData": result, "resumeToken": self.resume_token,
            "executionData": { "contextData": {}, "nodeExecutionStack": [], "waitingExecution": {} },
        })
    }

    /// Adds to what is shown what the run left behind, and the workflow it was of.
    pub(crate) fn with_data(&self, mut shown: Value, workflow: Option<&Workflow>) -> Value {
        if let Some(shown) = shown.as_object_mut() {
            shown.insert("data".to_owned(), self.data());
            let flow = workflow.map(|workflow| {
                json!({
                    "id": workflow.id, "name": workflow.name, "nodes": workflow.draft.nodes,
                    "connections": workflow.draft.connections, "settings": workflow.settings,
                })
            });
            shown.insert("workflowData".to_owned(), flow.unwrap_or_default());
        }
        shown
    }
}
