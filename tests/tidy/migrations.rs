//! `supabase/migrations/`: what every table and every function must have from its first line on.

use super::source::Source;
use super::{assert_tidy, tree};
use anyhow::Result;

fn migrations() -> Result<Vec<Source>> {
    tree::files_in("supabase/migrations/", ".sql")?.iter().map(|path| Source::sql(path)).collect()
}

/// What follows a phrase, up to the end of the name: `sync.leases`.
fn name_after<'a>(source: &'a Source, at: usize, phrase: &str) -> &'a str {
    let rest = source.code.get(at.saturating_add(phrase.len())..).unwrap_or_default().trim_start();
    let rest = rest.strip_prefix("if not exists").unwrap_or(rest).trim_start();
    let end = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_' || letter == '.'));
    rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
}

#[test]
fn every_table_has_row_level_security_in_the_migration_that_makes_it() -> Result<()> {
    let mut findings = Vec::new();
    for source in migrations()? {
        for at in source.find("create table") {
            let table = name_after(&source, at, "create table");
            if !table.contains('.') {
                findings.push(format!("{}: name the schema of {table}", source.place(at)));
            }
            if !source.code.contains(&format!("alter table {table} enable row level security")) {
                findings.push(format!(
                    "{}: add `alter table {table} enable row level security;`",
                    source.place(at)
                ));
            }
        }
        // Tables that a function makes (partitions) are written inside a literal.
        let secured =
            source.literals.iter().any(|literal| literal.text.contains("enable row level security"));
        for literal in source.literals.iter().filter(|literal| literal.text.starts_with("create table")) {
            if !secured {
                findings.push(format!(
                    "{}: what is made here needs row level security too",
                    source.place(literal.at)
                ));
            }
        }
    }
    assert_tidy("Every table has row level security.", &findings);
    Ok(())
}

#[test]
fn every_function_sets_its_search_path() -> Result<()> {
    let mut findings = Vec::new();
    for source in migrations()? {
        for phrase in [
            "create function",
            "create or replace function",
            "create procedure",
            "create or replace procedure",
        ] {
            for at in source.find(phrase) {
                let rest = source.code.get(at..).unwrap_or_default();
                let head = rest.get(..rest.find(['$', ';']).unwrap_or(rest.len())).unwrap_or_default();
                if !head.contains("set search_path = ''") {
                    let name = name_after(&source, at, phrase);
                    findings.push(format!("{}: {name} needs `set search_path = ''`", source.place(at)));
                }
            }
        }
    }
    assert_tidy("A function says which schemas it looks into: none.", &findings);
    Ok(())
}

#[test]
fn migrations_sort_by_the_time_in_their_names() -> Result<()> {
    let mut findings = Vec::new();
    let mut last = String::new();
    for file in tree::files_in("supabase/migrations/", "")? {
        let name = file.trim_start_matches("supabase/migrations/");
        let time: String = name.chars().take_while(char::is_ascii_digit).collect();
        let noun = name.get(time.len()..).and_then(|rest| rest.strip_prefix('_')?.strip_suffix(".sql"));
        let plain = |noun: &str| {
            !noun.is_empty()
                && noun
                    .chars()
                    .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
        };
        if time.len() != 14 || !noun.is_some_and(plain) {
            findings.push(format!("{file}: call it <14 digits of time>_<noun>.sql"));
        }
        if time == last {
            findings.push(format!("{file}: another migration has the same time, the version must be unique"));
        }
        last = time;
    }
    assert_tidy("A migration is named by its time and its noun.", &findings);
    Ok(())
}
