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
        ("price + 1", "11.00"),
        ("round(price * 1.19, 2)", "11.90"),
        ("price - cost", "2.50"),
        ("7 / 2", "3.5"),
        ("7 % 4", "3"),
        ("-cost", "-7.5"),
        ("-1.10", "-1.1"),
        ("-0.0", "0"),
        ("1e3 + .5", "1000.5"),
        ("id + 0", "9007199254740993"),
        ("9007199254740993 == id", "true"),
        ("9223372036854775807 + 1", "9223372036854775808"),
        ("number('1234567890123456.789') + 0.001", "1234567890123456.790"),
        ("1 + 2 * 3 - 4 / 2", "5"),
        ("(1 + 2) * 3", "9"),
        ("sum(field('lines[].quantity'))", "3"),
        ("sum(lines.map(line, line.rate * line.quantity))", "4.40"),
        ("max(lines.map(line, line.rate))", "\"2.2\""),
        ("min(3, 1, 2)", "1"),
        ("floor(2.7) + ceil(2.1) + abs(-1)", "6"),
    ] {
        assert_eq!(result(text), Ok(expected.to_owned()), "{text}");
    }
}

#[test]
fn texts_lists_and_conditions_are_what_they_say() {
    for (text, expected) in [
        ("title + ' (' + string(stock) + ')'", "\"Stuhl Ä (3)\""),
        ("concat(title, stock, none)", "\"Stuhl Ä3\""),
        ("stock > 0 ? 'in' : 'out'", "\"in\""),
        ("stock > 0 && !contains(tags, 'old')", "true"),
        ("default(none, 'x')", "\"x\""),
        ("default(missing, none, 1, 1 / 0)", "1"),
        ("none + 1", "null"),
        ("none < 1", "null"),
        ("none ? 1 : 2", "2"),
        ("title.upper()", "\"STUHL Ä\""),
        ("substring(title, 1, 3)", "\"tu\""),
        ("title.replace('Stuhl', 'Sessel')", "\"Sessel Ä\""),
        ("tags.join(', ')", "\"new, sale\""),
        ("split('a,b', ',')", "[\"a\",\"b\"]"),
        ("lines[1].sku", "\"B\""),
        ("lines[7].sku", "null"),
        ("lines[0]['sku']", "\"A\""),
        ("tags + ['last']", "[\"new\",\"sale\",\"last\"]"),
        ("first(tags) + last(tags)", "\"newsale\""),
        ("field('my-name.x')", "1"),
        ("value.a", "5"),
        ("has(value.a) && !has(value.b) && !has(missing.b)", "true"),
        ("size(title) == 7 && size(tags) == 2 && size(none) == 0", "true"),
        ("['a', 1, null]", "[\"a\",1,null]"),
        ("price == 10", "true"),
        ("'new' in tags && !('old' in tags) && 'a' in value", "true"),
        ("'2026-01-02' > '2026-01-01'", "true"),
        ("title.startsWith('St') && endsWith(title, 'Ä')", "true"),
        ("r'\\d' + \"\\u00e9\" // and a remark", "\"\\\\dé\""),
    ] {
        assert_eq!(result(text), Ok(expected.to_owned()), "{text}");
    }
}

#[test]
fn signs_compare_as_they_are_written_also_at_their_edges() {
    for (text, expected) in [
        ("stock == 3 && stock != 4 && !(stock != 3)", "true"),
        ("stock <= 3 && !(stock <= 2)", "true"),
        ("stock >= 3 && !(stock >= 4)", "true"),
        ("stock < 3 || stock > 3", "false"),
        ("stock < 4 && stock > 2", "true"),
        ("stock > 5 || stock > 0", "true"),
        ("stock > 0 || 1 / 0 == 1", "true"),
        ("'a' in none || 'a' in missing", "false"),
        ("title.startsWith(none) || startsWith(none, 'S') || contains(none, none)", "false"),
        ("split('', ',')", "[]"),
        ("split('a,b', '')", "[\"a,b\"]"),
        ("round(1.5, 20)", "1.50000000000000000000"),
    ] {
        assert_eq!(result(text), Ok(expected.to_owned()), "{text}");
    }
    assert_eq!(result("1 / 0"), Err("a division by zero".to_owned()));
    assert_eq!(result("round(1.5, 21)"), Err("too many decimals to round to".to_owned()));
    assert!(Expression::read("default(none)").is_err(), "there is nothing else to take");
}

#[test]
fn a_text_may_be_as_long_as_it_may_be_and_no_longer() {
    let texts = |long: usize| {
        Fields::from_iter([("x".to_owned(), json!("x")), ("long".to_owned(), json!("y".repeat(long)))])
    };
    let run = |text: &str, long| Expression::read(text).unwrap().evaluate(None, &texts(long));
    for text in ["concat(x, long)", "replace(x, x, long)"] {
        assert!(run(text, MAX_TEXT - 1).is_ok(), "{text}");
        assert_eq!(run(text, MAX_TEXT).unwrap_err().to_string(), "the text is too long", "{text}");
    }
    let spaces = |count| format!("1{}", " ".repeat(count));
    assert!(Expression::read(&spaces(MAX_LENGTH - 1)).is_ok());
    assert_eq!(Expression::read(&spaces(MAX_LENGTH)).unwrap_err().at, MAX_LENGTH);
}

#[test]
fn an_expression_is_its_text() {
    let upper = Expression::read("upper(title)").unwrap();
    assert_eq!(upper.to_string(), "upper(title)");
    assert_eq!(upper, Expression::read("upper(title)").unwrap());
    assert_ne!(upper, Expression::read("lower(title)").unwrap());
}

#[test]
fn each_element_of_a_list_is_looked_at() {
    for (text, expected) in [
        ("lines.map(line, line.sku)", "[\"A\",\"B\"]"),
        ("lines.map(line, line.quantity > 1, line.sku)", "[\"A\"]"),
        ("lines.filter(line, line.rate > 2).map(line, line.sku)", "[\"B\"]"),
        ("lines.all(line, line.quantity > 0)", "true"),
        ("lines.all(line, line.quantity > 1)", "false"),
        ("lines.exists(line, line.sku == 'B')", "true"),
        ("lines.exists(line, line.sku == 'C')", "false"),
        ("lines.exists_one(line, line.quantity == 1)", "true"),
        ("lines.exists_one(line, line.quantity > 0)", "false"),
        ("missing.map(it, it)", "[]"),
        ("tags.map(a, tags.map(b, a + b))", "[[\"newnew\",\"newsale\"],[\"salenew\",\"salesale\"]]"),
        ("tags.map(value, value)", "[\"new\",\"sale\"]"),
        ("tags.map(a, value.a)", "[5,5]"),
    ] {
        assert_eq!(result(text), Ok(expected.to_owned()), "{text}");
    }
}

#[test]
fn what_cannot_be_computed_is_a_failure_and_no_panic() {
    for text in [
        "title * 2",
        "1 / 0",
        "1 % 0",
        "tags + 1",
        "title ? 1 : 2",
        "tags < 1",
        "tags + 'x'",
        "title + stock",
        "price + '2.50'",
        "lines.sku",
        "title.map(x, x)",
        "lines[0.5]",
        "title[0]",
        "has(title.x)",
    ] {
        assert!(result(text).is_err_and(|error| !error.contains("at character")), "{text}");
    }
    let long = format!("concat({}'x')", "title, title, title, title,".repeat(12));
    let wide = Fields::from_iter([("title".to_owned(), json!("x".repeat(2_000)))]);
    assert_eq!(
        Expression::read(&long).unwrap().evaluate(None, &wide).map_err(|error| error.to_string()),
        Err("the text is too long".to_owned()),
        "texts do not grow without bound"
    );
    let nines = "9".repeat(28);
    assert_eq!(
        result(&format!("number('{nines}') * number('{nines}')")),
        Err("the result has more than 28 digits".to_owned())
    );
}

#[test]
fn lists_in_lists_in_lists_come_to_an_end() {
    let record = Fields::from_iter([("l".to_owned(), json!(vec!["x".repeat(100); 1_000]))]);
    for text in
        ["l.map(a, l.map(b, l.map(c, l.map(d, 1))))", "l.map(a, l.map(b, l))", "l.all(a, l.all(b, l == l))"]
    {
        let result = Expression::read(text).unwrap().evaluate(None, &record);
        assert_eq!(
            result.map_err(|error| error.to_string()),
            Err("this is too much to compute".to_owned()),
            "{text}"
        );
    }
    let pairs = Expression::read("l.map(a, l.filter(b, a == b).size())").unwrap();
    assert!(pairs.evaluate(None, &Fields::from_iter([("l".to_owned(), json!(vec![1; 250]))])).is_ok());
}

#[test]
fn a_bad_expression_says_where_it_is_bad() {
    for (text, expected) in [
        ("", "at character 1: mismatched input '<EOF>' expecting expression"),
        ("1 +", "at character 4: mismatched input '<EOF>' expecting expression"),
        ("(1", "at character 3: expected ')'"),
        ("1 2", "at character 3: mismatched input '2' expecting <EOF>"),
        ("nonsense(1)", "at character 1: there is no function `nonsense`"),
        ("1 + ceil(nonsense(1))", "at character 10: there is no function `nonsense`"),
        ("1 + round()", "at character 5: `round` does not take 0 arguments"),
        ("'ä' + $", "at character 7: unexpected character"),
        ("'ä' +\n  'ö' + $", "at character 15: unexpected character"),
        ("ä", "at character 1: unexpected character"),
        ("'open", "at character 1: unterminated string literal"),
        ("* 2", "at character 1: unexpected token"),
        ("if(a, 1, 2)", "at character 1: reserved identifier: if"),
        ("a & b", "at character 3: unexpected single '&', expected '&&'"),
        ("a and b", "at character 3: mismatched input 'and' expecting <EOF>"),
        ("1 + .a", "at character 6: a name does not begin with a dot"),
        ("{'a': 1}", "at character 1: an object cannot be written in an expression"),
        (
            "1 + 0.12345678901234567890",
            "at character 5: this number has too many digits to stand here: write `number(\"0.12345678901234567890\")`",
        ),
        (
            "9223372036854775808",
            "at character 1: this number has too many digits to stand here: write `number(\"9223372036854775808\")`",
        ),
        ("field(a)", "at character 1: `field` takes one path in quotes"),
    ] {
        assert_eq!(result(text), Err(expected.to_owned()), "{text}");
    }
}

#[test]
fn a_deep_text_is_refused_and_a_long_one_is_not_deep() {
    assert!(Expression::read(&" ".repeat(1_001)).is_err());
    for deep in
        ["(", "[", "-", "!", "-!", "1+", "f(", "a.map(a,", "a?b:", "a?", "[a.map(b,", "a||b&&", "has("]
    {
        let text = deep.repeat(1_000 / deep.len());
        assert!(Expression::read(&text).is_err(), "{deep}");
    }
    let deep = |open: &str, close: &str| {
        let times = 990 / (open.len() + close.len());
        let text = format!("{}1{}", open.repeat(times), close.repeat(times));
        Expression::read(&text).map_err(|error| error.reason)
    };
    for (open, close) in
        [("[", "]"), ("abs(", ")"), ("a[", "]"), ("a.map(a,", ")"), ("1?2:", ""), ("-!", ""), ("1+", "")]
    {
        assert_eq!(deep(open, close), Err("too deep".to_owned()), "{open}");
    }
    for (open, close) in [("(", ")"), ("-", ""), ("1||", "")] {
        assert!(deep(open, close).is_ok(), "{open}");
    }
}

proptest! {
    #![proptest_config(cases(100_000))]

    #[test]
    fn no_text_makes_it_panic_and_the_same_text_has_the_same_value(
        parts in proptest::collection::vec(prop_oneof![
            Just("price"), Just("title"), Just("lines"), Just("value.a"), Just("("), Just(")"), Just("["), Just("]"),
            Just("+"), Just("*"), Just("/"), Just("-"), Just("&&"), Just("?"), Just(":"), Just("=="), Just("<"), Just("in"),
            Just("||"), Just("'x'"), Just("2.5"), Just("0"), Just(","), Just("round("), Just("sum("), Just("replace("), Just("null"),
            Just("!"), Just("99999999999999999999999999"), Just("split("), Just("\u{e9}"), Just("\""), Just(".map(x,"),
            Just("lines.filter(x,"), Just("x.rate"), Just("has("), Just("'''"), Just("r'\\"), Just("1e9"), Just("{"), Just("\n"),
        ], 0..14),
    ) {
        let text = parts.join(" ");
        prop_assert_eq!(result(&text), result(&text));
    }

    #[test]
    fn no_letters_make_it_panic(any in ".{0,60}", ascii in "[ -~\\n]{0,60}") {
        prop_assert_eq!(result(&any), result(&any));
        prop_assert_eq!(result(&ascii), result(&ascii));
    }

    #[test]
    fn a_number_means_what_is_written_or_is_refused(text in "[0-9]{1,22}(\\.[0-9]{1,22})?(e-?[0-9]{1,2})?") {
        if let Ok(expression) = Expression::read(&text) {
            let value = expression.evaluate(None, &Fields::new()).unwrap();
            prop_assert_eq!(crate::decimal::of(&value), crate::decimal::read(&text));
        }
    }

    #[test]
    fn a_price_is_never_refused(text in "(0|[1-9][0-9]{0,9})\\.[0-9]{1,4}") {
        prop_assert!(Expression::read(&text).is_ok());
    }

    #[test]
    fn whole_numbers_add_up_as_they_do_elsewhere(a in -1_000_000_000_i64..1_000_000_000, b in -1_000_000_000_i64..1_000_000_000) {
        let sum = Expression::read(&format!("({a}) + ({b}) * 3 - {}", 7)).unwrap().evaluate(None, &Fields::new()).unwrap();
        prop_assert_eq!(sum.to_string(), (a + b * 3 - 7).to_string());
    }
}
