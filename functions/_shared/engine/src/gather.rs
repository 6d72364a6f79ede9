//! Reading many records, in as few requests as the platform allows, several side by side.

use crate::wire::{Failure, Wire};
use connectors::{ErrorKind, Exchange, Key};
use domain::{IntegrationId, ItemType, Record, RetryClass};
use futures::StreamExt;
use futures::stream;
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// What a reading found.
#[derive(Default)]
pub(crate) struct Gathered<T = HashMap<String, Record>> {
    pub(crate) records: T,
    /// Ids or keys whose reading failed for reasons of their own.
    pub(crate) failed: HashMap<String, connectors::Error>,
    /// Ids or keys that were not asked for, because the platform wants to be left alone.
    pub(crate) unanswered: HashSet<String>,
    /// For how long it wants that. What was read before is kept, so that even a slow platform lets a run advance.
    pub(crate) late: Option<Duration>,
}

/// Why a whole chunk of records cannot be worked on now.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Not before this long has passed.
    Later(Duration),
    /// The credential of this account does not work.
    Unauthorized(IntegrationId, String),
    /// A platform is away.
    Unavailable(String),
    /// Somebody else has the lease now: write nothing more.
    Lost,
    /// Our database.
    Store(store::Error),
}

/// Turns a failure that concerns everybody into a [`Stop`]; what concerns single records is handed back.
///
/// A platform that answers others but always fails on these records is not away: then it is about the records.
pub(crate) fn stop_or_record(failure: Failure, wire: &Wire<'_>) -> Result<connectors::Error, Stop> {
    match failure {
        Failure::Later(wait) => Err(Stop::Later(wait)),
        Failure::Store(error) => Err(Stop::Store(error)),
        Failure::Platform(error) => match error.kind.retry_class() {
            RetryClass::Auth => Err(Stop::Unauthorized(wire.integration_id(), error.message)),
            RetryClass::Transient if !wire.budget.is_alive() => Err(Stop::Unavailable(error.message)),
            RetryClass::Throttled => Err(Stop::Later(error.retry_after.unwrap_or(Duration::from_secs(10)))),
            RetryClass::Transient | RetryClass::Rejected | RetryClass::Conflict | RetryClass::Bug => {
                Ok(error)
            }
        },
    }
}

/// Reads the records with these ids. One that does not exist is in neither half of the answer.
pub(crate) async fn by_ids(wire: &Wire<'_>, item_type: ItemType, ids: &[String]) -> Result<Gathered, Stop> {
    let at_once = wire.connector.limits(item_type).read;
    let get = |part: &[String]| wire.connector.get_many(&wire.account, item_type, part);
    let found = split(wire, item_type, (ids.to_vec(), at_once), get).await?;
    let records = found.records.into_iter().map(|record| (record.id.clone(), record)).collect();
    Ok(Gathered { records, failed: found.failed, unanswered: found.unanswered, late: found.late })
}

/// The records with these ids; those that are at hand are not read again.
pub(crate) async fn missing(
    wire: &Wire<'_>,
    item_type: ItemType,
    ids: Vec<String>,
    at_hand: HashMap<String, Record>,
) -> Result<Gathered, Stop> {
    let ids: Vec<String> = ids.into_iter().filter(|id| !at_hand.contains_key(id)).collect();
    if ids.is_empty() {
        return Ok(Gathered { records: at_hand, ..Gathered::default() });
    }
    let mut found = by_ids(wire, item_type, &ids).await?;
    found.records.extend(at_hand);
    Ok(found)
}

/// Finds the records that carry one of these keys, in the order the platform gives them.
pub(crate) async fn by_key(
    wire: &Wire<'_>,
    item_type: ItemType,
    values: Vec<String>,
    key: impl Fn(Vec<String>) -> Key,
) -> Result<Gathered<Vec<Record>>, Stop> {
    let at_once = wire.connector.limits(item_type).find;
    let find = |part: &[String]| wire.connector.find(&wire.account, item_type, &key(part.to_vec()));
    split(wire, item_type, (values, at_once), find).await
}

/// Asks in parts. A part that fails because of one of its records is halved until that record stands alone.
async fn split(
    wire: &Wire<'_>,
    item_type: ItemType,
    (values, at_once): (Vec<String>, usize),
    ask: impl Fn(&[String]) -> connectors::Result<Exchange<Vec<Record>>>,
) -> Result<Gathered<Vec<Record>>, Stop> {
    let limits = wire.connector.limits(item_type);
    let mut parts: Vec<Vec<String>> = values.chunks(at_once.max(1)).map(<[String]>::to_vec).collect();
    let mut found: Gathered<Vec<Record>> = Gathered::default();
    let late = Cell::new(None);
    let width = wire.expect(parts.len(), limits.concurrency);
    while !parts.is_empty() {
        let asked = std::mem::take(&mut parts).into_iter().map(|part| {
            let (exchange, late) = (ask(&part), &late);
            async move {
                let answer = match (late.get(), exchange) {
                    (Some(wait), _) => Err(Failure::Later(wait)),
                    (None, Ok(exchange)) => wire.ask(exchange).await,
                    (None, Err(error)) => Err(Failure::Platform(error)),
                };
                (part, answer)
            }
        });
        let mut answers = stream::iter(asked).buffer_unordered(width);
        while let Some((part, answer)) = answers.next().await {
            match answer.map_err(|failure| stop_or_record(failure, wire)) {
                Ok(records) => found.records.extend(records),
                Err(Ok(error)) => halve(part, &error, &mut parts, &mut found.failed),
                Err(Err(Stop::Later(wait))) => {
                    late.set(Some(wait));
                    found.unanswered.extend(part);
                }
                Err(Err(stop)) => return Err(stop),
            }
        }
    }
    found.late = late.get();
    Ok(found)
}

fn halve(
    part: Vec<String>,
    error: &connectors::Error,
    parts: &mut Vec<Vec<String>>,
    failed: &mut HashMap<String, connectors::Error>,
) {
    if part.len() > 1 && error.kind != ErrorKind::Unsupported {
        let (left, right) = part.split_at(part.len() / 2);
        parts.extend([left.to_vec(), right.to_vec()]);
    } else {
        failed.extend(part.into_iter().map(|value| (value, error.clone())));
    }
}
