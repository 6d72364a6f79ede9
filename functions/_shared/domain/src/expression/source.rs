//! Where things are in the text of an expression.

use super::BadExpression;
use crate::decimal;
use cel::parser::ParseErrors;
use cel::parser::pratt_parser::{Lexer, Token, TokenKind};

/// Refuses a number that the parser could not carry exactly: it carries fractions as floats of 15 to 17 digits, and
/// whole numbers up to 9,223,372,036,854,775,807.
pub(super) fn check_numbers(text: &str) -> Result<(), BadExpression> {
    for token in tokens(text) {
        let digits = written(text, token);
        let exact = match token.kind {
            TokenKind::TokFloat => {
                let carried =
                    digits.parse::<f64>().ok().and_then(|number| decimal::read(&number.to_string()));
                carried.is_some() && carried == decimal::read(digits)
            }
            TokenKind::TokInt => digits.starts_with("0x") || digits.parse::<i64>().is_ok(),
            _ => true,
        };
        if !exact {
            let reason =
                format!("this number has too many digits to stand here: write `number(\"{digits}\")`");
            return Err(BadExpression { at: place(text, token.start), reason });
        }
    }
    Ok(())
}

/// The first thing that is wrong.
pub(super) fn first(text: &str, errors: &ParseErrors) -> BadExpression {
    // What concerns the whole text has no line.
    let mut placed = errors.errors.iter().filter(|error| error.pos.0 > 0);
    let at = |(line, column): (isize, isize)| {
        let (line, column) = (usize::try_from(line).unwrap_or(1), usize::try_from(column).unwrap_or(1));
        let above: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        place(text, above.saturating_add(column.saturating_sub(1)))
    };
    let too_deep = errors.errors.iter().any(|error| error.msg.contains("recursion limit"));
    match placed.next() {
        Some(error) if !too_deep => {
            let reason = error.msg.strip_prefix("Syntax error: ").unwrap_or(&error.msg);
            BadExpression { at: at(error.pos), reason: reason.to_owned() }
        }
        error => BadExpression { at: error.map_or(1, |error| at(error.pos)), reason: "too deep".to_owned() },
    }
}

/// Where this word is written first. What the parser hands over knows its words, but not their places.
pub(super) fn place_of(text: &str, word: &str) -> usize {
    let found = tokens(text).find(|token| token.kind == TokenKind::TokIdent && written(text, *token) == word);
    found.map_or(1, |token| place(text, token.start))
}

/// The tokens of a text; there are no more of them than letters.
fn tokens(text: &str) -> impl Iterator<Item = Token> {
    let mut lexer = Lexer::new(text);
    std::iter::repeat_with(move || lexer.lex())
        .take(text.len())
        .take_while(|token| token.kind != TokenKind::TokEnd)
}

fn written(text: &str, token: Token) -> &str {
    text.get(token.start..token.end).unwrap_or_default()
}

/// The place of a byte, counted in characters from 1.
fn place(text: &str, byte: usize) -> usize {
    text.char_indices().take_while(|(at, _)| *at < byte).count().saturating_add(1)
}
