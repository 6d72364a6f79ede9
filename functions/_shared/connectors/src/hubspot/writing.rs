//! Writing in batches.
//!
//! A create is an upsert by our key: whoever repeats it finds what the attempt before made. A contact that somebody else
//! made with the same e-mail address is not touched by it; HubSpot refuses a second one, which is a conflict.
//!
//! A batch may succeed in part. Each input carries a number of ours (`objectWriteTraceId`), which makes HubSpot answer
//! record by record and stands beside each result and in each error
//! (<https://developers.hubspot.com/docs/api-reference/error-handling#multi-status-errors>).

use super::contact;
use super::failure;
use super::portal::{CONTACTS, Portal};
use super::reading::{batch_request, existing};
use super::replies::{Batch, Contact};
use crate::{Error, ErrorKind, Exchange, Outcome, Reply, Result, Step, Write, Written, read};
use domain::{Fields, Value};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Outcomes so far, each with the place of its record.
type Decided = Vec<(usize, Outcome)>;

/// A record as it is sent.
#[derive(Clone)]
struct Input {
    /// Its place among the writes.
    at: usize,
    /// The id of an update, the key of a create.
    id: String,
    properties: Fields,
}

impl Input {
    fn trace(&self) -> String {
        self.at.to_string()
    }
}

/// A request that is still to be sent.
#[derive(Clone)]
enum Part {
    /// Contacts that are made, or found again by their key.
    Creates(Vec<Input>),
    /// Contacts that are there.
    Updates(Vec<Input>),
    /// What the answer about creates left out: whether they are there now.
    Check(Vec<Input>),
}

/// What is the same in every step of a write.
struct Job {
    portal: Portal,
    count: usize,
}

/// Writes contacts. What is refused before it is sent does not keep the others from being written.
pub(super) fn write(portal: &Portal, writes: &[Write]) -> Result<Exchange<Vec<Outcome>>> {
    let (mut decided, mut creates, mut updates) = (Decided::new(), Vec::new(), Vec::new());
    for (at, write) in writes.iter().enumerate() {
        match (input(portal, at, write), &write.id) {
            (Ok(input), None) => creates.push(input),
            (Ok(input), Some(_)) => updates.push(input),
            (Err(error), _) => decided.push((at, Err(error))),
        }
    }
    let mut parts = Vec::new();
    if !creates.is_empty() {
        parts.push(Part::Creates(creates));
    }
    if !updates.is_empty() {
        parts.push(Part::Updates(updates));
    }
    let job = Arc::new(Job { portal: Arc::clone(portal), count: writes.len() });
    // Without anything to send the first refusal stands for the batch, which then comes back in parts.
    let refusal = decided.iter().find_map(|(_, outcome)| outcome.as_ref().err().cloned());
    match send(&job, &parts, decided)? {
        Step::Next { exchange, .. } => Ok(exchange),
        Step::Done(_) => Err(refusal.unwrap_or_else(|| Error::unexpected("there is nothing to write"))),
    }
}

fn input(portal: &Portal, at: usize, write: &Write) -> Result<Input> {
    let mut properties = contact::properties(portal, &write.fields, write.id.is_none())?;
    let id = match &write.id {
        Some(id) => id.clone(),
        None if write.external_key.is_empty() => {
            return Err(Error::unexpected("a new contact needs a key that finds it again"));
        }
        None => {
            properties.insert(portal.key.clone(), Value::String(write.external_key.clone()));
            write.external_key.clone()
        }
    };
    Ok(Input { at, id, properties })
}

/// Sends the first part, and the others after it.
fn send(job: &Arc<Job>, parts: &[Part], decided: Decided) -> Result<Step<Vec<Outcome>>> {
    let Some((part, rest)) = parts.split_first() else { return Ok(Step::Done(ordered(job, &decided))) };
    let (path, body) = request(job, part);
    let (again, part, rest) = (Arc::clone(job), part.clone(), rest.to_vec());
    let exchange = job.portal.post(&path, &body, move |reply| {
        let (mut decided, mut rest) = (decided.clone(), rest.clone());
        let open = answered(&again, &part, reply, &mut decided)?;
        if !open.is_empty() {
            rest.push(Part::Check(open));
        }
        send(&again, &rest, decided)
    })?;
    Ok(Step::Next { exchange, after: Duration::ZERO })
}

fn request(job: &Job, part: &Part) -> (String, Value) {
    let key = &job.portal.key;
    let sent = |inputs: &[Input], property: Option<&str>| -> Value {
        let one = |input: &Input| {
            let mut one = json!({
                "id": input.id, "properties": input.properties, "objectWriteTraceId": input.trace(),
            });
            if let (Some(property), Some(one)) = (property, one.as_object_mut()) {
                one.insert("idProperty".to_owned(), property.into());
            }
            one
        };
        json!({ "inputs": inputs.iter().map(one).collect::<Vec<_>>() })
    };
    match part {
        Part::Creates(inputs) => (format!("{CONTACTS}/batch/upsert"), sent(inputs, Some(key))),
        Part::Updates(inputs) => (format!("{CONTACTS}/batch/update"), sent(inputs, None)),
        Part::Check(inputs) => {
            let keys: Vec<String> = inputs.iter().map(|input| input.id.clone()).collect();
            batch_request(&job.portal, Some(key), &keys)
        }
    }
}

/// Decides each record of a part by its reply. What the reply leaves out of creates is to be checked.
fn answered(job: &Job, part: &Part, reply: &Reply, decided: &mut Decided) -> Result<Vec<Input>> {
    let silent = || Error::unexpected("HubSpot's answer does not say what became of the contact");
    let key = |contact: &Contact| contact.text(&job.portal.key).map(str::to_owned);
    match part {
        Part::Creates(inputs) => {
            let by_key = |contact: &Contact, input: &Input| key(contact).as_deref() == Some(&input.id);
            each(inputs, reply, by_key, decided)
        }
        Part::Updates(inputs) => {
            let open = each(inputs, reply, |contact, input| contact.id == input.id, decided)?;
            decided.extend(open.iter().map(|input| (input.at, Err(silent()))));
            Ok(Vec::new())
        }
        Part::Check(inputs) => {
            let there = existing(reply)?;
            let outcome = |input: &Input| {
                let found = there.iter().find(|contact| key(contact).as_deref() == Some(&input.id));
                (input.at, found.map(written).ok_or_else(silent))
            };
            decided.extend(inputs.iter().map(outcome));
            Ok(Vec::new())
        }
    }
}

/// Finds the result or the error of each input. Those that have neither are handed back.
fn each(
    inputs: &[Input],
    reply: &Reply,
    is_its: impl Fn(&Contact, &Input) -> bool,
    decided: &mut Decided,
) -> Result<Vec<Input>> {
    let Batch { results, errors, .. } = read::json(reply.body())?;
    // An error that names nothing is about those that nothing else is said of.
    let names = |error: &&Value| {
        failure::named(error, "objectWriteTraceId").chain(failure::named(error, "ids")).next().is_some()
    };
    let general = errors.iter().find(|error| !names(error));
    let mut open = Vec::new();
    for input in inputs {
        let trace = input.trace();
        let traced = |contact: &&Contact| contact.object_write_trace_id.as_deref() == Some(&trace);
        let concerns = |error: &&Value| {
            failure::named(error, "objectWriteTraceId").any(|named| named == trace)
                || failure::named(error, "ids").any(|named| named == input.id)
        };
        let result =
            results.iter().find(traced).or_else(|| results.iter().find(|contact| is_its(contact, input)));
        match (result, errors.iter().find(concerns).or(general)) {
            (Some(contact), _) => decided.push((input.at, Ok(written(contact)))),
            (None, Some(error)) => decided.push((input.at, Err(failure::of_entry(error)))),
            (None, None) => open.push(input.clone()),
        }
    }
    Ok(open)
}

fn written(contact: &Contact) -> Written {
    Written { id: contact.id.clone(), now: None }
}

/// The outcomes in the order of the writes.
fn ordered(job: &Job, decided: &Decided) -> Vec<Outcome> {
    let one = |at: usize| {
        let outcome = decided.iter().find(|(place, _)| *place == at).map(|(_, outcome)| outcome.clone());
        outcome.unwrap_or_else(|| Err(Error::unexpected("the contact was left out of the write")))
    };
    (0..job.count).map(one).collect()
}

/// Archives contacts, which is what HubSpot calls to delete them; they can be restored for 90 days. One that is not
/// there counts as deleted.
pub(super) fn archive(portal: &Portal, ids: &[String]) -> Result<Exchange<Vec<Result<()>>>> {
    let mut distinct = ids.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let inputs: Vec<Value> = distinct.iter().map(|id| json!({ "id": id })).collect();
    let request = portal.request(
        http::Method::POST,
        &format!("{CONTACTS}/batch/archive"),
        &json!({ "inputs": inputs }),
    )?;
    let (ids, alone) = (ids.to_vec(), distinct.len() == 1);
    Ok(portal.ask(request, move |reply| {
        match failure::of(reply) {
            // What is said of one is said of it; of many it does not say which, and they come back one by one.
            Some(error) if failure::is_gone(&error) && alone => {
                return Ok(Step::Done(vec![Ok(()); ids.len()]));
            }
            Some(error) => return Err(error),
            None => {}
        }
        if reply.status() == http::StatusCode::NO_CONTENT {
            return Ok(Step::Done(vec![Ok(()); ids.len()]));
        }
        // Anything else is only believed when it is HubSpot's answer.
        let Batch { status, errors, .. } = read::json(reply.body())?;
        if status != "COMPLETE" {
            let message = format!("HubSpot did not finish deleting ({})", read::excerpt(&status));
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        Ok(Step::Done(ids.iter().map(|id| archived(id, &errors)).collect()))
    }))
}

fn archived(id: &str, errors: &[Value]) -> Result<()> {
    let concerns = |error: &&Value| {
        let mut names = failure::named(error, "ids").peekable();
        names.peek().is_none() || names.any(|named| named == id)
    };
    match errors.iter().find(concerns).map(failure::of_entry) {
        Some(error) if !failure::is_gone(&error) => Err(error),
        _ => Ok(()),
    }
}
