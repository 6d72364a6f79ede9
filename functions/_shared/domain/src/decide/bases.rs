//! What both sides look like after a decision was carried out.

use super::change::{Change, Place};
use super::{Decision, Rules, Situation, wanted};
use crate::mapping::shape::Shape;
use crate::mapping::{Mapping, Resolver, Rule, Towards};
use crate::record::{Fields, Record, Value};

/// What the sides answered to what was written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Answers<'a> {
    /// What the target holds since it was written; `None` when it was not written, or refused. It must be the answer of
    /// the write itself, or a read of the very version that the write made: a later read may show somebody else's
    /// change, which would then never be seen.
    pub target: Option<&'a Record>,
    /// What the source holds since it was written, in the same way.
    pub source: Option<&'a Record>,
}

/// The bases that the next decision starts from: the source's mapped view, and what the target holds.
///
/// What was written is taken from the answer, because platforms change what they are given. What was not written is
/// what the decision saw, because anything newer is somebody's change and has to be found. What is in conflict, was
/// refused, or did not take part, keeps its old base: so a run that dies between its two writes says what the first one
/// did and leaves the second one to be found.
///
/// `None` when there is nothing to remember: the two never agreed, and still do not.
pub fn bases_after(
    rules: &Rules,
    situation: &Situation<'_>,
    decision: &Decision,
    answers: Answers<'_>,
    resolver: &dyn Resolver,
) -> Option<(Fields, Fields)> {
    let mapping = &rules.mapping;
    let view = |record: &Record| mapping.map(record, resolver, Towards::Target).ok().map(|made| made.fields);
    let mut source = view(situation.source)?;
    let none = Vec::new();
    let mut open: Vec<&Change> = Vec::new();
    let (mut target, conflicts) = match decision {
        Decision::Invalid { .. } | Decision::Filtered { .. } => return None,
        Decision::Create { .. } => (mapping.project(&answers.target?.fields), &none),
        Decision::Unchanged { .. } => (mapping.project(&situation.target?.fields), &none),
        Decision::Conflict { conflicts } => (mapping.project(&situation.target?.fields), conflicts),
        Decision::Update { fields, back, changes, conflicts } => {
            let mut target = mapping.project(&situation.target?.fields);
            if let Some(answer) = answers.target {
                take(&mut target, &mapping.project(&answer.fields), fields.keys().map(String::as_str));
            }
            if let Some(answer) = answers.source {
                take(&mut source, &view(answer)?, returned(mapping, back).into_iter());
            }
            let refused = |part: &&Change| {
                part.writes.target() && answers.target.is_none()
                    || part.writes.source() && answers.source.is_none() && !back.is_empty()
            };
            open.extend(changes.iter().flat_map(parts).filter(refused));
            (target, conflicts)
        }
    };
    open.extend(conflicts.iter().flat_map(parts));
    if situation.bases.is_none() && !open.is_empty() {
        return None;
    }
    let shape = mapping.shape();
    for part in open {
        restore(&mut source, &shape, &part.places, part.base_source.as_ref());
        restore(&mut target, &shape, &part.places, part.base_target.as_ref());
    }
    let empty = Fields::new();
    let (old_source, old_target) =
        situation.bases.map_or((&empty, &empty), |bases| (bases.source, bases.target));
    for field in mapping.targets().into_iter().filter(|field| !wanted(situation, field)) {
        take(&mut source, old_source, std::iter::once(field));
        take(&mut target, old_target, std::iter::once(field));
    }
    Some((source, target))
}

/// The changes of single places that a change consists of.
fn parts(change: &Change) -> Vec<&Change> {
    if change.parts.is_empty() { vec![change] } else { change.parts.iter().collect() }
}

/// The target's fields whose counterpart on the source was written.
fn returned<'a>(mapping: &'a Mapping, back: &Fields) -> Vec<&'a str> {
    let written = |rule: &&Rule| rule.returns() && back.contains_key(rule.source.field());
    mapping.rules().iter().filter(written).map(|rule| rule.target.field()).collect()
}

fn take<'a>(fields: &mut Fields, from: &Fields, names: impl Iterator<Item = &'a str>) {
    for name in names {
        match from.get(name) {
            Some(value) => fields.insert(name.to_owned(), value.clone()),
            None => fields.remove(name),
        };
    }
}

/// Puts an old value back at a place.
fn restore(fields: &mut Fields, shape: &Shape, places: &[Place], base: Option<&Value>) {
    let Some((Place::Field(name), rest)) = places.split_first() else { return };
    let nothing = Shape::default();
    let shape = shape.fields.get(name).unwrap_or(&nothing);
    if rest.is_empty() {
        match base {
            Some(value) => fields.insert(name.clone(), value.clone()),
            None => fields.remove(name),
        };
        return;
    }
    match fields.get_mut(name) {
        Some(Value::Object(inner)) => restore(inner, shape, rest, base),
        Some(Value::Array(values)) => restore_element(values, shape, rest, base),
        _ => {}
    }
}

fn restore_element(values: &mut Vec<Value>, shape: &Shape, places: &[Place], base: Option<&Value>) {
    let Some((Place::Element(key), rest)) = places.split_first() else { return };
    let position = shape.keys(values).and_then(|keys| keys.iter().position(|own| own == key));
    let base = base.filter(|base| !base.is_null());
    match (position, rest.is_empty(), base) {
        (Some(position), true, None) => {
            values.remove(position);
        }
        (Some(position), true, Some(value)) => {
            if let Some(element) = values.get_mut(position) {
                *element = value.clone();
            }
        }
        (None, true, Some(value)) => values.push(value.clone()),
        (Some(position), false, base) => {
            if let (Some(Value::Object(element)), Some(each)) =
                (values.get_mut(position), shape.each.as_deref())
            {
                restore(element, each, rest, base);
            }
        }
        (None, _, _) => {}
    }
}
