//! `sql/`: one statement in each file, used once. One statement is one transaction; there is no other.

use super::source::Source;
use super::{assert_tidy, tree};
use anyhow::Result;

/// What opens, closes or divides a transaction. The pool of the host does not roll back what a dead request left open.
const TRANSACTION: &[&str] =
    &["begin", "commit", "rollback", "savepoint", "start transaction", "abort", "prepare transaction"];
/// The only form in which the role is changed: it lasts until the outer statement ends, so nothing else stands there.
const AS_USER: &str = "select sync.as_user($1, $2, $3)";

/// How the store names a statement of its own, and one that runs as the user.
const SQL: &str = "sql!(";
const USER_SQL: &str = "user_sql!(";
/// The room that owns the statements.
const STORE: &str = "functions/_shared/store/src/";

fn statements() -> Result<Vec<Source>> {
    tree::files_in("sql/", ".sql")?.iter().map(|path| Source::sql(path)).collect()
}

fn store() -> Result<Vec<Source>> {
    tree::files_in(STORE, ".rs")?.iter().map(|path| Source::rust(path)).collect()
}

/// The statements that a file names with one of these macros: `sql!("topic/verb")`.
fn named<'a>(source: &'a Source, macros: &'a [&str]) -> impl Iterator<Item = &'a str> {
    macros.iter().flat_map(move |call| {
        let places = source.find(call).into_iter();
        places.filter_map(move |at| Some(source.literal_at(at.checked_add(call.len())?)?.text.as_str()))
    })
}

/// Whether the last `select` outside of all brackets is one call and nothing else: then there is exactly one row. Of
/// several rows only the first would be taken, and nobody would notice.
fn is_one_value(source: &Source) -> bool {
    let depth = |at: usize| {
        let before = source.code.bytes().take(at);
        before.fold(0_i32, |depth, byte| {
            depth.saturating_add(i32::from(byte == b'(')).saturating_sub(i32::from(byte == b')'))
        })
    };
    let Some(select) = source.find("select").into_iter().rfind(|at| depth(*at) == 0) else { return false };
    let Some(end) = source.closing(select, b'(', b')') else { return false };
    let call = source.code.get(select..end).unwrap_or_default();
    let rest = source.code.get(end..).unwrap_or_default().trim().trim_end_matches(';').trim_end();
    let name = call.trim_start_matches("select").split('(').next().unwrap_or_default().trim();
    // An aggregate over everything is one row too, whatever it is taken from.
    let inner = call.trim_start_matches("select");
    let aggregate = inner.contains("json_agg(") && !inner.contains("select") && !rest.contains("group by");
    matches!(name, "json_build_object" | "jsonb_build_object" | "coalesce")
        && (matches!(rest, "" | "::text") || aggregate && rest.starts_with("::text"))
}

#[test]
fn every_statement_is_named_exactly_once_and_by_the_store() -> Result<()> {
    let store = store()?;
    let used: Vec<&str> = store.iter().flat_map(|source| named(source, &[SQL, USER_SQL])).collect();
    let mut findings = Vec::new();
    for file in tree::files_in("sql/", ".sql")? {
        let name = file.trim_start_matches("sql/").trim_end_matches(".sql");
        match used.iter().filter(|used| **used == name).count() {
            1 => {}
            0 => findings.push(format!(
                "{file}: nobody asks it; name it with sql!(\"{name}\") in the store, or delete it"
            )),
            more => findings.push(format!("{file}: named {more} times; two functions of the store are one")),
        }
    }
    for file in tree::files_in("functions/", ".rs")?.iter().filter(|file| !file.starts_with(STORE)) {
        let source = Source::rust(file)?;
        findings.extend(
            [SQL, USER_SQL]
                .iter()
                .flat_map(|call| source.find(call))
                .map(|at| format!("{}: only the store has statements", source.place(at))),
        );
    }
    assert_tidy("Each file of sql/ belongs to one function of the store.", &findings);
    Ok(())
}

#[test]
fn every_statement_begins_with_what_it_is_for() -> Result<()> {
    let mut findings = Vec::new();
    for file in
        tree::files_in("sql/", ".sql")?.into_iter().chain(tree::files_in("supabase/migrations/", ".sql")?)
    {
        if !tree::read(&file)?.starts_with("-- ") {
            findings.push(format!("{file}: begin with a comment, `-- ` and a sentence"));
        }
    }
    assert_tidy("An SQL file begins by saying what it is for.", &findings);
    Ok(())
}

#[test]
fn every_file_of_sql_is_one_statement_without_a_transaction() -> Result<()> {
    let mut findings = Vec::new();
    for source in statements()? {
        let count = source.code.split(';').filter(|statement| !statement.trim().is_empty()).count();
        if count != 1 {
            findings.push(format!("{}: holds {count} statements; one file is one statement", source.path));
        }
        for word in TRANSACTION {
            findings.extend(source.find(word).iter().map(|at| {
                format!(
                    "{}: `{word}`; one statement is one transaction, locks are leases in rows",
                    source.place(*at)
                )
            }));
        }
    }
    assert_tidy("No statement opens a transaction.", &findings);
    Ok(())
}

#[test]
fn sql_is_written_in_small_letters() -> Result<()> {
    let mut findings = Vec::new();
    for file in tree::files_in("sql/", ".sql")?.into_iter().chain(tree::files_in("supabase/", ".sql")?) {
        let source = Source::sql(&file)?;
        if let Some(at) = source.code.find(|letter: char| letter.is_ascii_uppercase()) {
            findings.push(format!(
                "{}: write it in lower case (only comments and quotes have capitals)",
                source.place(at)
            ));
        }
    }
    assert_tidy("SQL is written in lower case.", &findings);
    Ok(())
}

#[test]
fn the_role_changes_only_in_a_statement_of_its_own() -> Result<()> {
    let mut findings = Vec::new();
    let advice = format!("the role stays for the rest of the outer statement; the only form is `{AS_USER}`");
    for source in statements()? {
        let whole = source.code.trim().trim_end_matches(';').trim_end();
        for at in source.find("as_user") {
            if whole != AS_USER {
                findings.push(format!("{}: {advice}", source.place(at)));
            }
        }
    }
    for file in tree::files_in("functions/", ".rs")? {
        let source = Source::rust(&file)?;
        for literal in source.literals.iter().filter(|literal| literal.text.contains("sync.as_user")) {
            if literal.text != AS_USER {
                findings.push(format!("{}: {advice}", source.place(literal.at)));
            }
        }
    }
    for file in tree::files_in("supabase/migrations/", ".sql")? {
        let source = Source::sql(&file)?;
        for at in source.find("sync.as_user") {
            let before = source.code.get(..at).unwrap_or_default().trim_end();
            // It is made, granted and revoked there, and called from nowhere.
            if !(before.ends_with(" function") || before.ends_with(" on")) {
                findings.push(format!("{}: {advice}", source.place(at)));
            }
        }
    }
    assert_tidy("`sync.as_user` is called in one form only.", &findings);
    Ok(())
}

#[test]
fn what_runs_as_a_user_answers_with_one_text() -> Result<()> {
    let store = store()?;
    let as_user: Vec<&str> = store.iter().flat_map(|source| named(source, &[USER_SQL])).collect();
    let mut findings = Vec::new();
    for source in statements()? {
        let name = source.path.trim_start_matches("sql/").trim_end_matches(".sql");
        if !as_user.contains(&name) {
            continue;
        }
        if !is_one_value(&source) {
            findings.push(format!(
                "{}: end with `select json_build_object(…)::text` and nothing behind it (or `select coalesce((…), 'null')`)",
                source.path
            ));
        }
    }
    assert_tidy("What runs as a user answers with one row of one JSON text.", &findings);
    Ok(())
}

/// The column of `jsonb_array_elements_text(…) as id` is `value`: inside a statement whose table has an `id`, the name `id`
/// then means that one, and a condition is true for every row.
#[test]
fn elements_of_a_list_have_their_column_named() -> Result<()> {
    let mut findings = Vec::new();
    for file in
        tree::files_in("sql/", ".sql")?.into_iter().chain(tree::files_in("supabase/migrations/", ".sql")?)
    {
        let text = tree::read(&file)?;
        for (number, line) in text.lines().enumerate() {
            let rest =
                line.split("jsonb_array_elements_text(").nth(1).and_then(|rest| rest.split(" as ").nth(1));
            if rest.is_some_and(|rest| !rest.split(')').next().unwrap_or_default().contains('('))
                && line.contains("from ")
            {
                findings.push(format!("{file}:{}: name the column, `as one (id)`", number + 1));
            }
        }
    }
    assert_tidy("The elements of a list are named with their column.", &findings);
    Ok(())
}
