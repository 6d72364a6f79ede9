//! What holds for every record, every edit and every strategy.

use super::{any_strategy, fields, record};
use crate::canon;
use crate::decide::*;
use crate::mapping::{Mapping, Nobody};
use crate::record::{Fields, Record, Value};
use crate::testing::cases;
use proptest::prelude::{
    Just, Strategy as Generator, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Names, kinds and a list with a key; the same on both sides.
pub(super) fn mapping() -> &'static Mapping {
    &MAPPING
}

static MAPPING: LazyLock<Mapping> = LazyLock::new(|| {
    serde_json::from_value(json!([
        {"source": "title", "target": "title"},
        {"source": "price", "target": "price", "type": "number"},
        {"source": "tags", "target": "tags", "type": "set"},
        {"source": "body", "target": "body", "type": "text"},
        {"source": "rows[].k", "target": "rows[].k", "key": true},
        {"source": "rows[].v", "target": "rows[].v"},
        {"source": "place.city", "target": "place.city"},
        {"source": "place.zip", "target": "place.zip"},
    ]))
    .unwrap()
});

fn rules(strategy: Strategy, fallback: Strategy) -> Rules {
    Rules {
        mapping: mapping().clone(),
        flow: Flow::TwoWay,
        strategy,
        on_first_sync: strategy,
        fallback,
        ..Rules::default()
    }
}

fn any_record() -> impl Generator<Value = Value> {
    let title = prop_oneof![Just(json!(null)), "[ab\u{e9}]{0,2}".prop_map(Value::from)];
    let price = (0u8..4, 0u8..3).prop_map(|(n, zeros)| json!(format!("{n}.{}", "0".repeat(zeros.into()))));
    let price = price.prop_map(|text| json!(text.as_str().unwrap().trim_end_matches('.')));
    let tags = proptest::collection::btree_set("[a-d]", 0..4).prop_map(|tags| json!(tags));
    let body = proptest::collection::vec("[ab]", 0..4).prop_map(|lines| json!(lines.join("\n")));
    let rows = proptest::collection::btree_map("[a-c]", 0u8..3, 0..3)
        .prop_map(|rows| rows.into_iter().map(|(k, v)| json!({"k": k, "v": v})).collect::<Value>());
    (title, price, tags, body, rows, "[xy]", "[12]").prop_map(|(title, price, tags, body, rows, city, zip)| {
        json!({"title": title, "price": price, "tags": tags, "body": body, "rows": rows, "place": {"city": city, "zip": zip}})
    })
}

fn at(value: &Value, seconds: u8) -> Record {
    Record { modified_at: chrono::DateTime::from_timestamp(seconds.into(), 0), ..record(value.clone()) }
}

/// What both sides hold after a decision was carried out by platforms that keep what they are given.
fn carried_out(decision: &Decision, source: &Record, target: &Record) -> (Record, Record) {
    let (mut source, mut target) = (source.clone(), target.clone());
    if let Decision::Update { fields, back, .. } = decision {
        target.fields.extend(fields.clone());
        source.fields.extend(back.clone());
    }
    (source, target)
}

fn situation<'a>(
    source: &'a Record,
    target: &'a Record,
    bases: Option<&'a (Fields, Fields)>,
) -> Situation<'a> {
    let bases = bases.map(|(source, target)| Bases { source, target });
    Situation { source, target: Some(target), bases, only: None }
}

fn same(a: &Fields, b: &Fields) -> bool {
    let mapping = mapping();
    canon::equal(&Value::Object(mapping.comparable(a)), &Value::Object(mapping.comparable(b)))
}

/// Every word, number, element and line in a value.
fn atoms(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| atoms(value, into)),
        Value::Object(fields) => fields.values().for_each(|value| atoms(value, into)),
        Value::String(text) => into.extend(text.lines().map(str::to_owned)),
        other => {
            into.insert(other.to_string());
        }
    }
}

proptest! {
    #![proptest_config(cases(100_000))]

    #[test]
    fn equal_situations_get_equal_decisions_and_nothing_is_invented(
        strategy in any_strategy(), fallback in any_strategy(), source in any_record(), target in any_record(),
        base in proptest::option::of(any_record()), times in (0u8..3, 0u8..3),
    ) {
        let rules = rules(strategy, fallback);
        let (source, target) = (at(&source, times.0), at(&target, times.1));
        let bases = base.as_ref().map(|base| (fields(base.clone()), fields(base.clone())));
        let decision = decide(&rules, &situation(&source, &target, bases.as_ref()));
        prop_assert_eq!(&decision, &decide(&rules, &situation(&source, &target, bases.as_ref())));
        if let Decision::Update { fields, back, .. } = decision {
            let (mut known, mut written) = (BTreeSet::from(["null".to_owned()]), BTreeSet::new());
            atoms(&Value::Object(source.fields), &mut known);
            atoms(&Value::Object(target.fields), &mut known);
            atoms(&Value::Object(fields), &mut written);
            atoms(&Value::Object(back), &mut written);
            prop_assert!(written.is_subset(&known), "{written:?}");
        }
    }

    #[test]
    fn a_decision_that_was_carried_out_leaves_nothing_to_write(
        strategy in any_strategy(), fallback in any_strategy(), source in any_record(), target in any_record(),
        base in proptest::option::of(any_record()), times in (0u8..3, 0u8..3),
    ) {
        let rules = rules(strategy, fallback);
        let (source, target) = (at(&source, times.0), at(&target, times.1));
        let bases = base.as_ref().map(|base| (fields(base.clone()), fields(base.clone())));
        let now = situation(&source, &target, bases.as_ref());
        let decision = decide(&rules, &now);
        let (source_after, target_after) = carried_out(&decision, &source, &target);
        let answers = Answers { source: Some(&source_after), target: Some(&target_after) };
        let next = bases_after(&rules, &now, &decision, answers, &Nobody);
        let again = decide(&rules, &situation(&source_after, &target_after, next.as_ref()));
        match &decision {
            Decision::Update { conflicts, .. } | Decision::Conflict { conflicts } if !conflicts.is_empty() => {
                let Decision::Conflict { conflicts: held } = &again else { panic!("{again:?} after {decision:?}") };
                prop_assert_eq!(held.len(), conflicts.len());
            }
            _ => {
                prop_assert_eq!(again, Decision::Unchanged { kept: vec![] });
                prop_assert!(same(&source_after.fields, &target_after.fields), "both sides end equal");
            }
        }
    }

    #[test]
    fn what_one_side_changed_goes_to_the_other_whatever_the_strategy(
        strategy in any_strategy(), base in any_record(), edited in any_record(), times in (0u8..3, 0u8..3),
    ) {
        let rules = rules(strategy, Strategy::Manual);
        let bases = (fields(base.clone()), fields(base.clone()));
        let (then, now) = (at(&base, times.0), at(&edited, times.1));
        for (source, target) in [(&now, &then), (&then, &now)] {
            let decision = decide(&rules, &situation(source, target, Some(&bases)));
            let (source, target) = carried_out(&decision, source, target);
            prop_assert!(same(&source.fields, &now.fields) && same(&target.fields, &now.fields));
        }
    }

    #[test]
    fn edits_of_different_fields_all_arrive_in_whatever_order_they_are_seen(
        strategy in any_strategy(), base in any_record(), left in any_record(), right in any_record(), split in 1u8..63,
    ) {
        let rules = rules(strategy, Strategy::Manual);
        let names = ["title", "price", "tags", "body", "rows", "place"];
        let mine = |index: usize| split >> index & 1 == 1;
        let (mut source, mut target, mut both) = (base.clone(), base.clone(), base.clone());
        for (index, name) in names.into_iter().enumerate() {
            if mine(index) { source[name] = left[name].clone() } else { target[name] = right[name].clone() }
            both[name] = if mine(index) { left[name].clone() } else { right[name].clone() };
        }
        let bases = (fields(base.clone()), fields(base.clone()));
        let (base, source, target, both) = (at(&base, 1), at(&source, 1), at(&target, 1), fields(both));
        // Seen together.
        let decision = decide(&rules, &situation(&source, &target, Some(&bases)));
        let (one, other) = carried_out(&decision, &source, &target);
        prop_assert!(same(&one.fields, &both) && same(&other.fields, &both));
        // Seen one after the other, the source's first.
        let first = situation(&source, &base, Some(&bases));
        let decision = decide(&rules, &first);
        let (source_after, target_after) = carried_out(&decision, &source, &base);
        let answers = Answers { source: Some(&source_after), target: Some(&target_after) };
        let next = bases_after(&rules, &first, &decision, answers, &Nobody).unwrap();
        let mut later = target_after.clone();
        for (index, name) in names.into_iter().enumerate().filter(|(index, _)| !mine(*index)) {
            let _ = index;
            later.fields.insert(name.to_owned(), target.fields[name].clone());
        }
        let decision = decide(&rules, &situation(&source_after, &later, Some(&next)));
        let (one, other) = carried_out(&decision, &source_after, &later);
        prop_assert!(same(&one.fields, &both) && same(&other.fields, &both));
    }

    #[test]
    fn the_sync_seen_from_the_other_side_decides_the_same(
        strategy in any_strategy(), fallback in any_strategy(), source in any_record(), target in any_record(),
        base in proptest::option::of(any_record()), times in (0u8..3, 0u8..3),
    ) {
        let rules = rules(strategy, fallback);
        let (source, target) = (at(&source, times.0), at(&target, times.1));
        let bases = base.as_ref().map(|base| (fields(base.clone()), fields(base.clone())));
        let there = carried_out(&decide(&rules, &situation(&source, &target, bases.as_ref())), &source, &target);
        let turned = rules.turned();
        let back = carried_out(&decide(&turned, &situation(&target, &source, bases.as_ref())), &target, &source);
        prop_assert!(same(&there.0.fields, &back.1.fields), "the source");
        prop_assert!(same(&there.1.fields, &back.0.fields), "the target");
    }

    #[test]
    fn a_merge_of_texts_holds_both_sides_lines_and_no_others(
        lines in proptest::collection::vec("[a-e]{1,2}", 5..12), left in 0usize..2, right in 3usize..5,
        mine in "[x]{0,3}", yours in "[y]{0,3}",
    ) {
        let text = |edit: Option<(usize, &str)>| {
            let mut lines = lines.clone();
            if let Some((at, new)) = edit {
                if new.is_empty() { lines.remove(at); } else { lines[at] = new.to_owned() }
            }
            lines.join("\n")
        };
        let rules = rules(Strategy::Merge, Strategy::Manual);
        let with = |body: String| at(&json!({"body": body}), 1);
        let (base, source, target) = (with(text(None)), with(text(Some((left, &mine)))), with(text(Some((right, &yours)))));
        let bases = (base.fields.clone(), base.fields.clone());
        let decision = decide(&rules, &situation(&source, &target, Some(&bases)));
        let (source, target) = carried_out(&decision, &source, &target);
        if matches!(decision, Decision::Update { .. }) {
            prop_assert_eq!(&source.fields, &target.fields);
            let merged = source.fields["body"].as_str().unwrap().to_owned();
            prop_assert!(mine.is_empty() || merged.contains(&mine));
            prop_assert!(yours.is_empty() || merged.contains(&yours));
        }
    }

    #[test]
    fn a_set_that_both_sides_changed_has_every_addition_and_no_removal(
        base in proptest::collection::btree_set("[a-h]", 0..6), left in proptest::collection::btree_set("[a-h]", 0..6),
        right in proptest::collection::btree_set("[a-h]", 0..6),
    ) {
        let rules = rules(Strategy::Merge, Strategy::Manual);
        let with = |tags: &BTreeSet<String>| at(&json!({"tags": tags}), 1);
        let (source, target) = (with(&left), with(&right));
        let bases = (with(&base).fields, with(&base).fields);
        let decision = decide(&rules, &situation(&source, &target, Some(&bases)));
        let (source, target) = carried_out(&decision, &source, &target);
        let expected: BTreeSet<String> = base.union(&left).chain(&right).filter(|tag| {
            let kept = left.contains(*tag) && right.contains(*tag);
            kept || !base.contains(*tag)
        }).cloned().collect();
        for side in [source, target] {
            let tags: BTreeSet<String> = serde_json::from_value(side.fields["tags"].clone()).unwrap();
            prop_assert_eq!(&tags, &expected);
        }
    }

    #[test]
    fn numbers_and_letters_arrive_on_the_other_side_exactly_as_they_were(
        number in "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,14})?(e-?[0-9]{1,3})?", text in "\\PC{0,16}", back in any::<bool>(),
    ) {
        let rules = rules(Strategy::Merge, Strategy::Manual);
        let edited: Value = serde_json::from_str(&format!(r#"{{"price": {number}, "title": {}}}"#, json!(text))).unwrap();
        let (then, now) = (at(&json!({"price": "1", "title": "~"}), 1), at(&edited, 2));
        let bases = (then.fields.clone(), then.fields.clone());
        let (source, target) = if back { (&then, &now) } else { (&now, &then) };
        let decision = decide(&rules, &situation(source, target, Some(&bases)));
        if let Decision::Update { fields, back: returned, .. } = decision {
            for (name, value) in if back { returned } else { fields } {
                prop_assert_eq!(value.to_string(), edited[&name].to_string());
            }
        }
        let (source, target) = carried_out(&decide(&rules, &situation(source, target, Some(&bases))), source, target);
        prop_assert!(same(&source.fields, &target.fields));
    }
}

#[test]
fn what_is_only_written_differently_is_no_change() {
    let rules = rules(Strategy::Manual, Strategy::Manual);
    for (field, here, there) in [
        ("title", json!("cafe\u{301}"), json!("caf\u{e9}")),
        ("title", json!("\u{1f469}\u{200d}\u{1f4bb}\u{200f}"), json!("\u{1f469}\u{200d}\u{1f4bb}\u{200f}")),
        ("price", json!("1.10"), json!("1.1")),
        ("price", json!("1e2"), json!(100)),
        ("price", json!("-0.00"), json!("0")),
        ("price", json!("9007199254740993"), serde_json::from_str("9007199254740993.0").unwrap()),
        ("body", json!("a\r\nb "), json!("a\nb")),
        ("body", json!(""), json!(null)),
        ("tags", json!(["b", "a", "a"]), json!(["a", "b"])),
        (
            "rows",
            json!([{"k": "a", "v": 1}, {"k": "b", "v": null}]),
            json!([{"k": "b"}, {"k": "a", "v": 1.0}]),
        ),
    ] {
        let record =
            |value: &Value| record(Value::Object(Fields::from_iter([(field.to_owned(), value.clone())])));
        let (source, target) = (record(&here), record(&there));
        let empty = (Fields::new(), Fields::new());
        for bases in [None, Some(&empty)] {
            assert_eq!(
                decide(&rules, &situation(&source, &target, bases)),
                Decision::Unchanged { kept: vec![] },
                "{here}"
            );
        }
    }
    let (source, target) =
        (record(json!({"price": "9007199254740993"})), record(json!({"price": "9007199254740992"})));
    assert!(matches!(decide(&rules, &situation(&source, &target, None)), Decision::Conflict { .. }));
}
