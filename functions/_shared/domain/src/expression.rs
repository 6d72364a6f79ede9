//! What a mapping computes, in CEL: `round(price * 1.19, 2)`, `stock > 0 ? "in" : "out"`.
//!
//! [CEL](https://cel.dev), the Common Expression Language, is made for rules that others write: no loops without end, no
//! recursion, no definitions. The crate `cel` reads it; we evaluate what was read, because CEL's own numbers are floats:
//! - **Decimals from end to end.** Numbers have up to 28 digits, so `0.1 + 0.2` is `0.3` and money is never a float. The
//!   parser carries a fraction as a float; one that this would change is refused when it is read.
//! - **Total and bounded.** At most 1,000 characters, brackets 40 deep, a tree 100 deep. Looking at each element of a
//!   list costs work, and each evaluation has so much of it and no more.
//! - **Deterministic.** No clock, no randomness. The same text says the same of the same record.
//!
//! # The language
//! - `value` is what the rule reads; any other name is a field of the record: `vendor`, `lines[0].sku`. What is not
//!   there is null. A name with other letters than `a-z`, digits and `_` is reached by `field("my-name")`, which takes
//!   any path: `field("lines[].price")` is a list.
//! - `"text"`, `'text'`, `r"\d"`, `12.50`, `true`, `false`, `null`, `[a, b]`, `// a remark`
//! - `+ - * / %` on numbers and on texts that show one; `+` also puts texts and lists behind each other. Two texts that
//!   both show numbers are refused: only the author knows whether they are added (`number(a) + number(b)`).
//! - `== != < <= > >=`, `a in list`, `&& || !`, `condition ? this : that`, `default(a, b)` (the first that is not null),
//!   `has(a.b)` (whether there is such a field)
//! - `list.map(one, …)`, `.map(one, condition, …)`, `.filter(one, …)`, `.all(one, …)`, `.exists(one, …)`,
//!   `.exists_one(one, …)`
//! - functions: see [`FUNCTIONS`]; `title.upper()` is `upper(title)`
//!
//! Arithmetic with `null` is `null`. What cannot be computed (a word times two, a division by zero) is a [`Failure`],
//! which becomes a violation of the mapping. Other than in CEL, what is missing is no error, all numbers are of one
//! type, and objects and bytes cannot be written.
//!
//! # Why this crate
//! `cel` (MIT) is a known language, had eight releases in 2026, and is, of what we looked at in November 2026, the only
//! one that can be had without its arithmetic. Sizes are those of a `wasm32-wasip2` release component:
//! - With its hand-written parser (`parser_pratt`, a port of the one of cel-cpp) a component is 109 KB larger than it was
//!   with a tokenizer, parser and evaluator of our own. Eight million hostile texts of up to 1,000 characters, read and
//!   evaluated, made it neither panic nor need 256 KB of stack, and none took 2 ms.
//! - Its default parser, made by ANTLR, adds 688 KB. It is still compiled, but is not linked.
//! - The small parser is public but hidden from the crate's documentation, so the version is pinned. It does not tell
//!   where a node was written: the place of an unknown function is where its name stands first.
//! - `rhai` (decimals, limits) is a whole scripting language and adds 1.1 MB; `evalexpr` is AGPL-3.0; `jmespath` knows
//!   floats only; `zen-expression` reads the clock and draws random numbers.
//!
//! The arithmetic itself is `rust_decimal`'s.

mod evaluate;
mod functions;
mod read;
mod signs;
mod source;
mod tree;

pub use functions::FUNCTIONS;

use crate::record::{Fields, NULL, Value};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use tree::Node;

/// The longest expression.
const MAX_LENGTH: usize = 1_000;
/// The longest text that an expression may make, in bytes.
const MAX_TEXT: usize = 65_536;
/// The most work that an evaluation may be: nodes looked at, and bytes of the values that they keep.
const MAX_WORK: usize = 8_000_000;

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
        Ok(Self { text: text.to_owned(), root: read::read(text)? })
    }

    /// What it says about this value of this record.
    pub fn evaluate(&self, value: Option<&Value>, record: &Fields) -> Result<Value, Failure> {
        let (value, work) = (value.unwrap_or(NULL), Cell::new(0));
        let scope = evaluate::Scope { value, record, work: &work, element: None };
        evaluate::evaluate(&self.root, &scope).map(Cow::into_owned)
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
