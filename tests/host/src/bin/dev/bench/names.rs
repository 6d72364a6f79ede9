//! What statements and requests are called, to say which ones a run sent.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use platforms::Entry;

use super::row::Names;

/// The statements of `sql/`, by their text.
pub(crate) struct Statements(BTreeMap<String, String>);

impl Statements {
    /// Reads the folder.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut names = BTreeMap::new();
        let sql = root.join("sql");
        for folder in std::fs::read_dir(&sql).with_context(|| format!("cannot read {}", sql.display()))? {
            let folder = folder?.path();
            if !folder.is_dir() {
                continue;
            }
            for file in std::fs::read_dir(&folder)? {
                let file = file?.path();
                let name = file.strip_prefix(&sql).unwrap_or(&file).with_extension("");
                names.insert(std::fs::read_to_string(&file)?, name.display().to_string());
            }
        }
        Ok(Self(names))
    }

    /// Counts by name what was counted by text.
    pub(crate) fn named(&self, texts: impl IntoIterator<Item = (String, u64)>) -> Names {
        let mut names = Names::new();
        for (text, count) in texts {
            let sum = names.entry(self.name(&text)).or_default();
            *sum = sum.saturating_add(count);
        }
        names
    }

    fn name(&self, text: &str) -> String {
        match self.0.get(text) {
            Some(name) => name.clone(),
            None if text.starts_with("select sync.as_user(") => "as the user".to_owned(),
            None => text.lines().next().unwrap_or_default().chars().take(40).collect(),
        }
    }
}

/// Counts the requests of a journal by name.
pub(crate) fn of_requests(platform: &str, journal: &[Entry]) -> Names {
    let mut names = Names::new();
    for entry in journal {
        let name = format!("{platform} {}", request(&entry.method, &entry.path, &entry.body));
        let sum = names.entry(name).or_default();
        *sum = sum.saturating_add(1);
    }
    names
}

/// A GraphQL operation by its name, a SuiteQL query by its table and condition, anything else by its path without ids.
fn request(method: &str, path: &str, body: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    if path.ends_with("/graphql.json") {
        return operation(body).unwrap_or_else(|| "graphql".to_owned());
    }
    if path.ends_with("/suiteql") {
        return query(body).unwrap_or_else(|| "suiteql".to_owned());
    }
    let is_id = |part: &str| part.bytes().any(|byte| byte.is_ascii_digit()) && part != "v1";
    let parts: Vec<&str> = path.split('/').map(|part| if is_id(part) { "…" } else { part }).collect();
    format!("{method} {}", parts.join("/"))
}

/// `query Name` or `mutation Name`. The body may be cut, so it is not read as JSON.
fn operation(body: &str) -> Option<String> {
    let (_, document) = body.split_once("\"query\":")?;
    let document = document.trim_start().trim_start_matches('"').replace("\\n", "\n");
    let first = document.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
    let mut words = first.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let kind = words.next()?;
    let name = words.find(|word| !word.is_empty())?;
    matches!(kind, "query" | "mutation").then(|| format!("{kind} {name}"))
}

/// `suiteql item p where p.id`: the first table and the beginning of the condition.
fn query(body: &str) -> Option<String> {
    let text = body.replace("\\n", "\n");
    let words: Vec<&str> = text.split_whitespace().collect();
    let behind = |word: &str, count: usize| {
        let at = words.iter().position(|one| *one == word)?;
        let found = words.get(at.saturating_add(1)..)?.iter().take(count);
        Some(found.map(|word| word.trim_matches(['(', ')'])).collect::<Vec<_>>().join(" "))
    };
    let table = behind("FROM", 2)?;
    Some(
        behind("WHERE", 1)
            .map_or_else(|| format!("suiteql {table}"), |what| format!("suiteql {table} where {what}")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_named_by_what_they_ask_for() {
        let body =
            r##"{"query":"# Reads products.\nquery GetProducts(\n  $ids: [ID!]!\n) {","variables":{"a":"##;
        assert_eq!(request("POST", "/admin/api/2026-10/graphql.json", body), "query GetProducts");
        let body = r#"{"q":"SELECT p.id AS id\nFROM item p\nWHERE (p.id IN (?, ?))"}"#;
        let path = "/services/rest/query/v1/suiteql?limit=1000&offset=0";
        assert_eq!(request("POST", path, body), "suiteql item p where p.id");
        let path = "/services/rest/async/v1/job/12/task/a7/result";
        assert_eq!(request("GET", path, ""), "GET /services/rest/async/v1/job/…/task/…/result");
    }
}
