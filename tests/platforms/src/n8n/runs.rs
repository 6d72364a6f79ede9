//! Runs begin, go on and end.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::execution::{Execution, Failure, Plan, Status};
use super::state::State;
use super::workflow::Version;
use crate::journal::{Effect, Verb};
use crate::web::Reply;

/// Until when a run waits that only somebody can resume.
const FOREVER: i64 = 32_503_680_000;

/// What starts a run.
#[derive(Debug)]
pub(crate) struct Start<'a> {
    pub(crate) workflow: &'a str,
    pub(crate) version: &'a Version,
    pub(crate) mode: &'static str,
    /// What the first node is given.
    pub(crate) input: Value,
    pub(crate) retry_of: Option<u64>,
}

/// Begins a run, which takes the next id, and lets it go as its workflow's plan says.
pub(crate) fn begin(state: &mut State, start: Start<'_>) -> u64 {
    let plan = state.plans.get(start.workflow).cloned().unwrap_or_default();
    begin_with(state, start, &plan)
}

/// [`begin`] with a plan of its own.
pub(crate) fn begin_with(state: &mut State, start: Start<'_>, plan: &Plan) -> u64 {
    state.last_execution += 1;
    let (id, now) = (state.last_execution, state.now());
    let execution = Execution {
        id,
        workflow: start.workflow.to_owned(),
        version: start.version.id.clone(),
        mode: start.mode,
        status: Status::New,
        created: now,
        started: (*plan != Plan::Queued).then_some(now),
        stopped: None,
        wait_till: None,
        retry_of: start.retry_of,
        retry_success: None,
        failure: None,
        trigger: start.version.first().to_owned(),
        input: start.input,
        resume_token: state.dice.token(64),
        hidden: false,
    };
    state.executions.insert(id, execution);
    proceed(state, id, plan);
    let effect = Effect::new(Verb::Created, "execution", id.to_string()).key("workflow", start.workflow);
    state.effects.push(effect);
    id
}

/// Lets a run go on as the plan says. `false` when there is none.
pub(crate) fn proceed(state: &mut State, id: u64, plan: &Plan) -> bool {
    let now = state.now();
    let Some(execution) = state.executions.get_mut(&id) else { return false };
    // A run that is stopped before its turn has never begun.
    if !matches!(plan, Plan::Queued | Plan::Canceled) {
        execution.started = execution.started.or(Some(now));
    }
    execution.stopped = Some(now);
    execution.wait_till = None;
    execution.failure = None;
    match plan {
        Plan::Success => execution.status = Status::Success,
        Plan::Error { message, node } => {
            execution.status = Status::Error;
            execution.failure = Some(Failure { message: message.clone(), node: node.clone() });
        }
        Plan::Canceled => execution.status = Status::Canceled,
        Plan::Crashed => {
            let message = "Workflow did not finish, possible out-of-memory issue".to_owned();
            execution.status = Status::Crashed;
            execution.failure = Some(Failure { message, node: execution.trigger.clone() });
        }
        Plan::Running => (execution.status, execution.stopped) = (Status::Running, None),
        Plan::Queued => (execution.status, execution.stopped) = (Status::New, None),
        Plan::Waiting(until) => {
            execution.status = Status::Waiting;
            execution.wait_till = until.or_else(|| DateTime::<Utc>::from_timestamp(FOREVER, 0));
        }
    }
    let (status, retried, workflow) = (execution.status, execution.retry_of, execution.workflow.clone());
    let hidden = is_hidden(state, &workflow, status);
    if let Some(execution) = state.executions.get_mut(&id) {
        execution.hidden = hidden;
    }
    if let Some(old) =
        retried.and_then(|old| state.executions.get_mut(&old)).filter(|_| status == Status::Success)
    {
        old.retry_success = Some(id);
    }
    true
}

/// Whether runs that stand like this are not saved. One that is under way is there if it may be saved in the end.
fn is_hidden(state: &State, workflow: &str, status: Status) -> bool {
    let Some(workflow) = state.workflows.get(workflow) else { return false };
    let success = workflow.setting("saveDataSuccessExecution") == "none";
    let error = workflow.setting("saveDataErrorExecution") == "none";
    match status {
        Status::Success => success,
        Status::Error | Status::Crashed | Status::Canceled => error,
        Status::New | Status::Running | Status::Waiting => success && error,
    }
}

/// The answer to who waits for the end of a run: of a retry the run, of a webhook what its last node gives. Nobody is
/// answered whose run was stopped before it began.
pub(crate) fn ended(state: &mut State, id: u64) -> Option<Reply> {
    let failed = || Reply::json(500, &json!({ "message": "Error in workflow" }));
    let Some(execution) = state.executions.get(&id) else { return Some(failed()) };
    if execution.status.is_open() || execution.started.is_none() {
        return None;
    }
    if execution.mode == "retry" {
        return Some(Reply::json(200, &execution.shown()));
    }
    if execution.status != Status::Success {
        return Some(failed());
    }
    Some(Reply::json(200, state.outputs.get(&execution.workflow).unwrap_or(&execution.input)))
}

/// Waits for the end of a run, however long that takes.
pub(crate) fn awaited(state: &mut State, id: u64) -> Reply {
    ended(state, id).unwrap_or_else(|| Reply::later(id))
}
