//! Two platforms that change what they are given, people who edit both, and messengers that cannot be relied on.

use super::laws::mapping;
use crate::canon;
use crate::decide::*;
use crate::mapping::Nobody;
use crate::record::{Fields, Record, Value};
use crate::testing::{cases, dice};
use proptest::prelude::{
    Just, Strategy as Generator, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use serde_json::json;
use std::collections::BTreeSet;

const FIELDS: [&str; 4] = ["title", "price", "tags", "body"];

/// A platform with one record. It has its own idea of how values look.
#[derive(Debug, Clone)]
struct Model {
    record: Record,
    normal: fn(&str, Value) -> Value,
    /// What it held when both sides last agreed.
    agreed: Fields,
    /// How often we wrote it.
    writes: u32,
}

impl Model {
    fn new(normal: fn(&str, Value) -> Value) -> Self {
        let fields = json!({"title": "t", "price": "1.00", "tags": ["a"], "body": "one"});
        let mut model = Self { record: super::record(fields), normal, agreed: Fields::new(), writes: 0 };
        model.set(&model.record.fields.clone(), 0);
        model.agreed = model.record.fields.clone();
        model
    }

    fn set(&mut self, fields: &Fields, now: i64) {
        for (name, value) in fields {
            self.record.fields.insert(name.clone(), (self.normal)(name, value.clone()));
        }
        self.record.modified_at = chrono::DateTime::from_timestamp(now, 0);
        self.record.version = Some(now.to_string());
    }

    fn people_edit(&mut self, field: usize, value: &Value, now: i64) {
        self.set(&Fields::from_iter([(FIELDS[field].to_owned(), value.clone())]), now);
    }

    /// Which fields people changed since both sides agreed on them, taken together.
    fn edited(&self) -> [bool; 4] {
        FIELDS.map(|name| self.record.fields[name] != self.agreed[name])
    }

    /// Writes if the record is still the one that was read.
    fn write(&mut self, read: &Record, fields: &Fields, now: i64) -> bool {
        if fields.is_empty() {
            return true;
        }
        if read.version != self.record.version {
            return false;
        }
        self.set(fields, now);
        self.writes += 1;
        true
    }
}

/// Prices with two decimals, texts trimmed, tags sorted.
fn tidy(field: &str, value: Value) -> Value {
    match (field, value) {
        ("price", Value::String(text)) => {
            let number = crate::decimal::read(&text).unwrap();
            json!(crate::decimal::round(number, 2, crate::decimal::Rounding::HalfUp).to_string())
        }
        ("tags", Value::Array(mut values)) => {
            values.sort_by_key(Value::to_string);
            values.dedup();
            Value::Array(values)
        }
        (_, Value::String(text)) => json!(text.trim()),
        (_, value) => value,
    }
}

/// Titles in capitals, prices without needless zeros, texts with the line ends of another system.
fn loud(field: &str, value: Value) -> Value {
    match (field, value) {
        ("title", Value::String(text)) => json!(text.to_uppercase()),
        ("price", Value::String(text)) => json!(crate::decimal::read(&text).unwrap().normalize().to_string()),
        ("body", Value::String(text)) => json!(text.replace("\r\n", "\n").replace('\n', "\r\n")),
        (_, value) => value,
    }
}

#[derive(Debug, Clone)]
enum Event {
    /// Somebody edits a field on the source (true) or the target.
    Edit(bool, usize, Value),
    /// A message arrives: at once, late, twice or never, all of which is one more look at the record or none.
    Message { lost: bool, twice: bool },
    /// Somebody edits while we are between reading and writing.
    Race(bool, usize, Value),
    /// The clock's own look.
    Poll,
    /// Two looks that read at the same time. Somebody edits, one of them ends, then the other goes on.
    Overlap(bool, usize, Value),
}

fn any_edit() -> impl Generator<Value = (bool, usize, Value)> {
    let value = prop_oneof![
        (Just(0_usize), "[abB ]{0,2}".prop_map(Value::from)),
        (
            Just(1),
            prop_oneof![Just("1"), Just("1.0"), Just("2.50"), Just("2.5"), Just("7")].prop_map(Value::from)
        ),
        (Just(2), proptest::collection::vec("[abc]", 0..4).prop_map(Value::from)),
        (
            Just(3),
            prop_oneof![Just("one"), Just("one\ntwo"), Just(" one"), Just("two\nthree\nfour")]
                .prop_map(Value::from)
        ),
    ];
    (any::<bool>(), value).prop_map(|(side, (field, value))| (side, field, value))
}

fn any_event() -> impl Generator<Value = Event> {
    prop_oneof![
        4 => any_edit().prop_map(|(side, field, value)| Event::Edit(side, field, value)),
        2 => (any::<bool>(), any::<bool>()).prop_map(|(lost, twice)| Event::Message { lost, twice }),
        1 => any_edit().prop_map(|(side, field, value)| Event::Race(side, field, value)),
        1 => Just(Event::Poll),
        1 => any_edit().prop_map(|(side, field, value)| Event::Overlap(side, field, value)),
    ]
}

struct World {
    rules: Rules,
    source: Model,
    target: Model,
    bases: Option<(Fields, Fields)>,
    now: i64,
    unsettled: BTreeSet<String>,
}

impl World {
    fn new(strategy: Strategy) -> Self {
        let fallback = Strategy::LastWriteWins;
        let rules =
            Rules { mapping: mapping().clone(), flow: Flow::TwoWay, strategy, fallback, ..Rules::default() };
        let mut world = Self {
            rules,
            source: Model::new(tidy),
            target: Model::new(loud),
            bases: None,
            now: 1,
            unsettled: BTreeSet::new(),
        };
        world.look(None);
        world
    }

    fn side(&mut self, source: bool) -> &mut Model {
        if source { &mut self.source } else { &mut self.target }
    }

    fn edit(&mut self, source: bool, field: usize, value: &Value) {
        self.now += 1;
        let now = self.now;
        self.side(source).people_edit(field, value, now);
    }

    /// One look at the record: read, decide, write, remember. True when something was written.
    fn look(&mut self, race: Option<&(bool, usize, Value)>) -> bool {
        let (source, target) = (self.source.record.clone(), self.target.record.clone());
        let edited = (self.source.edited(), self.target.edited());
        let bases = self.bases.clone();
        let situation = Situation {
            source: &source,
            target: Some(&target),
            bases: bases.as_ref().map(|(source, target)| Bases { source, target }),
            only: None,
        };
        let decision = decide(&self.rules, &situation);
        if let Some((side, field, value)) = race {
            self.edit(*side, *field, value);
        }
        self.now += 1;
        let none = Fields::new();
        let (fields, back) = match &decision {
            Decision::Update { fields, back, .. } => (fields, back),
            _ => (&none, &none),
        };
        // A record that changed under us refuses the write; it is read again at the next look.
        let target_wrote = self.target.write(&target, fields, self.now);
        let source_wrote = self.source.write(&source, back, self.now);
        let answers = (self.source.record.clone(), self.target.record.clone());
        let answers = Answers {
            source: source_wrote.then_some(&answers.0),
            target: target_wrote.then_some(&answers.1),
        };
        if let Some(next) = bases_after(&self.rules, &situation, &decision, answers, &Nobody) {
            self.bases = Some(next);
        }
        if !(target_wrote && source_wrote) {
            // A merge that reached one side only: until the next look nobody can tell it from that side's own edit.
            self.unsettled.extend(fields.keys().filter(|name| back.contains_key(*name)).cloned());
            let untouched = FIELDS.map(str::to_owned);
            let untouched =
                untouched.iter().filter(|name| !fields.contains_key(*name) && !back.contains_key(*name));
            self.agree(untouched, &source.fields, &target.fields);
            if target_wrote {
                self.agree(
                    fields.keys().filter(|name| !back.contains_key(*name)),
                    &source.fields,
                    &self.target.record.fields.clone(),
                );
            }
            if source_wrote {
                self.agree(
                    back.keys().filter(|name| !fields.contains_key(*name)),
                    &self.source.record.fields.clone(),
                    &target.fields,
                );
            }
            return true;
        }
        self.nothing_is_lost(&source, &target, edited, (back, fields));
        !(fields.is_empty() && back.is_empty())
    }

    /// Two looks at once. What the later one remembers is refused, as it has lost its lease; what it writes, as the record
    /// is no longer the one it read.
    fn overlap(&mut self, race: &(bool, usize, Value)) {
        let (source, target) = (self.source.record.clone(), self.target.record.clone());
        let bases = self.bases.clone();
        self.look(Some(race));
        let bases = bases.as_ref().map(|(source, target)| Bases { source, target });
        let decision =
            decide(&self.rules, &Situation { source: &source, target: Some(&target), bases, only: None });
        if let Decision::Update { fields, back, .. } = decision {
            let now = self.now + 1;
            assert!(fields.is_empty() || !self.target.write(&target, &fields, now), "written a second time");
            assert!(back.is_empty() || !self.source.write(&source, &back, now), "written a second time");
        }
    }

    fn agree<'a>(&mut self, names: impl Iterator<Item = &'a String>, source: &Fields, target: &Fields) {
        for name in names {
            self.source.agreed.insert(name.clone(), source[name].clone());
            self.target.agreed.insert(name.clone(), target[name].clone());
        }
    }

    /// What only one side's people had changed is on both sides now; what nobody changed is as it was.
    fn nothing_is_lost(
        &mut self,
        source: &Record,
        target: &Record,
        (ours, theirs): ([bool; 4], [bool; 4]),
        (back, fields): (&Fields, &Fields),
    ) {
        // What somebody changed while we wrote something else is a matter of the next look.
        let held = |read: &Fields, now: &Fields, written: &Fields| {
            let mut held = read.clone();
            held.extend(written.keys().map(|name| (name.clone(), now[name].clone())));
            held
        };
        let held_source = held(&source.fields, &self.source.record.fields, back);
        let held_target = held(&target.fields, &self.target.record.fields, fields);
        let mapping = mapping();
        let equal = |name: &str, a: &Value, b: &Value| {
            let one =
                |value: &Value| mapping.comparable(&Fields::from_iter([(name.to_owned(), value.clone())]));
            canon::equal(&Value::Object(one(a)), &Value::Object(one(b)))
        };
        for (index, name) in FIELDS.into_iter().enumerate() {
            let (was_source, was_target) = (&source.fields[name], &target.fields[name]);
            let (source, target) = (&held_source[name], &held_target[name]);
            let unsettled = self.unsettled.remove(name);
            match (ours[index] || unsettled, theirs[index] || unsettled) {
                (false, false) => {
                    assert!(source == was_source && target == was_target, "{name} was written for no reason");
                }
                (true, false) => {
                    assert!(source == was_source, "{name}: our own change was undone");
                    let seen = loud(name, source.clone());
                    assert!(equal(name, &seen, target), "{name}: {source} did not arrive, {target} is there");
                }
                (false, true) => {
                    assert!(target == was_target, "{name}: their own change was undone");
                    let seen = tidy(name, target.clone());
                    assert!(equal(name, &seen, source), "{name}: {target} did not arrive, {source} is there");
                }
                (true, true) => {}
            }
        }
        self.source.agreed = held_source;
        self.target.agreed = held_target;
    }
}

/// What is written because of what the strategy says, not because of an edit, is left out by these strategies.
fn a_strategy() -> impl Generator<Value = Strategy> {
    prop_oneof![
        Just(Strategy::SourceWins),
        Just(Strategy::TargetWins),
        Just(Strategy::LastWriteWins),
        Just(Strategy::Merge)
    ]
}

proptest! {
    #![proptest_config(cases(100_000))]

    #[test]
    fn after_the_last_edit_it_is_quiet_and_no_edit_of_anybody_was_dropped(
        strategy in a_strategy(), events in proptest::collection::vec(any_event(), 1..40),
    ) {
        let mut world = World::new(strategy);
        for event in &events {
            match event {
                Event::Edit(side, field, value) => world.edit(*side, *field, value),
                Event::Message { lost: true, .. } => {}
                Event::Message { twice, .. } => {
                    // A race may keep the record busy for a moment, our own echo never does.
                    world.look(None);
                    prop_assert!(!*twice || !world.look(None), "the repetition of a message wrote something");
                }
                Event::Race(side, field, value) => {
                    world.look(Some(&(*side, *field, value.clone())));
                }
                Event::Poll => {
                    world.look(None);
                }
                Event::Overlap(side, field, value) => world.overlap(&(*side, *field, value.clone())),
            }
        }
        world.look(None);
        world.look(None);
        let writes = (world.source.writes, world.target.writes);
        for _ in 0..3 {
            prop_assert!(!world.look(None), "it is not quiet after two rounds");
        }
        prop_assert_eq!((world.source.writes, world.target.writes), writes);
    }

    #[test]
    fn an_edit_that_sets_the_old_value_again_is_an_edit(
        strategy in a_strategy(), before in proptest::collection::vec((any_edit(), any::<bool>()), 0..8),
        field in 0usize..4, source in any::<bool>(), same in any::<bool>(),
    ) {
        let mut world = World::new(strategy);
        for ((side, field, value), seen) in &before {
            world.edit(*side, *field, value);
            if *seen {
                world.look(None);
            }
        }
        world.look(None);
        world.look(None);
        // Values that no history has.
        let values = [json!("x"), json!("9"), json!(["z"]), json!("nine")];
        let side = source == same;
        let old = world.side(side).record.fields[FIELDS[field]].clone();
        world.edit(source, field, &values[field]);
        prop_assert!(world.look(None));
        world.edit(side, field, &old);
        prop_assert!(world.look(None));
        prop_assert!(!world.look(None));
        prop_assert_eq!(&world.side(side).record.fields[FIELDS[field]], &old);
        let there = if side { loud(FIELDS[field], old) } else { tidy(FIELDS[field], old) };
        prop_assert_eq!(&world.side(!side).record.fields[FIELDS[field]], &there);
    }
}

#[test]
fn ten_thousand_edits_of_one_pair_end_in_silence() {
    let mut world = World::new(Strategy::LastWriteWins);
    let mut roll = dice();
    for _ in 0..10_000 {
        let field = roll(4);
        let value = match field {
            1 => json!(format!("{}.{}", roll(9), roll(10))),
            2 => Value::Array(vec![["a", "b", "c"][roll(3)].into(), ["d", "e"][roll(2)].into()]),
            _ => ["one", "two\nthree", "four ", ""][roll(4)].into(),
        };
        world.edit(roll(2) == 0, field, &value);
        if roll(3) == 0 {
            world.look(None);
        }
    }
    world.look(None);
    world.look(None);
    for _ in 0..3 {
        assert!(!world.look(None));
    }
}
