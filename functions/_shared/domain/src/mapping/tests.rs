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

#[test]
fn a_required_field_of_a_list_is_missed_in_whichever_element_lacks_it() {
    let mapping = Mapping::new(vec![Rule { required: true, ..rule("v[].sku", "c[].itemId") }]);
    for skus in [[json!(null), json!("B")], [json!("A"), json!(null)]] {
        let record = json!({"v": skus.map(|sku| json!({"sku": sku}))});
        assert_eq!(mapping.apply(&fields(&record)).unwrap_err().len(), 1, "{record}");
    }
}

#[test]
fn each_field_that_is_wrong_is_told_once_whatever_is_wrong_beside_it() {
    let known = |target: &str| Rule {
        required: true,
        transformation: Some(Transformation::lookup(vec![(json!("a"), json!("b"))])),
        ..rule("status", target)
    };
    let mapping = Mapping::new(vec![known("one"), Rule { required: true, ..rule("title", "two") }]);
    let told = |record: &Value| {
        let violations = mapping.apply(&fields(record)).unwrap_err();
        violations.into_iter().map(|violation| violation.target).collect::<Vec<_>>()
    };
    assert_eq!(told(&json!({"status": "x", "title": null})), ["one", "two"]);
    assert_eq!(told(&json!({"status": "x", "title": "y"})), ["one"]);
}

#[test]
fn what_does_not_pass_a_check_is_told_with_what_would() {
    for (check, expected) in [
        (json!({"length": {"min": 2, "max": 4}}), "its length is 1, not 2 to 4"),
        (json!({"length": {"min": 2}}), "its length is 1, not at least 2"),
        (json!({"type": "integer"}), "this is no integer"),
        (json!({"type": "list"}), "this is no list"),
    ] {
        let rules = json!([{"source": "a", "target": "b", "transformation": {"validate": check}}]);
        let mapping: Mapping = serde_json::from_value(rules).unwrap();
        let violations = mapping.apply(&fields(&json!({"a": "x"}))).unwrap_err();
        assert_eq!(violations[0].detail, expected);
    }
}

#[test]
fn a_default_stands_as_it_is_unless_the_value_is_computed() {
    let made = |transformation: Value| {
        let rules =
            json!([{"source": "a", "target": "b", "defaultValue": "none", "transformation": transformation}]);
        let mapping: Mapping = serde_json::from_value(rules).unwrap();
        mapping.apply(&Fields::new()).unwrap()["b"].clone()
    };
    assert_eq!(made(json!({"format": "uppercase"})), "none");
    assert_eq!(made(json!({"custom": "default(value, 'computed')"})), "computed");
    assert_eq!(made(json!({"custom": "value"})), "none");
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

#[test]
fn amounts_in_an_object_and_times_are_compared_by_what_they_say() {
    let mapping = Mapping::new(vec![
        Rule { kind: FieldKind::Number, ..rule("sums", "sums") },
        Rule { kind: FieldKind::Time, ..rule("at", "at") },
    ]);
    let form = |value: &Value| mapping.comparable(&fields(value));
    let left = form(&json!({"sums": {"EUR": "10"}, "at": "2026-11-21T10:00:00Z"}));
    let right = form(&json!({"sums": {"EUR": "10.00"}, "at": "2026-11-21T11:00:00+01:00"}));
    assert!(Mapping::same("sums", &left, &right) && Mapping::same("at", &left, &right));
    let other = form(&json!({"sums": {"EUR": "10.01"}, "at": "2026-11-21T11:00:01+01:00"}));
    assert!(!Mapping::same("sums", &left, &other) && !Mapping::same("at", &left, &other));
}

#[test]
fn what_is_masked_tells_only_whether_there_was_something() {
    assert_eq!(mask(&Value::Null), Value::Null);
    assert_eq!(mask(&json!("Ada")), json!("***"));
}
