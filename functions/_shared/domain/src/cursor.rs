//! Which records changed: a place in a source's own time, that moves only when its page is recorded.
//!
//! A cursor is the greatest `(time, id)` of a listing that was read to its end, by the source's clock. Every listing goes
//! back a little (the look-back), because records become visible late and clocks differ, and asks for `>=`, because several
//! records have the same time. What comes again is told apart by its content.

use chrono::{DateTime, TimeDelta, Utc};

/// A place in a source's own time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The source's own modification time.
    pub time: DateTime<Utc>,
    /// The record with that time; of several, the greatest id. Empty where no record has it.
    pub id: String,
}

/// Where the listing of a source stands, between its pages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Where the last listing that was read to its end came to.
    pub start: Option<Cursor>,
    /// The source's time when this listing began; `None` before its first page is recorded.
    pub begun: Option<DateTime<Utc>>,
    /// The greatest place that this listing has shown.
    pub high: Option<Cursor>,
    /// The source's own token for the next page; `None` between listings.
    pub page: Option<String>,
}

impl Progress {
    /// A listing that begins where the one before came to.
    pub fn begin(start: Option<Cursor>) -> Self {
        Self { start, ..Self::default() }
    }

    /// The listing shows what changed at this time or later; everything where `None`. The same for all of its pages.
    pub fn since(&self, lookback: TimeDelta) -> Option<DateTime<Utc>> {
        self.start.as_ref()?.time.checked_sub_signed(lookback.max(TimeDelta::zero()))
    }

    /// Where the listing stands behind this page, or the next one begins. To be stored together with what became of the
    /// page's records, in one statement: a page that is not recorded never moves it.
    ///
    /// `newest` is the page's greatest place. `source_now` is the source's own clock when it was asked (the `Date` of its
    /// reply). A source that does not tell is taken to be as late as its first page, which only makes the next listing show
    /// more. `next` is the token of the next page, `None` behind the last.
    #[must_use]
    pub fn after(
        &self,
        newest: Option<Cursor>,
        source_now: Option<DateTime<Utc>>,
        next: Option<String>,
    ) -> Self {
        let first = newest.as_ref().map(|place| place.time);
        let begun = self.begun.or(source_now).or(first);
        let shown =
            Self { begun, high: self.high.clone().max(newest), start: self.start.clone(), page: next };
        if shown.page.is_some() { shown } else { Self::begin(shown.end()) }
    }

    /// The cursor that the listing comes to.
    ///
    /// It never goes back. It never goes beyond the time at which the listing began either: a record that changed behind a
    /// page that was read already, be it hours ago, is in the next listing; and one from the future hides nothing.
    fn end(&self) -> Option<Cursor> {
        let capped = match (&self.high, self.begun) {
            (Some(high), Some(begun)) if high.time > begun => Some(Cursor { time: begun, id: String::new() }),
            _ => self.high.clone(),
        };
        self.start.clone().max(capped)
    }
}

#[cfg(test)]
mod tests;
