//! Batches: up to 100 contacts in one request.
//!
//! A batch whose inputs all carry an `objectWriteTraceId` of their own is answered input by input. Any other is done
//! whole or not at all.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::problem::Problem;
use super::state::{Record, State};
use super::values::{self, Values};
use super::{Portal, shown, stamp, writes};
use crate::web::{Reply, Request};

/// The most inputs.
const MOST: usize = 100;

/// What came of a batch.
pub(crate) struct Outcome {
    pub(crate) results: Vec<Value>,
    pub(crate) errors: Vec<Value>,
}

impl Outcome {
    /// The answer: of this status when all went well.
    pub(crate) fn reply(self, portal: &Portal, status: u16) -> Reply {
        let now = stamp(portal.state.clock.now());
        let mut body = json!({
            "status": "COMPLETE", "results": self.results, "startedAt": now, "completedAt": now,
        });
        let status = if self.errors.is_empty() { status } else { 207 };
        if let (207, Some(body)) = (status, body.as_object_mut()) {
            body.insert("numErrors".to_owned(), self.errors.len().into());
            body.insert("errors".to_owned(), self.errors.into());
        }
        Reply::json(status, &body)
    }
}

/// How inputs name contacts.
pub(crate) enum Key {
    Id,
    /// By a unique property.
    Property(String),
}

impl Key {
    /// The key of this name; `None` is the id.
    pub(crate) fn of(state: &State, property: Option<&str>) -> Result<Self, Problem> {
        let Some(name) = property.filter(|name| *name != "hs_object_id") else { return Ok(Self::Id) };
        let definition = state.definitions.get(name).ok_or_else(|| {
            let message = format!("Property \"{name}\" does not exist");
            Problem::property(name, "PROPERTY_DOESNT_EXIST", &message)
        })?;
        if !definition.unique {
            let message = format!("idProperty \"{name}\" is not a unique property");
            return Err(Problem::invalid(message));
        }
        Ok(Self::Property(name.to_owned()))
    }

    /// Refuses what can be no key.
    pub(crate) fn check(&self, value: &str) -> Result<(), Problem> {
        match self {
            Self::Id if value.parse::<u64>().is_err() => {
                Err(Problem::invalid(format!("Invalid input: {value} is no id")))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn find<'a>(&self, state: &'a State, value: &str) -> Option<&'a Record> {
        match self {
            Self::Id => state.active(value.parse().ok()?),
            Self::Property(name) if name == "email" => state.unique(name, &value.trim().to_lowercase()),
            Self::Property(name) => state.unique(name, value),
        }
    }
}

/// The inputs: 1 to 100, and none twice.
pub(crate) fn inputs(body: &Value) -> Result<&[Value], Problem> {
    let inputs = body
        .get("inputs")
        .and_then(Value::as_array)
        .ok_or_else(|| Problem::invalid("Invalid input JSON: Some required fields were not set: [inputs]"))?;
    if inputs.is_empty() {
        return Err(Problem::invalid("The inputs must not be empty"));
    }
    if inputs.len() > MOST {
        let message = format!(
            "The maximum number of inputs supported in a batch request for property histories is {MOST}. Was {}",
            inputs.len()
        );
        return Err(Problem::invalid(message));
    }
    let ids: Vec<&str> = inputs.iter().filter_map(|input| input.get("id").and_then(Value::as_str)).collect();
    let distinct: BTreeSet<&str> = ids.iter().copied().collect();
    if distinct.len() < ids.len() {
        return Err(Problem::invalid("Duplicate IDs found in batch input. IDs must be unique"));
    }
    Ok(inputs)
}

/// What an input names.
pub(crate) fn id(input: &Value) -> Result<String, Problem> {
    let id = input.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
    id.map(str::to_owned)
        .ok_or_else(|| Problem::invalid("Invalid input JSON: Some required fields were not set: [id]"))
}

/// Makes contacts.
pub(crate) fn create(portal: &mut Portal, request: &Request, body: &Value) -> Result<Reply, Problem> {
    run(portal, request, body, 201, |state, input| {
        let values = values::values(state, input)?;
        Ok((writes::made(state, &values)?, values, true))
    })
}

/// Changes contacts.
pub(crate) fn update(portal: &mut Portal, request: &Request, body: &Value) -> Result<Reply, Problem> {
    run(portal, request, body, 200, |state, input| {
        let key = Key::of(state, input.get("idProperty").and_then(Value::as_str))?;
        let id = id(input)?;
        key.check(&id)?;
        let values = values::values(state, input)?;
        let found = key.find(state, &id).map(|record| record.id).ok_or_else(|| Problem::missing(vec![id]))?;
        Ok((writes::changed(state, found, &values)?, values, false))
    })
}

/// Makes contacts, or changes those that have this value of a unique property.
pub(crate) fn upsert(portal: &mut Portal, request: &Request, body: &Value) -> Result<Reply, Problem> {
    run(portal, request, body, 200, |state, input| {
        let property = input.get("idProperty").and_then(Value::as_str);
        let Key::Property(name) = Key::of(state, property)? else {
            return Err(Problem::invalid("idProperty must be a unique property"));
        };
        let id = id(input)?;
        let mut values = values::values(state, input)?;
        let found = Key::Property(name.clone()).find(state, &id).map(|record| record.id);
        if let Some(definition) = state.definitions.get(&name) {
            let own = values::kept(definition, &id)?;
            values.entry(name).or_insert(own);
        }
        match found {
            Some(found) => Ok((writes::changed(state, found, &values)?, values, false)),
            None => Ok((writes::made(state, &values)?, values, true)),
        }
    })
}

/// Archives contacts; those that are not there are archived already.
pub(crate) fn archive(portal: &mut Portal, request: &Request, body: &Value) -> Result<Reply, Problem> {
    let mut ids = Vec::new();
    for input in inputs(body)? {
        let id = id(input)?;
        Key::Id.check(&id)?;
        ids.extend(id.parse::<u64>());
    }
    for (position, id) in ids.into_iter().enumerate() {
        if !request.refuse.contains(&position) {
            writes::gone(&mut portal.state, id);
        }
    }
    Ok(Reply::empty(204))
}

type Done = (Record, Values, bool);

/// Works through a batch: input by input where that is asked for, else all or nothing.
fn run(
    portal: &mut Portal,
    request: &Request,
    body: &Value,
    status: u16,
    act: impl Fn(&mut State, &Value) -> Result<Done, Problem>,
) -> Result<Reply, Problem> {
    let inputs = inputs(body)?;
    let traces: BTreeSet<&str> = inputs.iter().filter_map(trace).collect();
    let one_by_one = portal.multi_status && traces.len() == inputs.len();
    let before = (!one_by_one).then(|| portal.state.snapshot());
    let mut done = Vec::new();
    let mut errors = Vec::new();
    for (position, input) in inputs.iter().enumerate() {
        let outcome = if request.refuse.contains(&position) {
            Err(Problem::property("email", "INVALID", "refused (simulated)"))
        } else {
            act(&mut portal.state, input)
        };
        match outcome {
            Ok(outcome) => done.push((outcome, trace(input))),
            Err(problem) => match before {
                None => errors.push(problem.entry(trace(input))),
                Some(before) => {
                    portal.state.restore(before);
                    return Err(problem);
                }
            },
        }
    }
    // Answers come in an order of their own.
    done.sort_by_key(|((record, ..), _)| record.id);
    let results = done.iter().map(|((record, values, new), trace)| {
        let mut shown = shown::written(record, values.keys());
        if let Some(shown) = shown.as_object_mut() {
            shown.insert("new".to_owned(), (*new).into());
            if let Some(trace) = trace {
                shown.insert("objectWriteTraceId".to_owned(), (*trace).into());
            }
        }
        shown
    });
    let outcome = Outcome { results: results.collect(), errors };
    Ok(outcome.reply(portal, status))
}

fn trace(input: &Value) -> Option<&str> {
    input.get("objectWriteTraceId").and_then(Value::as_str)
}
