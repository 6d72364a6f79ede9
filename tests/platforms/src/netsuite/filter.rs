//! The `q` of a record collection: `lastModifiedDate ON_OR_AFTER "11/20/2026" AND itemId START_WITH "A"`.
//!
//! <https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_1545222128.html>

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde_json::Value;

use super::ledger::{Record, reference};
use super::problem::Problem;

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    field: String,
    operator: String,
    values: Vec<String>,
}

/// Alternatives of conditions that must all hold; `AND` binds before `OR`.
pub(crate) type Conditions = Vec<Vec<Condition>>;

const OPERATORS: [&str; 15] = [
    "EMPTY",
    "EMPTY_NOT",
    "IS",
    "IS_NOT",
    "CONTAIN",
    "START_WITH",
    "END_WITH",
    "ANY_OF",
    "EQUAL",
    "ON",
    "AFTER",
    "BEFORE",
    "ON_OR_AFTER",
    "ON_OR_BEFORE",
    "ANY_OF_NOT",
];

/// Reads a query; an empty one has no conditions.
///
/// # Errors
/// An operator is missing or unknown.
pub(crate) fn parse(query: &str) -> Result<Conditions, Problem> {
    let mut words = split(query).into_iter().peekable();
    let mut alternatives: Conditions = vec![Vec::new()];
    while let Some((field, _)) = words.next() {
        let operator = words.next().map(|(word, _)| word.to_uppercase()).unwrap_or_default();
        if !OPERATORS.contains(&operator.as_str()) {
            let detail = format!("Invalid query parameter value for 'q': unknown operator '{operator}'.");
            return Err(Problem::new(400, "INVALID_PARAMETER", detail));
        }
        let mut values = Vec::new();
        while let Some((word, quoted)) = words.peek() {
            if !quoted && matches!(word.as_str(), "AND" | "OR") {
                break;
            }
            values.push(word.clone());
            words.next();
        }
        if let Some(last) = alternatives.last_mut() {
            last.push(Condition { field, operator, values });
        }
        if words.next().is_some_and(|(word, _)| word == "OR") {
            alternatives.push(Vec::new());
        }
    }
    Ok(alternatives)
}

/// Words and whether they stood in quotes; brackets and commas only part them.
fn split(query: &str) -> Vec<(String, bool)> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for letter in query.chars() {
        match letter {
            '"' if quoted => {
                words.push((std::mem::take(&mut word), true));
                quoted = false;
            }
            '"' => quoted = true,
            _ if !quoted && (letter.is_whitespace() || matches!(letter, '[' | ']' | ',' | '(' | ')')) => {
                if !word.is_empty() {
                    words.push((std::mem::take(&mut word), false));
                }
            }
            _ => word.push(letter),
        }
    }
    if !word.is_empty() {
        words.push((word, false));
    }
    words
}

/// Whether a record fulfils a query.
pub(crate) fn holds(conditions: &Conditions, record: &Record, zone: Tz) -> bool {
    conditions.iter().any(|all| all.iter().all(|condition| one(condition, record, zone)))
}

fn one(condition: &Condition, record: &Record, zone: Tz) -> bool {
    let wanted = condition.values.first().map_or("", String::as_str);
    let field = condition.field.as_str();
    if field.eq_ignore_ascii_case("lastModifiedDate") || field.eq_ignore_ascii_case("createdDate") {
        let time = if field.eq_ignore_ascii_case("createdDate") { record.created } else { record.modified };
        let day = time.with_timezone(&zone).date_naive();
        let date = |format: &str| NaiveDate::parse_from_str(wanted, format).ok();
        let Some(date) = date("%m/%d/%Y").or_else(|| date("%Y-%m-%d")) else { return false };
        return match condition.operator.as_str() {
            "ON" => day == date,
            "AFTER" => day > date,
            "BEFORE" => day < date,
            "ON_OR_AFTER" => day >= date,
            "ON_OR_BEFORE" => day <= date,
            _ => false,
        };
    }
    let held = value_of(record, field);
    match condition.operator.as_str() {
        "EMPTY" => held.is_empty(),
        "EMPTY_NOT" => !held.is_empty(),
        "IS" | "EQUAL" => held.eq_ignore_ascii_case(wanted),
        "IS_NOT" => !held.eq_ignore_ascii_case(wanted),
        "CONTAIN" => held.to_lowercase().contains(&wanted.to_lowercase()),
        "START_WITH" => held.to_lowercase().starts_with(&wanted.to_lowercase()),
        "END_WITH" => held.to_lowercase().ends_with(&wanted.to_lowercase()),
        "ANY_OF" => condition.values.contains(&held),
        "ANY_OF_NOT" => condition.values.iter().all(|wanted| held != *wanted),
        _ => false,
    }
}

fn value_of(record: &Record, field: &str) -> String {
    if field.eq_ignore_ascii_case("externalId") {
        return record.external_id.clone().unwrap_or_default();
    }
    if field.eq_ignore_ascii_case("id") {
        return record.id.to_string();
    }
    let value =
        record.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(field)).map(|(_, value)| value);
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(yes)) => yes.to_string(),
        Some(value) => reference(value).map(|id| id.to_string()).unwrap_or_default(),
        None => String::new(),
    }
}
