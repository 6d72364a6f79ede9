//! When two values are the same, although they are written differently.
//!
//! Platforms normalise: `10` comes back as `10.0`, a name decomposed into letters and accents, keys in another order.
//! Values are compared in a canonical form, and written as they are.

use crate::record::{Fields, Value};
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// Whether two values mean the same: numbers by value, text by Unicode form C, objects without order.
///
/// A text that looks like a number stays a text: whether `"10"` equals `"10.00"` is for the field's kind to say.
pub fn equal(left: &Value, right: &Value) -> bool {
    // What is written alike means the same; most of what is compared is.
    if left == right {
        return true;
    }
    let (mut a, mut b) = (String::new(), String::new());
    write(left, &mut a);
    write(right, &mut b);
    a == b
}

/// Whether two decimal numbers given as text are equal in value; `None` when one of them is no number.
pub fn equal_numbers(left: &str, right: &str) -> Option<bool> {
    Some(number(left)? == number(right)?)
}

/// Appends the canonical text of a value.
pub fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(digits) => {
            let text = digits.to_string();
            out.push_str(number(&text).as_deref().unwrap_or(&text));
        }
        Value::String(text) => write_text(text, out),
        Value::Array(values) => {
            out.push('[');
            for (position, value) in values.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write(value, out);
            }
            out.push(']');
        }
        Value::Object(fields) => write_object(fields, out),
    }
}

/// Appends the canonical text of an object: keys in order, each in Unicode form C.
pub fn write_object(fields: &Fields, out: &mut String) {
    let mut keys: Vec<(Cow<'_, str>, &Value)> =
        fields.iter().map(|(key, value)| (composed(key), value)).collect();
    keys.sort_by(|a, b| a.0.cmp(&b.0));
    out.push('{');
    for (position, (key, value)) in keys.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        write_text(key, out);
        out.push(':');
        write(value, out);
    }
    out.push('}');
}

fn write_text(text: &str, out: &mut String) {
    let composed = composed(text);
    if composed.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\') {
        // Nothing in it is written otherwise in JSON.
        out.push('"');
        out.push_str(&composed);
        out.push('"');
    } else {
        out.push_str(&Value::String(composed.into_owned()).to_string());
    }
}

/// A text in Unicode form C; letters of ASCII are.
fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

/// The canonical form of a decimal number: sign, digits without zeros at either end, power of ten.
///
/// Works on the text, so no exponent and no count of digits can cost more than the text is long.
/// `None` when the text is no JSON number, or its exponent is beyond any number a platform could mean (64 bits).
pub fn number(text: &str) -> Option<String> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let well_formed =
        !whole.is_empty() && whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if !well_formed {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0');
    let trimmed = significant.trim_end_matches('0');
    if trimmed.is_empty() {
        return Some("0".to_owned());
    }
    let dropped = i64::try_from(significant.len().checked_sub(trimmed.len())?).ok()?;
    let power = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(dropped)?;
    let sign = if negative { "-" } else { "" };
    Some(format!("{sign}{trimmed}e{power}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn parse(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn numbers_are_equal_by_value_whatever_their_size() {
        for (left, right) in [
            ("1.10", "1.1"),
            ("100", "1e2"),
            ("-0", "0"),
            ("1e400", "10e399"),
            ("12345678901234567890123", "1.2345678901234567890123e22"),
        ] {
            assert!(equal(&parse(left), &parse(right)), "{left} and {right}");
        }
        for (left, right) in [("9007199254740993", "9007199254740992"), ("1e400", "1e401"), ("1", "-1")] {
            assert!(!equal(&parse(left), &parse(right)), "{left} and {right}");
        }
    }

    #[test]
    fn a_text_is_not_the_number_it_shows() {
        assert!(!equal(&json!("10"), &json!(10)));
        assert!(!equal(&json!("10"), &json!("10.00")));
        assert_eq!(equal_numbers("10", "10.00"), Some(true));
        assert_eq!(equal_numbers("10", "ten"), None);
    }

    #[test]
    fn accents_are_equal_composed_and_decomposed_and_keys_have_no_order() {
        assert!(equal(&json!({"b": 1, "a": "caf\u{e9}"}), &json!({"a": "cafe\u{301}", "b": 1})));
        assert!(!equal(&json!([1, 2]), &json!([2, 1])));
        // Without the comma, both would be the same digits.
        assert!(!equal(&json!([10, 12]), &parse("[1e11, 2]")));
    }

    #[test]
    fn a_text_is_written_as_json_writes_it() {
        for text in [
            "",
            "Chair ~ 5 %",
            "a \"quote\"",
            "\"",
            "\\",
            "C:\\chairs",
            "two\nlines",
            "\u{7f}",
            "caf\u{e9} \u{1f469}",
        ] {
            let mut written = String::new();
            write(&json!(text), &mut written);
            assert_eq!(written, json!(text).to_string());
        }
    }

    #[test]
    fn the_canonical_text_stays_as_it_is_because_it_is_what_fingerprints_are_of() {
        let mut written = String::new();
        write(&json!([10, {"b": [], "a": [null, true]}]), &mut written);
        assert_eq!(written, r#"[1e1,{"a":[null,true],"b":[]}]"#);
    }

    proptest! {
        #![proptest_config(crate::testing::cases(100_000))]

        #[test]
        fn trailing_zeros_never_change_a_number(digits in "[1-9][0-9]{0,30}", fraction in "[0-9]{0,20}", zeros in 0usize..20) {
            let plain = format!("{digits}.{fraction}1");
            let padded = format!("{plain}{}", "0".repeat(zeros));
            prop_assert_eq!(number(&plain), number(&padded));
        }

        #[test]
        fn any_text_is_refused_or_read_without_a_panic(text in ".{0,40}") {
            let _ = number(&text);
        }
    }
}
