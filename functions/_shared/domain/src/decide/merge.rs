//! Keeping both changes of one place: elements of sets, lines of texts.

use super::leaf::{Act, Four};
use crate::mapping::FieldKind;
use crate::mapping::shape::canonical;
use crate::record::Value;
use std::collections::BTreeSet;

/// The longest text that is merged line by line, in bytes.
const MAX_TEXT: usize = 64 * 1024;

/// Both changes of a place that differs, kept; `None` when they cannot be.
pub(super) fn both(kind: FieldKind, four: &Four<'_>) -> Option<(Act, &'static str)> {
    match kind {
        FieldKind::Set => sets(four),
        FieldKind::Text => texts(four),
        FieldKind::Exact | FieldKind::Number | FieldKind::Time => None,
    }
}

/// The elements of a set, each decided by itself: what one side added or removed is added or removed on the other. An
/// element has only two states, so two sides that both changed it agree. Without a base, everything stays.
fn sets(four: &Four<'_>) -> Option<(Act, &'static str)> {
    let source = elements(four.source)?;
    let target = elements(four.target)?;
    let names = |values: &[Value]| values.iter().map(canonical).collect::<BTreeSet<String>>();
    let (in_source, in_target) = (names(source), names(target));
    let (was_source, was_target) = if four.met {
        (names(elements(four.base_source)?), names(elements(four.base_target)?))
    } else {
        (BTreeSet::new(), BTreeSet::new())
    };
    // Whether an element stays on the side that has it, `here` and `there` being that side and the other.
    let stays = |name: &String, here: bool| {
        let (source, target) = (in_source.contains(name), in_target.contains(name));
        match (source != was_source.contains(name), target != was_target.contains(name)) {
            (true, _) => source,
            (_, true) => target,
            _ => here,
        }
    };
    let merged = |own: &[Value], other: &[Value], own_names: &BTreeSet<String>| -> Value {
        let kept = own.iter().filter(|value| stays(&canonical(value), true));
        let new = other.iter().filter(|value| {
            let name = canonical(value);
            !own_names.contains(&name) && stays(&name, false)
        });
        let mut seen = BTreeSet::new();
        kept.chain(new).filter(|value| seen.insert(canonical(value))).cloned().collect()
    };
    let act = Act::Set {
        target: Some(merged(target, source, &in_target)),
        source: Some(merged(source, target, &in_source)),
    };
    Some((act, "merged_set"))
}

fn elements(value: Option<&Value>) -> Option<&[Value]> {
    match value {
        None | Some(Value::Null) => Some(&[]),
        Some(Value::Array(values)) => Some(values),
        Some(_) => None,
    }
}

/// The lines of a text, where both sides changed different ones. Both orders of merging must come to the same text:
/// what depends on the order is a matter of taste, and that is for a person.
fn texts(four: &Four<'_>) -> Option<(Act, &'static str)> {
    let (source, target) = (lines(four.source)?, lines(four.target)?);
    let (base, base_target) = (lines(four.base_source)?, lines(four.base_target)?);
    if !four.met || base.trim() != base_target.trim() {
        return None;
    }
    // The diff counts a last line without an end as another one.
    let whole = |text: &str| format!("{}\n", text.trim_end_matches('\n'));
    let (base, source, target) = (whole(&base_target), whole(&source), whole(&target));
    let merged = diffy::merge(&base, &source, &target).ok()?;
    if diffy::merge(&base, &target, &source).ok()? != merged {
        return None;
    }
    let merged = Value::String(merged.trim_end_matches('\n').to_owned());
    Some((Act::Set { target: Some(merged.clone()), source: Some(merged) }, "merged_text"))
}

fn lines(value: Option<&Value>) -> Option<String> {
    match value {
        Some(Value::String(text)) if text.len() <= MAX_TEXT => Some(text.replace("\r\n", "\n")),
        _ => None,
    }
}
