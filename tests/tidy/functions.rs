//! A function names what comes in, what goes out and who may call. Everything else is a room's.

use super::source::Source;
use super::{assert_tidy, tree};
use anyhow::Result;

/// What takes down the instance, and with it up to fifteen neighbours.
const PANICS: &[&str] = &[
    ".unwrap()",
    ".expect(",
    ".unwrap_err()",
    ".expect_err(",
    "panic!",
    "unreachable!",
    "assert!",
    "assert_eq!",
];
/// How a statement begins.
const STATEMENTS: &[&str] = &[
    "select ",
    "insert into ",
    "update ",
    "delete from ",
    "with ",
    "create ",
    "alter ",
    "drop ",
    "truncate ",
];
/// Where a number would be a status.
const STATUS: &[&str] = &["status", "from_u16", "Response", "code"];

fn sources() -> Result<Vec<Source>> {
    let files = tree::files_in("functions/", ".rs")?;
    files.iter().filter(|path| !path.starts_with("functions/_")).map(|path| Source::rust(path)).collect()
}

#[test]
fn a_function_holds_no_sql() -> Result<()> {
    let mut findings = Vec::new();
    for source in sources()? {
        for literal in &source.literals {
            let text = literal.text.trim_start().to_ascii_lowercase();
            let other = text.contains(" from ")
                || text.contains(" set ")
                || text.contains(" values")
                || text.contains(" table ");
            if other && STATEMENTS.iter().any(|start| text.starts_with(start)) {
                findings.push(format!(
                    "{}: put the statement into sql/ and ask for it through the store",
                    source.place(literal.at)
                ));
            }
        }
    }
    assert_tidy("A function holds no SQL.", &findings);
    Ok(())
}

#[test]
fn a_function_holds_no_address() -> Result<()> {
    let mut findings = Vec::new();
    for source in sources()? {
        for literal in
            source.literals.iter().filter(|it| it.text.contains("http://") || it.text.contains("https://"))
        {
            findings.push(format!(
                "{}: an address is a setting, a row, or a connector's",
                source.place(literal.at)
            ));
        }
    }
    assert_tidy("A function holds no address.", &findings);
    Ok(())
}

#[test]
fn a_function_holds_no_status() -> Result<()> {
    let mut findings = Vec::new();
    for source in sources()? {
        findings.extend(source.find("StatusCode").iter().map(|at| {
            format!(
                "{}: say what happened (`Problem`, the answer's type); edge knows the status",
                source.place(*at)
            )
        }));
        let mut start = 0_usize;
        for line in source.code.split_inclusive('\n') {
            let words = line.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
            let number =
                words.filter_map(|word| word.parse::<u16>().ok()).any(|number| (100..600).contains(&number));
            if number && STATUS.iter().any(|word| line.contains(word)) {
                findings.push(format!(
                    "{}: a number where a status could be; edge knows the status",
                    source.place(start)
                ));
            }
            start = start.saturating_add(line.len());
        }
    }
    assert_tidy("A function holds no status.", &findings);
    Ok(())
}

#[test]
fn a_function_does_not_panic() -> Result<()> {
    let mut findings = Vec::new();
    for source in sources()? {
        for word in PANICS {
            findings.extend(source.find(word).iter().map(|at| {
                format!("{}: `{word}` takes the neighbours down; answer with a Problem", source.place(*at))
            }));
        }
    }
    assert_tidy("A function does not panic.", &findings);
    Ok(())
}
