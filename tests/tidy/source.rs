//! Source files with their comments and literals told apart from their code, so that a rule about code is not broken
//! by a sentence about it.

use super::tree;
use anyhow::Result;

/// One file. `code` is as long as the file, with spaces in place of comments and of what stands between quotes.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: String,
    pub(super) code: String,
    pub(super) literals: Vec<Literal>,
}

/// What stands between quotes, and where its opening quote is.
#[derive(Debug)]
pub(super) struct Literal {
    pub(super) at: usize,
    pub(super) text: String,
}

impl Source {
    /// A Rust file without what is compiled for tests only.
    pub(super) fn rust(path: &str) -> Result<Self> {
        if is_test_code(path) {
            return Ok(scan(path, "", rust_token));
        }
        let mut source = Self::rust_with_tests(path)?;
        source.leave_out_tests();
        Ok(source)
    }

    /// A Rust file, whole.
    pub(super) fn rust_with_tests(path: &str) -> Result<Self> {
        Ok(scan(path, &tree::read(path)?, rust_token))
    }

    /// An SQL file. Bodies between dollar signs count as code.
    pub(super) fn sql(path: &str) -> Result<Self> {
        Ok(scan(path, &tree::read(path)?, sql_token))
    }

    /// `path:line` of a place.
    pub(super) fn place(&self, at: usize) -> String {
        let line = self.code.bytes().take(at).filter(|byte| *byte == b'\n').count().saturating_add(1);
        format!("{}:{line}", self.path)
    }

    /// Where this occurs in the code as whole words: `static` is not found in `'static` or `statics`.
    pub(super) fn find(&self, words: &str) -> Vec<usize> {
        let inside = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let bytes = self.code.as_bytes();
        let (starts, ends) = (inside(words.bytes().next()), inside(words.bytes().last()));
        let found = self.code.match_indices(words).map(|(at, _)| at);
        found
            .filter(|at| {
                let before = at.checked_sub(1).and_then(|at| bytes.get(at).copied());
                let after = bytes.get(at.saturating_add(words.len())).copied();
                !(starts && (inside(before) || before == Some(b'\'')) || ends && inside(after))
            })
            .collect()
    }

    /// The literal that begins at this place, or after nothing but spaces behind it.
    pub(super) fn literal_at(&self, at: usize) -> Option<&Literal> {
        let next = self.literals.iter().find(|literal| literal.at >= at)?;
        self.code.get(at..next.at)?.trim().is_empty().then_some(next)
    }

    /// The literals between two places.
    pub(super) fn literals_between(&self, from: usize, to: usize) -> impl Iterator<Item = &str> {
        self.literals
            .iter()
            .filter(move |literal| (from..to).contains(&literal.at))
            .map(|literal| literal.text.as_str())
    }

    /// The end of the bracket that opens at or after this place: behind its `}` (or `)`).
    pub(super) fn closing(&self, from: usize, open: u8, close: u8) -> Option<usize> {
        let mut depth = 0_usize;
        for (at, byte) in self.code.bytes().enumerate().skip(from) {
            if byte == open {
                depth = depth.saturating_add(1);
            } else if byte == close {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at.saturating_add(1));
                }
            }
        }
        None
    }

    fn leave_out_tests(&mut self) {
        while let Some(start) = self.code.find("#[cfg(test)]") {
            let rest = self.code.get(start..).unwrap_or_default();
            let item = rest.find(['{', ';']).and_then(|at| start.checked_add(at));
            let end = item.and_then(|at| match self.code.as_bytes().get(at) {
                Some(b'{') => self.closing(at, b'{', b'}'),
                _ => at.checked_add(1),
            });
            let end = end.unwrap_or(self.code.len());
            let blank: String = self.code.get(start..end).unwrap_or_default().chars().map(blank).collect();
            self.code.replace_range(start..end, &blank);
            self.literals.retain(|literal| !(start..end).contains(&literal.at));
        }
    }
}

/// Whether a whole file is there for tests only, or for tools.
pub(super) fn is_test_code(path: &str) -> bool {
    path.starts_with("tests/")
        || path.ends_with("/tests.rs")
        || path.contains("/tests/")
        || path.contains("_tests/")
        || path.contains("/fixtures/")
}

/// What begins here.
enum Token {
    /// So many bytes of code.
    Code(usize),
    /// So many bytes of comment.
    Comment(usize),
    /// A literal: the length of its opening, of what it holds, and of its closing.
    Literal(usize, usize, usize),
}

/// Spaces in place of text, lines where they were. Only bytes of text that is replaced are counted, so a letter of
/// several bytes becomes one space for each.
fn blank(letter: char) -> char {
    if letter == '\n' { '\n' } else { ' ' }
}

fn scan(path: &str, text: &str, token: fn(&str, char) -> Token) -> Source {
    let mut code = String::with_capacity(text.len());
    let mut literals = Vec::new();
    let mut rest = text;
    let mut before = '\n';
    while !rest.is_empty() {
        let (keep, hide, close) = match token(rest, before) {
            Token::Code(length) => (length, 0, 0),
            Token::Comment(length) => (0, length, 0),
            Token::Literal(open, length, close) => {
                let held = rest.get(open..open.saturating_add(length)).unwrap_or_default();
                literals.push(Literal { at: code.len(), text: held.to_owned() });
                (open, length, close)
            }
        };
        let (kept, after) = rest.split_at_checked(keep).unwrap_or((rest, ""));
        let (hidden, after) = after.split_at_checked(hide).unwrap_or((after, ""));
        let (closing, after) = after.split_at_checked(close).unwrap_or((after, ""));
        code.push_str(kept);
        code.extend(hidden.chars().flat_map(|letter| std::iter::repeat_n(blank(letter), letter.len_utf8())));
        code.push_str(closing);
        before = code.chars().next_back().unwrap_or('\n');
        rest = after;
    }
    Source { path: path.to_owned(), code, literals }
}

fn rust_token(rest: &str, before: char) -> Token {
    if rest.starts_with("//") {
        return Token::Comment(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Token::Comment(block_comment(rest));
    }
    if rest.starts_with('"') {
        return quoted(rest, 1, '"', true);
    }
    if rest.starts_with('r') && !before.is_alphanumeric() && before != '_' || rest.starts_with("br") {
        let prefix = if rest.starts_with('b') { 2 } else { 1 };
        let after = rest.get(prefix..).unwrap_or_default();
        let hashes = after.len().saturating_sub(after.trim_start_matches('#').len());
        if after.get(hashes..).is_some_and(|after| after.starts_with('"')) {
            let open = prefix.saturating_add(hashes).saturating_add(1);
            let end = format!("\"{}", "#".repeat(hashes));
            let length = rest.get(open..).and_then(|held| held.find(&end)).unwrap_or(rest.len());
            return Token::Literal(open, length, end.len());
        }
    }
    if let Some(after) = rest.strip_prefix('\'') {
        let mut letters = after.chars();
        return match (letters.next(), letters.next()) {
            (Some('\\'), _) => quoted(rest, 1, '\'', true),
            (Some(letter), Some('\'')) => Token::Literal(1, letter.len_utf8(), 1),
            _ => Token::Code(1), // A lifetime.
        };
    }
    Token::Code(rest.chars().next().map_or(1, char::len_utf8))
}

fn sql_token(rest: &str, _: char) -> Token {
    if rest.starts_with("--") {
        return Token::Comment(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Token::Comment(block_comment(rest));
    }
    // A doubled quote reads as two literals side by side, which is as good here.
    match rest.chars().next() {
        Some(quote @ ('\'' | '"')) => quoted(rest, 1, quote, false),
        letter => Token::Code(letter.map_or(1, char::len_utf8)),
    }
}

/// A literal up to the next such quote that no backslash takes away.
fn quoted(rest: &str, open: usize, quote: char, backslash: bool) -> Token {
    let held = rest.get(open..).unwrap_or_default();
    let mut escaped = false;
    for (at, letter) in held.char_indices() {
        if letter == quote && !escaped {
            return Token::Literal(open, at, 1);
        }
        escaped = backslash && letter == '\\' && !escaped;
    }
    Token::Literal(open, held.len(), 0)
}

/// The length of a block comment; such comments nest, in Rust as in SQL.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0_usize;
    while let Some(here) = rest.get(at..).filter(|here| !here.is_empty()) {
        let step = if here.starts_with("/*") {
            depth = depth.saturating_add(1);
            2
        } else if here.starts_with("*/") {
            depth = depth.saturating_sub(1);
            2
        } else {
            here.chars().next().map_or(1, char::len_utf8)
        };
        at = at.saturating_add(step);
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

#[test]
fn a_sentence_about_code_is_not_taken_for_code() {
    let text = "let a = \"panic!\"; // panic!\nlet b: &'static str = r#\"x\"y\"#; /* a /* b */ c */ let c = '\"'; d(\"ü\");";
    let source = scan("a.rs", text, rust_token);
    assert_eq!(source.code.len(), text.len());
    assert!(source.find("panic!").is_empty());
    assert!(source.find("static").is_empty(), "a lifetime is no static");
    assert_eq!(
        source.literals.iter().map(|literal| literal.text.as_str()).collect::<Vec<_>>(),
        ["panic!", "x\"y", "\"", "ü"]
    );
    assert_eq!(source.place(source.find("let c").first().copied().unwrap_or(0)), "a.rs:2");
}

#[test]
fn what_is_compiled_for_tests_only_is_left_out() {
    let mut source =
        scan("a.rs", "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { \"x\" } }\nfn c() {}", rust_token);
    source.leave_out_tests();
    assert!(source.find("fn b").is_empty() && source.literals.is_empty());
    assert_eq!(source.place(source.find("fn c").first().copied().unwrap_or(0)), "a.rs:4");
}

#[test]
fn the_body_of_a_function_counts_as_code() {
    let source = scan("a.sql", "-- Begin.\nselect 'begin', \"Select\", $1; do $$ begin; $$", sql_token);
    assert_eq!(source.find("begin").len(), 1);
    assert!(source.find("Select").is_empty());
}
