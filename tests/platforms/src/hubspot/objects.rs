//! Reading contacts by lists, by id and in batches.

use serde_json::{Value, json};

use super::batch::{self, Outcome};
use super::problem::Problem;
use super::shown;
use super::state::{Record, State};
use super::{Portal, one};
use crate::web::{Reply, Request};

/// The most contacts of one page of a list.
const PAGE: usize = 100;

/// The names in a query: `a,b`, or several times.
fn names(request: &Request) -> Vec<String> {
    let given = request.query_pairs().filter(|(name, _)| name == "properties");
    given.flat_map(|(_, value)| value.split(',').map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn wants_archived(request: &Request) -> bool {
    request.query_value("archived").is_some_and(|value| value == "true")
}

fn show<'a>(state: &State, record: &Record, names: impl IntoIterator<Item = &'a str>) -> Value {
    shown::asked(record, names, &|name| state.definitions.contains_key(name))
}

/// A page of all contacts, by their ids.
pub(crate) fn list(portal: &mut Portal, request: &Request, _: &Value) -> Result<Reply, Problem> {
    let limit = request.query_value("limit").unwrap_or_else(|| "10".to_owned());
    let limit = limit.parse::<usize>().ok().filter(|limit| *limit > 0);
    let limit = limit.ok_or_else(|| Problem::invalid("limit is no number"))?;
    if limit > PAGE {
        let message = format!("Limit must not exceed {PAGE}. Limit was {limit}");
        return Err(Problem::invalid(message));
    }
    let after = match request.query_value("after") {
        None => 0,
        Some(after) => after.parse().map_err(|_| Problem::invalid(format!("invalid after: {after}")))?,
    };
    let (names, archived) = (names(request), wants_archived(request));
    let state = &portal.state;
    let mut found = state.behind(after).filter(|record| record.archived.is_some() == archived);
    let page: Vec<&Record> = found.by_ref().take(limit).collect();
    let results: Vec<Value> =
        page.iter().map(|record| show(state, record, names.iter().map(String::as_str))).collect();
    let mut body = json!({ "results": results });
    if let (Some(_), Some(last), Some(body)) = (found.next(), page.last(), body.as_object_mut()) {
        let after = last.id.to_string();
        let link = format!("{}{}?after={after}", request.base, request.path);
        body.insert("paging".to_owned(), json!({ "next": { "after": after, "link": link } }));
    }
    Ok(Reply::json(200, &body))
}

/// One contact.
pub(crate) fn get(portal: &mut Portal, request: &Request, _: &Value) -> Result<Reply, Problem> {
    let record = named(portal, request)?;
    let names = names(request);
    Ok(Reply::json(200, &show(&portal.state, record, names.iter().map(String::as_str))))
}

/// The contact that the path names, by its id or by a unique property.
pub(crate) fn named<'a>(portal: &'a Portal, request: &Request) -> Result<&'a Record, Problem> {
    let name = request.path.strip_prefix("/crm/v3/objects/contacts").and_then(one).unwrap_or_default();
    let name = url::form_urlencoded::parse(name.as_bytes()).next().map(|(name, _)| name.into_owned());
    let name = name.unwrap_or_default();
    let property = request.query_value("idProperty");
    let key = batch::Key::of(&portal.state, property.as_deref())?;
    key.find(&portal.state, &name).ok_or_else(|| Problem::missing(vec![name]))
}

/// Contacts by ids, or by values of a unique property. What is not there is an error beside the others.
pub(crate) fn batch_read(portal: &mut Portal, request: &Request, body: &Value) -> Result<Reply, Problem> {
    let list = |name: &str| -> Result<Vec<String>, Problem> {
        let message =
            || Problem::invalid(format!("Invalid input JSON: Some required fields were not set: [{name}]"));
        let values = body.get(name).and_then(Value::as_array).ok_or_else(message)?;
        Ok(values.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    };
    let (names, _) = (list("properties")?, list("propertiesWithHistory")?);
    let inputs = batch::inputs(body)?;
    let state = &portal.state;
    let key = batch::Key::of(state, body.get("idProperty").and_then(Value::as_str))?;
    let (archived, mut found, mut missing) = (wants_archived(request), Vec::new(), Vec::new());
    for (position, input) in inputs.iter().enumerate() {
        let id = batch::id(input)?;
        let record = if archived {
            key.check(&id)?;
            id.parse().ok().and_then(|id| state.any(id)).filter(|record| record.archived.is_some())
        } else {
            key.check(&id)?;
            key.find(state, &id)
        };
        match record.filter(|_| !request.refuse.contains(&position)) {
            Some(record) => found.push(record),
            None => missing.push(id),
        }
    }
    found.sort_by_key(|record| record.id);
    found.dedup_by_key(|record| record.id);
    let results = found.iter().map(|record| show(state, record, names.iter().map(String::as_str))).collect();
    let errors = if missing.is_empty() { Vec::new() } else { vec![Problem::missing(missing).entry(None)] };
    Ok(Outcome { results, errors }.reply(portal, 200))
}
