//! The wishes of the five documents, and which of them a test shows.
//!
//! Read by the tidy tests, and by `cargo dev requirements`; hence it stands on `serde` and `toml` alone.

use serde::Deserialize;
use std::fmt::Write;

/// The documents, and how many wishes each has.
pub(crate) const DOCUMENTS: [(&str, usize); 5] =
    [("S0", 100), ("S1", 85), ("S2", 79), ("S3", 117), ("S4", 100)];

/// The kinds of wish, and what each means.
pub(crate) const KINDS: [(&str, &str); 15] = [
    ("CAP", "capability"),
    ("TBL", "table"),
    ("COL", "column"),
    ("API", "endpoint or method"),
    ("ACT", "action"),
    ("FLD", "field of a payload or config"),
    ("SET", "setting"),
    ("LIM", "limit"),
    ("TGT", "number to reach"),
    ("UI", "screen element"),
    ("SEC", "security"),
    ("TST", "test"),
    ("OPS", "deployment and operations"),
    ("FUT", "next step of the document"),
    ("NOTE", "context"),
];

/// One wish.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    /// Document and number: `S4-60`.
    pub(crate) id: String,
    /// One of [`KINDS`].
    pub(crate) kind: String,
    /// The wish in a few words.
    pub(crate) text: String,
    /// The tests that show it: `module::test_name`. Empty: not shown yet.
    pub(crate) tests: Vec<String>,
}

impl Wish {
    /// The document it comes from.
    pub(crate) fn document(&self) -> &str {
        self.id.split_once('-').map_or("", |(document, _)| document)
    }

    fn is_shown(&self) -> bool {
        !self.tests.is_empty()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    wish: Vec<Wish>,
}

/// All wishes, in the order of the documents.
pub(crate) fn wishes() -> Result<Vec<Wish>, toml::de::Error> {
    toml::from_str(include_str!("requirements.toml")).map(|page: Page| page.wish)
}

/// How many wishes are shown, by document and by kind, and which of each document come next.
pub(crate) fn report() -> String {
    let wishes = match wishes() {
        Ok(wishes) => wishes,
        Err(error) => return format!("tests/requirements.toml: {error}"),
    };
    let mut text = String::from("Wishes that a test shows, by document and by kind:\n\n");
    for (document, _) in DOCUMENTS {
        count(&mut text, document, "", wishes.iter().filter(|wish| wish.document() == document));
    }
    text.push('\n');
    for (kind, meaning) in KINDS {
        count(&mut text, kind, meaning, wishes.iter().filter(|wish| wish.kind == kind));
    }
    text.push('\n');
    count(&mut text, "all", "", wishes.iter());
    text.push_str("\nNot shown yet, the first of each document:\n");
    for (document, _) in DOCUMENTS {
        for wish in wishes.iter().filter(|wish| wish.document() == document && !wish.is_shown()).take(3) {
            let _ = writeln!(text, "  {:<7} {}", wish.id, wish.text);
        }
    }
    text
}

fn count<'a>(text: &mut String, name: &str, meaning: &str, wishes: impl Iterator<Item = &'a Wish>) {
    let (shown, all) = wishes.fold((0_usize, 0_usize), |(shown, all), wish| {
        (shown.saturating_add(usize::from(wish.is_shown())), all.saturating_add(1))
    });
    let _ = writeln!(text, "{}", format!("  {name:<5}{shown:>5} of {all:<5}{meaning}").trim_end());
}
