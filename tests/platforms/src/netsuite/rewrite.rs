//! SuiteQL as `SQLite` understands it.

use super::problem::Problem;
use super::tables::FAMILY;

/// One word of a statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    Word(String),
    /// A text in single quotes, quotes included.
    Text(String),
    /// A name in double quotes, quotes included.
    Quoted(String),
    Number(String),
    Mark(char),
}

impl Token {
    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(text) if text.eq_ignore_ascii_case(word))
    }

    fn mark(&self, wanted: char) -> bool {
        matches!(self, Self::Mark(mark) if *mark == wanted)
    }

    fn text(&self) -> String {
        match self {
            Self::Word(text) | Self::Text(text) | Self::Quoted(text) | Self::Number(text) => text.clone(),
            Self::Mark(mark) => mark.to_string(),
        }
    }
}

/// Words that `SQLite` knows and SuiteQL refuses.
const FOREIGN: [&str; 14] = [
    "limit", "pragma", "attach", "insert", "update", "delete", "create", "drop", "alter", "replace",
    "vacuum", "glob", "iif", "regexp",
];
/// The most values in one `IN (…)`: Oracle's own limit.
const LONGEST_LIST: usize = 1_000;

/// Turns a statement into one for `SQLite`, without the end `limit … offset …`.
///
/// # Errors
/// It is not a single query of SuiteQL.
pub(crate) fn statement(sql: &str) -> Result<(String, Vec<String>), Problem> {
    let tokens = split(sql)?;
    let starts = tokens.first().is_some_and(|token| token.is("select") || token.is("with"));
    if !starts {
        return Err(refused("Only SELECT statements are supported"));
    }
    if let Some(foreign) = tokens.iter().find(|token| FOREIGN.iter().any(|word| token.is(word))) {
        return Err(refused(&format!("unexpected token: {}", foreign.text())));
    }
    check_lists(&tokens)?;
    let customs = tokens
        .iter()
        .filter_map(|token| match token {
            Token::Word(word) if word.to_ascii_lowercase().starts_with("cust") => {
                Some(word.to_ascii_lowercase())
            }
            _ => None,
        })
        .collect();
    let mut out = String::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let (text, used) = translated(&tokens, at).unwrap_or_else(|| (token.text(), 1));
        out.push_str(&text);
        out.push(' ');
        at += used;
    }
    Ok((out, customs))
}

pub(crate) fn refused(reason: &str) -> Problem {
    let detail = format!(
        "Invalid search query. Detailed unprocessed description follows. Search error occurred: {reason}."
    );
    Problem::new(400, "INVALID_PARAMETER", detail)
}

/// A place where SuiteQL and `SQLite` differ: the text for `SQLite` and how many tokens it stands for.
fn translated(tokens: &[Token], at: usize) -> Option<(String, usize)> {
    let rest = tokens.get(at..)?;
    let token = rest.first()?;
    let followed_by = |offset: usize, mark: char| rest.get(offset).is_some_and(|token| token.mark(mark));
    if token.is("builtin")
        && followed_by(1, '.')
        && rest.get(2).is_some_and(|token| token.is("df"))
        && followed_by(3, '(')
    {
        let end = closing(rest, 3)?;
        let inner = rest.get(4..end)?;
        let column = inner.iter().rev().find_map(|token| match token {
            Token::Word(word) => Some(word.to_ascii_lowercase()),
            _ => None,
        })?;
        let inner: Vec<String> = inner.iter().map(Token::text).collect();
        return Some((format!("ns_df('{column}', {})", inner.join(" ")), end + 1));
    }
    if token.is("listagg") && followed_by(1, '(') {
        let end = closing(rest, 1)?;
        let inner: Vec<String> = rest.get(2..end)?.iter().map(Token::text).collect();
        let within = rest.get(end + 1).is_some_and(|token| token.is("within"));
        if !within {
            return Some((format!("group_concat({})", inner.join(" ")), end + 1));
        }
        let last = closing(rest, end + 3)?;
        let order: Vec<String> = rest.get(end + 4..last)?.iter().map(Token::text).collect();
        return Some((format!("group_concat({} {})", inner.join(" "), order.join(" ")), last + 1));
    }
    if ["sysdate", "current_date", "current_timestamp", "systimestamp"].iter().any(|word| token.is(word)) {
        return Some(("ns_now()".to_owned(), 1));
    }
    if (token.is("coalesce") || token.is("nvl"))
        && let Some(found) = family(rest)
    {
        return Some(found);
    }
    if token.is("minus") {
        return Some(("except".to_owned(), 1));
    }
    if (token.is("timestamp") || token.is("date")) && matches!(rest.get(1), Some(Token::Text(_))) {
        return Some((format!("ns_literal({})", rest.get(1)?.text()), 2));
    }
    fetch(rest)
}

/// `COALESCE(i.parent, i.id)`, with or without the table's name: one column of ours that has an index.
fn family(rest: &[Token]) -> Option<(String, usize)> {
    let end = closing(rest, 1)?;
    let inner: Vec<String> = rest.get(2..end)?.iter().map(|token| token.text().to_lowercase()).collect();
    let parts: Vec<&str> = inner.iter().map(String::as_str).collect();
    let table = match parts.as_slice() {
        ["parent", ",", "id"] => String::new(),
        [table, ".", "parent", ",", same, ".", "id"] if table == same => format!("{table}."),
        _ => return None,
    };
    Some((format!("{table}{FAMILY}"), end + 1))
}

/// `OFFSET n ROWS FETCH NEXT m ROWS ONLY`, either part alone too.
fn fetch(rest: &[Token]) -> Option<(String, usize)> {
    let number = |offset: usize| match rest.get(offset)? {
        Token::Number(number) => Some(number.clone()),
        Token::Mark('?') => Some("?".to_owned()),
        _ => None,
    };
    let rows = |offset: usize| rest.get(offset).is_some_and(|token| token.is("rows") || token.is("row"));
    if rest.first()?.is("fetch") {
        let count = number(2)?;
        return (rows(3) && rest.get(4)?.is("only")).then(|| (format!("limit {count}"), 5));
    }
    if rest.first()?.is("offset") && rows(2) {
        let skip = number(1)?;
        let fetches = rest.get(3).is_some_and(|token| token.is("fetch"));
        let count = if fetches { number(5)? } else { "-1".to_owned() };
        return Some((format!("limit {count} offset {skip}"), if fetches { 8 } else { 3 }));
    }
    None
}

/// The bracket that closes the one at `open`.
fn closing(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.mark('(') {
            depth += 1;
        } else if token.mark(')') {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

fn check_lists(tokens: &[Token]) -> Result<(), Problem> {
    for (at, token) in tokens.iter().enumerate() {
        if !token.is("in") || !tokens.get(at + 1).is_some_and(|token| token.mark('(')) {
            continue;
        }
        let end = closing(tokens, at + 1).unwrap_or(at + 1);
        let inner = tokens.get(at + 2..end).unwrap_or_default();
        let commas = inner.iter().filter(|token| token.mark(',')).count();
        if commas >= LONGEST_LIST {
            return Err(refused("maximum number of expressions in a list is 1000"));
        }
    }
    Ok(())
}

fn split(sql: &str) -> Result<Vec<Token>, Problem> {
    let letters: Vec<char> = sql.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(letter) = letters.get(at).copied() {
        let take = |test: &dyn Fn(char) -> bool| {
            letters.iter().skip(at).copied().take_while(|letter| test(*letter)).collect::<String>()
        };
        match letter {
            _ if letter.is_whitespace() => at += 1,
            '-' if letters.get(at + 1) == Some(&'-') => at += take(&|letter| letter != '\n').chars().count(),
            '/' if letters.get(at + 1) == Some(&'*') => at = comment_end(&letters, at)?,
            '\'' | '"' => {
                let (text, end) = quoted(&letters, at)?;
                tokens.push(if letter == '\'' { Token::Text(text) } else { Token::Quoted(text) });
                at = end;
            }
            _ if letter.is_ascii_digit() => {
                let number = take(&|letter| letter.is_ascii_digit() || letter == '.');
                at += number.chars().count();
                tokens.push(Token::Number(number));
            }
            _ if letter.is_alphabetic() || letter == '_' => {
                let word = take(&|letter| letter.is_alphanumeric() || matches!(letter, '_' | '$' | '#'));
                at += word.chars().count();
                tokens.push(Token::Word(word));
            }
            ';' | '`' | '[' | ']' | '@' | ':' => return Err(refused(&format!("unexpected token: {letter}"))),
            _ => {
                // Two-letter operators must stay together.
                let pair: String = letters.iter().skip(at).take(2).collect();
                if matches!(pair.as_str(), "<=" | ">=" | "<>" | "!=" | "||") {
                    tokens.push(Token::Word(pair));
                    at += 2;
                } else {
                    tokens.push(Token::Mark(letter));
                    at += 1;
                }
            }
        }
    }
    Ok(tokens)
}

fn comment_end(letters: &[char], start: usize) -> Result<usize, Problem> {
    (start + 2..letters.len())
        .find(|at| letters.get(*at) == Some(&'*') && letters.get(*at + 1) == Some(&'/'))
        .map(|at| at + 2)
        .ok_or_else(|| refused("unterminated comment"))
}

fn quoted(letters: &[char], start: usize) -> Result<(String, usize), Problem> {
    let quote = letters.get(start).copied().unwrap_or_default();
    let mut text = String::from(quote);
    let mut at = start + 1;
    while let Some(letter) = letters.get(at).copied() {
        text.push(letter);
        at += 1;
        if letter == quote {
            if letters.get(at) == Some(&quote) {
                text.push(quote);
                at += 1;
            } else {
                return Ok((text, at));
            }
        }
    }
    Err(refused("unterminated string"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlite(sql: &str) -> String {
        statement(sql).unwrap().0.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_differs_is_translated() {
        assert_eq!(
            sqlite("SELECT BUILTIN.DF(i.location) FROM item i"),
            "SELECT ns_df('location', i . location) FROM item i"
        );
        assert_eq!(sqlite("select id from item fetch first 5 rows only"), "select id from item limit 5");
        assert_eq!(sqlite("select sysdate from dual"), "select ns_now() from dual");
        assert_eq!(sqlite("select 'it''s; -- fine' from dual -- gone"), "select 'it''s; -- fine' from dual");
    }

    #[test]
    fn families_are_found_by_the_column_that_has_an_index() {
        let sql = "select i.id from item i join item p on coalesce(i.parent, i.id) = p.id";
        assert_eq!(sqlite(sql), "select i . id from item i join item p on i.ns_family = p . id");
        assert_eq!(
            sqlite("select coalesce(a.parent, b.id) from x"),
            "select coalesce ( a . parent , b . id ) from x"
        );
    }

    #[test]
    fn anything_but_one_query_is_refused() {
        for sql in [
            "delete from item",
            "select 1; select 2",
            "select id from item limit 5",
            "pragma user_version",
            "'",
            "",
        ] {
            assert!(statement(sql).is_err(), "{sql}");
        }
    }
}
