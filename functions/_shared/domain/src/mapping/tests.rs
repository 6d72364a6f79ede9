mod forms;
mod properties;

use super::*;
use crate::path::Path;
use proptest::prelude::*;
use serde_json::json;

fn fields(value: &Value) -> Fields {
    value.as_object().unwrap().clone()
}

fn rule(source: &str, target: &str) -> Rule {
    Rule::copy(source.parse().unwrap(), target.parse().unwrap())
}

#[test]
fn each_element_of_a_list_is_mapped_in_its_place() {
    let mapping = Mapping::new(vec![
        rule("variants[].sku", "children[].itemId"),
        rule("variants[].price", "children[].price"),
        rule("variants[].options.Size", "children[].size"),
        rule("tags", "tags"),
    ]);
    let source = fields(&json!({
        "variants": [{"sku": "A", "price": "1", "options": {"Size": "M"}}, {"sku": "B", "price": null}],
        "tags": ["x"],
    }));
    let target = mapping.apply(&source).unwrap();
    assert_eq!(
        Value::Object(target),
        json!({"children": [{"itemId": "A", "price": "1", "size": "M"}, {"itemId": "B", "price": null}], "tags": ["x"]})
    );
}

#[test]
fn what_stands_in_the_elements_of_a_list_is_gathered_into_one() {
    let mapping = Mapping::new(vec![rule("variants[].sku", "skus"), rule("title", "names[0].text")]);
    let source = fields(&json!({"variants": [{"sku": "A"}, {"sku": "B"}], "title": "x"}));
    let target = mapping.apply(&source).unwrap();
    assert_eq!(Value::Object(target), json!({"skus": ["A", "B"], "names": [{"text": "x"}]}));
}

#[test]
fn an_empty_list_stays_an_empty_list() {
    let mapping = Mapping::new(vec![rule("variants[].sku", "children[].itemId")]);
    let target = mapping.apply(&fields(&json!({"variants": []}))).unwrap();
    assert_eq!(Value::Object(target), json!({"children": []}));
}

#[test]
fn a_lookup_translates_and_what_it_does_not_know_becomes_the_default() {
    let lookup = vec![(json!("ACTIVE"), json!(false)), (json!("ARCHIVED"), json!(true))];
    let mut status = rule("status", "isInactive");
    status.transformation = Some(Transformation::lookup(lookup));
    status.default_value = Some(json!(true));
    let mapping = Mapping::new(vec![status]);
    for (given, expected) in [("ACTIVE", false), ("ARCHIVED", true), ("SOMETHING", true)] {
        assert_eq!(mapping.apply(&fields(&json!({"status": given}))).unwrap()["isInactive"], json!(expected));
    }
}

#[test]
fn a_required_field_without_a_value_is_a_violation_that_names_both_sides() {
    let mapping = Mapping::new(vec![Rule { required: true, ..rule("title", "displayName") }]);
    let violations = mapping.apply(&fields(&json!({"other": 1}))).unwrap_err();
    assert_eq!(violations[0].to_string(), "`displayName` is required, but `title` has no value");
}

#[test]
fn what_the_mapping_is_not_about_is_not_compared() {
    let mapping =
        Mapping::new(vec![rule("variants[].sku", "children[].itemId"), rule("title", "displayName")]);
    let seen = mapping
        .project(&fields(&json!({"displayName": "x", "cost": 3, "children": [{"itemId": "A", "cost": 1}]})));
    assert_eq!(Value::Object(seen), json!({"displayName": "x", "children": [{"itemId": "A"}]}));
}

#[test]
fn money_is_compared_by_value_and_sets_without_order() {
    let mapping = Mapping::new(vec![
        Rule { kind: FieldKind::Number, ..rule("p[].price", "c[].price") },
        Rule { kind: FieldKind::Set, ..rule("tags", "tags") },
    ]);
    let left = mapping.comparable(&fields(&json!({"c": [{"price": "10"}], "tags": ["b", "a", "a"]})));
    let right = mapping.comparable(&fields(&json!({"c": [{"price": "10.00"}], "tags": ["a", "b"]})));
    assert!(Mapping::same("c", &left, &right) && Mapping::same("tags", &left, &right));
    let other = mapping.comparable(&fields(&json!({"c": [{"price": "10.01"}], "tags": ["a"]})));
    assert!(!Mapping::same("c", &left, &other) && !Mapping::same("tags", &left, &other));
}

#[test]
fn a_value_that_is_null_there_and_absent_here_is_no_difference() {
    let mapping = Mapping::new(vec![rule("v[].sku", "c[].itemId"), rule("v[].was", "c[].was")]);
    let left = mapping.comparable(&fields(&json!({"c": [{"itemId": "A", "was": null}]})));
    let right = mapping.comparable(&fields(&json!({"c": [{"itemId": "A"}]})));
    assert!(Mapping::same("c", &left, &right));
}

#[test]
fn a_bad_path_is_refused_with_its_text() {
    for text in ["", ".", "a..b", "a[", "a[x]", "[0]", "a[99999999999]", "a]", "a[0", "a.[0]"] {
        assert!(text.parse::<Path>().is_err(), "{text}");
    }
    for text in ["a", "a.b", "a[].b", "a[3].b[].c", "a[][]"] {
        assert_eq!(text.parse::<Path>().unwrap().to_string(), text);
    }
}

proptest! {
    #![proptest_config(crate::testing::cases(100_000))]

    #[test]
    fn no_text_makes_the_path_parser_panic(text in "[a\\[\\].0-9]{0,30}") {
        if let Ok(path) = text.parse::<Path>() {
            prop_assert_eq!(path.to_string().parse::<Path>().unwrap(), path);
        }
    }

    #[test]
    fn projecting_twice_is_projecting_once(sku in proptest::option::of("[a-z]{1,3}"), extra in 0u8..5) {
        let mapping = Mapping::new(vec![rule("v[].sku", "c[].itemId"), rule("t", "t")]);
        let record = fields(&json!({"c": [{"itemId": sku, "n": extra}, {"n": extra}], "x": extra}));
        let once = mapping.project(&record);
        prop_assert_eq!(mapping.project(&once), once);
    }
}
