//! Decimal numbers as text: exact, never a float.

use crate::record::Value;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// The most digits behind the point that rounding may be asked for.
pub const MAX_DECIMALS: u32 = 20;

/// Where a number goes that lies between two others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the nearer one, from the middle away from zero, as merchants do.
    #[default]
    HalfUp,
    /// To the nearer one, from the middle to the even one, as banks do.
    HalfEven,
    /// Towards zero.
    Down,
    /// Away from zero.
    Up,
}

/// The number that a text shows, exactly; `None` when it shows none or one of more than 28 digits.
pub fn read(text: &str) -> Option<Decimal> {
    let text = text.trim();
    if let Some((mantissa, exponent)) = text.split_once(['e', 'E']) {
        let (mantissa, exponent) = (read_plain(mantissa)?, exponent.parse::<i32>().ok()?);
        let shift = Decimal::from_str_exact(&power_of_ten(exponent)?).ok()?;
        let product = mantissa.checked_mul(shift)?;
        // A product is rounded to 28 digits: only one that leads back is exact.
        return (product.checked_div(shift)? == mantissa).then_some(product);
    }
    read_plain(text)
}

fn read_plain(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.bytes().any(|byte| byte.is_ascii_digit());
    if plain { Decimal::from_str_exact(text).ok() } else { None }
}

fn power_of_ten(exponent: i32) -> Option<String> {
    let zeros = usize::try_from(exponent.unsigned_abs()).ok().filter(|zeros| *zeros <= 27)?;
    Some(if exponent < 0 {
        format!("0.{}1", "0".repeat(zeros.saturating_sub(1)))
    } else {
        format!("1{}", "0".repeat(zeros))
    })
}

/// The number that a value is or, as text, shows.
pub fn of(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => read(&number.to_string()),
        Value::String(text) => read(text),
        _ => None,
    }
}

/// A number as a JSON number that keeps every digit.
pub fn to_value(number: Decimal) -> Value {
    serde_json::from_str(&number.to_string()).unwrap_or(Value::Null)
}

/// Rounds to so many digits behind the point, and shows exactly so many.
pub fn round(number: Decimal, decimals: u32, rounding: Rounding) -> Decimal {
    let strategy = match rounding {
        Rounding::HalfUp => RoundingStrategy::MidpointAwayFromZero,
        Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
        Rounding::Down => RoundingStrategy::ToZero,
        Rounding::Up => RoundingStrategy::AwayFromZero,
    };
    let decimals = decimals.min(MAX_DECIMALS);
    let mut rounded = number.round_dp_with_strategy(decimals, strategy);
    rounded.rescale(decimals);
    if rounded.is_zero() {
        rounded.set_sign_positive(true);
    }
    rounded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rounded(text: &str, decimals: u32, rounding: Rounding) -> String {
        round(read(text).unwrap(), decimals, rounding).to_string()
    }

    #[test]
    fn money_is_rounded_as_asked_and_shown_with_all_its_digits() {
        assert_eq!(rounded("2.345", 2, Rounding::HalfUp), "2.35");
        assert_eq!(rounded("2.345", 2, Rounding::HalfEven), "2.34");
        assert_eq!(rounded("-2.345", 2, Rounding::HalfUp), "-2.35");
        assert_eq!(rounded("2.341", 2, Rounding::Up), "2.35");
        assert_eq!(rounded("2.349", 2, Rounding::Down), "2.34");
        assert_eq!(rounded("7", 3, Rounding::HalfUp), "7.000");
        assert_eq!(rounded("-0.001", 2, Rounding::HalfUp), "0.00");
    }

    #[test]
    fn what_is_no_number_or_too_long_is_not_read() {
        for text in ["", "-", ".", "ten", "1,5", "1e99", "1.2.3", "+1", "12345678901234567890123456789012"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read("1e2"), read("100"));
        assert_eq!(read("15e-1"), read("1.5"));
        assert_eq!(read("15e0"), read("15"));
    }

    proptest! {
        #![proptest_config(crate::testing::cases(100_000))]

        #[test]
        fn a_number_that_is_read_is_written_as_it_was(whole in "-?(0|[1-9][0-9]{0,13})", fraction in "[0-9]{0,10}") {
            let text = if fraction.is_empty() { whole } else { format!("{whole}.{fraction}") };
            let number = read(&text).unwrap();
            prop_assert!(crate::canon::equal_numbers(&number.to_string(), &text).unwrap());
        }
    }
}
