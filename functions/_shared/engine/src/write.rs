//! Writing what was decided: intents first, then batches, then a look at what the platform made of them.

use crate::chunk::{self, Pending};
use crate::gather::{self, Stop, stop_or_record};
use crate::outcome;
use crate::sides::Sides;
use crate::wire::{Failure, Wire};
use connectors::{ErrorKind, Outcome as Answer, Write};
use domain::decide::{Change, Decision};
use domain::{Fields, ItemType, Record, hash};
use futures::StreamExt;
use futures::stream;
use std::collections::HashMap;
use store::runs::{self, Intent, Intents, ItemResult};

/// One record to be written, on one side or both.
pub(crate) struct Task {
    pub(crate) pending: Pending,
    /// What goes to the target.
    pub(crate) write: Option<Write>,
    /// What goes back to the source, once the target has taken its part.
    pub(crate) back: Option<Write>,
    intent: Option<Intent>,
    pub(crate) decision: Decision,
}

/// What a side holds since it was written.
#[derive(Default)]
pub(crate) struct Held {
    /// The record's id there.
    pub(crate) id: String,
    /// The record; `None` when it cannot be read.
    pub(crate) now: Option<Record>,
}

impl Task {
    pub(crate) fn new(sides: &Sides<'_>, pending: Pending, decision: Decision) -> Self {
        let mut task = Self { pending, write: None, back: None, intent: None, decision };
        match &task.decision {
            Decision::Create { fields } => {
                let key = chunk::external_key(sides, &task.pending.item.source_id);
                let intent = chunk::intent(sides, &key, &task.pending);
                let idempotency_key = intent.idempotency_key.clone();
                let fields = fields.clone();
                task.write = Some(Write { external_key: key, fields, idempotency_key, ..Write::default() });
                task.intent = Some(intent);
            }
            Decision::Update { fields, back, .. } => {
                let target = task.pending.target.as_ref();
                task.write = target.filter(|_| !fields.is_empty()).map(|target| update(target, fields));
                task.back = (!back.is_empty()).then(|| update(&task.pending.source, back));
            }
            _ => {}
        }
        task
    }

    /// What is written and why, and what is left for a person, field by field.
    pub(crate) fn explanation(&self) -> (&[Change], &[Change]) {
        match &self.decision {
            Decision::Update { changes, conflicts, .. } => (changes, conflicts),
            _ => (&[], &[]),
        }
    }
}

/// The change of a record that is there.
pub(crate) fn update(record: &Record, fields: &Fields) -> Write {
    // The same new content over another old one is another write, and so it is over the same one at a later time:
    // A, B, A, B are four. A platform that remembers keys would answer the third with the first one's success.
    let version = record.version.as_deref().unwrap_or_default();
    let (old, new) = (hash::content(&record.fields), hash::content(fields));
    let text = format!("{}|{version}|{old}|{new}", record.id);
    Write {
        id: Some(record.id.clone()),
        external_key: String::new(),
        fields: fields.clone(),
        current: record.fields.clone(),
        expected_version: record.version.clone(),
        idempotency_key: chunk::uuid_of(&text),
    }
}

/// Writes everything and says how each record ended. What changed under our hands comes back to be decided again.
///
/// The target is written first. What the source then refuses has failed, with the target's part remembered: so the next
/// run finds the source's part, and that alone. A stop in the middle does not undo what was done before: those results
/// are given all the same.
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
    let parts = |part: fn(&Task) -> Option<&Write>, tasks: &[Task], open: &dyn Fn(usize) -> bool| {
        let writes = tasks.iter().enumerate().filter(|(index, _)| open(*index));
        writes.filter_map(|(index, task)| Some((index, part(task)?.clone()))).collect::<Vec<_>>()
    };
    let forward = parts(|task| task.write.as_ref(), &tasks, &|_| true);
    let (forward, mut stopped) = write_all(sides.target, sides.child.item_type, forward).await;
    let taken = |index: usize| matches!(forward.get(&index), None | Some(Ok(_)));
    let back = if stopped.is_none() { parts(|task| task.back.as_ref(), &tasks, &taken) } else { Vec::new() };
    let (back, stopped_back) = write_all(sides.source, sides.child.item_type, back).await;
    stopped = stopped.or(stopped_back);
    let mut on_target = held(sides.target, sides.child.item_type, &forward).await?;
    let mut on_source = held(sides.source, sides.child.item_type, &back).await?;
    let (mut forward, mut back, mut again) = (forward, back, Vec::new());
    for (index, task) in tasks.into_iter().enumerate() {
        // What nobody answered about is not told: it is done again.
        let unanswered = task.write.is_some() && !forward.contains_key(&index)
            || task.write.is_none() && task.back.is_some() && !back.contains_key(&index);
        if unanswered {
            continue;
        }
        let refusal = |answers: &mut Answers| answers.remove(&index).and_then(std::result::Result::err);
        let (refused, refused_back) = (refusal(&mut forward), refusal(&mut back));
        let conflict = |error: &connectors::Error| error.kind == ErrorKind::Conflict && !last_pass;
        match (refused, refused_back) {
            (Some(error), _) if conflict(&error) => again.push(task.pending),
            (Some(error), _) => {
                results.push(outcome::refused(&task.pending.item, Some(&task.pending.source), &error));
            }
            (None, refused_back) => {
                let (target, source) = (on_target.remove(&index), on_source.remove(&index));
                results.push(outcome::written(sides, &task, (target, source), refused_back.as_ref()));
            }
        }
    }
    stopped.map_or(Ok(again), Err)
}

/// Before the first create of a run, the platform gets what our external key needs there. Repeating that does no harm.
async fn prepare(sides: &Sides<'_>, tasks: &[Task]) -> Result<(), Stop> {
    let creates = tasks.iter().any(|task| task.intent.is_some());
    if !creates || sides.prepared.get() {
        return Ok(());
    }
    let wire = sides.target;
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

/// What a side answered to each write, by the number of its task.
pub(crate) type Answers = HashMap<usize, Answer>;

/// Writes in batches, several side by side. A batch that is refused whole because of one record is halved.
pub(crate) async fn write_all(
    wire: &Wire<'_>,
    item_type: ItemType,
    writes: Vec<(usize, Write)>,
) -> (Answers, Option<Stop>) {
    let limits = wire.connector.limits(item_type);
    let mut done = Answers::with_capacity(writes.len());
    let mut batches = into_batches(writes, limits.write.max(1));
    let mut stopped = None;
    let width = wire.expect(batches.len(), limits.concurrency);
    while !batches.is_empty() && stopped.is_none() {
        let asked = std::mem::take(&mut batches).into_iter().map(|batch| async move {
            let writes: Vec<Write> = batch.iter().map(|(_, write)| write.clone()).collect();
            let answer = match wire.connector.write_many(&wire.account, item_type, &writes) {
                Ok(exchange) => wire.ask(exchange).await,
                Err(error) => Err(Failure::Platform(error)),
            };
            (batch, answer)
        });
        let mut answers = stream::iter(asked).buffer_unordered(width);
        while let Some((batch, answer)) = answers.next().await {
            match answer {
                Ok(outcomes) => done.extend(paired(&batch, outcomes)),
                Err(failure) => match stop_or_record(failure, wire) {
                    Err(stop) => stopped = Some(stop),
                    Ok(_) if batch.len() > 1 => {
                        let half = batch.len().div_ceil(2);
                        batches.extend(into_batches(batch, half));
                    }
                    Ok(error) => done.extend(batch.iter().map(|(index, _)| (*index, Err(error.clone())))),
                },
            }
        }
    }
    (done, stopped)
}

fn into_batches(writes: Vec<(usize, Write)>, size: usize) -> Vec<Vec<(usize, Write)>> {
    let mut batches = Vec::new();
    let mut writes = writes.into_iter().peekable();
    while writes.peek().is_some() {
        batches.push(writes.by_ref().take(size).collect());
    }
    batches
}

/// Each write with its answer. A record the platform says nothing about did not succeed.
fn paired(batch: &[(usize, Write)], outcomes: Vec<Answer>) -> Vec<(usize, Answer)> {
    let silent = || {
        Err(connectors::Error::unexpected("the platform's answer does not say what became of this record"))
    };
    let mut outcomes = outcomes.into_iter();
    batch.iter().map(|(index, _)| (*index, outcomes.next().unwrap_or_else(silent))).collect()
}

/// What a side really holds now: its answers say it, or it is read back.
async fn held(wire: &Wire<'_>, item_type: ItemType, answers: &Answers) -> Result<HashMap<usize, Held>, Stop> {
    let written = answers.iter().filter_map(|(index, answer)| Some((*index, answer.as_ref().ok()?)));
    let mut held: HashMap<usize, Held> =
        written.map(|(index, one)| (index, Held { id: one.id.clone(), now: one.now.clone() })).collect();
    let ids: Vec<String> = held.values().filter(|one| one.now.is_none()).map(|one| one.id.clone()).collect();
    if !ids.is_empty() {
        let mut records = gather::by_ids(wire, item_type, &ids).await?.records;
        for one in held.values_mut().filter(|one| one.now.is_none()) {
            one.now = records.remove(&one.id);
        }
    }
    Ok(held)
}
