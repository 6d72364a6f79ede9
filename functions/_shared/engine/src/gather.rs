//! Reading many records, in as few requests as the platform allows, several side by side.

use crate::wire::{Failure, Wire};
use connectors::{ErrorKind, Exchange, Key};
use domain::{ItemType, Record, RetryClass};
use futures::StreamExt;
use futures::stream;
use std::collections::HashMap;
use std::time::Duration;

/// What a reading found: the records, and the ids whose reading failed for reasons of their own.
#[derive(Default)]
pub(crate) struct Gathered {
    pub(crate) records: HashMap<String, Record>,
    pub(crate) failed: HashMap<String, connectors::Error>,
}

/// Why a whole chunk of records cannot be worked on now.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Not before this long has passed.
    Later(Duration),
    /// The credential does not work.
    Unauthorized(String),
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
            RetryClass::Auth => Err(Stop::Unauthorized(error.message)),
            RetryClass::Transient if !wire.is_alive() => Err(Stop::Unavailable(error.message)),
            RetryClass::Throttled => Err(Stop::Later(error.retry_after.unwrap_or(Duration::from_secs(10)))),
            RetryClass::Transient | RetryClass::Rejected | RetryClass::Conflict | RetryClass::Bug => {
                Ok(error)
            }
        },
    }
}

/// Reads the records with these ids. One that does not exist is in neither half of the answer.
pub(crate) async fn by_ids(wire: &Wire<'_>, item_type: ItemType, ids: &[String]) -> Result<Gathered, Stop> {
    let gathered =
        split(wire, item_type, ids.to_vec(), |part| wire.connector.get_many(&wire.account, item_type, part))
            .await?;
    let mut answer = Gathered { failed: gathered.1, ..Gathered::default() };
    for record in gathered.0 {
        answer.records.insert(record.id.clone(), record);
    }
    Ok(answer)
}

/// Finds the records that carry one of these keys, in the order the platform gives them.
pub(crate) async fn by_key(
    wire: &Wire<'_>,
    item_type: ItemType,
    values: Vec<String>,
    key: impl Fn(Vec<String>) -> Key,
) -> Result<(Vec<Record>, HashMap<String, connectors::Error>), Stop> {
    split(wire, item_type, values, |part| wire.connector.find(&wire.account, item_type, &key(part.to_vec())))
        .await
}

/// Asks in parts. A part that fails because of one of its records is halved until that record stands alone.
async fn split(
    wire: &Wire<'_>,
    item_type: ItemType,
    values: Vec<String>,
    ask: impl Fn(&[String]) -> connectors::Result<Exchange<Vec<Record>>>,
) -> Result<(Vec<Record>, HashMap<String, connectors::Error>), Stop> {
    let limits = wire.connector.limits(item_type);
    let mut parts: Vec<Vec<String>> = values.chunks(limits.read.max(1)).map(<[String]>::to_vec).collect();
    let (mut records, mut failed) = (Vec::new(), HashMap::new());
    wire.expect(parts.len());
    while !parts.is_empty() {
        let round = std::mem::take(&mut parts);
        let asked = round.into_iter().map(|part| {
            let exchange = ask(&part);
            async move {
                let answer = match exchange {
                    Ok(exchange) => wire.ask(exchange).await,
                    Err(error) => Err(Failure::Platform(error)),
                };
                (part, answer)
            }
        });
        let mut answers = stream::iter(asked).buffer_unordered(limits.concurrency.max(1));
        while let Some((part, answer)) = answers.next().await {
            match answer {
                Ok(found) => records.extend(found),
                Err(failure) => {
                    let error = stop_or_record(failure, wire)?;
                    halve(part, error, &mut parts, &mut failed);
                }
            }
        }
    }
    Ok((records, failed))
}

fn halve(
    part: Vec<String>,
    error: connectors::Error,
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
