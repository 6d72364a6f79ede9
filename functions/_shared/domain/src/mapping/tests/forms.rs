//! Every transformation and check, in the forms in which people write them.

use crate::mapping::{Mapped, Mapping, Nobody, Refused, Resolver, Towards, written};
use crate::record::{Record, Value};
use serde_json::json;

pub(super) fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn record(fields: Value) -> Record {
    let Value::Object(fields) = fields else { panic!("no object") };
    Record { id: "r1".to_owned(), fields, ..Record::default() }
}

pub(super) fn mapping(written: &Value) -> Mapping {
    super::super::written::read(written, &Value::Null).unwrap()
}

fn map_with(written: &Value, source: Value, resolver: &dyn Resolver) -> Result<Mapped, Refused> {
    mapping(written).map(&record(source), resolver, Towards::Target)
}

fn map(written: &Value, source: Value) -> Result<Mapped, Refused> {
    map_with(written, source, &Nobody)
}

/// What one transformation makes of one value.
pub(super) fn through(transformation: &Value, value: Value) -> Result<Value, String> {
    let rule = json!([{"source": "a", "target": "b", "transformation": transformation}]);
    let mut source = record(json!({"first": "Ada", "last": "Lovelace", "price": "10.00", "n": 3}));
    source.fields.insert("a".to_owned(), value);
    match mapping(&rule).map(&source, &Nobody, Towards::Target) {
        Ok(mut mapped) => Ok(mapped.fields.remove("b").unwrap_or_default()),
        Err(Refused::Invalid(violations)) => Err(violations[0].rule.clone()),
        Err(Refused::Filtered(violation)) => Err(violation.rule),
    }
}

#[test]
fn an_object_of_fields_with_transformations_beside_it_is_a_mapping() {
    let fields = json!({"user_id": "userId", "email": "email", "name": "name", "customer_id": "customerId"});
    let beside = json!([
        {"field": "email", "operation": "validate", "rule": "email"},
        {"field": "customer_id", "operation": "filter", "rule": "not_null"},
        {"field": "name", "operation": "format", "rule": "trim"},
    ]);
    let mapping = written::read(&fields, &beside).unwrap();
    let good = record(json!({"user_id": 7, "email": "a@b.de", "name": " Ada ", "customer_id": "c"}));
    let mapped = mapping.map(&good, &Nobody, Towards::Target).unwrap();
    assert_eq!(
        Value::Object(mapped.fields),
        json!({"userId": 7, "email": "a@b.de", "name": "Ada", "customerId": "c"})
    );
    let bad = record(json!({"user_id": 7, "email": "nobody", "customer_id": "c"}));
    let Err(Refused::Invalid(violations)) = mapping.map(&bad, &Nobody, Towards::Target) else { panic!() };
    assert_eq!(violations[0].rule, "validate.email");
    assert_eq!(violations[0].record, "r1");
    let nobody = record(json!({"user_id": 7, "email": "a@b.de", "customer_id": null}));
    assert!(matches!(mapping.map(&nobody, &Nobody, Towards::Target), Err(Refused::Filtered(_))));
}

#[test]
fn a_mapping_that_cannot_be_read_says_where() {
    for (fields, beside, pointer) in [
        (json!({"a": 1}), json!(null), "/mapping/a"),
        (json!({"a/b": "x..y"}), json!(null), "/mapping/a~1b"),
        (json!([{"source": "a"}]), json!(null), "/mapping/0"),
        (
            json!([{"source": "a", "target": "b", "transformation": {"calculate": "1 +"}}]),
            json!(null),
            "/mapping/0",
        ),
        (
            json!([{"source": "a", "target": "b", "transformation": {"validate": {"regex": "("}}}]),
            json!(null),
            "/mapping/0",
        ),
        (json!([{"source": "a", "target": "b", "colour": 1}]), json!(null), "/mapping/0"),
        (
            json!({"a": "b"}),
            json!([{"field": "z", "operation": "format", "rule": "trim"}]),
            "/transformations/0",
        ),
        (
            json!({"a": "b"}),
            json!([{"field": "a", "operation": "sing", "rule": "trim"}]),
            "/transformations/0",
        ),
        (json!("a"), json!(null), "/mapping"),
    ] {
        assert_eq!(written::read(&fields, &beside).unwrap_err().pointer, pointer, "{fields}");
    }
}

#[test]
fn texts_take_the_form_that_is_asked_for() {
    for (transformation, value, expected) in [
        (json!({"format": "trim"}), json!(" a b "), json!("a b")),
        (json!({"format": "upper"}), json!("straße"), json!("STRASSE")),
        (json!({"format": "lower"}), json!("ÄB"), json!("äb")),
        (json!({"format": "title"}), json!("ada o'neil-lovelace"), json!("Ada O'neil-Lovelace")),
        (json!({"format": "slug"}), json!("  Größe: Œuvre 10,5 % (neu) "), json!("grosse-uvre-10-5-neu")),
        (json!({"format": {"truncate": 3}}), json!("äöüß"), json!("äöü")),
        (json!({"format": {"template": "{last}, {first} {{{gone}"}}), json!("x"), json!("Lovelace, Ada {")),
        (json!({"format": {"split": ","}}), json!("a, b,,c"), json!(["a", "b", "c"])),
        (json!({"format": {"join": ", "}}), json!(["a", "b"]), json!("a, b")),
        (
            json!({"format": {"phone": {"countryCode": "49"}}}),
            json!("030 / 123-45 67"),
            json!("+49301234567"),
        ),
        (json!({"format": {"phone": {}}}), json!("+49 (0)30 1234567"), json!("+49301234567")),
        (json!({"format": {"phone": {}}}), json!("0049301234567"), json!("+49301234567")),
        (json!({"format": {"to": "number"}}), json!("1.10"), parse("1.10")),
        (
            json!({"format": {"to": "text"}}),
            parse("12345678901234567890123"),
            json!("12345678901234567890123"),
        ),
        (json!({"format": {"to": "boolean"}}), json!("Yes"), json!(true)),
        (json!({"format": {"to": "list"}}), json!("a"), json!(["a"])),
        (json!([{"format": "trim"}, {"format": "upper"}]), json!(" a "), json!("A")),
        (json!({"type": "format", "config": "trim"}), json!(" a "), json!("a")),
    ] {
        assert_eq!(through(&transformation, value.clone()), Ok(expected), "{transformation} {value}");
    }
    for (transformation, value) in [
        (json!({"format": "trim"}), json!(5)),
        (json!({"format": {"phone": {}}}), json!("030 1234567")),
        (json!({"format": {"phone": {}}}), json!("call me")),
        (json!({"format": {"to": "integer"}}), json!("1.5")),
        (json!({"format": {"number": {"decimals": 2}}}), json!("ten")),
    ] {
        assert!(through(&transformation, value.clone()).is_err(), "{transformation} {value}");
    }
}

#[test]
fn numbers_are_rounded_and_written_without_ever_being_a_float() {
    let number = |config: Value, value: Value| through(&json!({"format": {"number": config}}), value);
    assert_eq!(number(json!({"decimals": 2}), json!("10")), Ok(json!("10.00")));
    assert_eq!(number(json!({"decimals": 2}), parse("1.005")), Ok(parse("1.01")));
    assert_eq!(number(json!({"decimals": 0, "rounding": "half_even"}), json!("2.5")), Ok(json!("2")));
    assert_eq!(number(json!({"from": "comma", "decimals": 2}), json!("1.234,5")), Ok(json!("1234.50")));
    assert_eq!(number(json!({"to": "comma"}), json!("1,234.5")), Ok(json!("1234,5")));
    let long = "123456789012345678901234567890123456789.10";
    assert_eq!(number(json!({}), json!(long)), Ok(json!(long)));
    assert_eq!(number(json!({}), parse(long)), Ok(parse(long)));
}

#[test]
fn dates_change_their_form_and_their_zone() {
    let date =
        json!({"format": {"date": {"from": "%d.%m.%Y %H:%M", "to": "rfc3339", "zone": "Europe/Berlin"}}});
    assert_eq!(through(&date, json!("01.07.2026 14:00")), Ok(json!("2026-07-01T14:00:00+02:00")));
    assert_eq!(through(&date, json!("29.03.2026 02:30")), Err("format.date".to_owned()));
    assert_eq!(through(&date, json!(null)), Ok(json!(null)));
}

#[test]
fn what_is_calculated_keeps_the_form_of_what_it_replaces() {
    let gross = json!({"calculate": "round(value * 1.19, 2)"});
    assert_eq!(through(&gross, json!("10.00")), Ok(json!("11.90")));
    assert_eq!(through(&gross, parse("10.00")), Ok(parse("11.90")));
    assert_eq!(through(&json!({"calculate": "price * n"}), json!(null)), Ok(parse("30.00")));
    assert_eq!(through(&json!({"custom": "first + ' ' + last"}), json!(null)), Ok(json!("Ada Lovelace")));
    assert_eq!(through(&gross, json!("ten")), Err("calculate".to_owned()));
    assert_eq!(through(&json!({"calculate": "first"}), json!(1)), Err("calculate".to_owned()));
    assert_eq!(through(&json!({"custom": "1 / 0"}), json!(1)), Err("custom".to_owned()));
}

#[test]
fn patterns_are_the_same_when_they_are_written_alike() {
    let pattern = |text: &str| crate::mapping::Pattern::try_from(text.to_owned()).unwrap();
    assert!(pattern("^a$") == pattern("^a$") && pattern("^a$") != pattern("^b$"));
}

#[test]
fn every_check_lets_the_right_values_pass() {
    for (check, good, wrong) in [
        (
            json!("email"),
            json!(["a@b.de", "a.b+c@x-y.co.uk", "ä@bücher.de"]),
            json!(["a", "a@", "@b.de", "a@b", "a b@c.de", "a..b@c.de", "a@-b.de", 5]),
        ),
        (json!("not_null"), json!(["", 0, false]), json!([null])),
        (
            json!("url"),
            json!(["https://a.de", "http://a.de:8080/x?y#z"]),
            json!(["a.de", "ftp://a.de", "https://", "https://a b.de", "https://a.de:x"]),
        ),
        (json!({"type": "number"}), json!([1, "1.5", "-2"]), json!(["x", true, []])),
        (json!({"type": "integer"}), json!([1, "2.0"]), json!(["2.5", "x"])),
        (json!({"type": "text"}), json!([""]), json!([1])),
        (json!({"type": "boolean"}), json!([true]), json!(["true"])),
        (json!({"type": "date"}), json!(["2026-01-01", "2026-01-01T00:00:00Z"]), json!(["01.01.2026", 5])),
        (json!({"type": "list"}), json!([[]]), json!([{}])),
        (json!({"range": {"min": 1, "max": "2.50"}}), json!([1, "2.5", "2.499"]), json!([0.99, "2.51", "x"])),
        (json!({"length": {"min": 1, "max": 3}}), json!(["äöü", [1]]), json!(["", "abcd", [], 5])),
        (json!({"regex": "^[A-Z]{2}-[0-9]+$"}), json!(["AB-1"]), json!(["ab-1", "AB-", 5])),
        (json!({"enum": ["a", 1]}), json!(["a", 1, 1.0]), json!(["b", "1"])),
        (json!({"custom": "value > 3 && n == 3"}), json!([4, "5"]), json!([3, null])),
    ] {
        let transformation = json!({"validate": check});
        for value in good.as_array().unwrap() {
            assert_eq!(through(&transformation, value.clone()), Ok(value.clone()), "{check} {value}");
        }
        for value in wrong.as_array().unwrap() {
            let name = check
                .as_str()
                .map_or_else(|| check.as_object().unwrap().keys().next().unwrap().clone(), str::to_owned);
            assert_eq!(
                through(&transformation, value.clone()),
                Err(format!("validate.{name}")),
                "{check} {value}"
            );
        }
    }
}

struct Linked;

impl Resolver for Linked {
    fn linked(&self, object: &str, id: &Value, towards: Towards) -> Option<Value> {
        (object == "customer" && *id == json!("s1") && towards == Towards::Target).then(|| json!("t1"))
    }
}

#[test]
fn a_lookup_takes_pairs_or_follows_a_link_to_another_object() {
    let pairs = json!({"lookup": {"ACTIVE": false, "DRAFT": true}});
    assert_eq!(through(&pairs, json!("DRAFT")), Ok(json!(true)));
    assert_eq!(
        through(&pairs, json!("OTHER")),
        Err("lookup".to_owned()),
        "an unknown value is never dropped silently"
    );
    assert_eq!(through(&pairs, json!(null)), Ok(json!(null)));
    assert_eq!(through(&json!({"lookup": [[1, "one"]]}), json!(1)), Ok(json!("one")));
    let link = json!([{"source": "customer", "target": "entity", "transformation": {"lookup": {"link": "customer"}}, "required": true}]);
    let mapped = map_with(&link, json!({"customer": "s1"}), &Linked).unwrap();
    assert_eq!(mapped.fields["entity"], json!("t1"));
    let Err(Refused::Invalid(violations)) = map_with(&link, json!({"customer": "s2"}), &Linked) else {
        panic!()
    };
    assert_eq!(violations[0].rule, "lookup");
}

#[test]
fn only_a_mapping_that_follows_links_has_something_to_ask() {
    let link = json!({"lookup": {"link": "customer"}});
    let rule = |extra: Value| {
        let mut rule = json!({"source": "customer", "target": "entity"});
        rule.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        mapping(&json!([{"source": "a", "target": "a"}, rule]))
    };
    assert!(rule(json!({"transformation": link})).asks());
    assert!(rule(json!({"transformation": {"format": "trim"}, "reverse": link})).asks());
    assert!(!rule(json!({"transformation": {"lookup": [["a", "b"]]}})).asks());
}

#[test]
fn a_check_that_nobody_could_make_is_refused() {
    let rules = json!([{"source": "code", "target": "code", "transformation": {"validate": "unique"}}]);
    let refused = serde_json::from_value::<Mapping>(rules);
    assert!(refused.is_err(), "whether a value is unique, only the platform that is written to knows");
}

#[test]
fn a_value_that_does_not_pass_is_refused_left_out_replaced_or_warned_about() {
    let rule = |on_invalid: &str| {
        json!([{"source": "email", "target": "email", "transformation": {"validate": "email"}, "onInvalid": on_invalid,
            "defaultValue": "none@example.com"}, {"source": "n", "target": "n"}])
    };
    let source = json!({"email": "nobody", "n": 1});
    assert!(map(&rule("reject"), source.clone()).is_err());
    for (on_invalid, expected) in [
        ("skip_field", json!({"n": 1})),
        ("default", json!({"n": 1, "email": "none@example.com"})),
        ("warn", json!({"n": 1, "email": "nobody"})),
    ] {
        let mapped = map(&rule(on_invalid), source.clone()).unwrap();
        assert_eq!(Value::Object(mapped.fields), expected);
        assert_eq!(mapped.warnings.len(), 1);
        assert_eq!(mapped.warnings[0].record, "r1");
    }
}

#[test]
fn a_violation_names_record_field_rule_and_value_and_masks_what_is_about_a_person() {
    let rule = |personal: bool| json!([{"source": "contact.email", "target": "email", "transformation": {"validate": "email"}, "personal": personal}]);
    let source = json!({"contact": {"email": "Ada Lovelace"}});
    let Err(Refused::Invalid(open)) = map(&rule(false), source.clone()) else { panic!() };
    assert_eq!(
        open[0].to_string(),
        "`email` from `contact.email`: this is no e-mail address (validate.email); the value is \"Ada Lovelace\""
    );
    let Err(Refused::Invalid(masked)) = map(&rule(true), source) else { panic!() };
    assert!(!serde_json::to_string(&masked).unwrap().contains("Ada"));
    assert!(!masked[0].to_string().contains("Ada"));
}

#[test]
fn the_same_mapping_works_back_where_it_can() {
    let there = mapping(&json!([
        {"source": "status", "target": "isInactive", "transformation": {"lookup": {"ACTIVE": false, "ARCHIVED": true}}},
        {"source": "day", "target": "date", "transformation": {"format": {"date": {"from": "date", "to": "%d.%m.%Y"}}}},
        {"source": "tags", "target": "keywords", "transformation": {"format": {"join": ","}}},
        {"source": "price", "target": "gross", "transformation": {"calculate": "value * 2"}, "reverse": {"calculate": "value / 2"}},
        {"source": "title", "target": "slug", "transformation": {"format": "slug"}},
        {"source": "vendor", "target": "maker", "direction": "to_target"},
        {"source": "ean", "target": "upc", "required": true},
        {"source": "lines[].sku", "target": "items[].code"},
        {"source": "note", "target": "memo", "direction": "to_source"},
    ]));
    let back = there.turned();
    let target = json!({"isInactive": true, "date": "31.12.2026", "keywords": "a,b", "gross": "20", "slug": "x",
        "maker": "m", "items": [{"code": "A"}, {"code": "B"}], "memo": "hi"});
    let source = back.apply(target.as_object().unwrap()).unwrap();
    assert_eq!(
        Value::Object(source),
        json!({"status": "ARCHIVED", "day": "2026-12-31", "tags": ["a", "b"], "price": "10",
            "vendor": "m", "lines": [{"sku": "A"}, {"sku": "B"}], "note": "hi"})
    );
    let returning: Vec<String> =
        there.rules().iter().filter(|rule| rule.returns()).map(|rule| rule.target.to_string()).collect();
    assert_eq!(returning, ["isInactive", "date", "keywords", "gross", "upc", "items[].code", "memo"]);
}

#[test]
fn a_rule_that_is_turned_twice_is_the_rule_and_its_default_stays_on_its_side() {
    let there = mapping(&json!([
        {"source": "price", "target": "gross", "transformation": {"calculate": "value * 2"}, "reverse": {"calculate": "value / 2"},
         "defaultValue": "7"},
    ]));
    let back = there.turned();
    assert_eq!(back.rules()[0].default_value, None, "what the target gets is nothing that the source says");
    let again = back.turned();
    assert_eq!(again.rules()[0].transformation, there.rules()[0].transformation);
}

#[test]
fn a_mapping_is_stored_with_its_zones_and_patterns() {
    let written = json!([
        {"source": "a", "target": "b", "transformation": [{"validate": {"regex": "^[A-Z]+$"}}]},
        {"source": "c", "target": "d",
         "transformation": [{"format": {"date": {"from": "date", "to": "rfc3339", "zone": "Europe/Berlin"}}}]},
    ]);
    let stored = serde_json::to_value(mapping(&written)).unwrap();
    let read: Mapping = serde_json::from_value(stored.clone()).unwrap();
    assert_eq!(read, mapping(&written), "{stored}");
    assert!(
        stored.to_string().contains("Europe/Berlin") && stored.to_string().contains("^[A-Z]+$"),
        "{stored}"
    );
}

#[test]
fn a_mapping_is_written_as_it_was_read() {
    let written = json!([
        {"source": "a", "target": "b", "transformation": [{"format": "trim"}, {"validate": {"range": {"min": 1}}}],
         "required": true, "defaultValue": 1, "onInvalid": "warn", "type": "number", "direction": "to_target", "personal": true},
        {"source": "l[].k", "target": "m[].k", "key": true, "transformation": [{"lookup": [["a", "b"]]}, {"custom": "value"}]},
        {"source": "d", "target": "d", "transformation": [{"format": {"number": {"decimals": 2, "rounding": "up", "from": "point", "to": "comma"}}}]},
    ]);
    assert_eq!(serde_json::to_value(mapping(&written)).unwrap(), written);
}

#[test]
fn a_value_is_made_another_type_or_refused() {
    for (to, value, expected) in [
        ("text", json!(true), Some(json!("true"))),
        ("text", json!(7), Some(json!("7"))),
        ("boolean", json!("no"), Some(json!(false))),
        ("boolean", json!("Y"), Some(json!(true))),
        ("boolean", json!(1), Some(json!(true))),
        ("boolean", json!(0), Some(json!(false))),
        ("boolean", json!(2), None),
        ("boolean", json!("maybe"), None),
        ("integer", json!("7"), Some(json!(7))),
        ("integer", json!("7.5"), None),
        ("list", json!("a"), Some(json!(["a"]))),
        ("list", json!(["a"]), Some(json!(["a"]))),
        ("object", json!({}), Some(json!({}))),
        ("object", json!("a"), None),
    ] {
        assert_eq!(through(&json!({"format": {"to": to}}), value.clone()).ok(), expected, "{value} to {to}");
    }
    assert_eq!(through(&json!({"format": {"join": "-"}}), json!(["a", 1])), Ok(json!("a-1")));
    assert!(through(&json!({"format": {"join": "-"}}), json!([true])).is_err());
}
