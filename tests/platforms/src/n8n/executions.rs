//! Executions: lists, reads, stops and retries.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::execution::{Execution, Plan, Status};
use super::problem::Problem;
use super::routes::Call;
use super::runs::{self, Start};
use super::state::State;
use super::workflow::text;
use super::{Instance, page};
use crate::journal::{Effect, Verb};
use crate::web::{Reply, Request};

/// Which runs a request is about.
struct Choice {
    workflow: Option<String>,
    after: Option<DateTime<Utc>>,
    before: Option<DateTime<Utc>>,
}

impl Choice {
    fn has(&self, execution: &Execution) -> bool {
        // A run that has not begun is neither before nor after anything.
        let within = |limit: Option<DateTime<Utc>>, test: fn(&DateTime<Utc>, &DateTime<Utc>) -> bool| {
            limit.is_none_or(|limit| execution.started.is_some_and(|started| test(&started, &limit)))
        };
        !execution.hidden
            && self.workflow.as_ref().is_none_or(|workflow| execution.workflow == *workflow)
            && within(self.after, DateTime::ge)
            && within(self.before, DateTime::le)
    }
}

/// A time with its zone; a day or a number is none.
fn time(name: &str, given: Option<String>) -> Result<Option<DateTime<Utc>>, Problem> {
    let Some(given) = given else { return Ok(None) };
    let time = DateTime::parse_from_rfc3339(&given).ok().map(|time| time.with_timezone(&Utc));
    let message = || Problem::bad(format!("request/{name} must match format \"date-time\""));
    time.map(Some).ok_or_else(message)
}

/// The one status that is asked for.
fn status(request: &Request) -> Result<Option<Status>, Problem> {
    let given: Vec<String> = request
        .query_pairs()
        .filter(|(name, _)| name == "status")
        .map(|(_, value)| value.into_owned())
        .collect();
    let one = match given.as_slice() {
        [] => return Ok(None),
        [one] => Status::of(one),
        _ => None,
    };
    let words = Status::ALL.map(Status::word).join(", ");
    let message = format!("request/query/status must be equal to one of the allowed values: {words}");
    one.map(Some).ok_or_else(|| Problem::bad(message))
}

fn wants_data(request: &Request) -> bool {
    request.query_value("includeData").is_some_and(|value| value == "true")
}

/// A page of the runs, newest id first. Those that run are left out, unless they are asked for.
pub(crate) fn list(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let (request, state) = (call.request, &instance.state);
    let status = status(request)?;
    let mut choice = Choice { workflow: request.query_value("workflowId"), after: None, before: None };
    if !instance.old_version {
        choice.after = time("query/startedAfter", request.query_value("startedAfter"))?;
        choice.before = time("query/startedBefore", request.query_value("startedBefore"))?;
    }
    let (limit, below) = match page::cursor(request)? {
        None => (page::limit(request)?, u64::MAX),
        Some(cursor) => {
            let below = u64::try_from(page::number(&cursor, "lastId")?).unwrap_or(u64::MAX);
            (page::number(&cursor, "limit")?.clamp(1, 250), below)
        }
    };
    let mut found =
        state.executions.range(..below).rev().map(|(_, execution)| execution).filter(|execution| {
            let is_asked = |status| execution.status == status;
            choice.has(execution) && status.map_or(execution.status != Status::Running, is_asked)
        });
    let page: Vec<&Execution> = found.by_ref().take(limit).collect();
    let more = found.next().is_some();
    let next = page
        .last()
        .filter(|_| more)
        .map(|last| page::encoded(&json!({ "lastId": last.id.to_string(), "limit": limit })));
    let with_data = wants_data(request);
    let data: Vec<Value> = page
        .iter()
        .map(|execution| {
            let listed = execution.listed();
            if with_data {
                execution.with_data(listed, state.workflows.get(&execution.workflow))
            } else {
                listed
            }
        })
        .collect();
    Ok(Reply::json(200, &json!({ "data": data, "nextCursor": next })))
}

/// The run that the path names.
fn named<'a>(state: &'a State, call: &Call) -> Result<&'a Execution, Problem> {
    let id = call.id().parse::<u64>().map_err(|_| Problem::bad("request/params/id must be number"))?;
    let execution = state.executions.get(&id).filter(|execution| !execution.hidden);
    execution.ok_or_else(Problem::not_found)
}

pub(crate) fn get(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let state = &instance.state;
    let execution = named(state, call)?;
    let shown = execution.shown();
    if !wants_data(call.request) {
        return Ok(Reply::json(200, &shown));
    }
    Ok(Reply::json(200, &execution.with_data(shown, state.workflows.get(&execution.workflow))))
}

/// Deletes a run that does not run. Here its id comes as a number.
pub(crate) fn delete(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let execution = named(&instance.state, call)?;
    if execution.status == Status::Running {
        return Err(Problem::bad("Cannot delete a running execution"));
    }
    let (id, mut shown) = (execution.id, execution.listed());
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("id".to_owned(), id.into());
    }
    instance.state.executions.remove(&id);
    instance.state.effects.push(Effect::new(Verb::Deleted, "execution", id.to_string()));
    Ok(Reply::json(200, &shown))
}

pub(crate) fn stop(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let execution = named(&instance.state, call)?;
    let id = execution.id;
    if !execution.status.is_open() {
        let word = execution.status.word();
        let message =
            format!("Only running or waiting executions can be stopped and {id} is currently {word}");
        return Err(Problem::new(409, message));
    }
    cancel(&mut instance.state, id);
    let stopped = named(&instance.state, call).map(Execution::listed)?;
    let kept = ["mode", "startedAt", "stoppedAt", "finished", "status"];
    let shown: serde_json::Map<String, Value> =
        kept.into_iter().filter_map(|name| Some((name.to_owned(), stopped.get(name)?.clone()))).collect();
    Ok(Reply::json(200, &shown.into()))
}

fn cancel(state: &mut State, id: u64) {
    runs::proceed(state, id, &Plan::Canceled);
    if let Some(execution) = state.executions.get_mut(&id) {
        // It was shown while it was open, and stays.
        execution.hidden = false;
    }
    state.effects.push(Effect::new(Verb::Updated, "execution", id.to_string()));
}

/// Stops every run that stands as the body says.
pub(crate) fn stop_many(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let body = &call.body;
    let given = body.get("status").and_then(Value::as_array).filter(|given| !given.is_empty());
    let given = given.ok_or_else(|| Problem::bad("request/body must have required property 'status'"))?;
    let mut wanted = Vec::new();
    for word in given {
        wanted.push(match word.as_str() {
            Some("queued") => Status::New,
            Some("running") => Status::Running,
            Some("waiting") => Status::Waiting,
            _ => {
                let message = "request/body/status/0 must be equal to one of the allowed values: queued, running, waiting";
                return Err(Problem::bad(message));
            }
        });
    }
    let field = |name: &str| Some(text(body, name).to_owned()).filter(|given| !given.is_empty());
    let choice = Choice {
        workflow: field("workflowId"),
        after: time("body/startedAfter", field("startedAfter"))?,
        before: time("body/startedBefore", field("startedBefore"))?,
    };
    let state = &mut instance.state;
    let meant = state.executions.values();
    let meant = meant.filter(|execution| choice.has(execution) && wanted.contains(&execution.status));
    let ids: Vec<u64> = meant.map(|execution| execution.id).collect();
    for id in &ids {
        cancel(state, *id);
    }
    Ok(Reply::json(200, &json!({ "stopped": ids.len() })))
}

/// Runs a failed run again under a new id. The answer comes when that has ended.
pub(crate) fn retry(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    if call.body.get("loadWorkflow").is_some_and(|given| !given.is_boolean()) {
        return Err(Problem::bad("request/body/loadWorkflow must be boolean"));
    }
    let state = &mut instance.state;
    let execution = named(state, call)?.clone();
    match execution.status {
        Status::Error | Status::Crashed => {}
        Status::Success => {
            return Err(Problem::new(409, "The execution succeeded, so it cannot be retried."));
        }
        other => {
            let message = format!("The execution is {}, so it cannot be retried.", other.word());
            return Err(Problem::new(409, message));
        }
    }
    let workflow = state.workflows.get(&execution.workflow).ok_or_else(Problem::not_found)?;
    let old = workflow.history.iter().find(|version| version.id == execution.version);
    let loads = call.body.get("loadWorkflow").and_then(Value::as_bool) == Some(true);
    let version = old.filter(|_| !loads).unwrap_or(&workflow.draft).clone();
    let start = Start {
        workflow: &execution.workflow,
        version: &version,
        mode: "retry",
        input: execution.input.clone(),
        retry_of: Some(execution.id),
    };
    let id = runs::begin(state, start);
    Ok(runs::awaited(state, id))
}
