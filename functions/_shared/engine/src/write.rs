//! Writing what was decided: intents first, then batches, then a look at what the platform made of them.

use crate::chunk::{self, Pending, Sides};
use crate::gather::{self, Stop, stop_or_record};
use crate::outcome;
use crate::wire::Failure;
use connectors::{ErrorKind, Outcome as Answer, Write};
use domain::decide::{Change, Decision};
use domain::{Fields, Record, hash};
use futures::StreamExt;
use futures::stream;
use std::collections::HashMap;
use store::runs::{self, Intent, Intents, ItemResult};

/// One record to be written.
pub(crate) struct Task {
    pub(crate) pending: Pending,
    pub(crate) write: Write,
    pub(crate) intent: Option<Intent>,
    pub(crate) decision: Decision,
}

impl Task {
    pub(crate) fn create(sides: &Sides<'_>, pending: Pending, fields: Fields, decision: Decision) -> Self {
        let key = chunk::external_key(sides.child, &pending.item.source_id);
        let intent = chunk::intent(&key, &pending);
        let write = Write {
            external_key: key,
            fields,
            idempotency_key: intent.idempotency_key.clone(),
            ..Write::default()
        };
        Self { pending, write, intent: Some(intent), decision }
    }

    pub(crate) fn update(pending: Pending, fields: Fields, decision: Decision) -> Self {
        let target = pending.target.clone().unwrap_or_default();
        // The same new content over another old one is another write, and so it is over the same one at a later time:
        // A, B, A, B are four. A platform that remembers keys would answer the third with the first one's success.
        let version = target.version.as_deref().unwrap_or_default();
        let (old, new) = (hash::content(&target.fields), hash::content(&fields));
        let text = format!("{}|{version}|{old}|{new}", target.id);
        let write = Write {
            id: Some(target.id),
            external_key: String::new(),
            fields,
            current: target.fields,
            expected_version: target.version,
            idempotency_key: chunk::uuid_of(&text),
        };
        Self { pending, write, intent: None, decision }
    }

    /// What is written and why, and what is left for a person, field by field.
    pub(crate) fn explanation(&self) -> (&[Change], &[Change]) {
        match &self.decision {
            Decision::Update { changes, conflicts, .. } => (changes, conflicts),
            _ => (&[], &[]),
        }
    }
}

/// Writes everything and says how each record ended. What changed under our hands comes back to be decided again.
///
/// A stop in the middle does not undo what was done before: those results are given all the same.
pub(crate) async fn carry_out(
    sides: &Sides<'_>,
    tasks: Vec<Task>,
    last_pass: bool,
    results: &mut Vec<ItemResult>,
) -> Result<Vec<Pending>, Stop> {
    if tasks.is_empty() {
        return Ok(Vec::new());
    }
    prepare(sides, &tasks).await?;
    write_down_intents(sides, &tasks).await?;
    let mut again = Vec::new();
    let mut written = Vec::new();
    let (answers, stopped) = write_all(sides, tasks).await;
    for (task, answer) in answers {
        match answer {
            Ok(answer) => written.push((task, answer.id, answer.now)),
            Err(error) if error.kind == ErrorKind::Conflict && !last_pass => again.push(task.pending),
            Err(error) => {
                results.push(outcome::refused(&task.pending.item, Some(&task.pending.source), &error));
            }
        }
    }
    let held = read_back(sides, &written).await?;
    for (task, id, now) in written {
        let now = now.as_ref().or_else(|| held.get(&id));
        results.push(outcome::written(sides, &task, id, now));
    }
    stopped.map_or(Ok(again), Err)
}

/// Before the first create of a run, the platform gets what our external key needs there. Repeating that does no harm.
async fn prepare(sides: &Sides<'_>, tasks: &[Task]) -> Result<(), Stop> {
    let creates = tasks.iter().any(|task| task.intent.is_some());
    if !creates || sides.prepared.get() {
        return Ok(());
    }
    let wire = &sides.target;
    let asked = match wire.connector.prepare(&wire.account, sides.child.item_type) {
        Ok(None) => Ok(()),
        Ok(Some(exchange)) => wire.ask(exchange).await,
        Err(error) => Err(Failure::Platform(error)),
    };
    if let Err(failure) = asked {
        // What is missing then, each create will be told by the platform itself.
        stop_or_record(failure, wire)?;
    }
    sides.prepared.set(true);
    Ok(())
}

/// Before anything is created, we write down that it will be: a crash after the platform's commit is found again.
async fn write_down_intents(sides: &Sides<'_>, tasks: &[Task]) -> Result<(), Stop> {
    let intents: Vec<Intent> = tasks
        .iter()
        .filter(|task| task.pending.item.intent.is_none())
        .filter_map(|task| task.intent.clone())
        .collect();
    if intents.is_empty() {
        return Ok(());
    }
    let (child, lease_seconds) = (sides.child, sides.lease_seconds);
    let input = Intents { run_id: child.run_id, fence: child.fence, intents: &intents, lease_seconds };
    match runs::record_intents(sides.db, &input).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(Stop::Lost),
        Err(error) => Err(Stop::Store(error)),
    }
}

/// Writes in batches, several side by side. A batch that is refused whole because of one record is halved.
async fn write_all(sides: &Sides<'_>, tasks: Vec<Task>) -> (Vec<(Task, Answer)>, Option<Stop>) {
    let (wire, item_type) = (&sides.target, sides.child.item_type);
    let limits = wire.connector.limits(item_type);
    let mut done = Vec::with_capacity(tasks.len());
    let mut batches = into_batches(tasks, limits.write.max(1));
    let mut stopped = None;
    let width = wire.expect(batches.len(), limits.concurrency);
    while !batches.is_empty() && stopped.is_none() {
        let asked = std::mem::take(&mut batches).into_iter().map(|batch| async move {
            let writes: Vec<Write> = batch.iter().map(|task| task.write.clone()).collect();
            let answer = match wire.connector.write_many(&wire.account, item_type, &writes) {
                Ok(exchange) => wire.ask(exchange).await,
                Err(error) => Err(Failure::Platform(error)),
            };
            (batch, answer)
        });
        let mut answers = stream::iter(asked).buffer_unordered(width);
        while let Some((batch, answer)) = answers.next().await {
            match answer {
                Ok(outcomes) => done.extend(paired(batch, outcomes)),
                Err(failure) => match stop_or_record(failure, wire) {
                    Err(stop) => stopped = Some(stop),
                    Ok(_) if batch.len() > 1 => {
                        let half = batch.len().div_ceil(2);
                        batches.extend(into_batches(batch, half));
                    }
                    Ok(error) => done.extend(batch.into_iter().map(|task| (task, Err(error.clone())))),
                },
            }
        }
    }
    (done, stopped)
}

fn into_batches(tasks: Vec<Task>, size: usize) -> Vec<Vec<Task>> {
    let mut batches = Vec::new();
    let mut tasks = tasks.into_iter().peekable();
    while tasks.peek().is_some() {
        batches.push(tasks.by_ref().take(size).collect());
    }
    batches
}

/// Each task with its outcome. A record the platform says nothing about did not succeed.
fn paired(batch: Vec<Task>, outcomes: Vec<Answer>) -> Vec<(Task, Answer)> {
    let silent = || {
        Err(connectors::Error::unexpected("the platform's answer does not say what became of this record"))
    };
    let mut outcomes = outcomes.into_iter();
    batch.into_iter().map(|task| (task, outcomes.next().unwrap_or_else(silent))).collect()
}

/// What the target really holds now, where its answers did not say.
async fn read_back(
    sides: &Sides<'_>,
    written: &[(Task, String, Option<Record>)],
) -> Result<HashMap<String, Record>, Stop> {
    let ids: Vec<String> =
        written.iter().filter(|(_, _, now)| now.is_none()).map(|(_, id, _)| id.clone()).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    Ok(gather::by_ids(&sides.target, sides.child.item_type, &ids).await?.records)
}
