use super::*;
use crate::testing::cases;
use proptest::prelude::*;
use serde_json::json;

fn record() -> Fields {
    let text = r#"{"price": "10.00", "cost": 7.5, "stock": 3, "title": "Stuhl Ä", "tags": ["new", "sale"], "none": null,
        "lines": [{"sku": "A", "quantity": 2, "rate": "1.10"}, {"sku": "B", "quantity": 1, "rate": "2.2"}],
        "my-name": {"x": 1}, "id": 9007199254740993}"#;
    serde_json::from_str(text).unwrap()
}

fn result(text: &str) -> Result<String, String> {
    let expression = Expression::read(text).map_err(|error| error.to_string())?;
    expression
        .evaluate(Some(&json!({"a": 5})), &record())
        .map(|value| value.to_string())
        .map_err(|error| error.to_string())
}

#[test]
fn money_is_calculated_in_decimals() {
    for (text, expected) in [
        ("0.1 + 0.2", "0.3"),
        ("0.1 + 0.2 == 0.3", "true"),
        ("price * 1.19", "11.9000"),
        ("round(price * 1.19, 2)", "11.90"),
        ("price - cost", "2.50"),
        ("7 / 2", "3.5"),
        ("7 % 4", "3"),
        ("-cost", "-7.5"),
        ("id + 0", "9007199254740993"),
        ("1 + 2 * 3 - 4 / 2", "5"),
        ("(1 + 2) * 3", "9"),
        ("sum(lines[].quantity)", "3"),
        ("max(lines[].rate)", "\"2.2\""),
        ("min(3, 1, 2)", "1"),
        ("floor(2.7) + ceil(2.1) + abs(-1)", "6"),
    ] {
        assert_eq!(result(text), Ok(expected.to_owned()), "{text}");
    }
}

#[test]
fn texts_lists_and_conditions_are_what_they_say() {
    for (text, expected) in [
        ("title & ' (' & stock & ')'", "\"Stuhl Ä (3)\""),
        ("stock > 0 ? 'in' : 'out'", "\"in\""),
        ("stock > 0 and not contains(tags, 'old')", "true"),
        ("none ?? 'x'", "\"x\""),
        ("missing ?? none ?? 1", "1"),
        ("none + 1", "null"),
        ("none < 1", "null"),
        ("if(none, 1, 2)", "2"),
        ("upper(title)", "\"STUHL Ä\""),
        ("substring(title, 0, 2)", "\"St\""),
        ("replace(title, 'Stuhl', 'Sessel')", "\"Sessel Ä\""),
        ("join(tags, ', ')", "\"new, sale\""),
        ("split('a,b', ',')", "[\"a\",\"b\"]"),
        ("lines[1].sku", "\"B\""),
        ("lines[].sku", "[\"A\",\"B\"]"),
        ("first(tags) & last(tags)", "\"newsale\""),
        ("field('my-name.x')", "1"),
        ("value.a", "5"),
        ("length(title) == 7", "true"),
        ("['a', 1, null]", "[\"a\",1,null]"),
        ("price == 10", "true"),
        ("'2026-01-02' > '2026-01-01'", "true"),
        ("starts_with(title, 'St') && ends_with(title, 'Ä')", "true"),
    ] {
        assert_eq!(result(text), Ok(expected.to_owned()), "{text}");
    }
}

#[test]
fn what_cannot_be_computed_is_a_failure_and_no_panic() {
    for text in ["title * 2", "1 / 0", "1 % 0", "tags + 1", "title ? 1 : 2", "tags < 1", "tags & 'x'"] {
        assert!(result(text).is_err(), "{text}");
    }
    let long = format!("concat({}'x')", "title & title & title & title,".repeat(20));
    let wide = Fields::from_iter([("title".to_owned(), json!("x".repeat(1_000)))]);
    assert!(
        Expression::read(&long).unwrap().evaluate(None, &wide).is_err(),
        "texts do not grow without bound"
    );
    let huge = format!("{0} * {0}", "9".repeat(28));
    assert_eq!(result(&huge), Err("the result has more than 28 digits".to_owned()));
}

#[test]
fn a_bad_expression_says_where_it_is_bad() {
    for (text, expected) in [
        ("", "at character 1: something is missing"),
        ("1 +", "at character 4: something is missing"),
        ("(1", "at character 3: `)` is missing"),
        ("1 2", "at character 3: the expression should end here"),
        ("nonsense(1)", "at character 1: there is no function `nonsense`"),
        ("round()", "at character 1: `round` does not take 0 arguments"),
        ("ä + $", "at character 5: `$` means nothing here"),
        ("'open", "at character 1: this text does not end"),
        ("* 2", "at character 1: `*` has nothing to its left"),
    ] {
        assert_eq!(result(text), Err(expected.to_owned()), "{text}");
    }
    assert!(Expression::read(&"(".repeat(900)).is_err());
    assert!(Expression::read(&"1+".repeat(499)).is_err());
    assert!(Expression::read(&"-".repeat(900)).is_err());
    assert!(Expression::read(&" ".repeat(1_001)).is_err());
}

proptest! {
    #![proptest_config(cases(20_000))]

    #[test]
    fn no_text_makes_it_panic_and_the_same_text_has_the_same_value(
        parts in proptest::collection::vec(prop_oneof![
            Just("price"), Just("title"), Just("lines[].rate"), Just("value.a"), Just("("), Just(")"), Just("["), Just("]"),
            Just("+"), Just("*"), Just("/"), Just("-"), Just("&"), Just("?"), Just(":"), Just("=="), Just("<"), Just("and"),
            Just("??"), Just("'x'"), Just("2.5"), Just("0"), Just(","), Just("round("), Just("sum("), Just("replace("), Just("null"),
            Just("!"), Just("99999999999999999999999999"), Just("split("), Just("\u{e9}"), Just("\""),
        ], 0..14),
    ) {
        let text = parts.join(" ");
        prop_assert_eq!(result(&text), result(&text));
    }

    #[test]
    fn whole_numbers_add_up_as_they_do_elsewhere(a in -1_000_000_000_i64..1_000_000_000, b in -1_000_000_000_i64..1_000_000_000) {
        let sum = Expression::read(&format!("({a}) + ({b}) * 3 - {}", 7)).unwrap().evaluate(None, &Fields::new()).unwrap();
        prop_assert_eq!(sum.to_string(), (a + b * 3 - 7).to_string());
    }
}
