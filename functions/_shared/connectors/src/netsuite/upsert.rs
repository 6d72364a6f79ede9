//! Writing records and finding out what became of each.
//!
//! A batch's job does not say which of its records were accepted; each has a result of its own, to be fetched by itself.
//! So the records are read back first: what holds what was written needs no further proof, and only of the others is the
//! result fetched. A repeated key means that an earlier attempt was heard; should the records not hold what we want once
//! that attempt is done, it was about something else, and they are sent anew.

use super::batch::{self, Answered, Batch, Job, Question, RECORDS, Then};
use super::site::Site;
use super::suiteql::{self, Shown};
use super::{orders, products};
use crate::{Error, ErrorKind, Outcome, Result, Step, Write, Written};
use domain::{Fields, Record, Value, canon};
use std::sync::Arc;

/// Submissions of one record in one write.
const ROUNDS: u32 = 3;

/// Which records are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Product,
    Order,
}

/// One of NetSuite's records: an order, a product, one of its children.
#[derive(Clone)]
pub(super) struct Piece {
    /// Which write it belongs to.
    pub(super) write: usize,
    /// What a person calls it.
    pub(super) label: String,
    pub(super) method: http::Method,
    pub(super) path: &'static str,
    pub(super) body: Value,
    pub(super) check: Check,
}

/// How it is told from the neutral record that a piece was written.
#[derive(Clone)]
pub(super) enum Check {
    /// These fields of the record.
    Fields(Fields),
    /// These fields of the child with this item id.
    Child(String, Fields),
    /// No child with this item id.
    NoChild(String),
}

/// A write under way.
pub(super) struct Task {
    pub(super) kind: Kind,
    pub(super) writes: Arc<[Write]>,
    /// Why a write is not sent at all.
    pub(super) refused: Vec<Option<Error>>,
    pub(super) pieces: Vec<Piece>,
}

/// Sends the pieces and says what became of each write.
pub(super) fn send(site: &Site, job: Task) -> Result<Step<Vec<Outcome>>> {
    let pieces = (0..job.pieces.len()).collect();
    round(site, &Arc::new(job), pieces, &[], 1)
}

/// Sends these pieces: changes first, then what is new, each in its order.
fn round(
    site: &Site,
    job: &Arc<Task>,
    open: Vec<usize>,
    earlier: &[String],
    number: u32,
) -> Result<Step<Vec<Outcome>>> {
    let mut groups: Vec<(http::Method, &'static str, Vec<usize>)> = Vec::new();
    for (at, piece) in open.iter().filter_map(|at| Some((*at, job.pieces.get(*at)?))) {
        match groups.iter_mut().find(|(method, path, _)| *method == piece.method && *path == piece.path) {
            Some((_, _, members)) => members.push(at),
            None => groups.push((piece.method.clone(), piece.path, vec![at])),
        }
    }
    groups.sort_by_key(|(method, ..)| *method != http::Method::PATCH);
    let (mut batches, mut members) = (Vec::new(), Vec::new());
    for (method, path, all) in groups {
        for chunk in all.chunks(RECORDS) {
            let pieces = || chunk.iter().filter_map(|at| job.pieces.get(*at));
            let records = pieces().map(|piece| piece.body.clone()).collect();
            let keys: Vec<&str> = pieces()
                .filter_map(|piece| Some(job.writes.get(piece.write)?.idempotency_key.as_str()))
                .collect();
            let batch = Batch::new(method.clone(), path, records, &keys);
            batches.push(if earlier.is_empty() { batch } else { batch.anew(&earlier.join(",")) });
            members.push(chunk.to_vec());
        }
    }
    let job = Arc::clone(job);
    let then: Then<Vec<Outcome>> =
        Arc::new(move |site, done| read_back(site, &job, members.clone(), done, open.clone(), number));
    batch::run(site, &batches.into(), Vec::new(), &then)
}

fn read_back(
    site: &Site,
    job: &Arc<Task>,
    members: Vec<Vec<usize>>,
    done: Vec<Job>,
    open: Vec<usize>,
    number: u32,
) -> Result<Step<Vec<Outcome>>> {
    let sent = || {
        job.writes.iter().zip(&job.refused).filter(|(_, refused)| refused.is_none()).map(|(write, _)| write)
    };
    let by_id: Vec<String> = sent().filter_map(|write| write.id.clone()).collect();
    let by_key: Vec<String> =
        sent().filter(|write| write.id.is_none()).map(|write| write.external_key.clone()).collect();
    if by_id.is_empty() && by_key.is_empty() {
        return Ok(Step::Done(outcomes(job, &[], &[])));
    }
    let again = Arc::clone(job);
    let judge =
        move |site: &Site, shown: Vec<Shown>| judge(site, &again, &members, &done, &open, number, shown);
    match job.kind {
        Kind::Product => {
            suiteql::then_all(site, products::written(site, &by_id, &by_key), move |site, rows| {
                judge(site, products::collect(site, &rows)?)
            })
        }
        Kind::Order => {
            let judge = Arc::new(judge);
            suiteql::then_all(site, orders::written(&by_id, &by_key), move |site, heads| {
                let (site_again, judge) = (Arc::clone(site), Arc::clone(&judge));
                orders::with_lines(site, heads, move |shown| judge(&site_again, shown))
            })
        }
    }
}

fn judge(
    site: &Site,
    job: &Arc<Task>,
    members: &[Vec<usize>],
    done: &[Job],
    open: &[usize],
    number: u32,
    shown: Vec<Shown>,
) -> Result<Step<Vec<Outcome>>> {
    let unproven: Vec<usize> = open.iter().copied().filter(|at| !is_proven(job, *at, &shown)).collect();
    let was_earlier =
        |at: &usize| members.iter().zip(done).any(|(members, job)| job.is_earlier && members.contains(at));
    let anew: Vec<usize> = unproven.iter().copied().filter(was_earlier).collect();
    if !anew.is_empty() && number < ROUNDS {
        let earlier: Vec<String> =
            done.iter().filter(|job| job.is_earlier).map(|job| job.id.clone().unwrap_or_default()).collect();
        // What was not part of an earlier attempt is asked for together with the rest: sent twice it does no harm.
        return round(site, job, unproven, &earlier, number.saturating_add(1));
    }
    let (questions, silent) = questions(members, done, &unproven);
    let again = Arc::clone(job);
    let then: Answered<Vec<Outcome>> =
        Arc::new(move |_, answers| Ok(Step::Done(outcomes(&again, &shown, &answers))));
    batch::results(site, questions, silent, &then)
}

/// What has to be asked, and the pieces of which there is nobody to ask.
fn questions(
    members: &[Vec<usize>],
    done: &[Job],
    unproven: &[usize],
) -> (Vec<Question>, Vec<(usize, Result<()>)>) {
    let mut questions: Vec<Question> = Vec::new();
    let mut silent = Vec::new();
    for (members, job) in members.iter().zip(done) {
        for (position, at) in members.iter().enumerate().filter(|(_, at)| unproven.contains(at)) {
            let Some((id, task)) = job.question(position, members.len()) else {
                let error = Error::unexpected(
                    "NetSuite does not say what became of the record, and it does not hold what was written",
                );
                silent.push((*at, Err(error)));
                continue;
            };
            let one_for_all = job.tasks.len() == 1;
            let records = if one_for_all { members.clone() } else { vec![*at] };
            let question = Question { job: id, task, records };
            if !questions.contains(&question) {
                questions.push(question);
            }
        }
    }
    (questions, silent)
}

fn find<'a>(write: &Write, shown: &'a [Shown]) -> Option<&'a Record> {
    let is_it = |shown: &&Shown| match &write.id {
        Some(id) => shown.record.id == *id,
        None => shown.external_key.as_deref() == Some(write.external_key.as_str()),
    };
    shown.iter().find(is_it).map(|shown| &shown.record)
}

fn is_proven(job: &Task, at: usize, shown: &[Shown]) -> bool {
    let Some(piece) = job.pieces.get(at) else { return false };
    let Some(write) = job.writes.get(piece.write) else { return false };
    let Some(now) = find(write, shown) else { return false };
    match &piece.check {
        Check::Fields(fields) => holds(fields, &now.fields, &write.current),
        Check::Child(item_id, fields) => child(&now.fields, item_id)
            .is_some_and(|now| holds(fields, now, child(&write.current, item_id).unwrap_or(&Fields::new()))),
        Check::NoChild(item_id) => child(&now.fields, item_id).is_none(),
    }
}

fn child<'a>(fields: &'a Fields, item_id: &str) -> Option<&'a Fields> {
    let children = fields.get("children")?.as_array()?.iter().filter_map(Value::as_object);
    children.into_iter().find(|child| child.get("itemId").and_then(Value::as_str) == Some(item_id))
}

/// Whether the fields hold what was written, or at least no longer what they held before: NetSuite may write a value
/// in its own way, but it does not change what it refused.
fn holds(wanted: &Fields, now: &Fields, before: &Fields) -> bool {
    let value = |fields: &Fields, name: &String| fields.get(name).cloned().unwrap_or(Value::Null);
    wanted.iter().all(|(name, wanted)| {
        let now = value(now, name);
        same(wanted, &now) || before.get(name).is_some_and(|before| !same(before, &now))
    })
}

/// Whether two values mean the same here: amounts by value, nothing and empty alike.
fn same(left: &Value, right: &Value) -> bool {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(fields) => fields.values().all(Value::is_null),
        Value::Bool(_) | Value::Number(_) => false,
    };
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => left.keys().chain(right.keys()).all(|name| {
            same(left.get(name).unwrap_or(&Value::Null), right.get(name).unwrap_or(&Value::Null))
        }),
        (left, right) => {
            let digits = |value: &Value| crate::read::money(value);
            canon::equal(left, right)
                || (is_empty(left) && is_empty(right))
                || matches!((digits(left), digits(right)), (Some(left), Some(right)) if canon::equal_numbers(&left, &right) == Some(true))
        }
    }
}

fn outcomes(job: &Task, shown: &[Shown], answers: &[(usize, Result<()>)]) -> Vec<Outcome> {
    job.writes.iter().enumerate().map(|(at, write)| outcome(job, at, write, shown, answers)).collect()
}

fn outcome(
    job: &Task,
    at: usize,
    write: &Write,
    shown: &[Shown],
    answers: &[(usize, Result<()>)],
) -> Outcome {
    if let Some(Some(error)) = job.refused.get(at) {
        return Err(error.clone());
    }
    let refusal = answers.iter().find_map(|(piece, answer)| {
        let piece = job.pieces.get(*piece).filter(|piece| piece.write == at)?;
        answer.as_ref().err().filter(|_| !is_shown(piece, write, shown)).map(|error| (piece, error))
    });
    if let Some((piece, error)) = refusal {
        let mut told = error.clone();
        told.message = format!("{}: {}", piece.label, error.message);
        return Err(told);
    }
    match find(write, shown) {
        Some(record) => Ok(Written { id: record.id.clone(), now: Some(record.clone()) }),
        None if write.id.is_some() => {
            Err(Error::new(ErrorKind::NotFound, "NetSuite no longer has the record"))
        }
        None => Err(Error::unexpected("NetSuite accepted the record but does not show it")),
    }
}

/// One task that did many records answers for all of them, also for those that need no answer.
fn is_shown(piece: &Piece, write: &Write, shown: &[Shown]) -> bool {
    let Some(now) = find(write, shown) else { return false };
    match &piece.check {
        Check::Fields(fields) => {
            fields.iter().all(|(name, value)| same(value, now.fields.get(name).unwrap_or(&Value::Null)))
        }
        Check::Child(item_id, fields) => child(&now.fields, item_id).is_some_and(|now| {
            fields.iter().all(|(name, value)| same(value, now.get(name).unwrap_or(&Value::Null)))
        }),
        Check::NoChild(item_id) => child(&now.fields, item_id).is_none(),
    }
}
