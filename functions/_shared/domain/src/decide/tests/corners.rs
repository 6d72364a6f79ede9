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

/// What becomes of a field that flows one way only, when that side changed which it does not come from.
fn against(direction: &str, strategy: Strategy, now: &(Value, Value), base: Option<&Value>) -> Decision {
    let rules = rules(json!([{"source": "a", "target": "a", "direction": direction}]), strategy);
    let bases = base.map(|base| (base, base));
    decided(&rules, &now.0, &now.1, bases, Aids::default())
}

#[test]
fn a_change_against_the_stream_is_undone_kept_or_asked_about_as_the_strategy_says() {
    let base = json!({"a": 1});
    for (direction, wins, now) in [
        ("to_target", Strategy::SourceWins, (json!({"a": 1}), json!({"a": 2}))),
        ("to_source", Strategy::TargetWins, (json!({"a": 2}), json!({"a": 1}))),
    ] {
        let undone = against(direction, wins, &now, Some(&base));
        let Decision::Update { fields, back, .. } = undone else { panic!("{undone:?}") };
        let written = if direction == "to_target" { fields } else { back };
        assert_eq!(Value::Object(written), json!({"a": 1}), "{direction}");
        let asked = against(direction, Strategy::Manual, &now, Some(&base));
        assert!(matches!(asked, Decision::Conflict { .. }), "{direction}: {asked:?}");
        for other in [Strategy::LastWriteWins, Strategy::Merge] {
            let kept = against(direction, other, &now, Some(&base));
            assert!(matches!(kept, Decision::Unchanged { .. }), "{direction}: {kept:?}");
        }
    }
}

#[test]
fn at_first_contact_a_field_goes_only_where_it_may() {
    let (has, lacks) = (json!({"a": 1}), json!({"a": null}));
    for (direction, now, goes) in [
        ("to_target", (has.clone(), lacks.clone()), true),
        ("to_source", (has.clone(), lacks.clone()), false),
        ("to_target", (lacks.clone(), has.clone()), false),
        ("to_source", (lacks, has), true),
    ] {
        let met = against(direction, Strategy::Manual, &now, None);
        assert_eq!(matches!(met, Decision::Update { .. }), goes, "{direction} {now:?}: {met:?}");
        assert_eq!(matches!(met, Decision::Unchanged { .. }), !goes, "{direction} {now:?}: {met:?}");
    }
}

#[test]
fn texts_are_merged_up_to_a_length() {
    let rules = rules(json!([{"source": "body", "target": "body", "type": "text"}]), Strategy::Merge);
    let text = |first: &str, middle: usize, last: &str| json!({"body": format!("{first}\n{}\n{last}", "-\n".repeat(middle))});
    for (middle, merges) in [(1_000, true), (32_000, true), (40_000, false)] {
        let (source, target, base) =
            (text("ONE", middle, "two"), text("one", middle, "TWO"), text("one", middle, "two"));
        let decision = decided(&rules, &source, &target, Some((&base, &base)), Aids::default());
        assert_eq!(matches!(decision, Decision::Update { .. }), merges, "{middle} lines");
    }
}

#[test]
fn a_resolution_is_read_as_it_is_written() {
    let written = json!({"choices": {"title": "source", "price": {"value": "9.50"}}, "rest": "target"});
    let read = Resolution::read(&written).unwrap();
    assert_eq!(read.choices["title"], Choice::Source);
    assert_eq!(read.choices["price"], Choice::Value(json!("9.50")));
    assert_eq!(read.rest, Some(Choice::Target));
    assert!(Resolution::read(&json!({"rest": "nobody"})).is_none());
}

#[test]
fn both_names_of_a_field_are_turned() {
    let mapping =
        json!([{"source": "name", "target": "title"}, {"source": "cost", "target": "prices.gross"}]);
    let strategies = |names: [&str; 3]| {
        let wins = [Strategy::TargetWins, Strategy::SourceWins, Strategy::Manual];
        names.map(str::to_owned).into_iter().zip(wins).collect()
    };
    let field_strategies = strategies(["prices", "title", "other"]);
    let rules = Rules { field_strategies, ..rules(mapping, Strategy::Manual) };
    let turned = rules.turned().field_strategies;
    assert_eq!((turned["cost"], turned["name"]), (Strategy::SourceWins, Strategy::TargetWins));
    assert_eq!(turned["other"], Strategy::Manual);
}
