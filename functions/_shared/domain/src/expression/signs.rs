//! What stands between two values: arithmetic in decimals, comparisons, texts behind each other.

use super::tree::Sign;
use super::{Failure, MAX_TEXT};
use crate::canon;
use crate::decimal;
use crate::record::Value;
use rust_decimal::Decimal;
use std::cmp::Ordering;
use unicode_normalization::UnicodeNormalization;

pub(super) fn binary(sign: Sign, a: &Value, b: &Value) -> Result<Value, Failure> {
    match sign {
        Sign::Same => Ok(Value::Bool(same(a, b))),
        Sign::Differs => Ok(Value::Bool(!same(a, b))),
        Sign::In => within(a, b),
        Sign::Less => compared(a, b, |order| order == Ordering::Less),
        Sign::AtMost => compared(a, b, |order| order != Ordering::Greater),
        Sign::Greater => compared(a, b, |order| order == Ordering::Greater),
        Sign::AtLeast => compared(a, b, |order| order != Ordering::Less),
        Sign::Plus => plus(a, b),
        Sign::Minus | Sign::Times | Sign::Over | Sign::Rest => arithmetic(sign, a, b),
    }
}

/// Whether two values are the same; a text that shows a number is that number beside a number.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(_), Value::String(_)) | (Value::String(_), Value::Number(_)) => {
            decimal::of(a).zip(decimal::of(b)).is_some_and(|(a, b)| a == b)
        }
        _ => canon::equal(a, b),
    }
}

/// Whether a list holds this value, or an object a field of this name.
fn within(a: &Value, b: &Value) -> Result<Value, Failure> {
    match (a, b) {
        (_, Value::Null) => Ok(Value::Bool(false)),
        (_, Value::Array(values)) => Ok(Value::Bool(values.iter().any(|value| same(value, a)))),
        (Value::String(key), Value::Object(fields)) => Ok(Value::Bool(fields.contains_key(key))),
        _ => Err(Failure::new("`in` takes a list, or a name and an object")),
    }
}

fn compared(a: &Value, b: &Value, wanted: fn(Ordering) -> bool) -> Result<Value, Failure> {
    Ok(order(a, b)?.map_or(Value::Null, |order| Value::Bool(wanted(order))))
}

/// Which comes first: numbers by value, texts letter by letter. `None` beside null.
pub(super) fn order(a: &Value, b: &Value) -> Result<Option<Ordering>, Failure> {
    if a.is_null() || b.is_null() {
        return Ok(None);
    }
    if let Some((a, b)) = decimal::of(a).zip(decimal::of(b)) {
        return Ok(Some(a.cmp(&b)));
    }
    match (a, b) {
        (Value::String(a), Value::String(b)) => Ok(Some(a.nfc().cmp(b.nfc()))),
        _ => Err(Failure::new("only two numbers or two texts have an order")),
    }
}

/// Numbers are added, texts and lists are put behind each other. Prices are often texts: whether `"10.00" + "2.50"` is
/// `12.50` or `"10.002.50"` is not for us to guess.
fn plus(a: &Value, b: &Value) -> Result<Value, Failure> {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => Ok(Value::Array(a.iter().chain(b).cloned().collect())),
        (Value::String(_), Value::String(_)) if decimal::of(a).is_some() && decimal::of(b).is_some() => {
            Err(Failure::new("these texts show numbers: write `number(a) + number(b)` or `concat(a, b)`"))
        }
        (Value::String(_), Value::String(_)) => joined([a, b].into_iter()),
        (Value::String(_), Value::Number(_)) if decimal::of(a).is_none() => {
            Err(Failure::new("a text and a number: write `a + string(b)`"))
        }
        _ => arithmetic(Sign::Plus, a, b),
    }
}

/// The number that a value is or shows; `None` for null.
pub(super) fn number(value: &Value) -> Result<Option<Decimal>, Failure> {
    match value {
        Value::Null => Ok(None),
        value => decimal::of(value)
            .map(Some)
            .ok_or_else(|| Failure::new("it is not a number, or a number of more than 28 digits")),
    }
}

fn arithmetic(sign: Sign, a: &Value, b: &Value) -> Result<Value, Failure> {
    let Some((a, b)) = number(a)?.zip(number(b)?) else { return Ok(Value::Null) };
    let result = match sign {
        Sign::Plus => a.checked_add(b),
        Sign::Minus => a.checked_sub(b),
        Sign::Times => a.checked_mul(b),
        _ if b.is_zero() => return Err(Failure::new("a division by zero")),
        Sign::Over => a.checked_div(b).map(|result| result.normalize()),
        _ => a.checked_rem(b),
    };
    result.map(decimal::to_value).ok_or_else(|| Failure::new("the result has more than 28 digits"))
}

/// Texts, numbers and truths behind each other; null is nothing.
pub(super) fn joined<'a>(values: impl Iterator<Item = &'a Value>) -> Result<Value, Failure> {
    let mut text = String::new();
    for value in values {
        text.push_str(&shown(value)?);
        if text.len() > MAX_TEXT {
            return Err(Failure::new("the text is too long"));
        }
    }
    Ok(Value::String(text))
}

/// A value as text.
pub(super) fn shown(value: &Value) -> Result<String, Failure> {
    Ok(match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Array(_) | Value::Object(_) => return Err(Failure::new("a list or an object is no text")),
    })
}
