//! Shopify's search syntax: `updated_at:>='2026-11-20T00:00:00Z' AND (status:active OR tag:sale) -vendor:acme`.
//!
//! <https://shopify.dev/docs/api/usage/search-syntax>

use chrono::{DateTime, NaiveDate, Utc};

/// A search as a tree.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Search {
    All(Vec<Search>),
    Any(Vec<Search>),
    Not(Box<Search>),
    Term(Term),
}

/// One condition; without a field it is a word looked for everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) field: Option<String>,
    pub(crate) comparison: Comparison,
    pub(crate) value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub(crate) fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}

impl Search {
    /// Reads a search. Like the real one it never fails: what makes no sense matches nothing or is a word.
    pub(crate) fn parse(text: &str) -> Self {
        let mut reader = Reader { tokens: split(text), at: 0 };
        reader.any()
    }

    /// Whether a record matches, given how to test one term.
    pub(crate) fn matches(&self, test: &dyn Fn(&Term) -> bool) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(test)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(test)),
            Self::Not(part) => !part.matches(test),
            Self::Term(term) => test(term),
        }
    }

    /// The conditions that every match must fulfil: those an index can be asked for.
    pub(crate) fn required(&self) -> Vec<&Term> {
        match self {
            Self::All(parts) => parts.iter().flat_map(Self::required).collect(),
            Self::Any(parts) => match parts.as_slice() {
                [only] => only.required(),
                _ => Vec::new(),
            },
            Self::Not(_) => Vec::new(),
            Self::Term(term) => vec![term],
        }
    }

    /// The values when the whole search is a list of alternatives for one field: `sku:A OR sku:B`.
    pub(crate) fn alternatives(&self, field: &str) -> Option<Vec<&str>> {
        let of = |term: &Term| term.field.as_deref() == Some(field) && term.comparison == Comparison::Equal;
        match self {
            Self::Term(term) if of(term) => Some(vec![&term.value]),
            Self::Any(parts) => {
                let values: Option<Vec<Vec<&str>>> =
                    parts.iter().map(|part| part.alternatives(field)).collect();
                values.map(|values| values.concat())
            }
            Self::All(parts) => parts.iter().find_map(|part| part.alternatives(field)),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Open,
    Close,
    And,
    Or,
    Not,
    Term(Term),
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next_is(&mut self, wanted: &Token) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += 1;
        }
        found
    }

    fn any(&mut self) -> Search {
        let mut parts = vec![self.all()];
        while self.next_is(&Token::Or) {
            parts.push(self.all());
        }
        if parts.len() == 1 { parts.remove(0) } else { Search::Any(parts) }
    }

    /// Conditions beside one another must all hold, with or without `AND` between them.
    fn all(&mut self) -> Search {
        let mut parts = Vec::new();
        loop {
            while self.next_is(&Token::And) {}
            match self.peek() {
                None | Some(Token::Close | Token::Or) => break,
                Some(_) => parts.push(self.one()),
            }
        }
        if parts.len() == 1 { parts.remove(0) } else { Search::All(parts) }
    }

    fn one(&mut self) -> Search {
        if self.next_is(&Token::Not) {
            return Search::Not(Box::new(self.one()));
        }
        if self.next_is(&Token::Open) {
            let inner = self.any();
            self.next_is(&Token::Close);
            return inner;
        }
        let token = self.peek().cloned();
        self.at += 1;
        match token {
            Some(Token::Term(term)) => Search::Term(term),
            _ => Search::All(Vec::new()),
        }
    }
}

fn split(text: &str) -> Vec<Token> {
    let letters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(letter) = letters.get(at).copied() {
        match letter {
            '(' => tokens.push(Token::Open),
            ')' => tokens.push(Token::Close),
            _ if letter.is_whitespace() => {}
            '-' => tokens.push(Token::Not),
            _ => {
                let (token, next) = word(&letters, at);
                tokens.push(token);
                at = next;
                continue;
            }
        }
        at += 1;
    }
    tokens
}

/// Reads one word or condition and where it ends.
fn word(letters: &[char], start: usize) -> (Token, usize) {
    let (first, mut at, quoted) = piece(letters, start, true);
    if !quoted && letters.get(at) == Some(&':') {
        at += 1;
        let comparison = comparison(letters, &mut at);
        let (value, end, _) = piece(letters, at, false);
        return (Token::Term(Term { field: Some(first.to_lowercase()), comparison, value }), end);
    }
    let token = match (quoted, first.as_str()) {
        (false, "AND") => Token::And,
        (false, "OR") => Token::Or,
        (false, "NOT") => Token::Not,
        _ => Token::Term(Term { field: None, comparison: Comparison::Equal, value: first }),
    };
    (token, at.max(start + 1))
}

fn comparison(letters: &[char], at: &mut usize) -> Comparison {
    let equal = letters.get(*at + 1) == Some(&'=');
    let (found, length) = match letters.get(*at) {
        Some('>') if equal => (Comparison::GreaterOrEqual, 2),
        Some('<') if equal => (Comparison::LessOrEqual, 2),
        Some('>') => (Comparison::Greater, 1),
        Some('<') => (Comparison::Less, 1),
        _ => (Comparison::Equal, 0),
    };
    *at += length;
    found
}

/// Reads a quoted text, or letters up to a space or bracket (in a field name also up to a colon).
fn piece(letters: &[char], start: usize, name: bool) -> (String, usize, bool) {
    let mut text = String::new();
    let mut at = start;
    if let Some(quote @ ('"' | '\'')) = letters.get(at).copied() {
        at += 1;
        while let Some(letter) = letters.get(at).copied() {
            at += 1;
            match letter {
                '\\' => {
                    text.extend(letters.get(at));
                    at += 1;
                }
                _ if letter == quote => break,
                _ => text.push(letter),
            }
        }
        return (text, at, true);
    }
    while let Some(letter) = letters.get(at).copied() {
        match letter {
            '\\' => {
                text.extend(letters.get(at + 1));
                at += 2;
                continue;
            }
            '(' | ')' => break,
            ':' if name => break,
            _ if letter.is_whitespace() => break,
            _ => text.push(letter),
        }
        at += 1;
    }
    (text, at, false)
}

/// A time in a search: RFC 3339, without zone (UTC), or a day.
pub(crate) fn time(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    if let Ok(time) = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S") {
        return Some(time.and_utc());
    }
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0).map(|time| time.and_utc())
}

/// Whether a text matches the way the search index compares: word by word, the last with `*` as a beginning.
pub(crate) fn text_matches(wanted: &str, text: &str) -> bool {
    if wanted == "*" {
        return !text.is_empty();
    }
    let words = super::state::tokens(text);
    let prefix = wanted.ends_with('*');
    let wanted = super::state::tokens(wanted);
    let last = wanted.len().saturating_sub(1);
    !wanted.is_empty()
        && wanted.iter().enumerate().all(|(at, token)| {
            words
                .iter()
                .any(|word| word == token || (prefix && at == last && word.starts_with(token.as_str())))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(field: &str, comparison: Comparison, value: &str) -> Search {
        Search::Term(Term { field: Some(field.to_owned()), comparison, value: value.to_owned() })
    }

    #[test]
    fn conditions_quotes_and_brackets_are_read() {
        let search =
            Search::parse("updated_at:>='2026-11-20T00:00:00Z' AND (sku:A-1 OR sku:\"B 2\") -status:draft");
        let expected = Search::All(vec![
            term("updated_at", Comparison::GreaterOrEqual, "2026-11-20T00:00:00Z"),
            Search::Any(vec![term("sku", Comparison::Equal, "A-1"), term("sku", Comparison::Equal, "B 2")]),
            Search::Not(Box::new(term("status", Comparison::Equal, "draft"))),
        ]);
        assert_eq!(search, expected);
        assert_eq!(search.alternatives("sku"), Some(vec!["A-1", "B 2"]));
    }

    #[test]
    fn words_match_inexactly() {
        assert!(text_matches("n-1", "N-1-RED"));
        assert!(!text_matches("n-2", "N-1-RED"));
        assert!(text_matches("cha*", "Oak Chair"));
    }

    #[test]
    fn odd_text_never_ends_in_a_loop() {
        for text in ["", ":", "::", "a:", "'", "\\", "(", ")))", "-", "--x", "a:>=", "NOT", "OR OR"] {
            Search::parse(text);
        }
    }
}
