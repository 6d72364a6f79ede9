//! The brake on syncs that feed each other: whose change a write answers, and when it is one too many.

use crate::chunk::Pending;
use crate::outcome;
use domain::decide::Decision;
use domain::hops;
use store::runs::{ItemResult, Trail, Written, Wrote};

/// Which side a decision writes; `None` where it writes nothing.
fn side(decision: &Decision) -> Option<Wrote> {
    match decision {
        Decision::Create { .. } => Some(Wrote::Target),
        Decision::Update { fields, back, .. } => match (fields.is_empty(), back.is_empty()) {
            (true, true) => None,
            (false, true) => Some(Wrote::Target),
            (true, false) => Some(Wrote::Source),
            (false, false) => Some(Wrote::Both),
        },
        _ => None,
    }
}

/// What carrying out this decision adds to the trail.
pub(crate) fn written(one: &Pending, decision: &Decision) -> Option<Written> {
    let side = side(decision)?;
    let hops = one.item.trail.as_ref().map_or(0, |trail| hops::after(trail.hops, answers(one, trail, side)));
    Some(Written { side, hops })
}

/// Whether the change that is carried on came at once after a write to the record that was changed: our own, or that of
/// the sync that goes the other way.
fn answers(one: &Pending, trail: &Trail, side: Wrote) -> bool {
    let target_at = one.target.as_ref().and_then(|target| target.modified_at);
    match side {
        Wrote::Target => {
            let to_source = if trail.side == Wrote::Target { trail.opposite_at } else { Some(trail.at) };
            hops::is_answer(one.source.modified_at, to_source)
        }
        Wrote::Source => trail.side != Wrote::Source && hops::is_answer(target_at, Some(trail.at)),
        Wrote::Both => false,
    }
}

/// The record that is one answer too many.
pub(crate) fn held(one: &Pending, decision: &Decision) -> Option<ItemResult> {
    let written = written(one, decision).filter(|written| hops::is_too_many(written.hops))?;
    let message = format!(
        "Each of the last {} writes was answered by another change at once: two syncs, or a sync and an automation, feed each other. Change the rules of one of them.",
        written.hops.saturating_sub(1)
    );
    Some(outcome::held(&one.item, &one.source, "ping_pong", &message))
}
