use super::*;
use serde_json::json;

fn schema(fields: &Value) -> Vec<Field> {
    serde_json::from_value(fields.clone()).unwrap()
}

fn field(path: &str, kind: &str, writable: bool, required: bool) -> Value {
    json!({"path": path, "type": kind, "writable": writable, "required": required})
}

fn source() -> Vec<Field> {
    schema(&json!([
        field("title", "text", true, true),
        field("price", "money", true, false),
        field("count", "number", true, false),
        field("active", "boolean", true, false),
        field("created", "time", false, false),
        field("meta", "object", true, false),
        field("variants[].sku", "text", true, true),
        field("tags", "list", true, false),
    ]))
}

fn target() -> Vec<Field> {
    schema(&json!([
        field("name", "text", true, true),
        field("rate", "money", true, false),
        field("id", "text", false, false),
        field("inactive", "boolean", true, false),
        field("children[].code", "text", true, true),
        field("children[].size", "text", true, true),
        field("when", "time", true, false),
        field("words", "text", true, false),
        field("extra", "object", true, false),
    ]))
}

fn found(rules: &Value, flow: Flow) -> Vec<(String, &'static str)> {
    let mapping: Mapping = serde_json::from_value(rules.clone()).unwrap();
    problems(&mapping, flow, &source(), &target())
        .into_iter()
        .map(|problem| (problem.pointer, problem.code))
        .collect()
}

fn one(rule: &Value, flow: Flow) -> Vec<(String, &'static str)> {
    found(&json!([{"source": "title", "target": "name"}, rule]), flow)
}

#[test]
fn a_mapping_that_fits_has_no_problems() {
    let rules = json!([
        {"source": "title", "target": "name"}, {"source": "price", "target": "rate"}, {"source": "created", "target": "when"},
        {"source": "variants[].sku", "target": "children[].code"}, {"source": "variants[0].sku", "target": "children[].size", "direction": "to_target"},
        {"source": "meta.anything.below", "target": "extra.too"},
        {"source": "active", "target": "inactive", "transformation": {"lookup": [[true, false], [false, true]]}},
    ]);
    assert_eq!(found(&rules, Flow::OneWay), []);
}

#[test]
fn a_mismatch_is_told_in_the_words_of_the_schema() {
    let rules = json!([
        {"source": "title", "target": "rate"}, {"source": "tags", "target": "name"}, {"source": "meta", "target": "when"},
        {"source": "active", "target": "words"}, {"source": "count", "target": "inactive"},
    ]);
    let mapping: Mapping = serde_json::from_value(rules).unwrap();
    let told: Vec<String> = problems(&mapping, Flow::OneWay, &source(), &target())
        .into_iter()
        .filter(|problem| problem.code == "type_mismatch")
        .map(|problem| problem.detail)
        .collect();
    assert_eq!(
        told,
        [
            "`rate` gets text and holds money",
            "`name` gets list and holds text",
            "`when` gets object and holds time",
            "`words` gets boolean and holds text",
            "`inactive` gets number and holds boolean",
        ]
    );
}

#[test]
fn each_problem_says_where_it_is() {
    for (rule, pointer, code) in [
        (json!({"source": "nothing", "target": "rate"}), "/mapping/1/source", "unknown_field"),
        (json!({"source": "price", "target": "nothing"}), "/mapping/1/target", "unknown_field"),
        (json!({"source": "title", "target": "id"}), "/mapping/1/target", "not_writable"),
        (json!({"source": "title", "target": "name"}), "/mapping/1/target", "mapped_twice"),
        (json!({"source": "title", "target": "rate"}), "/mapping/1/target", "type_mismatch"),
        (json!({"source": "count", "target": "words"}), "/mapping/1/target", "type_mismatch"),
        (json!({"source": "active", "target": "when"}), "/mapping/1/target", "type_mismatch"),
        (json!({"source": "tags", "target": "words"}), "/mapping/1/target", "type_mismatch"),
        (json!({"source": "variants[].sku", "target": "words"}), "/mapping/1/target", "type_mismatch"),
        (
            json!({"source": "price", "target": "rate", "defaultValue": "none"}),
            "/mapping/1/defaultValue",
            "type_mismatch",
        ),
        (json!({"source": "variants[].sku", "target": "children[].code"}), "/mapping", "required_not_mapped"),
    ] {
        assert_eq!(one(&rule, Flow::OneWay), [(pointer.to_owned(), code)], "{rule}");
    }
    assert_eq!(found(&json!([]), Flow::OneWay), [("/mapping".to_owned(), "required_not_mapped")]);
}

#[test]
fn a_transformation_that_makes_the_right_type_fits() {
    for rule in [
        json!({"source": "title", "target": "rate", "transformation": {"format": {"number": {"decimals": 2}}}}),
        json!({"source": "count", "target": "words", "transformation": {"format": {"to": "text"}}}),
        json!({"source": "tags", "target": "words", "transformation": {"format": {"join": ","}}}),
        json!({"source": "title", "target": "when", "transformation": {"format": {"date": {"from": "date"}}}}),
        json!({"source": "title", "target": "inactive", "transformation": {"custom": "value == 'x'"}}),
    ] {
        assert_eq!(one(&rule, Flow::OneWay), [], "{rule}");
    }
}

#[test]
fn what_a_transformation_makes_is_told_apart() {
    for (rule, fits) in [
        (json!({"source": "title", "target": "words", "transformation": {"format": {"split": ","}}}), false),
        (json!({"source": "title", "target": "rate", "transformation": {"format": {"to": "number"}}}), true),
        (
            json!({"source": "title", "target": "inactive", "transformation": {"format": {"to": "boolean"}}}),
            true,
        ),
        (json!({"source": "title", "target": "when", "transformation": {"format": {"to": "date"}}}), true),
        (json!({"source": "count", "target": "extra", "transformation": {"format": {"to": "object"}}}), true),
        (
            json!({"source": "count", "target": "words", "transformation": {"format": {"to": "integer"}}}),
            false,
        ),
        (json!({"source": "title", "target": "rate", "transformation": {"calculate": "value * 2"}}), true),
        (json!({"source": "active", "target": "rate", "transformation": {"calculate": "value * 2"}}), false),
        (json!({"source": "price", "target": "rate", "defaultValue": 1.5}), true),
        (json!({"source": "title", "target": "words", "defaultValue": "none"}), true),
        (json!({"source": "active", "target": "inactive", "defaultValue": false}), true),
        (json!({"source": "meta", "target": "extra", "defaultValue": {}}), true),
        (json!({"source": "meta", "target": "extra", "defaultValue": "none"}), false),
    ] {
        assert_eq!(one(&rule, Flow::OneWay).is_empty(), fits, "{rule}");
    }
}

#[test]
fn a_field_that_only_flows_back_must_have_a_way_back() {
    let gross = json!([{"source": "price", "target": "rate", "direction": "to_source", "transformation": {"calculate": "value * 2"}}]);
    let mapping: Mapping = serde_json::from_value(gross).unwrap();
    let fatal = |flow| {
        problems(&mapping, flow, &source(), &target())
            .into_iter()
            .find(|problem| problem.code == "no_way_back")
            .map(|problem| problem.fatal)
    };
    assert_eq!(fatal(Flow::TwoWay), Some(true));
    let both: Mapping = serde_json::from_value(
        json!([{"source": "price", "target": "rate", "transformation": {"calculate": "value * 2"}}]),
    )
    .unwrap();
    let told = problems(&both, Flow::TwoWay, &source(), &target());
    assert_eq!(
        told.iter().find(|problem| problem.code == "no_way_back").map(|problem| problem.fatal),
        Some(false)
    );
}

#[test]
fn both_ways_the_source_is_written_too() {
    let created = json!({"source": "created", "target": "when"});
    assert_eq!(one(&created, Flow::TwoWay), [("/mapping/1/source".to_owned(), "not_writable")]);
    let gross = json!({"source": "price", "target": "rate", "transformation": {"calculate": "value * 2"}});
    assert_eq!(one(&gross, Flow::TwoWay), [("/mapping/1/transformation".to_owned(), "no_way_back")]);
    assert_eq!(one(&gross, Flow::OneWay), []);
}

#[test]
fn a_schema_that_changed_says_what_breaks() {
    let after = schema(&json!([
        field("name", "text", true, false),
        field("rate", "text", true, false),
        field("inactive", "text", true, true),
        field("id", "text", true, false),
        field("when", "time", false, false),
        field("new", "text", true, true),
        field("children[].code", "text", true, true),
        field("children[].size", "text", true, true),
        field("extra", "object", true, false),
        field("nice", "text", true, false),
    ]));
    let drifts: Vec<_> = drift(&target(), &after)
        .into_iter()
        .map(|drift| (drift.path, drift.change, drift.breaking))
        .collect();
    let expected = [
        ("id", "writable", false),
        ("inactive", "type_changed", true),
        ("inactive", "required", true),
        ("name", "optional", false),
        ("new", "added", true),
        ("nice", "added", false),
        ("rate", "type_changed", false),
        ("when", "read_only", true),
        ("words", "removed", true),
    ];
    assert_eq!(drifts, expected.map(|(path, change, breaking)| (path.to_owned(), change, breaking)));
    assert_eq!(drift(&after, &after), []);
}
