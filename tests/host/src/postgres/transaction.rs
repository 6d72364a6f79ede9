//! Which statements open and end a transaction that outlives the statement.

/// What a statement does to the connection's transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Opens one.
    Opens,
    /// Ends it.
    Ends,
    /// Leaves it as it is.
    None,
}

/// Reads the effect from the first words. Nothing else can do it: PostgreSQL takes one statement per call here, and a
/// function cannot end or open the transaction it runs in.
pub(crate) fn effect(statement: &str) -> Effect {
    let mut words = words(statement);
    match words.next().as_deref() {
        Some("begin" | "start") => Effect::Opens,
        Some("commit" | "end" | "abort") => chained(words),
        Some("rollback") => match words.next().as_deref() {
            Some("to") => Effect::None,
            Some("and") => chained(std::iter::once("and".to_owned()).chain(words)),
            Some("work" | "transaction") => match words.next().as_deref() {
                Some("to") => Effect::None,
                Some("and") => chained(std::iter::once("and".to_owned()).chain(words)),
                _ => Effect::Ends,
            },
            _ => Effect::Ends,
        },
        Some("prepare") if words.next().as_deref() == Some("transaction") => Effect::Ends,
        _ => Effect::None,
    }
}

/// `and chain` opens the next transaction at once; `and no chain` does not.
fn chained(words: impl Iterator<Item = String>) -> Effect {
    let mut rest = words.skip_while(|word| word != "and");
    rest.next();
    if rest.next().as_deref() == Some("chain") { Effect::Opens } else { Effect::Ends }
}

/// The lower-case words of a statement, comments left out.
fn words(statement: &str) -> impl Iterator<Item = String> {
    let plain = without_leading_comments(statement);
    plain
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .take(6)
        .map(str::to_ascii_lowercase)
        .collect::<Vec<_>>()
        .into_iter()
}

fn without_leading_comments(statement: &str) -> &str {
    let mut rest = statement.trim_start();
    loop {
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.split_once('\n').map_or("", |(_, after)| after).trim_start();
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = after_block(comment).trim_start();
        } else {
            return rest;
        }
    }
}

/// What follows a block comment; PostgreSQL lets them nest.
fn after_block(mut rest: &str) -> &str {
    let mut depth = 1_usize;
    while depth > 0 {
        let (open, close) = (rest.find("/*"), rest.find("*/"));
        let (at, deeper) = match (open, close) {
            (Some(open), Some(close)) if open < close => (open, true),
            (_, Some(close)) => (close, false),
            (_, None) => return "",
        };
        depth = if deeper { depth.saturating_add(1) } else { depth.saturating_sub(1) };
        rest = rest.get(at.saturating_add(2)..).unwrap_or("");
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openers_are_seen_behind_comments_and_in_any_case() {
        for opener in [
            "begin",
            "BEGIN ISOLATION LEVEL SERIALIZABLE",
            " start transaction",
            "-- x\n/* a /* b */ */ Begin;",
        ] {
            assert_eq!(effect(opener), Effect::Opens, "{opener}");
        }
    }

    #[test]
    fn enders_are_seen_and_savepoints_are_not_enders() {
        for ender in [
            "commit",
            "END",
            "abort work",
            "rollback",
            "rollback work",
            "prepare transaction 'x'",
            "commit and no chain",
        ] {
            assert_eq!(effect(ender), Effect::Ends, "{ender}");
        }
        for other in
            ["rollback to savepoint a", "rollback work to a", "savepoint a", "select 'begin'", "", "-- begin"]
        {
            assert_eq!(effect(other), Effect::None, "{other}");
        }
        assert_eq!(effect("commit and chain"), Effect::Opens);
        assert_eq!(effect("rollback and chain"), Effect::Opens);
    }
}
