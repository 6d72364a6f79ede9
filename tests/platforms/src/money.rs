//! Amounts as text: never a binary fraction.

/// How many decimals a currency has.
pub(crate) fn decimals(currency: &str) -> usize {
    match currency {
        "JPY" | "KRW" | "CLP" | "ISK" | "VND" => 0,
        "KWD" | "BHD" | "OMR" | "JOD" | "TND" => 3,
        _ => 2,
    }
}

/// An amount split into sign, digits before and digits after the point; `None` if it is not a decimal number.
fn parts(text: &str) -> Option<(bool, &str, &str)> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let numeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    (numeric(whole) && numeric(fraction) && !(whole.is_empty() && fraction.is_empty()) && whole.len() <= 30)
        .then_some((negative, whole, fraction))
}

/// The amount in units of the last decimal, rounded half away from zero; `None` if it is not a decimal number.
pub(crate) fn minor(text: &str, decimals: usize) -> Option<i128> {
    let (negative, whole, fraction) = parts(text)?;
    let kept: String = fraction.chars().chain(std::iter::repeat('0')).take(decimals).collect();
    let digits = format!("{whole}{kept}");
    let mut units: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    if fraction.as_bytes().get(decimals).is_some_and(|digit| *digit >= b'5') {
        units = units.checked_add(1)?;
    }
    Some(if negative { -units } else { units })
}

/// An amount in units of the last decimal, as text: `1990` with two decimals is `19.90`.
pub(crate) fn text(units: i128, decimals: usize) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(decimals));
    if decimals == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// An amount with exactly so many decimals; `None` if it is not a decimal number.
pub(crate) fn normal(amount: &str, decimals: usize) -> Option<String> {
    minor(amount, decimals).map(|units| text(units, decimals))
}

/// An amount without trailing zeros: `19.90` is `19.9`, `5.00` is `5`. NetSuite's SQL writes amounts this way.
pub(crate) fn bare(amount: &str) -> String {
    if !amount.contains('.') {
        return amount.to_owned();
    }
    amount.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_get_the_decimals_of_their_currency() {
        assert_eq!(normal("19.9", decimals("EUR")).as_deref(), Some("19.90"));
        assert_eq!(normal("1999.50", decimals("JPY")).as_deref(), Some("2000"));
        assert_eq!(normal(".1", decimals("KWD")).as_deref(), Some("0.100"));
        assert_eq!(normal("-0.005", 2).as_deref(), Some("-0.01"));
        assert_eq!(normal("12a", 2), None);
        assert_eq!(normal("", 2), None);
    }

    #[test]
    fn trailing_zeros_go_but_whole_numbers_keep_theirs() {
        assert_eq!(bare("19.90"), "19.9");
        assert_eq!(bare("5.00"), "5");
        assert_eq!(bare("100"), "100");
    }
}
