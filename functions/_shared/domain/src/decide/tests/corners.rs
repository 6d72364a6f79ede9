//! Cases that are rare, and wrong at once when somebody turns a sign.

use super::{fields, record};
use crate::decide::*;
use crate::mapping::Mapping;
use crate::record::Value;
use serde_json::json;

fn rules(mapping: Value, strategy: Strategy) -> Rules {
    let mapping: Mapping = serde_json::from_value(mapping).unwrap();
    Rules { mapping, flow: Flow::TwoWay, strategy, on_first_sync: strategy, ..Rules::default() }
}

fn decided(
    rules: &Rules,
    source: &Value,
    target: &Value,
    bases: Option<(&Value, &Value)>,
    aids: Aids<'_>,
) -> Decision {
    let (source, target) = (record(source.clone()), record(target.clone()));
    let bases = bases.map(|(source, target)| (fields(source.clone()), fields(target.clone())));
    let bases = bases.as_ref().map(|(source, target)| Bases { source, target });
    decide_with(rules, &Situation { source: &source, target: Some(&target), bases, only: None }, aids)
        .decision
}

#[test]
fn what_only_the_source_has_stays_there_when_the_field_flows_to_the_source_only() {
    let rules =
        rules(json!([{"source": "note", "target": "memo", "direction": "to_source"}]), Strategy::Manual);
    let decision = decided(&rules, &json!({"note": "x"}), &json!({"memo": null}), None, Aids::default());
    let Decision::Unchanged { kept } = decision else { panic!("{decision:?}") };
    assert_eq!(kept[0].rule, "only_on_source");
}

#[test]
fn texts_are_merged_only_from_one_and_the_same_base() {
    let rules = rules(json!([{"source": "body", "target": "body", "type": "text"}]), Strategy::Merge);
    let (source, target) = (json!({"body": "ONE\ntwo\nthree"}), json!({"body": "one\ntwo\nTHREE"}));
    let base = json!({"body": "one\ntwo\nthree"});
    let other = json!({"body": "one\n2\nthree"});
    let merged = decided(&rules, &source, &target, Some((&base, &base)), Aids::default());
    assert!(matches!(merged, Decision::Update { .. }));
    let asked = decided(&rules, &source, &target, Some((&base, &other)), Aids::default());
    assert!(matches!(asked, Decision::Conflict { .. }), "{asked:?}");
    let met = decided(&rules, &source, &target, None, Aids::default());
    assert!(matches!(met, Decision::Conflict { .. }), "without a base nobody knows what changed");
}

#[test]
fn each_choice_is_for_the_conflict_that_was_seen() {
    let rules =
        rules(json!([{"source": "a", "target": "a"}, {"source": "b", "target": "b"}]), Strategy::Manual);
    let base = json!({"a": 0, "b": 0});
    let (source, target) = (json!({"a": 1, "b": 3}), json!({"a": 2, "b": 4}));
    let Decision::Conflict { conflicts: seen } =
        decided(&rules, &source, &target, Some((&base, &base)), Aids::default())
    else {
        panic!("no conflict")
    };
    let resolution = Resolution { rest: Some(Choice::Source), seen, ..Resolution::default() };
    let aids = Aids { resolution: Some(&resolution), ..Aids::default() };
    let Decision::Update { fields, conflicts, .. } =
        decided(&rules, &source, &target, Some((&base, &base)), aids)
    else {
        panic!("not resolved")
    };
    assert_eq!((Value::Object(fields), conflicts.len()), (json!({"a": 1, "b": 3}), 0));
    // The target's `b` is another by now: only `a` is resolved.
    let later = json!({"a": 2, "b": 5});
    let Decision::Update { fields, conflicts, .. } =
        decided(&rules, &source, &later, Some((&base, &base)), aids)
    else {
        panic!("not resolved")
    };
    assert_eq!(Value::Object(fields), json!({"a": 1}));
    assert_eq!((conflicts[0].field.as_str(), conflicts[0].rule), ("b", "changed_since"));
}
