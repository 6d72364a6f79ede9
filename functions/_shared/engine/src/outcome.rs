//! How a record ended, in the words of the ledger.

use crate::chunk::{self, Pending};
use crate::look;
use crate::lookups::{Heard, Lookups};
use crate::sides::Sides;
use crate::trail;
use crate::write::{Held, Task};
use domain::decide::{Aids, Answers, Change, Decision, Rules, Situation, bases_after, decide_with};
use domain::mapping::Violation;
use domain::{Record, Value, hash};
use serde_json::json;
use store::runs::{Item, ItemError, ItemResult, Link, Outcome, SideName};

pub(crate) fn result(item: &Item, source: Option<&Record>, outcome: Outcome) -> ItemResult {
    ItemResult {
        item_id: item.item_id,
        source_id: item.source_id.clone(),
        target_id: item.target_id.clone(),
        outcome,
        link: None,
        metadata: source.map(chunk::metadata),
        changes: Value::Null,
        error: None,
        inputs: None,
        conflicts: None,
        seen: None,
        gone: None,
        wrote: None,
    }
}

pub(crate) fn error(class: &str, code: &str, message: &str) -> ItemError {
    ItemError { class: class.to_owned(), code: code.to_owned(), message: message.to_owned() }
}

/// The inputs of a decision, kept for those who ask why.
pub(crate) fn inputs(source: Option<&Record>, target: Option<&Record>) -> Value {
    json!({ "source": source.map(|record| &record.fields), "target": target.map(|record| &record.fields) })
}

/// All that a decision was made on, and what stands for it: so it can be made again. Where a person had a say, or where
/// the sync was seen from its other side, the inputs alone say too little.
fn situation(sides: &Sides<'_>, one: &Pending, decision: &Decision) -> Value {
    if sides.straight.is_some() || one.item.resolution.is_some() {
        return inputs(Some(&one.source), one.target.as_ref());
    }
    let (target, link) = (one.target.as_ref(), one.item.link.as_ref());
    let links = sides.rules.mapping.asks().then(|| {
        let heard = Heard::of(&sides.lookups);
        drop(decide_with(&sides.rules, &one.situation(), Aids { resolver: &heard, resolution: None }));
        heard.said()
    });
    json!({
        "links": links,
        "source": one.source.fields, "source_at": one.source.modified_at,
        "target": target.map(|target| &target.fields), "target_at": target.and_then(|target| target.modified_at),
        "base_source": link.map(|link| &link.base_source), "base_target": link.map(|link| &link.base_target),
        "only": one.item.fields, "decision": look::fingerprint(decision),
    })
}

/// It failed for a reason of ours.
pub(crate) fn failed(item: &Item, source: Option<&Record>, code: &str, message: &str) -> ItemResult {
    ItemResult {
        error: Some(error("rejected", code, message)),
        inputs: Some(inputs(source, None)),
        ..result(item, source, Outcome::Failed)
    }
}

/// A platform refused it.
pub(crate) fn refused(item: &Item, source: Option<&Record>, why: &connectors::Error) -> ItemResult {
    ItemResult {
        error: Some(vendors(why)),
        inputs: Some(inputs(source, None)),
        ..result(item, source, Outcome::Failed)
    }
}

/// What a platform said, in the words of the ledger.
fn vendors(why: &connectors::Error) -> ItemError {
    let class = serde_json::to_value(why.kind.retry_class()).ok();
    let class = class.as_ref().and_then(Value::as_str).unwrap_or("bug").to_owned();
    let code = why.vendor_code.clone().unwrap_or_else(|| format!("{:?}", why.kind).to_lowercase());
    ItemError { class, code, message: why.message.clone() }
}

/// It cannot be mapped.
pub(crate) fn invalid(item: &Item, source: &Record, violations: &[Violation]) -> ItemResult {
    let message = violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    failed(item, Some(source), "invalid", &message)
}

/// It is left alone on purpose.
pub(crate) fn skipped(item: &Item, why: &str) -> ItemResult {
    ItemResult { error: Some(error("skipped", "skipped", why)), ..result(item, None, Outcome::Skipped) }
}

/// It waits for a person.
pub(crate) fn held(item: &Item, source: &Record, code: &str, message: &str) -> ItemResult {
    ItemResult {
        error: Some(error("held", code, message)),
        inputs: Some(inputs(Some(source), None)),
        ..result(item, Some(source), Outcome::Held)
    }
}

/// Its content at the source is what it was. Only a newer version number is remembered, and that it is there where an
/// earlier run had missed it.
pub(crate) fn unchanged_at_source(item: &Item, source: &Record, link: &Link) -> ItemResult {
    let newer = link.source_version != source.version;
    let missed = item.missing.as_ref().is_some_and(|missing| missing.side == SideName::Source);
    ItemResult {
        link: (newer || missed).then(|| Link { source_version: source.version.clone(), ..link.clone() }),
        metadata: None,
        ..result(item, None, Outcome::Unchanged)
    }
}

/// The target looks as it did when both sides agreed.
pub(crate) fn untouched(item: &Item) -> ItemResult {
    result(item, None, Outcome::Unchanged)
}

/// A record of the target that turns out to be another source's counterpart than the one that is linked.
pub(crate) fn already_linked(item: &Item, target: &str) -> ItemResult {
    let message =
        format!("Record {target} of the target has the key of this one, which is linked to another already.");
    ItemResult { error: Some(error("held", "ambiguous", &message)), ..result(item, None, Outcome::Held) }
}

/// It is not what the plan was about any more.
pub(crate) fn otherwise(item: &Item, (source, target): (Option<&Record>, Option<&Record>)) -> ItemResult {
    ItemResult {
        error: Some(error(
            "conflict",
            "changed_since_plan",
            "The record has changed since the plan was made. Plan again.",
        )),
        inputs: Some(inputs(source, target)),
        ..result(item, source, Outcome::Failed)
    }
}

/// Both sides agree, or what differs is not ours to write. The bases move up.
pub(crate) fn unchanged(
    sides: &Sides<'_>,
    one: &Pending,
    decision: &Decision,
    kept: &[Change],
) -> ItemResult {
    let outcome = chunk::was_ours(one).unwrap_or(Outcome::Unchanged);
    let target = one.target.as_ref();
    ItemResult {
        target_id: target.map(|target| target.id.clone()),
        link: target
            .and_then(|target| link(sides, one, decision, Answers { target: Some(target), source: None })),
        changes: explained(kept),
        inputs: sides.record.then(|| situation(sides, one, decision)),
        ..result(&one.item, Some(&one.source), outcome)
    }
}

/// Nothing was written; a person decides.
pub(crate) fn conflicted(
    sides: &Sides<'_>,
    one: &Pending,
    decision: &Decision,
    conflicts: &[Change],
) -> ItemResult {
    ItemResult {
        target_id: one.target.as_ref().map(|target| target.id.clone()),
        changes: explained(conflicts),
        error: Some(error("held", "conflict", &both_changed(conflicts))),
        inputs: Some(situation(sides, one, decision)),
        conflicts: Some(explained(conflicts)),
        seen: Some(seen(conflicts)),
        ..result(&one.item, Some(&one.source), Outcome::Conflicted)
    }
}

/// It was written. `held` is what target and source really hold since then; `refused` is why the source did not take
/// its part, although the target had taken its own.
pub(crate) fn written(
    sides: &Sides<'_>,
    task: &Task,
    (target, source): (Option<Held>, Option<Held>),
    refused: Option<&connectors::Error>,
) -> ItemResult {
    let one = &task.pending;
    let (changes, conflicts) = task.explanation();
    let half = task.back.is_some() && source.is_none();
    let outcome = match (&one.target, conflicts.is_empty()) {
        _ if half => Outcome::Failed,
        (_, false) => Outcome::Conflicted,
        (None, true) => Outcome::Created,
        (Some(_), true) => chunk::was_ours(one).unwrap_or(Outcome::Updated),
    };
    let error = match refused {
        Some(why) => Some(vendors(why)),
        None if half => Some(error("transient", "half_written", "The source was not written yet.")),
        None if conflicts.is_empty() => None,
        None => Some(error("held", "conflict", &both_changed(conflicts))),
    };
    let id = target.as_ref().map(|held| held.id.clone()).or_else(|| one.item.target_id.clone());
    let known = one.target.as_ref().map(|target| target.id.clone());
    // Written, but not to be read: without a base the next run compares both sides as if they met for the first time.
    let unread = task.write.is_some() && target.as_ref().is_none_or(|held| held.now.is_none())
        || source.as_ref().is_some_and(|held| held.now.is_none());
    let now = |held: &'_ Option<Held>| held.as_ref().and_then(|held| held.now.clone());
    let (target, source) = (now(&target), now(&source));
    let answers = Answers { target: target.as_ref(), source: source.as_ref() };
    let all = changes.iter().chain(conflicts).cloned().collect::<Vec<_>>();
    ItemResult {
        target_id: id.or(known),
        link: if unread { None } else { link(sides, one, &task.decision, answers) },
        changes: explained(&all),
        error,
        inputs: Some(situation(sides, one, &task.decision)),
        wrote: trail::written(one, &task.decision),
        conflicts: (!conflicts.is_empty()).then(|| explained(conflicts)),
        seen: (!conflicts.is_empty()).then(|| seen(conflicts)),
        ..result(&one.item, Some(&one.source), outcome)
    }
}

/// Stands for the values of a conflict: a person decides about these, and about no others.
pub(crate) fn seen(conflicts: &[Change]) -> String {
    let places = conflicts.iter().flat_map(|change| {
        if change.parts.is_empty() { std::slice::from_ref(change) } else { change.parts.as_slice() }
    });
    hash::content(
        &places.map(|change| (change.path.clone(), json!([change.source, change.target]))).collect(),
    )
}

fn explained(changes: &[Change]) -> Value {
    if changes.is_empty() { Value::Null } else { serde_json::to_value(changes).unwrap_or_default() }
}

fn both_changed(conflicts: &[Change]) -> String {
    let names = conflicts.iter().map(|change| change.field.as_str()).collect::<Vec<_>>().join(", ");
    format!("Both sides changed: {names}. Choose which value stays.")
}

/// What the next run starts from. With something left to do there is no fingerprint, so that it looks at it again.
fn link(sides: &Sides<'_>, one: &Pending, decision: &Decision, answers: Answers<'_>) -> Option<Link> {
    if let Some(rules) = &sides.straight {
        return turned_link(rules, one, (answers.target?, &sides.lookups.turned()));
    }
    let (base_source, base_target) =
        bases_after(&sides.rules, &one.situation(), decision, answers, &sides.lookups)?;
    let open = match decision {
        Decision::Update { back, conflicts, .. } => {
            !conflicts.is_empty() || !back.is_empty() && answers.source.is_none()
        }
        _ => false,
    };
    let source = answers.source.unwrap_or(&one.source);
    let wanted = answers.source.map_or_else(
        || Ok(one.wanted.clone()),
        |now| sides.rules.mapping.apply_with(&now.fields, &sides.lookups),
    );
    Some(Link {
        source_version: source.version.clone(),
        source_hash: wanted.ok().filter(|_| !open).map(|wanted| chunk::fingerprint(&one.item, &wanted)),
        target_version: answers.target.or(one.target.as_ref()).and_then(|target| target.version.clone()),
        base_source,
        base_target,
    })
}

/// The same for a record that the target had alone, and that was made on the source: `rules` are those of the sync as it
/// is written, `made` is the source's.
fn turned_link(rules: &Rules, one: &Pending, (made, lookups): (&Record, &Lookups)) -> Option<Link> {
    let situation = Situation { source: made, target: Some(&one.source), bases: None, only: None };
    let agreed = Decision::Unchanged { kept: Vec::new() };
    let (base_source, base_target) = bases_after(rules, &situation, &agreed, Answers::default(), lookups)?;
    Some(Link {
        source_version: made.version.clone(),
        source_hash: Some(hash::content(&base_source)),
        target_version: one.source.version.clone(),
        base_source,
        base_target,
    })
}

/// What became of a record that the target had alone, in the words of the sync as it is written.
pub(crate) fn turned(sides: &Sides<'_>, result: ItemResult) -> ItemResult {
    let of_target = result.source_id;
    let source_id = result.target_id.unwrap_or_else(|| sides.name_of(&of_target));
    ItemResult { source_id, target_id: Some(of_target), ..result }
}
