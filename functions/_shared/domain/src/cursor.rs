//! Which records changed: a place in a source's own time, that moves only when its page is recorded.
//!
//! A cursor is the greatest `(time, id)` seen, by the source's clock. Every query goes back a little (`lookback`), because
//! records become visible late and clocks differ, and asks for `>=`, because several records have the same time. What
//! comes again is told apart by the hash of its content.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// How far every query goes back, where a connector does not say otherwise: two minutes.
pub const LOOKBACK: TimeDelta = TimeDelta::minutes(2);

/// A place in a source's own time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cursor {
    /// The source's own modification time.
    pub time: DateTime<Utc>,
    /// The record with that time; of several, the greatest id.
    pub id: String,
}

/// How the next page is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Records modified at this time or later; `None` for all of them.
    pub from: Option<DateTime<Utc>>,
    /// In the page order `(time, id)`, only what comes behind this place: set from the second page of a run on.
    pub after: Option<Cursor>,
}

/// Where a run stands, between its pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Where the run began.
    pub start: Option<Cursor>,
    /// The source's time when its first page was read.
    pub begun: Option<DateTime<Utc>>,
    /// The last record of the last page that was recorded.
    pub page: Option<Cursor>,
    /// The greatest place seen.
    pub high: Option<Cursor>,
}

impl Progress {
    /// A run that begins where the one before ended.
    pub fn begin(start: Option<Cursor>) -> Self {
        Self { high: start.clone(), start, begun: None, page: None }
    }

    /// How the next page is asked for.
    pub fn query(&self, lookback: TimeDelta) -> Query {
        let back = |cursor: &Cursor| cursor.time.checked_sub_signed(lookback.max(TimeDelta::zero()));
        Query { from: self.start.as_ref().and_then(back), after: self.page.clone() }
    }

    /// Where the run stands after this page. To be stored together with what became of the page's records, in one
    /// statement: a page that is not recorded never moves it.
    ///
    /// `source_now` is the source's own clock when it answered (the `Date` of its reply). A source that does not tell is
    /// taken to be as late as its first page, which only makes the next run look at more.
    ///
    /// `None` when the page does not move it: it is empty, or the source sends the same page for ever.
    #[must_use]
    pub fn after(&self, page: &[Cursor], source_now: Option<DateTime<Utc>>) -> Option<Self> {
        let last = page.iter().max()?;
        if self.page.as_ref().is_some_and(|before| last <= before) {
            return None;
        }
        Some(Self {
            start: self.start.clone(),
            begun: self.begun.or(source_now).or(Some(last.time)),
            page: Some(last.clone()),
            high: self.high.iter().chain([last]).max().cloned(),
        })
    }

    /// The cursor of the next run, once the last page is recorded.
    ///
    /// It never goes back. It never goes beyond the time at which the run began either: a record that changed behind a
    /// page that was read already, be it hours ago, is found by the next run; and one from the future hides nothing.
    pub fn finish(&self) -> Option<Cursor> {
        let high = self.high.clone()?;
        let Some(begun) = self.begun.filter(|begun| high.time > *begun) else { return Some(high) };
        let capped = Cursor { time: begun, id: String::new() };
        Some(self.start.clone().map_or(capped.clone(), |start| start.max(capped)))
    }
}

/// What is known of a record from the last time it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen<'a> {
    /// Its version, or the text of its modification time.
    pub version: Option<&'a str>,
    /// The hash of its content ([`crate::hash::content`] of its mapped view).
    pub hash: Option<&'a str>,
}

/// Whether a record that a query brought has to be decided about: it is new, or its content is another.
///
/// The version alone proves nothing new: a touch without a change has a new version and the same content.
pub fn is_news(before: Option<Seen<'_>>, hash: &str) -> bool {
    before.and_then(|seen| seen.hash).is_none_or(|known| known != hash)
}

#[cfg(test)]
mod tests;
