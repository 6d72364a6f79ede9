//! JSON as Spin hands it over: through a reader that knows only 64-bit numbers.
//!
//! Spin reads `jsonb` into `serde_json` without arbitrary precision. This workspace switches arbitrary precision on for
//! everyone, so the rounding is done here by hand: a component that trusts a number it read this way must fail here
//! as it would there.

use serde_json::{Map, Number, Value};

/// Rounds every number as Spin does and writes the text anew, keys in order.
///
/// # Errors
/// When the text is not JSON or a number is too large for 64-bit floating point.
pub(crate) fn rounded(text: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    let value: Value = serde_json::from_slice(text)?;
    serde_json::to_vec(&round(value)?)
}

fn round(value: Value) -> Result<Value, serde_json::Error> {
    Ok(match value {
        Value::Number(number) => Value::Number(round_number(&number.to_string())?),
        Value::Array(items) => Value::Array(items.into_iter().map(round).collect::<Result<_, _>>()?),
        Value::Object(map) => {
            let mut pairs: Vec<(String, Value)> = map.into_iter().collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            let mut sorted = Map::new();
            for (key, value) in pairs {
                sorted.insert(key, round(value)?);
            }
            Value::Object(sorted)
        }
        other => other,
    })
}

/// An integer that fits 64 bits stays; anything else becomes the nearest floating-point number.
fn round_number(text: &str) -> Result<Number, serde_json::Error> {
    if text != "-0" {
        if let Ok(number) = text.parse::<u64>() {
            return Ok(number.into());
        }
        if let Ok(number) = text.parse::<i64>() {
            return Ok(number.into());
        }
    }
    let number = text.parse::<f64>().map_err(serde::de::Error::custom)?;
    Number::from_f64(number).ok_or_else(|| serde::de::Error::custom("number out of range"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(text: &str) -> String {
        String::from_utf8(rounded(text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn numbers_lose_what_64_bits_cannot_hold() {
        assert_eq!(through("1.10"), "1.1");
        assert_eq!(through("12345678901234567890123.5"), "1.2345678901234568e+22");
        assert_eq!(through("18446744073709551615"), "18446744073709551615");
        assert_eq!(through("18446744073709551616"), "1.8446744073709552e+19");
        assert_eq!(through("-9223372036854775808"), "-9223372036854775808");
        assert_eq!(through("-0"), "-0.0");
        assert_eq!(through("1e2"), "100.0");
    }

    #[test]
    fn keys_are_sorted_and_the_last_of_two_equal_ones_stays() {
        assert_eq!(through(r#"{"b": [1.50], "a": null, "b": 2}"#), r#"{"a":null,"b":2}"#);
    }

    #[test]
    fn a_number_beyond_floating_point_is_an_error() {
        assert!(rounded(b"1e400").is_err());
        assert!(rounded(b"{").is_err());
    }
}
