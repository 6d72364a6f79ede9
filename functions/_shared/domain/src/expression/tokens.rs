//! From text to tokens.

use super::BadExpression;
use crate::decimal;
use crate::path::Path;
use crate::record::Value;

/// One word of an expression, and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A number or a text.
    Literal(Value),
    /// A name or a path.
    Name(String),
    /// Anything of one or two signs.
    Sign(&'static str),
}

/// Longer ones first.
const SIGNS: &[&str] = &[
    "==", "!=", "<=", ">=", "&&", "||", "??", "<", ">", "+", "-", "*", "/", "%", "&", "!", "?", ":", "(",
    ")", "[", "]", ",",
];

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, BadExpression> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let at = place(text, rest);
        let Some(first) = rest.chars().next() else { return Ok(tokens) };
        let (kind, length) = if first.is_ascii_digit() {
            number(rest).ok_or_else(|| bad(at, "this number has more than 28 digits"))?
        } else if first == '"' || first == '\'' {
            quoted(rest, first).ok_or_else(|| bad(at, "this text does not end"))?
        } else if first.is_alphabetic() || first == '_' {
            name(rest).ok_or_else(|| bad(at, "this is no path"))?
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
            let sign = sign.ok_or_else(|| bad(at, &format!("`{first}` means nothing here")))?;
            (Kind::Sign(sign), sign.len())
        };
        tokens.push(Token { at, kind });
        rest = rest.get(length..).unwrap_or_default();
    }
}

/// The place of what is left, counted in characters from 1.
fn place(text: &str, rest: &str) -> usize {
    let read = text.len().saturating_sub(rest.len());
    text.get(..read).unwrap_or_default().chars().count().saturating_add(1)
}

pub(super) fn bad(at: usize, reason: &str) -> BadExpression {
    BadExpression { at, reason: reason.to_owned() }
}

fn number(rest: &str) -> Option<(Kind, usize)> {
    let length = rest.find(|sign: char| !sign.is_ascii_digit() && sign != '.').unwrap_or(rest.len());
    let number = decimal::read(rest.get(..length)?)?;
    Some((Kind::Literal(decimal::to_value(number)), length))
}

fn quoted(rest: &str, quote: char) -> Option<(Kind, usize)> {
    let mut text = String::new();
    let mut letters = rest.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => text.push(match letters.next()?.1 {
                'n' => '\n',
                't' => '\t',
                other => other,
            }),
            letter if letter == quote => {
                return Some((Kind::Literal(Value::String(text)), at.checked_add(letter.len_utf8())?));
            }
            letter => text.push(letter),
        }
    }
    None
}

/// A name with the dots and brackets of a path: a bracket belongs to it only where it is empty or holds digits.
fn name(rest: &str) -> Option<(Kind, usize)> {
    let word = |text: &str| text.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    let mut length = word(rest).unwrap_or(rest.len());
    loop {
        let tail = rest.get(length..)?;
        let more = if let Some(next) = tail.strip_prefix('.') {
            word(next).unwrap_or(next.len()).checked_add(1)?
        } else if let Some((digits, _)) = tail.strip_prefix('[').and_then(|inside| inside.split_once(']')) {
            if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            digits.len().checked_add(2)?
        } else {
            break;
        };
        length = length.checked_add(more)?;
    }
    let text = rest.get(..length)?;
    text.parse::<Path>().ok()?;
    Some((Kind::Name(text.to_owned()), length))
}
