//! A small language for what a mapping computes: `round(price * 1.19, 2)`, `stock > 0 ? "in" : "out"`.
//!
//! It is total and bounded: no loops, no recursion, no definitions; a text of at most 1,000 characters makes a tree of
//! bounded depth, and each function looks at each of its inputs once. It is deterministic: no clock, no randomness.
//! Numbers are decimals of 28 digits from end to end, so `0.1 + 0.2` is `0.3` and money is never a float.
//!
//! # Why not a crate
//! Looked at in November 2026, measured as the growth of a `wasm32-wasip2` component:
//! - `cel` and `jmespath` (MIT) know integers and floats only: `price * 1.19` would be a float.
//! - `evalexpr` is AGPL-3.0 and calculates with floats.
//! - `rhai` (MIT/Apache, decimals, limits) is a whole scripting language: it adds 1.1 MB, twice the size of the largest
//!   component, to every function that syncs.
//! - `zen-expression` (MIT, decimals) reads the clock and draws random numbers, and its ranges make lists of any length.
//!
//! The arithmetic itself is `rust_decimal`'s.
//!
//! # The language
//! - `value` is what the rule reads; any other name is a path into the record: `vendor`, `lines[0].sku`,
//!   `lines[].price` (a list). A name with other letters is reached by `field("my-name")`.
//! - `"text"`, `'text'`, `12.50`, `true`, `false`, `null`, `[a, b]`
//! - `+ - * / %` on numbers and on texts that show one; `&` joins texts
//! - `== != < <= > >=`, `&& || !` (or `and or not`), `condition ? this : that`, `a ?? b` (the first that is not null)
//! - functions: see [`FUNCTIONS`]
//!
//! Arithmetic with `null` is `null`. What cannot be computed (a word times two, a division by zero) is a [`Failure`],
//! which becomes a violation of the mapping.

mod evaluate;
mod functions;
mod parse;
mod tokens;

pub use functions::FUNCTIONS;

use crate::record::{Fields, NULL, Value};
use parse::Node;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest expression.
const MAX_LENGTH: usize = 1_000;
/// The longest text that an expression may make, in bytes.
const MAX_TEXT: usize = 65_536;

/// An expression that was read and can be evaluated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Expression {
    text: String,
    root: Node,
}

/// A text that is no expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {at}: {reason}")]
pub struct BadExpression {
    /// Where, counted in characters from 1.
    pub at: usize,
    /// What is wrong there.
    pub reason: String,
}

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failure(String);

impl Failure {
    fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl Expression {
    /// Reads an expression.
    pub fn read(text: &str) -> Result<Self, BadExpression> {
        if text.chars().count() > MAX_LENGTH {
            return Err(BadExpression {
                at: MAX_LENGTH,
                reason: format!("longer than {MAX_LENGTH} characters"),
            });
        }
        Ok(Self { text: text.to_owned(), root: parse::parse(text)? })
    }

    /// What it says about this value of this record.
    pub fn evaluate(&self, value: Option<&Value>, record: &Fields) -> Result<Value, Failure> {
        evaluate::evaluate(&self.root, &evaluate::Scope { value: value.unwrap_or(NULL), record })
    }

    /// Whether it says yes. `null` is no; anything but yes, no and null is a failure.
    pub fn holds(&self, value: Option<&Value>, record: &Fields) -> Result<bool, Failure> {
        evaluate::truth(&self.evaluate(value, record)?)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Expression {
    type Error = BadExpression;

    fn try_from(text: String) -> Result<Self, BadExpression> {
        Self::read(&text)
    }
}

impl From<Expression> for String {
    fn from(expression: Expression) -> Self {
        expression.text
    }
}

#[cfg(test)]
mod tests;
