//! Through both sides, place by place.

use super::change::{Change, Place, Writes, path, pattern};
use super::leaf::{Act, Four, Open};
use super::resolution::Resolution;
use super::{Decision, Flow, Rules, Situation, Strategy};
use crate::mapping::Rule;
use crate::mapping::shape::Shape;
use crate::record::{Fields, NULL, Value};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Both sides of one record on the way through them.
pub(super) struct Walk<'a> {
    pub(super) rules: &'a Rules,
    pub(super) situation: &'a Situation<'a>,
    resolution: Option<&'a Resolution>,
    view: &'a Fields,
    current: &'a Fields,
    shape: Shape,
    noted: Vec<(Note, Change)>,
}

/// What was decided about a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Note {
    Written,
    Kept,
    Asked,
}

/// What each side shall hold at a place.
struct Pair {
    target: Option<Value>,
    source: Option<Value>,
}

/// What shall be written.
#[derive(Default)]
pub(super) struct Settled {
    /// To the target.
    pub(super) fields: Fields,
    /// To the source, as the target's fields; still to be mapped back.
    pub(super) back: BTreeMap<String, Option<Value>>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        rules: &'a Rules,
        situation: &'a Situation<'a>,
        resolution: Option<&'a Resolution>,
        view: &'a Fields,
        current: &'a Fields,
    ) -> Self {
        let shape = rules.mapping.shape();
        Self { rules, situation, resolution, view, current, shape, noted: Vec::new() }
    }

    /// When both sides were last modified, by their own clocks.
    pub(super) fn times(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        self.situation.source.modified_at.zip(self.situation.target.and_then(|target| target.modified_at))
    }

    /// Every top-level field that takes part.
    pub(super) fn units(&mut self, takes_part: impl Fn(&str) -> bool) -> Settled {
        let shape = std::mem::take(&mut self.shape);
        let mut settled = Settled::default();
        for (name, shape) in shape.fields.iter().filter(|(name, _)| takes_part(name)) {
            let bases = self.situation.bases;
            let four = Four {
                source: self.view.get(name),
                target: self.current.get(name),
                base_source: bases.and_then(|bases| bases.source.get(name)),
                base_target: bases.and_then(|bases| bases.target.get(name)),
                met: bases.is_some(),
            };
            let first = self.noted.len();
            let pair = self.place(shape, four, &mut vec![Place::Field(name.clone())]);
            let writes = self
                .noted
                .iter()
                .skip(first)
                .fold(Writes::Nothing, |writes, (_, change)| writes.and(change.writes));
            if writes.target() {
                settled.fields.insert(name.clone(), pair.target.unwrap_or_default());
            }
            if writes.source() {
                settled.back.insert(name.clone(), pair.source);
            }
        }
        self.shape = shape;
        settled
    }

    /// One place: an object is decided field by field, a list with a key element by element.
    fn place(&mut self, shape: &Shape, four: Four<'_>, places: &mut Vec<Place>) -> Pair {
        if four.source.is_none() && shape.same(four.target, four.base_target)
            || four.source.is_some() && shape.same(four.source, four.target)
        {
            return Pair { target: four.target.cloned(), source: four.source.cloned() };
        }
        match (four.source, four.target) {
            (Some(Value::Object(source)), Some(Value::Object(target)))
                if shape.rule.is_none() && !shape.fields.is_empty() =>
            {
                self.object(shape, four, (source, target), places)
            }
            (Some(Value::Array(source)), Some(Value::Array(target))) if shape.rule.is_none() => {
                match Lists::new(shape, four, source, target) {
                    Some(lists) => self.list(shape, &lists, four.met, places),
                    None => self.leaf(shape, four, places),
                }
            }
            _ => self.leaf(shape, four, places),
        }
    }

    fn object(
        &mut self,
        shape: &Shape,
        four: Four<'_>,
        (source, target): (&Fields, &Fields),
        places: &mut Vec<Place>,
    ) -> Pair {
        let (mut for_source, mut for_target) = (source.clone(), target.clone());
        let inside = |value: Option<&'_ Value>, name: &str| value.and_then(|value| value.get(name)).cloned();
        for (name, shape) in &shape.fields {
            let (base_source, base_target) = (inside(four.base_source, name), inside(four.base_target, name));
            let inner = Four {
                source: source.get(name),
                target: target.get(name),
                base_source: base_source.as_ref(),
                base_target: base_target.as_ref(),
                met: four.met,
            };
            places.push(Place::Field(name.clone()));
            let pair = self.place(shape, inner, places);
            places.pop();
            put(&mut for_target, name, pair.target);
            put(&mut for_source, name, pair.source);
        }
        Pair { target: Some(Value::Object(for_target)), source: Some(Value::Object(for_source)) }
    }

    fn list(&mut self, shape: &Shape, lists: &Lists<'_>, met: bool, places: &mut Vec<Place>) -> Pair {
        let nothing = Shape::default();
        let each = shape.each.as_deref().unwrap_or(&nothing);
        let mut settled: BTreeMap<&str, Pair> = BTreeMap::new();
        let only_source = lists.source.iter().filter(|(key, _)| find(&lists.target, key).is_none());
        for (key, _) in lists.target.iter().chain(only_source) {
            // An element that is missing from a list that is there is really missing.
            let here = |list: &[(String, &'_ Value)]| find(list, key).cloned().unwrap_or_default();
            let (source, target) = (here(&lists.source), here(&lists.target));
            let (base_source, base_target) = (here(&lists.base_source), here(&lists.base_target));
            let four = Four {
                source: Some(&source),
                target: Some(&target),
                base_source: Some(&base_source),
                base_target: Some(&base_target),
                met,
            };
            places.push(Place::Element(key.clone()));
            let pair = self.place(each, four, places);
            places.pop();
            settled.insert(key, pair);
        }
        let side =
            |own: &[(String, &Value)], other: &[(String, &Value)], take: fn(&Pair) -> Option<&Value>| {
                let new = other.iter().filter(|(key, _)| find(own, key).is_none());
                let values = own.iter().chain(new).filter_map(|(key, _)| take(settled.get(key.as_str())?));
                Value::Array(values.filter(|value| !value.is_null()).cloned().collect())
            };
        let target = side(&lists.target, &lists.source, |pair| pair.target.as_ref());
        let source = side(&lists.source, &lists.target, |pair| pair.source.as_ref());
        Pair { target: Some(target), source: Some(source) }
    }

    fn leaf(&mut self, shape: &Shape, four: Four<'_>, places: &[Place]) -> Pair {
        let open = self.open(shape);
        let strategy = self.strategy(places, four.met);
        let (mut act, mut rule) = self.act(shape, &four, strategy, open);
        if let (Act::Ask, Some(resolution)) = (&act, self.resolution)
            && let Some(choice) = resolution.choice(places)
        {
            (act, rule) = if resolution.is_fresh(places, shape, &four) {
                self.chosen(choice, shape, &four, open)
            } else {
                (Act::Ask, "changed_since")
            };
        }
        let both = |value: Option<&Value>| Pair { target: value.cloned(), source: value.cloned() };
        let as_is = || Pair { target: four.target.cloned(), source: four.source.cloned() };
        let (note, pair) = match act {
            Act::Same => return as_is(),
            Act::ToTarget => (Note::Written, both(four.source)),
            Act::ToSource => (Note::Written, both(Some(four.target.unwrap_or(NULL)))),
            Act::Set { target, source } => (Note::Written, Pair { target, source }),
            Act::Keep => (Note::Kept, as_is()),
            Act::Ask => (Note::Asked, as_is()),
        };
        let writes = Writes::of(
            note == Note::Written && open.target && !shape.same(pair.target.as_ref(), four.target),
            note == Note::Written && open.source && !shape.same(pair.source.as_ref(), four.source),
        );
        let note = if note == Note::Written && writes == Writes::Nothing { Note::Kept } else { note };
        self.noted.push((note, self.change(shape, &four, places, rule, writes)));
        Pair {
            target: if writes.target() { pair.target } else { four.target.cloned() },
            source: if writes.source() { pair.source } else { four.source.cloned() },
        }
    }

    /// Where a place may be written: any of its rules that goes there opens the way.
    fn open(&self, shape: &Shape) -> Open {
        let mut open = Open { target: false, source: false };
        self.each_rule(shape, &mut |rule| {
            open.target |= rule.goes();
            open.source |= self.rules.flow == Flow::TwoWay && rule.returns();
        });
        open
    }

    fn each_rule(&self, shape: &Shape, visit: &mut dyn FnMut(&Rule)) {
        if let Some(rule) = shape.rule.and_then(|rule| self.rules.mapping.rules().get(rule)) {
            visit(rule);
        }
        for below in shape.below() {
            self.each_rule(below, visit);
        }
    }

    fn strategy(&self, places: &[Place], met: bool) -> Strategy {
        let own = &self.rules.field_strategies;
        let field = path(places.get(..1).unwrap_or_default());
        let general = if met { self.rules.strategy } else { self.rules.on_first_sync };
        own.get(&pattern(places)).or_else(|| own.get(&field)).copied().unwrap_or(general)
    }

    fn change(
        &self,
        shape: &Shape,
        four: &Four<'_>,
        places: &[Place],
        rule: &'static str,
        writes: Writes,
    ) -> Change {
        let mut personal = false;
        self.each_rule(shape, &mut |rule| personal |= rule.personal);
        Change {
            field: path(places.get(..1).unwrap_or_default()),
            path: path(places),
            base_source: four.base_source.cloned(),
            base_target: four.base_target.cloned(),
            source: four.source.cloned(),
            target: four.target.cloned(),
            rule,
            writes,
            personal,
            parts: Vec::new(),
            places: places.to_vec(),
        }
    }

    /// The decision that all places come to.
    pub(super) fn outcome(self, fields: Fields, back: Fields) -> Decision {
        let of = |wanted: &[Note]| {
            let mut units: Vec<Vec<Change>> = Vec::new();
            for (_, change) in self.noted.iter().filter(|(note, _)| wanted.contains(note)) {
                match units.last_mut() {
                    Some(unit) if unit.last().is_some_and(|last| last.field == change.field) => {
                        unit.push(change.clone());
                    }
                    _ => units.push(vec![change.clone()]),
                }
            }
            units.into_iter().filter_map(|unit| self.whole(unit)).collect::<Vec<Change>>()
        };
        let conflicts = of(&[Note::Asked]);
        if !(fields.is_empty() && back.is_empty()) {
            Decision::Update { fields, back, changes: of(&[Note::Written]), conflicts }
        } else if conflicts.is_empty() {
            Decision::Unchanged { kept: of(&[Note::Written, Note::Kept]) }
        } else {
            Decision::Conflict { conflicts }
        }
    }

    /// One change of a top-level field out of the changes below it.
    fn whole(&self, mut parts: Vec<Change>) -> Option<Change> {
        if parts.len() == 1 && parts.first().is_some_and(|part| part.places.len() == 1) {
            return parts.pop();
        }
        let first = parts.first()?;
        let (field, rule) = (first.field.clone(), first.rule);
        let bases = self.situation.bases;
        Some(Change {
            path: field.clone(),
            base_source: bases.and_then(|bases| bases.source.get(&field).cloned()),
            base_target: bases.and_then(|bases| bases.target.get(&field).cloned()),
            source: self.view.get(&field).cloned(),
            target: self.current.get(&field).cloned(),
            rule: if parts.iter().all(|part| part.rule == rule) { rule } else { "several" },
            writes: parts.iter().fold(Writes::Nothing, |writes, part| writes.and(part.writes)),
            personal: parts.iter().any(|part| part.personal),
            places: vec![Place::Field(field.clone())],
            field,
            parts,
        })
    }
}

/// A list on both sides, now and then, by key.
struct Lists<'a> {
    source: Vec<(String, &'a Value)>,
    target: Vec<(String, &'a Value)>,
    base_source: Vec<(String, &'a Value)>,
    base_target: Vec<(String, &'a Value)>,
}

impl<'a> Lists<'a> {
    /// `None` when one of the four cannot be told apart by key.
    fn new(shape: &Shape, four: Four<'a>, source: &'a [Value], target: &'a [Value]) -> Option<Self> {
        let keyed = |values: &'a [Value]| Some(shape.keys(values)?.into_iter().zip(values).collect());
        let base = |value: Option<&'a Value>| match value {
            None | Some(Value::Null) => Some(Vec::new()),
            Some(Value::Array(values)) => keyed(values),
            Some(_) => None,
        };
        Some(Self {
            source: keyed(source)?,
            target: keyed(target)?,
            base_source: base(four.base_source)?,
            base_target: base(four.base_target)?,
        })
    }
}

fn find<'a>(list: &[(String, &'a Value)], key: &str) -> Option<&'a Value> {
    list.iter().find(|(own, _)| own == key).map(|(_, value)| *value)
}

pub(super) fn put(fields: &mut Fields, name: &str, value: Option<Value>) {
    match value {
        Some(value) => fields.insert(name.to_owned(), value),
        None => fields.remove(name),
    };
}
