//! Reading by id and finding by key.
//!
//! Ids, e-mail addresses and keys are read in batches, which know every contact as it is now. Other fields can only be
//! searched for, in an index that is late.

use super::contact::{self, asked, email};
use super::failure;
use super::portal::{CONTACTS, Portal};
use super::replies::{Batch, Contact};
use super::search::{self, Search, one_of};
use crate::{Error, ErrorKind, Exchange, Key, Reply, Result, Step, read};
use domain::{Record, Value};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// A search that finds more pages than these is no search for a key.
const MOST_PAGES: u32 = 20;

/// The contacts with these ids; one that is archived or never was is absent.
pub(super) fn get(portal: &Portal, ids: &[String]) -> Result<Exchange<Vec<Record>>> {
    let (again, ids) = (Arc::clone(portal), distinct(ids.iter().cloned()));
    batch(portal, None, &ids.clone(), move |contacts| {
        if let Some(other) = contacts.iter().find(|contact| !ids.contains(&contact.id)) {
            // To be taken for a deletion would be wrong: the person is still there.
            let message = format!("HubSpot merged the contact with contact {}", read::excerpt(&other.id));
            return Err(Error::new(ErrorKind::Rejected, message).with_code("MERGED"));
        }
        records(&again, &contacts)
    })
}

/// The contacts that carry one of these values.
pub(super) fn find(portal: &Portal, key: &Key) -> Result<Exchange<Vec<Record>>> {
    match key {
        Key::External(keys) => {
            let (again, keys) = (Arc::clone(portal), present(distinct(keys.iter().cloned()))?);
            let property = portal.key.clone();
            batch(portal, Some(&portal.key), &keys.clone(), move |mut contacts| {
                contacts.retain(|contact| contact.text(&property).is_some_and(|key| is_one(&keys, key)));
                records(&again, &contacts)
            })
        }
        Key::Field { name, values } if name == "email" => {
            let values = present(distinct(values.iter().map(|value| email(value))))?;
            let again = Arc::clone(portal);
            // A contact is also found by its further addresses, which are not what was asked for.
            batch(portal, Some("email"), &values.clone(), move |mut contacts| {
                let is_it = |contact: &Contact| {
                    contact.text("email").is_some_and(|address| is_one(&values, &email(address)))
                };
                contacts.retain(is_it);
                records(&again, &contacts)
            })
        }
        Key::Field { name, values } => {
            let property = contact::property(portal, name);
            let property = property.ok_or_else(|| {
                Error::unfit_filter(format!(
                    "HubSpot's contacts cannot be searched by {}",
                    read::excerpt(name)
                ))
            })?;
            let values = present(distinct(values.iter().map(|value| value.trim().to_owned())))?;
            let wanted = Wanted { property: property.to_owned(), values };
            searched(portal, &Arc::new(wanted), None, Vec::new(), 1)
        }
    }
}

/// A property and the values looked for in it.
struct Wanted {
    property: String,
    values: Vec<String>,
}

fn searched(
    portal: &Portal,
    wanted: &Arc<Wanted>,
    after: Option<&str>,
    found: Vec<Record>,
    number: u32,
) -> Result<Exchange<Vec<Record>>> {
    if number > MOST_PAGES {
        return Err(Error::unexpected("HubSpot's search finds too much to be of use"));
    }
    let filters = vec![one_of(&wanted.property, &wanted.values)];
    let (again, wanted) = (Arc::clone(portal), Arc::clone(wanted));
    let search = Search { filters, sort: contact::ID, words: None, limit: search::PAGE, after };
    search.page(portal, move |page| {
        let next = page.next().map(str::to_owned);
        // The search does not look at small and capital letters.
        let is_it = |contact: &Contact| {
            contact.text(&wanted.property).is_some_and(|value| is_one(&wanted.values, value.trim()))
        };
        let mut found = found.clone();
        found.extend(records(&again, &page.results.into_iter().filter(is_it).collect::<Vec<_>>())?);
        let Some(next) = next else { return Ok(Step::Done(found)) };
        let exchange = searched(&again, &wanted, Some(&next), found, number.saturating_add(1))?;
        Ok(Step::Next { exchange, after: Duration::ZERO })
    })
}

/// Reads a batch by id, or by a unique property, and goes on with the contacts that are there.
fn batch<T: 'static>(
    portal: &Portal,
    property: Option<&str>,
    values: &[String],
    then: impl Fn(Vec<Contact>) -> Result<T> + Send + 'static,
) -> Result<Exchange<T>> {
    let (path, body) = batch_request(portal, property, values);
    portal.post(&path, &body, move |reply| Ok(Step::Done(then(existing(reply)?)?)))
}

/// Where a batch is read, and what is sent there.
pub(super) fn batch_request(portal: &Portal, property: Option<&str>, values: &[String]) -> (String, Value) {
    let inputs: Vec<Value> = values.iter().map(|value| json!({ "id": value })).collect();
    let with_key = property == Some(portal.key.as_str());
    let mut body = json!({
        "inputs": inputs, "properties": asked(portal, with_key), "propertiesWithHistory": [],
    });
    if let (Some(property), Some(body)) = (property, body.as_object_mut()) {
        body.insert("idProperty".to_owned(), property.into());
    }
    (format!("{CONTACTS}/batch/read?archived=false"), body)
}

/// The contacts of a batch that was read. What is not there is told with status 207, as an error that says so; any other
/// error is one, because a contact that could not be read is not one that is gone.
pub(super) fn existing(reply: &Reply) -> Result<Vec<Contact>> {
    let Batch { status, results, errors } = read::json(reply.body())?;
    if status != "COMPLETE" {
        let message = format!("HubSpot did not finish reading ({})", read::excerpt(&status));
        return Err(Error::new(ErrorKind::Unavailable, message));
    }
    match errors.iter().map(failure::of_entry).find(|error| !failure::is_gone(error)) {
        Some(error) => Err(error),
        None => Ok(results),
    }
}

fn records(portal: &Portal, contacts: &[Contact]) -> Result<Vec<Record>> {
    contacts.iter().map(|contact| contact::record(portal, contact)).collect()
}

/// A batch that names something twice is refused.
fn distinct(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut distinct: Vec<String> = values.collect();
    distinct.sort_unstable();
    distinct.dedup();
    distinct
}

/// The values that are not empty; without any there is nothing to ask.
fn present(mut values: Vec<String>) -> Result<Vec<String>> {
    values.retain(|value| !value.is_empty());
    if values.is_empty() {
        return Err(Error::unfit_filter("there is no value to look for"));
    }
    Ok(values)
}

fn is_one(values: &[String], value: &str) -> bool {
    values.iter().any(|one| one == value)
}
