//! Listings: what changed since a time, or everything.
//!
//! What changed is searched, each page beginning at the time where the one before ended and not at a number of results:
//! so the 10,000 results that a search is cut off at never matter. Contacts that changed in the same millisecond have no
//! order among them, and an import changes many at once. Those that share the last time of a full page are therefore
//! left to the next one; and where they fill a page, they are walked through by their ids.
//!
//! Everything is listed by HubSpot's own order, which is not the order of changes. What changes behind our back meanwhile
//! is listed once more at the end: all that changed since the listing began.

use super::contact::{self, MODIFIED, asked};
use super::portal::{CONTACTS, Portal};
use super::replies::{Contact, Listed};
use super::search::{Search, behind, filter};
use crate::{Error, ErrorKind, Exchange, Filter, ListQuery, Page, Reply, Result, Step, read};
use chrono::{DateTime, Utc};
use domain::Record;
use std::sync::Arc;
use std::time::Duration;
use url::form_urlencoded;

/// The most results of one page of a list, which is less than of a search.
const PLAIN_PAGE: usize = 100;
/// A listing began at most this long before its first answer was dated.
const FIRST_ANSWER: i64 = 10_000;

/// Where a page begins. Times are milliseconds since 1970, as HubSpot counts them.
#[derive(Debug, PartialEq)]
enum Place {
    /// The beginning of everything.
    Beginning,
    /// Within everything, which was begun at a time.
    Plain { began: i64, after: String },
    /// At the first change at or after this time.
    Changed { since: i64 },
    /// Behind this id, among those that changed at exactly this time.
    Tied { at: i64, behind: u64 },
}

impl Place {
    /// The beginning, or the place that the last page named.
    fn of(query: &ListQuery, since: Option<DateTime<Utc>>, words: Option<&str>) -> Result<Self> {
        match (&query.page, since) {
            (Some(page), _) => Self::read(page)
                .ok_or_else(|| Error::new(ErrorKind::Rejected, "the page to go on with is none of ours")),
            (None, Some(since)) => Ok(Self::Changed { since: since.timestamp_millis() }),
            (None, None) if words.is_some() => Ok(Self::Changed { since: 0 }),
            (None, None) => Ok(Self::Beginning),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '|');
        let (name, time) = (parts.next()?, parts.next()?.parse().ok()?);
        match (name, parts.next()) {
            ("plain", Some(after)) => Some(Self::Plain { began: time, after: after.to_owned() }),
            ("changed", None) => Some(Self::Changed { since: time }),
            ("tied", Some(id)) => Some(Self::Tied { at: time, behind: id.parse().ok()? }),
            _ => None,
        }
    }

    fn write(&self) -> Option<String> {
        match self {
            Self::Beginning => None,
            Self::Plain { began, after } => Some(format!("plain|{began}|{after}")),
            Self::Changed { since } => Some(format!("changed|{since}")),
            Self::Tied { at, behind } => Some(format!("tied|{at}|{behind}")),
        }
    }
}

/// One page.
pub(super) fn list(portal: &Portal, query: &ListQuery) -> Result<Exchange<Page>> {
    let Filter { status, price_min, price_max, category, updated_after, text } = &query.filter;
    if !status.is_empty() || category.is_some() || price_min.is_some() || price_max.is_some() {
        return Err(Error::unfit_filter(
            "HubSpot's contacts can be filtered by text and time of change only",
        ));
    }
    let words = text.as_deref().map(str::trim).filter(|words| !words.is_empty());
    let since = query.since.max(*updated_after);
    match Place::of(query, since, words)? {
        Place::Beginning => plain(portal, query.limit, None),
        Place::Plain { began, after } => plain(portal, query.limit, Some((began, after))),
        Place::Changed { since } => changed(portal, query.limit, words, since),
        Place::Tied { at, behind } => tied(portal, query.limit, words, at, behind),
    }
}

/// A page of everything. Behind the last one comes what changed since the first.
fn plain(portal: &Portal, limit: usize, place: Option<(i64, String)>) -> Result<Exchange<Page>> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("limit", &limit.clamp(1, PLAIN_PAGE).to_string());
    query.append_pair("archived", "false");
    query.append_pair("properties", &asked(portal, false).join(","));
    if let Some((_, after)) = &place {
        query.append_pair("after", after);
    }
    let again = Arc::clone(portal);
    portal.get(&format!("{CONTACTS}?{}", query.finish()), move |reply| {
        let page: Listed = read::json(reply.body())?;
        let began = place.as_ref().map_or_else(|| began(reply), |(began, _)| *began);
        let next = match page.next() {
            Some(after) if place.as_ref().is_some_and(|(_, before)| before == after) => {
                return Err(Error::unexpected("HubSpot shows the same page twice"));
            }
            Some(after) => Place::Plain { began, after: after.to_owned() },
            None => Place::Changed { since: began },
        };
        Ok(Step::Done(Page { records: records(&again, &page.results)?, next: next.write() }))
    })
}

/// When the listing began, by HubSpot's clock where the reply tells it.
fn began(reply: &Reply) -> i64 {
    let date = reply.headers().get(http::header::DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok()).map(|date| date.to_utc());
    let now = date.unwrap_or_else(|| std::time::SystemTime::now().into());
    now.timestamp_millis().saturating_sub(FIRST_ANSWER)
}

/// A page of what changed at or after this time, in the order of the changes.
fn changed(portal: &Portal, limit: usize, words: Option<&str>, since: i64) -> Result<Exchange<Page>> {
    let filters = vec![filter(MODIFIED, "GTE", &since.to_string())];
    let (again, wanted) = (Arc::clone(portal), words.map(str::to_owned));
    Search { filters, sort: MODIFIED, words, limit, after: None }.page(portal, move |page| {
        if page.next().is_none() {
            return Ok(Step::Done(Page { records: records(&again, &page.results)?, next: None }));
        }
        let times = page.results.iter().map(changed_at).collect::<Result<Vec<_>>>()?;
        let last =
            *times.last().ok_or_else(|| Error::unexpected("HubSpot shows an empty page before others"))?;
        let before: Vec<Contact> = page
            .results
            .iter()
            .zip(&times)
            .filter(|(_, at)| **at < last)
            .map(|(one, _)| one.clone())
            .collect();
        if before.is_empty() {
            let exchange = tied(&again, limit, wanted.as_deref(), last, 0)?;
            return Ok(Step::Next { exchange, after: Duration::ZERO });
        }
        let next = Place::Changed { since: last }.write();
        Ok(Step::Done(Page { records: records(&again, &before)?, next }))
    })
}

/// A page of those that changed at exactly this time, in the order of their ids. Behind the last one comes what changed
/// later.
fn tied(portal: &Portal, limit: usize, words: Option<&str>, at: i64, from: u64) -> Result<Exchange<Page>> {
    let time = at.to_string();
    let filters = vec![filter(MODIFIED, "GTE", &time), filter(MODIFIED, "LTE", &time), behind(from)];
    let again = Arc::clone(portal);
    Search { filters, sort: contact::ID, words, limit, after: None }.page(portal, move |page| {
        let next = match (page.next(), page.results.last()) {
            (Some(_), Some(last)) => {
                let id = last.id.parse().ok().filter(|id| *id > from);
                let id = id.ok_or_else(|| Error::unexpected("HubSpot's search does not follow the ids"))?;
                Place::Tied { at, behind: id }
            }
            _ => Place::Changed { since: at.saturating_add(1) },
        };
        Ok(Step::Done(Page { records: records(&again, &page.results)?, next: next.write() }))
    })
}

fn changed_at(contact: &Contact) -> Result<i64> {
    let time = contact.text(MODIFIED).or(contact.updated_at.as_deref());
    let time = time.ok_or_else(|| Error::unexpected("HubSpot does not say when a contact changed"))?;
    Ok(read::time(time)?.timestamp_millis())
}

fn records(portal: &Portal, contacts: &[Contact]) -> Result<Vec<Record>> {
    contacts.iter().map(|contact| contact::record(portal, contact)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        for place in [
            Place::Plain { began: 1_763_600_000_000, after: "NTI1|x".to_owned() },
            Place::Changed { since: 1_763_600_000_123 },
            Place::Tied { at: 5, behind: 7 },
        ] {
            assert_eq!(Place::read(&place.write().unwrap()), Some(place));
        }
        for wrong in ["", "plain|1", "changed|x", "changed|1|2", "tied|1|x", "2026-11-20T10:00:00|4"] {
            assert_eq!(Place::read(wrong), None, "{wrong}");
        }
    }
}
