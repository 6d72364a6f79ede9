//! What must not stand in any file: postponed work, silenced lints, this machine, secrets. And how long a file may be.

use super::source::{Source, is_test_code};
use super::{assert_tidy, tree};
use anyhow::Result;

/// This file lists the words, so it alone is not searched for them.
const HERE: &str = "tests/tidy/words.rs";
/// What we write ourselves.
const OURS: &[&str] = &[
    ".rs", ".sql", ".js", ".mjs", ".css", ".html", ".toml", ".graphql", ".md", ".sh", ".yml", ".yaml",
    ".ci/run",
];
/// Work put off until later, or a test that does not run.
const LATER: &[&str] = &["TODO", "FIXME", "XXX", "HACK", "todo!", "unimplemented!", "#[ignore"];
/// Where packages come from is the business of the machine that builds.
const REGISTRIES: &[&str] = &[
    "index.crates.io",
    "static.crates.io",
    "registry.npmjs.org",
    "registry.yarnpkg.com",
    "files.pythonhosted.org",
    "pypi.org/simple",
    "proxy.golang.org",
    "deb.debian.org",
    "artifactory",
];
/// Where things lie on one machine.
const PLACES: &[&str] = &["/work/", "/root/", "/home/", "/Users/"];
/// The most lines of one file; when it is longer, there is a second thing in it.
const LINES: usize = 400;
/// What may be longer, and why.
const LONGER: &[(&str, &str)] = &[
    ("tests/requirements.toml", "a list of 481 wishes, five lines each"),
    ("tests/platforms/src/shopify/schema.graphql", "the vendor's types, looked up by name like a dictionary"),
    ("spin.toml", "one block for each function, in one file for every Spin host"),
    ("README.md", "the one page for everybody who comes by"),
];

/// The text files we write ourselves: no lock files, nothing vendored.
fn ours() -> Result<Vec<String>> {
    let files = tree::files()?.into_iter();
    Ok(files
        .filter(|file| OURS.iter().any(|end| file.ends_with(end)) && !file.contains("/vendor/"))
        .collect())
}

fn line(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count().saturating_add(1)
}

/// Where this occurs and is no part of a longer word.
fn whole<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    text.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = text.get(..*at).and_then(|before| before.chars().next_back());
        let after = text.get(at.saturating_add(word.len())..).and_then(|after| after.chars().next());
        let ends_in_a_word = word.ends_with(|letter: char| letter.is_alphanumeric());
        !(part(before) || ends_in_a_word && part(after))
    })
}

#[test]
fn nothing_is_put_off_until_later() -> Result<()> {
    let mut findings = Vec::new();
    // Pages may speak of it.
    for file in ours()?.iter().filter(|file| *file != HERE && !file.contains(".md")) {
        let text = tree::read(file)?;
        for word in LATER {
            findings.extend(whole(&text, word).map(|at| {
                format!("{file}:{}: {word}; do it now, or write it down elsewhere", line(&text, at))
            }));
        }
    }
    assert_tidy("No work is put off in the code, no test is switched off.", &findings);
    Ok(())
}

#[test]
fn a_lint_is_expected_with_a_reason_never_silenced() -> Result<()> {
    let mut findings = Vec::new();
    for file in tree::files_in("", ".rs")?.iter().filter(|file| *file != HERE) {
        let source = Source::rust_with_tests(file)?;
        for word in ["#[allow(", "#![allow("] {
            // A helper that several test files include is used whole by none of them.
            let shared = file.ends_with("/help/mod.rs") || file.ends_with("/support/mod.rs");
            findings.extend(
                source
                    .find(word)
                    .iter()
                    .filter(|_| !shared)
                    .map(|at| format!("{}: write expect(…, reason = \"…\")", source.place(*at))),
            );
        }
        for word in ["#[expect(", "#![expect("] {
            for at in source.find(word) {
                let end = source.closing(at, b'(', b')').unwrap_or(at);
                if !source.code.get(at..end).is_some_and(|text| text.contains("reason")) {
                    findings.push(format!("{}: add reason = \"…\"", source.place(at)));
                }
            }
        }
    }
    assert_tidy("A lint is never silenced; #[expect] says why it does not apply.", &findings);
    Ok(())
}

#[test]
fn no_file_is_long() -> Result<()> {
    let mut findings = Vec::new();
    for file in
        ours()?.iter().filter(|file| !file.starts_with('.') && !LONGER.iter().any(|(name, _)| name == file))
    {
        let lines = tree::read(file)?.lines().count();
        if lines > LINES {
            findings.push(format!(
                "{file}: {lines} lines; there is a second thing in it, give that a file of its own"
            ));
        }
    }
    assert_tidy("A file has at most 400 lines.", &findings);
    Ok(())
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() -> Result<()> {
    let mut findings = Vec::new();
    for file in tree::files()?.iter().filter(|file| *file != HERE) {
        let Ok(text) = tree::read(file) else { continue }; // A picture, a font, a compressed file.
        for host in REGISTRIES {
            let found = text.match_indices(host);
            findings.extend(found.map(|(at, _)| {
                format!("{file}:{}: {host}; the machine knows its registries", line(&text, at))
            }));
        }
        for place in PLACES {
            let starts = |at: &usize| {
                let before = text.get(..*at).and_then(|before| before.chars().next_back());
                // Behind a letter, a dot or a brace it is the middle of another path.
                !before.is_some_and(|letter| {
                    letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_' | '}' | ')' | '~' | '*')
                })
            };
            let found = text.match_indices(place).map(|(at, _)| at).filter(starts);
            findings.extend(
                found.map(|at| {
                    format!("{file}:{}: {place}…; name it from the project's root", line(&text, at))
                }),
            );
        }
    }
    let lock = tree::read("Cargo.lock")?;
    let official = "registry+https://github.com/rust-lang/crates.io-index";
    for source in lock.lines().filter_map(|line| line.strip_prefix("source = ")) {
        if source.trim_matches('"') != official {
            findings.push(format!("Cargo.lock: {source}; every crate comes from crates.io"));
        }
    }
    assert_tidy("No file names a registry or a place of one machine.", &findings);
    Ok(())
}

#[test]
fn no_secret_is_in_the_repository() -> Result<()> {
    let mut findings = Vec::new();
    for file in tree::files()?.iter().filter(|file| *file != HERE) {
        let Ok(text) = tree::read(file) else { continue };
        let production = text.find("#[cfg(test)]").unwrap_or(text.len());
        let tested = |at: usize| is_test_code(file) || at >= production;
        let run = |at: usize, letters: fn(&u8) -> bool| text.bytes().skip(at).take_while(letters).count();
        for (at, found) in text.match_indices("sb_secret_") {
            let length =
                run(at.saturating_add(found.len()), |byte| byte.is_ascii_alphanumeric() || *byte == b'_');
            if length >= 16 && !tested(at) {
                findings.push(format!("{file}:{}: looks like a secret key", line(&text, at)));
            }
        }
        for prefix in ["shpat_", "shpss_", "shpca_"] {
            for (at, found) in text.match_indices(prefix) {
                if run(at.saturating_add(found.len()), u8::is_ascii_hexdigit) >= 32 {
                    findings.push(format!("{file}:{}: looks like a token of a real shop", line(&text, at)));
                }
            }
        }
        for (at, found) in text.match_indices("PRIVATE KEY-----") {
            let held = text.get(at.saturating_add(found.len())..).unwrap_or_default();
            let held = held.trim_start_matches(|letter: char| {
                letter.is_whitespace() || matches!(letter, '\\' | 'n' | '"')
            });
            if !tested(at)
                && held
                    .bytes()
                    .take_while(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte))
                    .count()
                    >= 24
            {
                findings.push(format!("{file}:{}: a private key", line(&text, at)));
            }
        }
    }
    assert_tidy("No secret is in the repository.", &findings);
    Ok(())
}
