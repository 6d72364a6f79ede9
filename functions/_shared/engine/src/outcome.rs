//! How a record ended, in the words of the ledger.

use crate::chunk::{self, Pending, Sides};
use crate::write::Task;
use domain::decide::{Answers, Change, Decision, bases_after};
use domain::mapping::{Nobody, Violation};
use domain::{Record, Value};
use serde_json::json;
use store::runs::{Item, ItemError, ItemResult, Link, Outcome};

fn result(item: &Item, source: Option<&Record>, outcome: Outcome) -> ItemResult {
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
    }
}

fn error(class: &str, code: &str, message: &str) -> ItemError {
    ItemError { class: class.to_owned(), code: code.to_owned(), message: message.to_owned() }
}

/// The inputs of a decision, kept for those who ask why.
fn inputs(source: Option<&Record>, target: Option<&Record>) -> Value {
    json!({ "source": source.map(|record| &record.fields), "target": target.map(|record| &record.fields) })
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
    let class = serde_json::to_value(why.kind.retry_class()).ok();
    let class = class.as_ref().and_then(Value::as_str).unwrap_or("bug").to_owned();
    let code = why.vendor_code.clone().unwrap_or_else(|| format!("{:?}", why.kind).to_lowercase());
    ItemResult {
        error: Some(ItemError { class, code, message: why.message.clone() }),
        inputs: Some(inputs(source, None)),
        ..result(item, source, Outcome::Failed)
    }
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

/// Its content at the source is what it was. Only a newer version number is remembered.
pub(crate) fn unchanged_at_source(item: &Item, source: &Record, link: &Link) -> ItemResult {
    let newer = link.source_version != source.version;
    ItemResult {
        link: newer.then(|| Link { source_version: source.version.clone(), ..link.clone() }),
        metadata: None,
        ..result(item, None, Outcome::Unchanged)
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
        link: target.and_then(|target| link(sides, one, decision, target)),
        changes: explained(kept),
        ..result(&one.item, Some(&one.source), outcome)
    }
}

/// Nothing was written; a person decides.
pub(crate) fn conflicted(one: &Pending, conflicts: &[Change]) -> ItemResult {
    ItemResult {
        target_id: one.target.as_ref().map(|target| target.id.clone()),
        changes: explained(conflicts),
        error: Some(error("held", "conflict", &both_changed(conflicts))),
        inputs: Some(inputs(Some(&one.source), one.target.as_ref())),
        ..result(&one.item, Some(&one.source), Outcome::Conflicted)
    }
}

/// It was created or updated; `now` is what the target really holds.
pub(crate) fn written(sides: &Sides<'_>, task: &Task, id: String, now: Option<&Record>) -> ItemResult {
    let one = &task.pending;
    let (changes, conflicts) = task.explanation();
    let outcome = match (&task.write.id, conflicts.is_empty()) {
        (_, false) => Outcome::Conflicted,
        (None, true) => Outcome::Created,
        (Some(_), true) => chunk::was_ours(one).unwrap_or(Outcome::Updated),
    };
    let explained_changes = changes.iter().chain(conflicts).cloned().collect::<Vec<_>>();
    ItemResult {
        target_id: Some(id),
        // Written, but not to be read: without a base the next run compares both sides as if they met for the first time.
        link: now.and_then(|now| link(sides, one, &task.decision, now)),
        changes: explained(&explained_changes),
        error: (!conflicts.is_empty()).then(|| error("held", "conflict", &both_changed(conflicts))),
        inputs: Some(inputs(Some(&one.source), one.target.as_ref())),
        ..result(&one.item, Some(&one.source), outcome)
    }
}

fn explained(changes: &[Change]) -> Value {
    if changes.is_empty() { Value::Null } else { serde_json::to_value(changes).unwrap_or_default() }
}

fn both_changed(conflicts: &[Change]) -> String {
    let names = conflicts.iter().map(|change| change.field.as_str()).collect::<Vec<_>>().join(", ");
    format!("Both sides changed: {names}. Choose which value stays.")
}

/// What the next run starts from. With a conflict there is no fingerprint, so that the next run looks at it again.
fn link(sides: &Sides<'_>, one: &Pending, decision: &Decision, now: &Record) -> Option<Link> {
    let answers = Answers { target: Some(now), source: None };
    let (base_source, base_target) = bases_after(&sides.rules, &one.situation(), decision, answers, &Nobody)?;
    let open = matches!(decision, Decision::Update { conflicts, .. } if !conflicts.is_empty());
    Some(Link {
        source_version: one.source.version.clone(),
        source_hash: (!open).then(|| chunk::fingerprint(&one.item, &one.wanted)),
        target_version: now.version.clone(),
        base_source,
        base_target,
    })
}
