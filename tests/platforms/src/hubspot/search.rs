//! The search: an index that may be late, filters, one sorting, and no more than 10,000 results.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::problem::Problem;
use super::properties::Definition;
use super::state::{Record, State};
use super::{Portal, shown};
use crate::web::{Reply, Request};

/// Results of one page.
const PAGE: u64 = 200;
/// Results of one search, on all its pages.
const MOST: u64 = 10_000;
/// Groups, and filters in a group.
const GROUPS: usize = 5;
const FILTERS: usize = 6;
/// Values of one list.
const VALUES: usize = 100;
/// What words are looked for in.
const WORDS_IN: [&str; 6] = ["firstname", "lastname", "email", "phone", "company", "hs_object_id"];

/// A page of results.
pub(crate) fn answer(portal: &mut Portal, _: &Request, body: &Value) -> Result<Reply, Problem> {
    let limit = body.get("limit").map_or(Some(10), Value::as_u64);
    let limit = limit.filter(|limit| (1..=PAGE).contains(limit));
    let limit = limit.ok_or_else(|| Problem::invalid(format!("limit must be between 1 and {PAGE}")))?;
    let after = match body.get("after") {
        None | Some(Value::Null) => 0,
        Some(after) => {
            let after = after.as_str().map_or_else(|| after.as_u64(), |after| after.parse().ok());
            after.ok_or_else(|| Problem::invalid("after is no number"))?
        }
    };
    if after.saturating_add(limit) > MOST {
        let message = format!("The maximum number of results of a search is {MOST}; after must be smaller");
        return Err(Problem::invalid(message));
    }
    let groups = groups(&portal.state, body)?;
    let sort = sort(&portal.state, body)?;
    let words = words(body);
    let definitions = portal.state.definitions.clone();
    let mut found: Vec<&Record> = portal
        .state
        .indexed()
        .into_iter()
        .filter(|record| words.iter().all(|word| has_word(record, word)))
        .filter(|record| {
            groups.is_empty() || groups.iter().any(|group| group.iter().all(|it| it.holds(record)))
        })
        .collect();
    order(&mut found, sort.as_ref());
    let total = found.len();
    let known = |name: &str| definitions.contains_key(name);
    let names: Vec<&str> = body
        .get("properties")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let (skip, take) = (usize::try_from(after).unwrap_or(total), usize::try_from(limit).unwrap_or(0));
    let page = found.iter().skip(skip).take(take);
    let results: Vec<Value> =
        page.map(|record| shown::asked(record, names.iter().copied(), &known)).collect();
    let next = skip.saturating_add(results.len());
    let mut answer = json!({ "total": total, "results": results });
    if let (true, Some(answer)) = (next < total, answer.as_object_mut()) {
        answer.insert("paging".to_owned(), json!({ "next": { "after": next.to_string() } }));
    }
    Ok(Reply::json(200, &answer))
}

fn words(body: &Value) -> Vec<String> {
    let words = body.get("query").and_then(Value::as_str).unwrap_or_default();
    words.split_whitespace().map(str::to_lowercase).collect()
}

fn has_word(record: &Record, word: &str) -> bool {
    WORDS_IN.iter().any(|name| record.value(name).is_some_and(|value| value.to_lowercase().contains(word)))
}

/// Those that changed at the same time come in an order that nobody should count on: the newest first.
fn order(found: &mut [&Record], sort: Option<&Sort>) {
    found.sort_by_key(|record| std::cmp::Reverse(record.id));
    if let Some(sort) = sort {
        found.sort_by_cached_key(|record| Comparable::of(record, &sort.name, &sort.kind));
        if sort.descending {
            found.reverse();
        }
    }
}

struct Sort {
    name: String,
    kind: String,
    descending: bool,
}

/// The one sorting: an object, or a name with a `-` before it.
fn sort(state: &State, body: &Value) -> Result<Option<Sort>, Problem> {
    let sorts = body.get("sorts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let [first] = sorts else {
        return if sorts.is_empty() { Ok(None) } else { Err(Problem::invalid("only one sort is supported")) };
    };
    let text = |name: &str| first.get(name).and_then(Value::as_str);
    let (name, descending) = match first.as_str() {
        Some(name) => (name.trim_start_matches('-'), name.starts_with('-')),
        None => (text("propertyName").unwrap_or_default(), text("direction") == Some("DESCENDING")),
    };
    let kind = definition(state, name)?.kind.clone();
    Ok(Some(Sort { name: name.to_owned(), kind, descending }))
}

fn definition<'a>(state: &'a State, name: &str) -> Result<&'a Definition, Problem> {
    let why = format!("There was a problem with the request. Property \"{name}\" does not exist");
    state.definitions.get(name).ok_or_else(|| Problem::invalid(why))
}

struct Filter {
    name: String,
    kind: String,
    operator: String,
    value: Comparable,
    high: Comparable,
    values: Vec<String>,
}

fn groups(state: &State, body: &Value) -> Result<Vec<Vec<Filter>>, Problem> {
    let groups = body.get("filterGroups").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if groups.len() > GROUPS {
        return Err(Problem::invalid(format!("too many filter groups; {GROUPS} are possible")));
    }
    let one = |group: &Value| {
        let filters = group.get("filters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if filters.is_empty() || filters.len() > FILTERS {
            return Err(Problem::invalid(format!("a group has 1 to {FILTERS} filters")));
        }
        filters.iter().map(|filter| Filter::of(state, filter)).collect()
    };
    groups.iter().map(one).collect()
}

impl Filter {
    fn of(state: &State, filter: &Value) -> Result<Self, Problem> {
        let text = |name: &str| filter.get(name).and_then(Value::as_str).map(str::to_owned);
        let (name, operator) =
            (text("propertyName").unwrap_or_default(), text("operator").unwrap_or_default());
        let kind = definition(state, &name)?.kind.clone();
        let list = filter.get("values").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let values: Vec<String> = list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let bound = |name: &str| Comparable::read(&kind, text(name).as_deref());
        let (value, high) = (bound("value"), bound("highValue"));
        let made = Self { name, kind, operator, value, high, values };
        let complete = match made.operator.as_str() {
            "EQ" | "NEQ" | "LT" | "LTE" | "GT" | "GTE" => made.value != Comparable::Nothing,
            "BETWEEN" => made.value != Comparable::Nothing && made.high != Comparable::Nothing,
            "IN" | "NOT_IN" => (1..=VALUES).contains(&made.values.len()),
            "HAS_PROPERTY" | "NOT_HAS_PROPERTY" => true,
            other => return Err(Problem::invalid(format!("operator {other} is not supported (simulator)"))),
        };
        if complete { Ok(made) } else { Err(Problem::invalid(format!("{} needs a value", made.operator))) }
    }

    fn holds(&self, record: &Record) -> bool {
        let own = Comparable::of(record, &self.name, &self.kind);
        let there = own != Comparable::Nothing;
        let (low, high) = (own.cmp(&self.value), own.cmp(&self.high));
        // What is asked for in capitals is not found in a text.
        let listed = || {
            let own = record.value(&self.name).map(|own| own.to_lowercase());
            own.is_some_and(|own| self.values.contains(&own))
        };
        match self.operator.as_str() {
            "NOT_HAS_PROPERTY" => !there,
            _ if !there => false,
            "EQ" => low.is_eq(),
            "NEQ" => low.is_ne(),
            "LT" => low.is_lt(),
            "LTE" => low.is_le(),
            "GT" => low.is_gt(),
            "GTE" => low.is_ge(),
            "BETWEEN" => low.is_ge() && high.is_le(),
            "IN" => listed(),
            "NOT_IN" => !listed(),
            _ => true,
        }
    }
}

/// A value as the index compares it: numbers and times by their size, texts without regard to capitals.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Comparable {
    Nothing,
    /// Thousandths.
    Number(i128),
    Text(String),
}

impl Comparable {
    fn of(record: &Record, name: &str, kind: &str) -> Self {
        let milliseconds = |time: DateTime<Utc>| Self::Number(i128::from(time.timestamp_millis()) * 1_000);
        match name {
            "lastmodifieddate" => milliseconds(record.modified),
            "createdate" => milliseconds(record.created),
            "hs_object_id" => Self::Number(i128::from(record.id) * 1_000),
            _ => Self::read(kind, record.value(name).as_deref()),
        }
    }

    fn read(kind: &str, text: Option<&str>) -> Self {
        let Some(text) = text else { return Self::Nothing };
        match kind {
            "number" | "date" | "datetime" => thousandths(text).map_or(Self::Nothing, Self::Number),
            _ => Self::Text(text.to_lowercase()),
        }
    }
}

/// A number, or the milliseconds of a time, in thousandths.
fn thousandths(text: &str) -> Option<i128> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(i128::from(time.timestamp_millis()) * 1_000);
    }
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let rest: String = rest.chars().chain("000".chars()).take(3).collect();
    let (whole, rest) = (whole.parse::<i128>().ok()?, rest.parse::<i128>().ok()?);
    Some(whole * 1_000 + if text.starts_with('-') { -rest } else { rest })
}
