//! From a tree to a value.

use super::functions;
use super::parse::Node;
use super::{Failure, MAX_TEXT};
use crate::canon;
use crate::decimal;
use crate::path::Path;
use crate::record::{Fields, Value};
use rust_decimal::Decimal;
use std::cmp::Ordering;
use unicode_normalization::UnicodeNormalization;

/// What an expression can see.
pub(super) struct Scope<'a> {
    pub(super) value: &'a Value,
    pub(super) record: &'a Fields,
}

pub(super) fn evaluate(node: &Node, scope: &Scope<'_>) -> Result<Value, Failure> {
    Ok(match node {
        Node::Literal(value) => value.clone(),
        Node::This => scope.value.clone(),
        Node::Below(path) => look(path, &Fields::from_iter([("value".to_owned(), scope.value.clone())])),
        Node::Field(path) => look(path, scope.record),
        Node::List(nodes) => {
            Value::Array(nodes.iter().map(|node| evaluate(node, scope)).collect::<Result<_, _>>()?)
        }
        Node::Not(node) => Value::Bool(!truth(&evaluate(node, scope)?)?),
        Node::Minus(node) => arithmetic("-", &Value::from(0), &evaluate(node, scope)?)?,
        Node::Both(a, b) => Value::Bool(truth(&evaluate(a, scope)?)? && truth(&evaluate(b, scope)?)?),
        Node::Either(a, b) => Value::Bool(truth(&evaluate(a, scope)?)? || truth(&evaluate(b, scope)?)?),
        Node::Otherwise(a, b) => match evaluate(a, scope)? {
            Value::Null => evaluate(b, scope)?,
            value => value,
        },
        Node::Choose(nodes) => {
            let [condition, this, that] = nodes.as_ref();
            evaluate(if truth(&evaluate(condition, scope)?)? { this } else { that }, scope)?
        }
        Node::Sign(sign, a, b) => binary(sign, &evaluate(a, scope)?, &evaluate(b, scope)?)?,
        Node::Call(function, arguments) => {
            let arguments: Vec<Value> =
                arguments.iter().map(|node| evaluate(node, scope)).collect::<Result<_, _>>()?;
            functions::call(*function, &arguments)?
        }
    })
}

/// What is at a path; a list where it says `[]`.
fn look(path: &Path, fields: &Fields) -> Value {
    if path.is_many() {
        Value::Array(path.values(fields).into_iter().cloned().collect())
    } else {
        path.first(fields).cloned().unwrap_or_default()
    }
}

/// Yes, or no, or null, which is no.
pub(super) fn truth(value: &Value) -> Result<bool, Failure> {
    match value {
        Value::Bool(truth) => Ok(*truth),
        Value::Null => Ok(false),
        _ => Err(Failure::new("a condition must be true or false")),
    }
}

fn binary(sign: &str, a: &Value, b: &Value) -> Result<Value, Failure> {
    match sign {
        "==" => Ok(Value::Bool(same(a, b))),
        "!=" => Ok(Value::Bool(!same(a, b))),
        "&" => joined([a, b].into_iter()),
        "<" | "<=" | ">" | ">=" => {
            let Some(order) = order(a, b)? else { return Ok(Value::Null) };
            Ok(Value::Bool(match sign {
                "<" => order == Ordering::Less,
                "<=" => order != Ordering::Greater,
                ">" => order == Ordering::Greater,
                _ => order != Ordering::Less,
            }))
        }
        _ => arithmetic(sign, a, b),
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

/// The number that a value is or shows; `None` for null.
pub(super) fn number(value: &Value) -> Result<Option<Decimal>, Failure> {
    match value {
        Value::Null => Ok(None),
        value => decimal::of(value)
            .map(Some)
            .ok_or_else(|| Failure::new("it is not a number, or a number of more than 28 digits")),
    }
}

fn arithmetic(sign: &str, a: &Value, b: &Value) -> Result<Value, Failure> {
    let Some((a, b)) = number(a)?.zip(number(b)?) else { return Ok(Value::Null) };
    let result = match sign {
        "+" => a.checked_add(b),
        "-" => a.checked_sub(b),
        "*" => a.checked_mul(b),
        "/" | "%" if b.is_zero() => return Err(Failure::new("a division by zero")),
        "/" => a.checked_div(b).map(|result| result.normalize()),
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
