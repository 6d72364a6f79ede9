//! Asynchronous requests: single ones and batches, with a job to ask after.
//!
//! <https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/article_0127092747.html>

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::intake::Manner;
use super::ledger::Ledger;
use super::metadata::Type;
use super::problem::Problem;
use super::records;
use super::show::Lens;

/// The most records in one batch.
const MOST: usize = 100;

/// One asynchronous request.
#[derive(Debug)]
struct Job {
    /// What became of each record.
    outcomes: Vec<Result<Value, Problem>>,
    /// Whether each record has a task of its own.
    apart: bool,
    /// How often it still says that it is pending.
    polls_left: u32,
    started: DateTime<Utc>,
}

/// The account's asynchronous requests.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    jobs: BTreeMap<u64, Job>,
    keys: HashSet<String>,
    /// How many times a new job says that it is pending before it is done.
    pub(crate) polls: u32,
    /// Whether each record of a batch has a task of its own, or all of them one.
    pub(crate) apart: bool,
}

/// What is done to each record of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Create,
    Update,
    Upsert,
    Delete,
}

/// A batch as it came.
pub(crate) struct Batch<'a> {
    pub(crate) known: &'static Type,
    pub(crate) action: Action,
    pub(crate) items: Vec<Value>,
    pub(crate) manner: Manner,
    pub(crate) lens: Lens,
    /// Positions that the fault plan wants refused.
    pub(crate) refuse: &'a [usize],
}

impl Jobs {
    /// Takes the idempotency key of an asynchronous request.
    ///
    /// # Errors
    /// It was used before.
    pub(crate) fn take_key(&mut self, key: &str) -> Result<(), Problem> {
        if key.is_empty() || self.keys.insert(key.to_owned()) {
            return Ok(());
        }
        let detail = format!("The idempotency key '{key}' was already used.");
        Err(Problem::new(400, "IDEMPOTENCY_ERROR", detail))
    }

    /// Does a batch, record by record: one that is wrong does not stop the others. Answers the job's number.
    ///
    /// # Errors
    /// There are no records in it, or too many.
    pub(crate) fn batch(&mut self, ledger: &mut Ledger, batch: &Batch<'_>) -> Result<u64, Problem> {
        if batch.items.is_empty() || batch.items.len() > MOST {
            let detail = format!("A batch must have between 1 and {MOST} records.");
            return Err(Problem {
                path: Some("items".to_owned()),
                ..Problem::new(400, "INVALID_CONTENT", detail)
            });
        }
        let mut outcomes = Vec::new();
        for (at, item) in batch.items.iter().enumerate() {
            let outcome = if batch.refuse.contains(&at) {
                Err(Problem::new(400, "USER_ERROR", "Refused by the fault plan"))
            } else {
                one(ledger, batch, item)
            };
            outcomes.push(outcome.map(|id| batch.lens.made(batch.known.name, id)));
        }
        Ok(self.add(ledger, outcomes, self.apart))
    }

    /// Keeps the result of a single asynchronous request. Answers the job's number.
    pub(crate) fn single(&mut self, ledger: &Ledger, outcome: Result<Value, Problem>) -> u64 {
        self.add(ledger, vec![outcome], true)
    }

    fn add(&mut self, ledger: &Ledger, outcomes: Vec<Result<Value, Problem>>, apart: bool) -> u64 {
        let number = self.jobs.keys().next_back().map_or(1, |last| last + 1);
        let job = Job { outcomes, apart, polls_left: self.polls, started: ledger.clock.second() };
        self.jobs.insert(number, job);
        number
    }

    /// `job/{n}`, `job/{n}/task`, `job/{n}/task/{t}`, `job/{n}/task/{t}/result`.
    ///
    /// # Errors
    /// There is no such thing, or no result yet.
    pub(crate) fn show(&mut self, base: &str, path: &str) -> Result<Value, Problem> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let Some(number) = parts.first().and_then(|number| number.parse::<u64>().ok()) else {
            return Err(Problem::missing());
        };
        let href = format!("{base}/services/rest/async/v1/job/{number}");
        let job = self.jobs.get_mut(&number).ok_or_else(Problem::missing)?;
        let link = |rel: &str, rest: &str| json!({ "rel": rel, "href": format!("{href}{rest}") });
        match parts.get(1..).unwrap_or_default() {
            [] => {
                let done = job.polls_left == 0;
                job.polls_left = job.polls_left.saturating_sub(1);
                Ok(json!({
                    "links": [link("self", "")],
                    "completed": done,
                    "id": number.to_string(),
                    "progress": job.progress(done),
                    "task": { "links": [link("self", "/task")] },
                }))
            }
            ["task"] => {
                let tasks: Vec<Value> = (1..=job.tasks())
                    .map(|task| json!({ "links": [link("self", &format!("/task/{task}"))], "id": task.to_string() }))
                    .collect();
                let count = tasks.len();
                Ok(json!({
                    "links": [link("self", "/task")],
                    "items": tasks, "count": count, "offset": 0, "totalResults": count, "hasMore": false,
                }))
            }
            ["task", task, rest @ ..] => {
                let task = task.parse::<usize>().ok().filter(|task| (1..=job.tasks()).contains(task));
                let task = task.ok_or_else(Problem::missing)?;
                match rest {
                    [] => Ok(job.task(task, &link)),
                    ["result"] if job.polls_left > 0 => Err(Problem::new(
                        404,
                        "NONEXISTENT_ID",
                        "The result of the task is not available yet.",
                    )),
                    ["result"] => job.result(task, &link),
                    _ => Err(Problem::missing()),
                }
            }
            _ => Err(Problem::missing()),
        }
    }
}

impl Job {
    fn tasks(&self) -> usize {
        if self.apart { self.outcomes.len() } else { 1 }
    }

    /// A job or a task has failed when nothing in it was done.
    fn progress(&self, done: bool) -> &'static str {
        match done {
            false => "pending",
            true if self.outcomes.iter().all(Result::is_err) => "failed",
            true => "succeeded",
        }
    }

    fn task(&self, task: usize, link: &dyn Fn(&str, &str) -> Value) -> Value {
        let done = self.polls_left == 0;
        let failed = self.apart && self.outcomes.get(task - 1).is_some_and(Result::is_err);
        let progress = if done && failed { "failed" } else { self.progress(done) };
        let (own, result) = (format!("/task/{task}"), format!("/task/{task}/result"));
        let mut shown = Map::new();
        shown.insert("links".to_owned(), json!([link("related", &result), link("self", &own)]));
        shown.insert("completed".to_owned(), done.into());
        shown.insert("id".to_owned(), task.to_string().into());
        shown.insert("progress".to_owned(), progress.into());
        shown.insert("startTime".to_owned(), super::zulu(self.started).into());
        if done {
            shown.insert("endTime".to_owned(), super::zulu(self.started).into());
        }
        Value::Object(shown)
    }

    /// The result of a task: of one record what its own request would have been answered, of many a collection.
    fn result(&self, task: usize, link: &dyn Fn(&str, &str) -> Value) -> Result<Value, Problem> {
        if self.apart {
            return self.outcomes.get(task - 1).cloned().unwrap_or_else(|| Err(Problem::missing()));
        }
        let items: Vec<Value> = self
            .outcomes
            .iter()
            .map(|outcome| outcome.clone().unwrap_or_else(|problem| problem.body()))
            .collect();
        let count = items.len();
        Ok(json!({
            "links": [link("self", &format!("/task/{task}/result"))],
            "items": items, "count": count, "offset": 0, "totalResults": count, "hasMore": false,
        }))
    }
}

fn one(ledger: &mut Ledger, batch: &Batch<'_>, item: &Value) -> Result<u64, Problem> {
    let empty = Map::new();
    let body = item.as_object().unwrap_or(&empty);
    // The internal id goes before the external one.
    let id = item.get("id").map_or_else(|| item.as_str().map(str::to_owned), id_text);
    let external = body.get("externalId").and_then(Value::as_str);
    let found = match (&id, external) {
        (Some(id), _) if id.starts_with("eid:") => {
            ledger.by_external(batch.known.name, id.trim_start_matches("eid:"))
        }
        (Some(id), _) => id.parse().ok().filter(|id| ledger.record(batch.known.name, *id).is_some()),
        (None, Some(external)) => ledger.by_external(batch.known.name, external),
        (None, None) => None,
    };
    match batch.action {
        Action::Create => records::create(ledger, batch.known, body, &batch.manner),
        Action::Update => {
            let id = found.ok_or_else(Problem::missing)?;
            records::update(ledger, batch.known, id, body, &batch.manner).map(|()| id)
        }
        Action::Upsert => {
            let external =
                external.ok_or_else(|| Problem::content("externalId", "An upsert needs an external ID."))?;
            records::upsert(ledger, batch.known, external, body, &batch.manner)
        }
        Action::Delete => {
            let id = found.ok_or_else(Problem::missing)?;
            records::delete(ledger, batch.known, id).map(|()| id)
        }
    }
}

fn id_text(id: &Value) -> Option<String> {
    match id {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
