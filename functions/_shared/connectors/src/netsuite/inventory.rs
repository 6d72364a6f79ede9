//! Stock on hand: read by item, and changed by adjustments of the difference.
//!
//! An adjustment is relative: made twice it is wrong. So the stock is read once more right before; only where it still
//! is what the decision was made on is it adjusted, and each adjustment carries an external id by which NetSuite refuses
//! a second one.

use super::batch::{self, Answered, Batch, Job, Question, RECORDS, Then};
use super::failure::{bad_field, only};
use super::products::{groups, named};
use super::site::{Setup, Site};
use super::suiteql::{self, Row, Statement, count, ids, nullable, required, text, texts};
use crate::{Error, ErrorKind, Exchange, Key, Outcome, Result, Step, Write, Written, read};
use domain::{Fields, Record, Value};
use http::Method;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

/// Ids or keys in one read.
pub(super) const READ: usize = 250;
/// Items in one write: one batch of adjustments.
pub(super) const AT_ONCE: usize = RECORDS;

const PATH: &str = "/services/rest/record/v1/inventoryAdjustment";

/// The stock of the items with these ids.
pub(super) fn get(site: &Site, wanted: &[String]) -> Result<Exchange<Vec<Record>>> {
    read(site, by_id(wanted))
}

fn by_id(wanted: &[String]) -> Statement {
    Statement::new(include_str!("inventory_by_id.suiteql")).list("ids", ids(wanted))
}

/// The stock of the items with these item ids.
pub(super) fn find(site: &Site, key: &Key) -> Result<Exchange<Vec<Record>>> {
    match key {
        Key::Field { name, values } if name == "itemId" => read(
            site,
            Statement::new(include_str!("inventory_by_item_id.suiteql")).list("values", texts(values)),
        ),
        _ => Err(Error::unsupported("NetSuite's inventory can be found by `itemId` only")),
    }
}

fn read(site: &Site, statement: Statement) -> Result<Exchange<Vec<Record>>> {
    suiteql::all(site, statement, |site, rows| Ok(Step::Done(collect(site, &rows)?)))
}

/// The records that these rows make, in the rows' order.
pub(super) fn collect(site: &Setup, rows: &[Row]) -> Result<Vec<Record>> {
    groups(rows, "item")?.into_iter().filter_map(|rows| Some(record(site, rows.first()?, rows))).collect()
}

fn record(site: &Setup, first: &Row, rows: &[Row]) -> Result<Record> {
    let modified = required(first, "modified")?;
    let mut quantities = Fields::new();
    for row in rows {
        if let Some(location) = text(row, "location") {
            let on_hand =
                if row.get("onhand").is_none_or(Value::is_null) { 0.into() } else { count(row, "onhand")? };
            quantities.insert(location, on_hand);
        }
    }
    Ok(Record {
        id: required(first, "item")?,
        fields: named([("itemId", nullable(first, "itemid")), ("quantities", quantities.into())]),
        modified_at: Some(site.instant(&modified)?),
        version: Some(modified),
        deleted: false,
    })
}

/// Changes stock: locations, stock as it is now, adjustments made before, the adjustments, and whether they are there.
pub(super) fn write(site: &Site, writes: &[Write]) -> Result<Exchange<Vec<Outcome>>> {
    if writes.len() > AT_ONCE {
        return Err(Error::unexpected(format!(
            "{} stocks were to be written at once; {AT_ONCE} are possible",
            writes.len()
        )));
    }
    let writes: Arc<[Write]> = writes.into();
    suiteql::all(site, Statement::new(include_str!("locations.suiteql")), move |site, rows| {
        let locations: HashMap<String, String> = rows
            .iter()
            .map(|row| Ok((required(row, "name")?, required(row, "id")?)))
            .collect::<Result<_>>()?;
        let wanted: Vec<String> = writes.iter().filter_map(|write| write.id.clone()).collect();
        let (writes, locations) = (Arc::clone(&writes), Arc::new(locations));
        suiteql::then_all(site, by_id(&wanted), move |site, rows| {
            let now = collect(site, &rows)?;
            let plans = writes.iter().map(|write| plan(write, &now, &locations)).collect();
            with_earlier(site, &writes, plans)
        })
    })
}

/// The lines of an adjustment; none when the stock is right already.
type Plan = Result<Vec<Value>>;

fn plan(write: &Write, now: &[Record], locations: &HashMap<String, String>) -> Plan {
    only(&write.fields, &["quantities"])?;
    let Some(id) = &write.id else {
        return Err(Error::new(
            ErrorKind::Rejected,
            "stock belongs to an item; it cannot be created by itself",
        ));
    };
    let item = now.iter().find(|record| record.id == *id);
    let item = item.ok_or_else(|| Error::new(ErrorKind::NotFound, "NetSuite has no such item"))?;
    let wanted = write.fields.get("quantities").and_then(Value::as_object);
    let wanted = wanted.ok_or_else(|| bad_field("quantities", "must be an object of location and count"))?;
    let at = |fields: &Fields, location: &str| -> Result<i64> {
        match fields.get("quantities").and_then(|quantities| quantities.get(location)) {
            None | Some(Value::Null) => Ok(0),
            Some(quantity) => read::integer(quantity).ok_or_else(|| {
                bad_field(&format!("quantities.{}", read::excerpt(location)), "must be a whole number")
            }),
        }
    };
    let mut lines = Vec::new();
    for name in wanted.keys() {
        let (wanted, before, now) =
            (at(&write.fields, name)?, at(&write.current, name)?, at(&item.fields, name)?);
        if now == wanted {
            continue;
        }
        if now != before {
            let message = format!(
                "the stock at `{}` is {now} now, and was {before} when this was decided",
                read::excerpt(name)
            );
            return Err(Error::new(ErrorKind::Conflict, message).with_code("STOCK_CHANGED"));
        }
        let location = locations.get(name);
        let location = location.ok_or_else(|| {
            bad_field(&format!("quantities.{}", read::excerpt(name)), "NetSuite has no such location")
        })?;
        let difference = wanted.checked_sub(now).ok_or_else(|| bad_field("quantities", "is too large"))?;
        lines
            .push(json!({ "item": { "id": id }, "location": { "id": location }, "adjustQtyBy": difference }));
    }
    Ok(lines)
}

/// The same content may have been written before over the same stock (10, 7, 10, 7): that adjustment has the plain key,
/// and this one gets the next number behind it.
fn with_earlier(site: &Site, writes: &Arc<[Write]>, plans: Vec<Plan>) -> Result<Step<Vec<Outcome>>> {
    let keys: Vec<&str> = writes
        .iter()
        .zip(&plans)
        .filter(|(_, plan)| plan.as_ref().is_ok_and(|lines| !lines.is_empty()))
        .map(|(write, _)| write.idempotency_key.as_str())
        .collect();
    if keys.is_empty() {
        return Ok(Step::Done(outcomes(writes, &plans)));
    }
    let writes = Arc::clone(writes);
    suiteql::then_all(site, made_by(&keys), move |site, rows| {
        let made = |write: &Write| rows.iter().filter(|row| is_of(row, &write.idempotency_key)).count();
        let key = |write: &Write| match made(write) {
            0 => write.idempotency_key.clone(),
            earlier => format!("{}-{}", write.idempotency_key, earlier.saturating_add(1)),
        };
        adjust(site, &writes, plans.clone(), writes.iter().map(key).collect())
    })
}

/// The statement that shows adjustments made by these keys, or by one with a number behind it.
fn made_by(keys: &[&str]) -> Statement {
    let terms = vec!["t.externalid LIKE ?"; keys.len()].join(" OR ");
    Statement::new(include_str!("adjustments.suiteql"))
        .with("keys", &terms)
        .bind(keys.iter().map(|key| Value::String(format!("{key}%"))))
}

fn is_of(row: &Row, key: &str) -> bool {
    text(row, "externalid")
        .is_some_and(|id| id == key || id.strip_prefix(key).is_some_and(|rest| rest.starts_with('-')))
}

fn adjust(
    site: &Site,
    writes: &Arc<[Write]>,
    plans: Vec<Plan>,
    keys: Vec<String>,
) -> Result<Step<Vec<Outcome>>> {
    let Some(account) = &site.adjustment_account else {
        return Err(bad_field(
            "account",
            "set `adjustment_account_id`: NetSuite books adjustments on an account",
        ));
    };
    let mut records = Vec::new();
    let mut sent: Vec<(usize, String)> = Vec::new();
    for (at, (plan, key)) in plans.iter().zip(keys).enumerate() {
        let Some(lines) = plan.as_ref().ok().filter(|lines| !lines.is_empty()) else { continue };
        let mut body = Fields::new();
        body.insert("externalId".to_owned(), key.clone().into());
        body.insert("account".to_owned(), json!({ "id": account }));
        if let Some(subsidiary) = &site.subsidiary {
            body.insert("subsidiary".to_owned(), json!({ "id": subsidiary }));
        }
        body.insert("inventory".to_owned(), json!({ "items": lines }));
        records.push(Value::Object(body));
        sent.push((at, key));
    }
    // The external id alone keeps an adjustment from being made twice, and forgets one that was refused.
    let batches: Arc<[Batch]> = Arc::new([Batch::unkeyed(Method::POST, PATH, records)]);
    let writes = Arc::clone(writes);
    let then: Then<Vec<Outcome>> = Arc::new(move |site, done| {
        let (writes, plans, sent) = (Arc::clone(&writes), plans.clone(), sent.clone());
        let own: Vec<&str> = sent.iter().map(|(_, key)| key.as_str()).collect();
        suiteql::then_all(site, made_by(&own), move |site, rows| {
            verify(site, &writes, &plans, &sent, done.first(), &rows)
        })
    });
    batch::run(site, &batches, Vec::new(), &then)
}

/// An adjustment that is there was made. Of the others the job knows why not.
fn verify(
    site: &Site,
    writes: &Arc<[Write]>,
    plans: &[Plan],
    sent: &[(usize, String)],
    job: Option<&Job>,
    rows: &[Row],
) -> Result<Step<Vec<Outcome>>> {
    let is_made = |key: &str| rows.iter().any(|row| text(row, "externalid").as_deref() == Some(key));
    let (mut questions, mut silent): (Vec<Question>, Vec<(usize, Result<()>)>) = (Vec::new(), Vec::new());
    for (position, (at, _)) in sent.iter().enumerate().filter(|(_, (_, key))| !is_made(key)) {
        match job.and_then(|job| job.question(position, sent.len())) {
            Some((id, task)) => {
                let one_for_all = job.is_some_and(|job| job.tasks.len() == 1);
                let records = if one_for_all { sent.iter().map(|(at, _)| *at).collect() } else { vec![*at] };
                let question = Question { job: id, task, records };
                if !questions.contains(&question) {
                    questions.push(question);
                }
            }
            None => silent
                .push((*at, Err(Error::unexpected("NetSuite shows no adjustment and does not say why")))),
        }
    }
    let missing: Vec<usize> = sent.iter().filter(|(_, key)| !is_made(key)).map(|(at, _)| *at).collect();
    let (writes, plans) = (Arc::clone(writes), plans.to_vec());
    let then: Answered<Vec<Outcome>> = Arc::new(move |_, answers| {
        let mut outcomes = outcomes(&writes, &plans);
        for at in &missing {
            let refusal =
                answers.iter().find_map(|(one, answer)| answer.as_ref().err().filter(|_| one == at));
            let lost = || {
                Error::new(
                    ErrorKind::Unavailable,
                    "NetSuite was given the adjustment but does not show it yet",
                )
            };
            if let Some(place) = outcomes.get_mut(*at) {
                *place = Err(refusal.cloned().unwrap_or_else(lost));
            }
        }
        Ok(Step::Done(outcomes))
    });
    batch::results(site, questions, silent, &then)
}

fn outcomes(writes: &[Write], plans: &[Plan]) -> Vec<Outcome> {
    let one = |(write, plan): (&Write, &Plan)| match plan {
        Ok(_) => Ok(Written { id: write.id.clone().unwrap_or_default(), now: None }),
        Err(error) => Err(error.clone()),
    };
    writes.iter().zip(plans).map(one).collect()
}
