//! `tests/requirements.toml`: complete, in order, and telling the truth about the tests it names.

use super::source::Source;
use super::{assert_tidy, tree};
use crate::requirements::{DOCUMENTS, KINDS, report, wishes};
use anyhow::Result;

/// The file that holds a test, by its path: `domain::decide::tests::…` is in that room's source, `delta_sync::…` in
/// `tests/delta_sync.rs`. `None` when no file has it.
fn holder(path: &str) -> Result<Option<String>> {
    let mut modules: Vec<&str> = path.split("::").collect();
    let Some(test) = modules.pop() else { return Ok(None) };
    let Some(first) = modules.first().copied() else { return Ok(None) };
    let mut folders = vec![("tests/".to_owned(), modules.as_slice())];
    let inner = modules.get(1..).unwrap_or_default();
    for folder in ["functions/_shared", "functions", "tests"] {
        // A crate's name has `_` where its folder has `-`.
        folders.push((format!("{folder}/{first}/src/"), inner));
        folders.push((format!("{folder}/{}/src/", first.replace('_', "-")), inner));
        folders.push((format!("{folder}/{first}/tests/"), inner));
    }
    let files = tree::files()?;
    for (folder, modules) in folders {
        for length in (0..=modules.len()).rev() {
            let (outer, inline) = modules.split_at_checked(length).unwrap_or((modules, &[]));
            let path = outer.join("/");
            let candidates = match outer {
                [] if folder == "tests/" => continue,
                [] => [format!("{folder}lib.rs"), format!("{folder}main.rs")],
                _ => [format!("{folder}{path}.rs"), format!("{folder}{path}/mod.rs")],
            };
            for file in candidates.into_iter().filter(|file| files.contains(file)) {
                let source = Source::rust_with_tests(&file)?;
                let has = |words: String| !source.find(&words).is_empty();
                if inline.iter().all(|module| has(format!("mod {module}"))) && has(format!("fn {test}")) {
                    return Ok(Some(file));
                }
            }
        }
    }
    Ok(None)
}

#[test]
fn every_wish_is_listed_once_and_in_order() -> Result<()> {
    let wishes = wishes()?;
    let listed: Vec<&str> = wishes.iter().map(|wish| wish.id.as_str()).collect();
    let wanted: Vec<String> = DOCUMENTS
        .iter()
        .flat_map(|(document, count)| (1..=*count).map(move |number| format!("{document}-{number}")))
        .collect();
    let mut findings = Vec::new();
    for id in wanted.iter().filter(|id| !listed.contains(&id.as_str())) {
        findings.push(format!("{id} is missing"));
    }
    for id in listed.iter().filter(|id| !wanted.iter().any(|wanted| wanted == *id)) {
        findings.push(format!("{id} is in no document"));
    }
    if findings.is_empty() && listed != wanted {
        let place = listed.iter().zip(&wanted).find(|(listed, wanted)| **listed != wanted.as_str());
        findings.push(format!("out of order or twice: {}", place.map_or("the end", |(listed, _)| *listed)));
    }
    assert_tidy("requirements.toml has every wish once, in the order of the documents.", &findings);
    Ok(())
}

#[test]
fn every_wish_has_a_kind_and_a_text() -> Result<()> {
    let mut findings = Vec::new();
    for wish in wishes()? {
        if !KINDS.iter().any(|(kind, _)| *kind == wish.kind) {
            findings.push(format!("{}: there is no kind {}", wish.id, wish.kind));
        }
        if wish.text.trim().is_empty() {
            findings.push(format!("{}: say in a few words what it is", wish.id));
        }
    }
    assert_tidy("A wish has one of the fifteen kinds, and a text.", &findings);
    Ok(())
}

#[test]
fn every_test_that_a_wish_names_exists() -> Result<()> {
    let mut findings = Vec::new();
    for wish in wishes()? {
        for test in &wish.tests {
            if holder(test)?.is_none() {
                findings.push(format!("{}: there is no test {test}; was it renamed?", wish.id));
            }
        }
    }
    assert_tidy("requirements.toml names tests that exist.", &findings);
    Ok(())
}

#[test]
fn a_named_test_is_found_in_its_module() -> Result<()> {
    assert_eq!(
        holder("tidy::wishes::a_named_test_is_found_in_its_module")?.as_deref(),
        Some("tests/tidy/wishes.rs")
    );
    assert_eq!(holder("tidy::wishes::no_such_test")?, None);
    assert_eq!(holder("no_such_module::a_named_test_is_found_in_its_module")?, None);
    Ok(())
}

#[test]
fn the_report_counts_every_wish() {
    let total: usize = DOCUMENTS.iter().map(|(_, count)| count).sum();
    assert!(report().contains(&format!("of {total}")), "{}", report());
}
