mod corners;
mod cycle;
mod echo;
mod laws;
mod two_way;

use super::*;
use crate::mapping::{FieldKind, Rule};
use crate::record::Value;
use proptest::prelude::{Just, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::strategy::Strategy as _;
use serde_json::json;

pub(super) fn fields(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        other => panic!("{other} is no object"),
    }
}

pub(super) fn record(value: Value) -> Record {
    Record { id: "1".to_owned(), fields: fields(value), ..Record::default() }
}

fn rules(strategy: Strategy) -> Rules {
    let copy = |name: &str| Rule::copy(name.parse().unwrap(), name.parse().unwrap());
    let price = Rule { kind: FieldKind::Number, ..copy("price") };
    Rules {
        mapping: Mapping::new(vec![copy("title"), price]),
        strategy,
        on_first_sync: strategy,
        ..Rules::default()
    }
}

fn look(rules: &Rules, source: &Value, target: &Value, bases: Option<(&Value, &Value)>) -> Decision {
    let (source, target) = (record(source.clone()), record(target.clone()));
    let bases = bases.map(|(a, b)| (fields(a.clone()), fields(b.clone())));
    decide(
        rules,
        &Situation {
            source: &source,
            target: Some(&target),
            bases: bases.as_ref().map(|(source, target)| Bases { source, target }),
            only: None,
        },
    )
}

#[test]
fn a_record_without_a_target_is_created_whole() {
    let source = record(json!({"title": "Chair", "price": "10.00", "other": 1}));
    let situation = Situation { source: &source, target: None, bases: None, only: None };
    let Decision::Create { fields } = decide(&rules(Strategy::SourceWins), &situation) else {
        panic!("not created")
    };
    assert_eq!(Value::Object(fields), json!({"title": "Chair", "price": "10.00"}));
}

#[test]
fn what_the_platform_normalised_is_not_a_change() {
    let sent = json!({"title": " Chair ", "price": "10"});
    let held = json!({"title": "Chair", "price": "10.00"});
    let decision = look(&rules(Strategy::SourceWins), &sent, &held, Some((&sent, &held)));
    assert_eq!(decision, Decision::Unchanged { kept: vec![] });
}

#[test]
fn only_the_changed_field_is_written() {
    let then = json!({"title": "Chair", "price": "10.00"});
    let now = json!({"title": "Chair", "price": "12.00"});
    let Decision::Update { fields, changes, conflicts, .. } =
        look(&rules(Strategy::Manual), &now, &then, Some((&then, &then)))
    else {
        panic!("not updated")
    };
    assert_eq!(Value::Object(fields), json!({"price": "12.00"}));
    assert_eq!(changes[0].rule, "source_changed");
    assert!(conflicts.is_empty());
}

#[test]
fn a_manual_conflict_holds_its_field_and_lets_the_others_flow() {
    let then = json!({"title": "Chair", "price": "10"});
    let source = json!({"title": "Armchair", "price": "11"});
    let target = json!({"title": "Seat", "price": "10"});
    let Decision::Update { fields, conflicts, .. } =
        look(&rules(Strategy::Manual), &source, &target, Some((&then, &then)))
    else {
        panic!("not updated")
    };
    assert_eq!(Value::Object(fields), json!({"price": "11"}));
    assert_eq!(conflicts.iter().map(|change| change.field.as_str()).collect::<Vec<_>>(), ["title"]);
}

#[test]
fn the_later_change_wins_and_a_tie_is_left_to_a_person() {
    let then = json!({"title": "Chair"});
    let times = |source: i64, target: i64| {
        let at = |seconds| chrono::DateTime::from_timestamp(seconds, 0);
        let source = Record { modified_at: at(source), ..record(json!({"title": "Armchair"})) };
        let target = Record { modified_at: at(target), ..record(json!({"title": "Seat"})) };
        let base = fields(then.clone());
        let bases = Some(Bases { source: &base, target: &base });
        decide(
            &rules(Strategy::LastWriteWins),
            &Situation { source: &source, target: Some(&target), bases, only: None },
        )
    };
    assert!(matches!(times(2, 1), Decision::Update { .. }));
    assert!(matches!(times(1, 2), Decision::Unchanged { kept } if kept[0].rule == "last_write_wins"));
    assert!(matches!(times(1, 1), Decision::Conflict { .. }));
}

fn any_record() -> impl proptest::strategy::Strategy<Value = Value> {
    ("[ab]{0,2}", 0u8..4).prop_map(|(title, price)| json!({"title": title, "price": price.to_string()}))
}

pub(super) fn any_strategy() -> impl proptest::strategy::Strategy<Value = Strategy> {
    prop_oneof![
        Just(Strategy::SourceWins),
        Just(Strategy::TargetWins),
        Just(Strategy::LastWriteWins),
        Just(Strategy::Merge),
        Just(Strategy::Manual)
    ]
}

proptest! {
    #![proptest_config(crate::testing::cases(100_000))]

    #[test]
    fn carrying_out_a_decision_leaves_nothing_to_write(
        strategy in any_strategy(), source in any_record(), target in any_record(),
        bases in proptest::option::of((any_record(), any_record())),
    ) {
        let rules = rules(strategy);
        let decision = look(&rules, &source, &target, bases.as_ref().map(|(a, b)| (a, b)));
        if let Decision::Update { fields, .. } = decision {
            let mut after = target.clone();
            for (field, value) in fields {
                prop_assert_eq!(&value, &source[&field], "a value was invented");
                after[&field] = value;
            }
            let again = look(&rules, &source, &after, Some((&source, &after)));
            prop_assert_eq!(again, Decision::Unchanged { kept: vec![] });
        }
    }

    #[test]
    fn equal_sides_are_never_written(strategy in any_strategy(), record in any_record(), base in any_record()) {
        let decision = look(&rules(strategy), &record, &record, Some((&base, &base)));
        prop_assert_eq!(decision, Decision::Unchanged { kept: vec![] });
    }

    #[test]
    fn under_source_wins_the_target_ends_as_the_source(source in any_record(), target in any_record(), base in any_record()) {
        let mut after = target.clone();
        if let Decision::Update { fields, .. } = look(&rules(Strategy::SourceWins), &source, &target, Some((&base, &target))) {
            for (field, value) in fields {
                after[&field] = value;
            }
            for field in ["title", "price"] {
                prop_assert!(after[field] == source[field] || base[field] == source[field]);
            }
        }
    }
}
