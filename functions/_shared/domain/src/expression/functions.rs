//! The functions that expressions may call.

use super::signs::{joined, number, order, same, shown};
use super::{Failure, MAX_TEXT};
use crate::decimal::{self, Rounding};
use crate::record::{NULL, Value};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::cmp::Ordering;

/// One function: its name, how many arguments it takes, and what it does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Function(&'static Signature);

/// What people may know of a function.
#[derive(Debug)]
pub struct Signature {
    /// How it is called.
    pub name: &'static str,
    /// The fewest arguments.
    pub least: usize,
    /// The most arguments.
    pub most: usize,
    /// What it does.
    pub about: &'static str,
    run: fn(Arguments<'_>) -> Result<Value, Failure>,
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Function {
    pub(super) fn takes(self, count: usize) -> bool {
        (self.0.least..=self.0.most).contains(&count)
    }
}

const MANY: usize = 50;

macro_rules! functions {
    ($($name:literal $least:literal..=$most:expr, $run:expr, $about:literal;)+) => {
        /// Every function, besides `field("a path")` and `default(a, b, …)`, the first that is not null, and what asks each
        /// element of a list: `map`, `filter`, `all`, `exists`, `exists_one`.
        pub const FUNCTIONS: &[Signature] =
            &[$(Signature { name: $name, least: $least, most: $most, about: $about, run: $run }),+];
    };
}

functions! {
    "round" 1..=2, |a| rounded(a, Rounding::HalfUp), "to so many decimals (0), the middle away from zero";
    "floor" 1..=1, |a| unary(a.at(0), |n| n.floor()), "the whole number below";
    "ceil" 1..=1, |a| unary(a.at(0), |n| n.ceil()), "the whole number above";
    "abs" 1..=1, |a| unary(a.at(0), |n| n.abs()), "without its sign";
    "min" 1..=MANY, |a| extreme(a, Ordering::Less), "the smallest; null is left out";
    "max" 1..=MANY, |a| extreme(a, Ordering::Greater), "the greatest; null is left out";
    "sum" 1..=1, |a| sum(list(a.at(0))?), "of a list of numbers; null is left out";
    "number" 1..=1, |a| Ok(number(a.at(0))?.map_or(Value::Null, decimal::to_value)), "the number that a text shows";
    "string" 1..=1, |a| Ok(Value::String(shown(a.at(0))?)), "as text";
    "concat" 1..=MANY, |a| joined(a.0.iter()), "texts behind each other";
    "upper" 1..=1, |a| on_text(a.at(0), str::to_uppercase), "in capitals";
    "lower" 1..=1, |a| on_text(a.at(0), str::to_lowercase), "in small letters";
    "trim" 1..=1, |a| on_text(a.at(0), |t| t.trim().into()), "without the white space around";
    "size" 1..=1, size, "how many letters of a text, elements of a list, fields of an object";
    "substring" 2..=3, substring, "from letter number (0 is the first) to before another";
    "replace" 3..=3, replace, "every occurrence of a text by another";
    "contains" 2..=2, contains, "whether a text or a list holds this";
    "startsWith" 2..=2, |a| both_texts(a, |t, part| t.starts_with(part)), "whether a text begins so";
    "endsWith" 2..=2, |a| both_texts(a, |t, part| t.ends_with(part)), "whether a text ends so";
    "split" 2..=2, split, "a text into a list, at each separator";
    "join" 2..=2, join, "a list into a text, with a separator";
    "first" 1..=1, |a| Ok(list(a.at(0))?.first().cloned().unwrap_or_default()), "of a list; null if it is empty";
    "last" 1..=1, |a| Ok(list(a.at(0))?.last().cloned().unwrap_or_default()), "of a list; null if it is empty";
}

pub(super) fn find(name: &str) -> Option<Function> {
    FUNCTIONS.iter().find(|function| function.name == name).map(Function)
}

/// The number of arguments was checked when the expression was read.
pub(super) fn call(function: Function, arguments: &[Value]) -> Result<Value, Failure> {
    (function.0.run)(Arguments(arguments))
}

/// What a function is given. What is not given is null.
#[derive(Debug, Clone, Copy)]
struct Arguments<'a>(&'a [Value]);

impl<'a> Arguments<'a> {
    fn at(self, position: usize) -> &'a Value {
        self.0.get(position).unwrap_or(NULL)
    }

    /// A count that an argument asks for; `None` where it is null or absent.
    fn count(self, position: usize) -> Result<Option<usize>, Failure> {
        let Some(count) = number(self.at(position))? else { return Ok(None) };
        let count = count.is_integer().then(|| count.to_usize()).flatten();
        count.map(Some).ok_or_else(|| Failure::new("a count must be a whole number from 0"))
    }
}

fn unary(value: &Value, change: fn(Decimal) -> Decimal) -> Result<Value, Failure> {
    Ok(number(value)?.map_or(Value::Null, |number| decimal::to_value(change(number))))
}

fn rounded(a: Arguments<'_>, rounding: Rounding) -> Result<Value, Failure> {
    let decimals = u32::try_from(a.count(1)?.unwrap_or(0)).unwrap_or(u32::MAX);
    if decimals > decimal::MAX_DECIMALS {
        return Err(Failure::new("too many decimals to round to"));
    }
    Ok(number(a.at(0))?
        .map_or(Value::Null, |number| decimal::to_value(decimal::round(number, decimals, rounding))))
}

fn extreme(a: Arguments<'_>, wanted: Ordering) -> Result<Value, Failure> {
    let values = match a.0 {
        [Value::Array(values)] => values,
        values => values,
    };
    let mut best = NULL;
    for value in values {
        if best.is_null() || order(value, best)? == Some(wanted) {
            best = value;
        }
    }
    Ok(best.clone())
}

pub(super) fn list(value: &Value) -> Result<&[Value], Failure> {
    match value {
        Value::Array(values) => Ok(values),
        Value::Null => Ok(&[]),
        _ => Err(Failure::new("this function takes a list")),
    }
}

fn sum(values: &[Value]) -> Result<Value, Failure> {
    let mut sum = Decimal::ZERO;
    for value in values {
        let Some(number) = number(value)? else { continue };
        sum = sum.checked_add(number).ok_or_else(|| Failure::new("the sum has more than 28 digits"))?;
    }
    Ok(decimal::to_value(sum))
}

fn on_text(value: &Value, change: fn(&str) -> String) -> Result<Value, Failure> {
    Ok(if value.is_null() { Value::Null } else { Value::String(change(&shown(value)?)) })
}

fn both_texts(a: Arguments<'_>, ask: fn(&str, &str) -> bool) -> Result<Value, Failure> {
    if a.at(0).is_null() || a.at(1).is_null() {
        return Ok(Value::Bool(false));
    }
    Ok(Value::Bool(ask(&shown(a.at(0))?, &shown(a.at(1))?)))
}

fn size(a: Arguments<'_>) -> Result<Value, Failure> {
    Ok(match a.at(0) {
        Value::Null => 0.into(),
        Value::Array(values) => values.len().into(),
        Value::Object(fields) => fields.len().into(),
        value => shown(value)?.chars().count().into(),
    })
}

fn substring(a: Arguments<'_>) -> Result<Value, Failure> {
    if a.at(0).is_null() {
        return Ok(Value::Null);
    }
    let (from, to) = (a.count(1)?.unwrap_or(0), a.count(2)?.unwrap_or(usize::MAX));
    Ok(Value::String(shown(a.at(0))?.chars().take(to).skip(from).collect()))
}

fn replace(a: Arguments<'_>) -> Result<Value, Failure> {
    if a.at(0).is_null() {
        return Ok(Value::Null);
    }
    let (text, from, to) = (shown(a.at(0))?, shown(a.at(1))?, shown(a.at(2))?);
    if from.is_empty() {
        return Ok(Value::String(text));
    }
    let grown = text.matches(&from).count().saturating_mul(to.len()).saturating_add(text.len());
    if grown > MAX_TEXT {
        return Err(Failure::new("the text is too long"));
    }
    Ok(Value::String(text.replace(&from, &to)))
}

fn contains(a: Arguments<'_>) -> Result<Value, Failure> {
    match a.at(0) {
        Value::Array(values) => Ok(Value::Bool(values.iter().any(|value| same(value, a.at(1))))),
        _ => both_texts(a, |text, part| text.contains(part)),
    }
}

fn split(a: Arguments<'_>) -> Result<Value, Failure> {
    if a.at(0).is_null() {
        return Ok(Value::Null);
    }
    let (text, separator) = (shown(a.at(0))?, shown(a.at(1))?);
    if text.is_empty() || separator.is_empty() {
        return Ok(Value::Array(if text.is_empty() { Vec::new() } else { vec![Value::String(text)] }));
    }
    Ok(text.split(&separator).map(Value::from).collect())
}

fn join(a: Arguments<'_>) -> Result<Value, Failure> {
    let separator = Value::String(shown(a.at(1))?);
    let mut parts = Vec::new();
    for value in list(a.at(0))?.iter().filter(|value| !value.is_null()) {
        if !parts.is_empty() {
            parts.push(&separator);
        }
        parts.push(value);
    }
    joined(parts.into_iter())
}
