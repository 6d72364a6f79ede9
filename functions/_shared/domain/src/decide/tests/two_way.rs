//! Decisions that may write both sides.

use super::{fields, record};
use crate::decide::*;
use crate::mapping::{Mapping, Nobody};
use crate::record::{Record, Value};
use serde_json::json;

fn mapping() -> Mapping {
    serde_json::from_value(json!([
        {"source": "title", "target": "name"},
        {"source": "price", "target": "rate", "type": "number"},
        {"source": "tags", "target": "keywords", "type": "set"},
        {"source": "body", "target": "text", "type": "text"},
        {"source": "status", "target": "inactive", "transformation": {"lookup": [["ACTIVE", false], ["DRAFT", true], ["ARCHIVED", true]]},
         "reverse": {"lookup": [[false, "ACTIVE"], [true, "ARCHIVED"]]}},
        {"source": "variants[].sku", "target": "children[].code", "key": true},
        {"source": "variants[].price", "target": "children[].rate", "type": "number"},
        {"source": "variants[].barcode", "target": "children[].upc"},
        {"source": "address.city", "target": "city.name"},
        {"source": "address.zip", "target": "city.zip"},
        {"source": "handle", "target": "slug", "direction": "to_target"},
        {"source": "note", "target": "memo", "direction": "to_source"},
    ]))
    .unwrap()
}

fn rules(strategy: Strategy) -> Rules {
    Rules { mapping: mapping(), flow: Flow::TwoWay, strategy, on_first_sync: strategy, ..Rules::default() }
}

fn source_then() -> Value {
    json!({"title": "Chair", "price": "10", "tags": ["a", "b"], "body": "one\ntwo\nthree", "status": "DRAFT",
        "variants": [{"sku": "A", "price": "1", "barcode": "x"}, {"sku": "B", "price": "2", "barcode": "y"}],
        "address": {"city": "Ulm", "zip": "1"}, "handle": "chair", "note": null})
}

fn target_then() -> Value {
    json!({"name": "Chair", "rate": "10.00", "keywords": ["b", "a"], "text": "one\ntwo\nthree", "inactive": true,
        "children": [{"code": "B", "rate": "2.00", "upc": "y"}, {"code": "A", "rate": "1.00", "upc": "x"}],
        "city": {"name": "Ulm", "zip": "1"}, "slug": "chair", "memo": null, "internal": 7})
}

/// Both sides as they last agreed, with these edits made since.
fn after(rules: &Rules, source: &[(&str, Value)], target: &[(&str, Value)]) -> Decision {
    with(rules, source, target, Aids::default())
}

fn edited(mut record: Value, edits: &[(&str, Value)]) -> Value {
    for (pointer, value) in edits {
        match record.pointer_mut(pointer) {
            Some(place) => *place = value.clone(),
            None => panic!("{pointer}"),
        }
    }
    record
}

fn with(rules: &Rules, source: &[(&str, Value)], target: &[(&str, Value)], aids: Aids<'_>) -> Decision {
    let view = rules.mapping.apply(&fields(source_then())).unwrap();
    let held = rules.mapping.project(&fields(target_then()));
    let source = record(edited(source_then(), source));
    let target = record(edited(target_then(), target));
    let situation = Situation {
        source: &source,
        target: Some(&target),
        bases: Some(Bases { source: &view, target: &held }),
        only: None,
    };
    decide_with(rules, &situation, aids).decision
}

fn update(decision: Decision) -> (Value, Value, Vec<Change>, Vec<Change>) {
    match decision {
        Decision::Update { fields, back, changes, conflicts } => {
            (Value::Object(fields), Value::Object(back), changes, conflicts)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_decision_writes_both_sides_when_different_fields_changed() {
    let (fields, back, changes, conflicts) = update(after(
        &rules(Strategy::Manual),
        &[("/title", json!("Armchair"))],
        &[("/rate", json!("12.00"))],
    ));
    assert_eq!(fields, json!({"name": "Armchair"}));
    assert_eq!(back, json!({"price": "12.00"}));
    assert!(conflicts.is_empty());
    let why: Vec<_> =
        changes.iter().map(|change| (change.field.as_str(), change.rule, change.writes)).collect();
    assert_eq!(why, [("name", "source_changed", Writes::Target), ("rate", "target_changed", Writes::Source)]);
    assert_eq!(changes[1].base_target, Some(json!("10.00")));
    assert_eq!(changes[1].source, Some(json!("10")));
}

#[test]
fn what_both_changed_to_the_same_value_is_not_written() {
    let decision = after(&rules(Strategy::Manual), &[("/price", json!("12"))], &[("/rate", json!("12.0"))]);
    assert_eq!(decision, Decision::Unchanged { kept: vec![] });
}

#[test]
fn a_state_that_has_no_exact_counterpart_is_not_written_back() {
    assert_eq!(after(&rules(Strategy::Manual), &[], &[]), Decision::Unchanged { kept: vec![] });
    let (_, back, ..) = update(after(&rules(Strategy::Manual), &[], &[("/inactive", json!(false))]));
    assert_eq!(back, json!({"status": "ACTIVE"}));
}

#[test]
fn elements_of_a_list_are_decided_one_by_one_whatever_their_order() {
    let (fields, back, changes, conflicts) = update(after(
        &rules(Strategy::Manual),
        &[("/variants/0/price", json!("5"))],
        &[("/children/0/upc", json!("z"))],
    ));
    assert_eq!(
        fields["children"],
        json!([{"code": "B", "rate": "2.00", "upc": "z"}, {"code": "A", "rate": "5", "upc": "x"}])
    );
    assert_eq!(
        back["variants"],
        json!([{"sku": "A", "price": "5", "barcode": "x"}, {"sku": "B", "price": "2", "barcode": "z"}])
    );
    assert!(conflicts.is_empty());
    let paths: Vec<_> = changes[0].parts.iter().map(|part| part.path.as_str()).collect();
    assert_eq!(paths, ["children[\"B\"].upc", "children[\"A\"].rate"]);
}

#[test]
fn an_element_that_one_side_added_or_removed_is_added_or_removed_on_the_other() {
    let variants =
        json!([{"sku": "A", "price": "1", "barcode": "x"}, {"sku": "C", "price": "3", "barcode": "w"}]);
    let (fields, back, ..) = update(after(&rules(Strategy::Manual), &[("/variants", variants)], &[]));
    assert_eq!(
        fields["children"],
        json!([{"code": "A", "rate": "1.00", "upc": "x"}, {"code": "C", "rate": "3", "upc": "w"}])
    );
    assert_eq!(back, json!({}));
    let children = json!([{"code": "A", "rate": "1.00", "upc": "x"}]);
    let (fields, back, ..) = update(after(&rules(Strategy::Manual), &[], &[("/children", children)]));
    assert_eq!(
        (fields, back),
        (json!({}), json!({"variants": [{"sku": "A", "price": "1", "barcode": "x"}]}))
    );
}

#[test]
fn a_field_flows_only_the_way_its_rule_says() {
    let there = after(&rules(Strategy::TargetWins), &[("/note", json!("x"))], &[("/slug", json!("seat"))]);
    assert!(matches!(&there, Decision::Update { back, .. } if back["note"].is_null()), "{there:?}");
    let kept = after(&rules(Strategy::LastWriteWins), &[("/note", json!("x"))], &[("/slug", json!("seat"))]);
    let Decision::Unchanged { kept } = kept else { panic!("{kept:?}") };
    assert_eq!(kept.iter().map(|change| change.field.as_str()).collect::<Vec<_>>(), ["memo", "slug"]);
    let (fields, back, ..) =
        update(after(&rules(Strategy::Merge), &[("/handle", json!("seat"))], &[("/memo", json!("hi"))]));
    assert_eq!((fields, back), (json!({"slug": "seat"}), json!({"note": "hi"})));
}

#[test]
fn each_strategy_decides_a_field_that_both_changed() {
    let edits =
        |strategy| after(&rules(strategy), &[("/title", json!("Armchair"))], &[("/name", json!("Seat"))]);
    assert_eq!(update(edits(Strategy::SourceWins)).0, json!({"name": "Armchair"}));
    assert_eq!(update(edits(Strategy::TargetWins)).1, json!({"title": "Seat"}));
    for strategy in [Strategy::Manual, Strategy::Merge, Strategy::LastWriteWins] {
        let Decision::Conflict { conflicts } = edits(strategy) else { panic!("{strategy:?}") };
        assert_eq!(conflicts[0].source, Some(json!("Armchair")));
        assert_eq!(conflicts[0].target, Some(json!("Seat")));
        assert_eq!(conflicts[0].base_source, Some(json!("Chair")));
    }
    let own = Rules {
        field_strategies: [
            ("name".to_owned(), Strategy::TargetWins),
            ("children[].rate".to_owned(), Strategy::SourceWins),
        ]
        .into(),
        ..rules(Strategy::Manual)
    };
    let decision = after(
        &own,
        &[("/title", json!("Armchair")), ("/variants/0/price", json!("5"))],
        &[("/name", json!("Seat")), ("/children/1/rate", json!("6"))],
    );
    let (fields, back, _, conflicts) = update(decision);
    assert_eq!((fields["children"][1]["rate"].clone(), back), (json!("5"), json!({"title": "Seat"})));
    assert!(conflicts.is_empty());
}

#[test]
fn merge_keeps_what_both_sides_did_to_a_set() {
    let (fields, back, changes, _) = update(after(
        &rules(Strategy::Merge),
        &[("/tags", json!(["a", "b", "new"]))],
        &[("/keywords", json!(["b", "fresh"]))],
    ));
    assert_eq!(fields, json!({"keywords": ["b", "fresh", "new"]}));
    assert_eq!(back, json!({"tags": ["b", "new", "fresh"]}));
    assert_eq!(changes[0].rule, "merged_set");
}

#[test]
fn merge_keeps_the_lines_that_both_sides_changed_and_asks_where_they_meet() {
    let (fields, back, ..) = update(after(
        &rules(Strategy::Merge),
        &[("/body", json!("ONE\ntwo\nthree"))],
        &[("/text", json!("one\r\ntwo\r\nTHREE"))],
    ));
    assert_eq!(fields, json!({"text": "ONE\ntwo\nTHREE"}));
    assert_eq!(back, json!({"body": "ONE\ntwo\nTHREE"}));
    let meets = [("/body", json!("one\n2\nthree"))];
    let other = [("/text", json!("one\nzwei\nthree"))];
    assert!(matches!(after(&rules(Strategy::Merge), &meets, &other), Decision::Conflict { .. }));
    let last = Rules { fallback: Strategy::SourceWins, ..rules(Strategy::Merge) };
    assert_eq!(update(after(&last, &meets, &other)).0, json!({"text": "one\n2\nthree"}));
}

#[test]
fn a_person_resolves_a_conflict_as_seen_and_not_otherwise() {
    let (source, target) = ([("/title", json!("Armchair"))], [("/name", json!("Seat"))]);
    let manual = rules(Strategy::Manual);
    let Decision::Conflict { conflicts: seen } = after(&manual, &source, &target) else { panic!() };
    let resolve = |choice: Choice, source: &[(&str, Value)]| {
        let choices = [("name".to_owned(), choice)].into();
        let resolution = Resolution { choices, rest: None, seen: seen.clone() };
        with(&manual, source, &target, Aids { resolution: Some(&resolution), ..Aids::default() })
    };
    let written = |choice| {
        let (fields, back, ..) = update(resolve(choice, &source));
        (fields, back)
    };
    assert_eq!(written(Choice::Source), (json!({"name": "Armchair"}), json!({})));
    assert_eq!(written(Choice::Target), (json!({}), json!({"title": "Seat"})));
    assert_eq!(written(Choice::Base), (json!({"name": "Chair"}), json!({"title": "Chair"})));
    assert_eq!(written(Choice::Value(json!("Sofa"))), (json!({"name": "Sofa"}), json!({"title": "Sofa"})));
    assert_eq!(written(Choice::Strategy(Strategy::TargetWins)), (json!({}), json!({"title": "Seat"})));
    let Decision::Conflict { conflicts } = resolve(Choice::Source, &[("/title", json!("Stool"))]) else {
        panic!()
    };
    assert_eq!(conflicts[0].rule, "changed_since");
}

#[test]
fn at_first_contact_nothing_that_only_one_side_has_is_lost() {
    let source = record(
        json!({"title": "Chair", "price": null, "tags": ["a"], "variants": [{"sku": "A", "price": "1"}]}),
    );
    let target = record(
        json!({"name": "Seat", "rate": "5", "keywords": ["b"], "children": [{"code": "B", "rate": "2"}]}),
    );
    let situation = Situation { source: &source, target: Some(&target), bases: None, only: None };
    let (fields, back, _, conflicts) = update(decide(&rules(Strategy::Merge), &situation));
    assert_eq!(fields["keywords"], json!(["b", "a"]));
    assert_eq!(
        fields["children"],
        json!([{"code": "B", "rate": "2"}, {"code": "A", "rate": "1", "upc": null}])
    );
    assert_eq!(back["price"], json!("5"));
    assert_eq!(back["variants"], json!([{"sku": "A", "price": "1"}, {"sku": "B", "price": "2"}]));
    assert_eq!(conflicts.iter().map(|change| change.field.as_str()).collect::<Vec<_>>(), ["name"]);
    let (fields, back, ..) = update(decide(&rules(Strategy::SourceWins), &situation));
    assert_eq!((fields["name"].clone(), back["price"].clone()), (json!("Chair"), json!("5")));
}

#[test]
fn what_cannot_go_back_is_said_and_not_dropped() {
    let decision = after(&rules(Strategy::Manual), &[], &[("/inactive", json!("perhaps"))]);
    let Decision::Invalid { violations } = decision else { panic!("{decision:?}") };
    assert_eq!((violations[0].target.as_str(), violations[0].rule.as_str()), ("status", "lookup"));
}

#[test]
fn only_the_chosen_fields_take_part_and_the_others_keep_their_bases() {
    let rules = rules(Strategy::SourceWins);
    let (view, held) =
        (rules.mapping.apply(&fields(source_then())).unwrap(), rules.mapping.project(&fields(target_then())));
    let source = record(edited(source_then(), &[("/title", json!("Armchair")), ("/price", json!("11"))]));
    let target = record(target_then());
    let only = ["rate".to_owned()];
    let situation = Situation {
        source: &source,
        target: Some(&target),
        bases: Some(Bases { source: &view, target: &held }),
        only: Some(&only),
    };
    let decision = decide(&rules, &situation);
    assert_eq!(update(decision.clone()).0, json!({"rate": "11"}));
    let answer = record(edited(target_then(), &[("/rate", json!("11.00"))]));
    let answers = Answers { target: Some(&answer), source: None };
    let (base_source, base_target) = bases_after(&rules, &situation, &decision, answers, &Nobody).unwrap();
    assert_eq!((&base_source["rate"], &base_target["rate"]), (&json!("11"), &json!("11.00")));
    assert_eq!(base_source["name"], "Chair", "its change is still to be found");
}

#[test]
fn the_same_sync_seen_from_the_other_side_creates_what_only_the_target_has() {
    let turned = rules(Strategy::SourceWins).turned();
    assert_eq!(turned.strategy, Strategy::TargetWins);
    let target = record(target_then());
    let situation = Situation { source: &target, target: None, bases: None, only: None };
    let Decision::Create { fields } = decide(&turned, &situation) else { panic!() };
    assert_eq!((fields["title"].clone(), fields["status"].clone()), (json!("Chair"), json!("ARCHIVED")));
    assert_eq!(fields["variants"][1], json!({"sku": "A", "price": "1.00", "barcode": "x"}));
    assert!(!fields.contains_key("handle"), "the handle flows to the target only");
}

#[test]
fn values_about_a_person_are_masked_where_they_are_only_shown() {
    let mapping: Mapping =
        serde_json::from_value(json!([{"source": "phone", "target": "phone", "personal": true}])).unwrap();
    let rules = Rules { mapping, ..Rules::default() };
    let (source, target) = (record(json!({"phone": "+49 1"})), record(json!({"phone": "+49 2"})));
    let situation = Situation { source: &source, target: Some(&target), bases: None, only: None };
    let (fields, _, changes, _) = update(decide(&rules, &situation));
    assert_eq!(fields["phone"], "+49 1");
    assert!(!serde_json::to_string(&changes).unwrap().contains("+49"));
    assert_eq!(changes[0].source, Some(json!("+49 1")), "the engine still has the value");
}

#[test]
fn a_change_that_came_while_we_wrote_is_still_found_later() {
    let rules = rules(Strategy::Manual);
    let (view, held) =
        (rules.mapping.apply(&fields(source_then())).unwrap(), rules.mapping.project(&fields(target_then())));
    let source = record(edited(source_then(), &[("/price", json!("11"))]));
    let target = record(target_then());
    let situation = Situation {
        source: &source,
        target: Some(&target),
        bases: Some(Bases { source: &view, target: &held }),
        only: None,
    };
    let decision = decide(&rules, &situation);
    // Somebody renamed it between our read and our write; the answer of the write shows the new name.
    let answer = record(edited(target_then(), &[("/rate", json!("11.00")), ("/name", json!("Seat"))]));
    let answers = Answers { target: Some(&answer), source: None };
    let (view, held) = bases_after(&rules, &situation, &decision, answers, &Nobody).unwrap();
    let situation =
        Situation { target: Some(&answer), bases: Some(Bases { source: &view, target: &held }), ..situation };
    assert_eq!(update(decide(&rules, &situation)).1, json!({"title": "Seat"}));
}

#[test]
fn a_conflict_keeps_its_bases_until_it_is_resolved() {
    let manual = rules(Strategy::Manual);
    let (view, held) = (
        manual.mapping.apply(&fields(source_then())).unwrap(),
        manual.mapping.project(&fields(target_then())),
    );
    let source: Record = record(edited(
        source_then(),
        &[("/variants/0/price", json!("5")), ("/variants/1/price", json!("7"))],
    ));
    let target: Record = record(edited(target_then(), &[("/children/1/rate", json!("6.00"))]));
    let bases = Some(Bases { source: &view, target: &held });
    let situation = Situation { source: &source, target: Some(&target), bases, only: None };
    let decision = decide(&manual, &situation);
    let (fields, _, _, conflicts) = update(decision.clone());
    assert_eq!(fields["children"][0]["rate"], "7");
    assert_eq!(conflicts[0].parts[0].path, "children[\"A\"].rate");
    let answer = record(edited(
        target_then(),
        &[("/children/1/rate", json!("6.00")), ("/children/0/rate", json!("7.00"))],
    ));
    let answers = Answers { target: Some(&answer), source: None };
    let (view, held) = bases_after(&manual, &situation, &decision, answers, &Nobody).unwrap();
    assert_eq!(
        held["children"],
        json!([{"code": "B", "rate": "7.00", "upc": "y"}, {"code": "A", "rate": "1.00", "upc": "x"}])
    );
    let bases = Some(Bases { source: &view, target: &held });
    let again = Situation { target: Some(&answer), bases, ..situation };
    assert!(matches!(decide(&manual, &again), Decision::Conflict { .. }), "held, and nothing else to write");
}
