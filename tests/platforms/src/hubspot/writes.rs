//! Writing one contact.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::objects::named;
use super::problem::Problem;
use super::state::{Record, State};
use super::values::{self, Values};
use super::{Portal, shown};
use crate::journal::Verb;
use crate::web::{Reply, Request};

/// Makes a contact.
pub(crate) fn create(portal: &mut Portal, _: &Request, body: &Value) -> Result<Reply, Problem> {
    let values = values::values(&portal.state, body)?;
    let record = made(&mut portal.state, &values)?;
    Ok(Reply::json(201, &shown::written(&record, values.keys())))
}

/// Changes a contact.
pub(crate) fn update(portal: &mut Portal, request: &Request, body: &Value) -> Result<Reply, Problem> {
    let id = named(portal, request)?.id;
    let values = values::values(&portal.state, body)?;
    let record = changed(&mut portal.state, id, &values)?;
    Ok(Reply::json(200, &shown::written(&record, values.keys())))
}

/// Archives a contact; one that is not there is archived already.
#[expect(clippy::unnecessary_wraps, reason = "the form that all answers have")]
pub(crate) fn archive(portal: &mut Portal, request: &Request, _: &Value) -> Result<Reply, Problem> {
    let id = named(portal, request).map(|record| record.id);
    if let Ok(id) = id {
        gone(&mut portal.state, id);
    }
    Ok(Reply::empty(204))
}

/// Makes a contact and writes it into the journal.
pub(crate) fn made(state: &mut State, values: &Values) -> Result<Record, Problem> {
    values::unique(state, values, None)?;
    if !["email", "firstname", "lastname"]
        .iter()
        .any(|name| values.get(*name).is_some_and(|it| !it.is_empty()))
    {
        let message = "Can't create a contact without an email, a first name or a last name";
        return Err(Problem::invalid(message));
    }
    let record = seeded(state, values);
    state.tell(Verb::Created, &record);
    Ok(record)
}

/// A contact that is simply there.
pub(crate) fn seeded(state: &mut State, values: &Values) -> Record {
    let now = state.now();
    let id = state.new_id();
    let mut record = Record { id, values: Values::new(), created: now, modified: now, archived: None };
    values::set(&mut record, values);
    if !record.values.contains_key("lifecyclestage") {
        record.values.insert("lifecyclestage".to_owned(), "lead".to_owned());
    }
    state.put(record.clone());
    record
}

/// Changes a contact and writes it into the journal. Where nothing is different nothing happens.
pub(crate) fn changed(state: &mut State, id: u64, values: &Values) -> Result<Record, Problem> {
    let Some(record) = state.active(id) else { return Err(Problem::missing(vec![id.to_string()])) };
    let mut record = record.clone();
    values::unique(state, values, Some(record.id))?;
    if values::set(&mut record, values) {
        record.modified = later(state.now(), record.modified);
        state.put(record.clone());
        state.tell(Verb::Updated, &record);
    }
    Ok(record)
}

/// Archives a contact and writes it into the journal. Answers whether there was one.
pub(crate) fn gone(state: &mut State, id: u64) -> bool {
    let Some(record) = state.active(id) else { return false };
    let mut record = record.clone();
    record.archived = Some(state.now());
    record.modified = later(state.now(), record.modified);
    state.put(record.clone());
    state.tell(Verb::Deleted, &record);
    true
}

/// A clock that was set back does not make a change the older one.
pub(crate) fn later(now: DateTime<Utc>, before: DateTime<Utc>) -> DateTime<Utc> {
    now.max(before)
}
