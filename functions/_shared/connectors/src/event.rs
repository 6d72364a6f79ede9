//! What a platform's message tells: that something may have changed, and where to look.

use crate::{Error, Result};
use domain::ItemType;
use http::HeaderMap;

/// The longest id or topic that is taken, in bytes. Vendors' are far shorter.
const LONGEST: usize = 200;

/// A message of a platform. What it says of the record itself is left out: that is read from the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The platform's id of what happened, the same when the message is sent again.
    pub id: String,
    /// What happened, in the platform's words: `products/update`.
    pub topic: String,
    /// What to look at; `None` for a topic that we do not follow.
    pub subject: Option<Subject>,
}

/// A record that may have changed, come to be, or gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Its kind.
    pub item_type: ItemType,
    /// Its id, as the connector's records have it.
    pub record_id: String,
}

/// The text of a header that is there once, 1 to 200 printable characters; `None` when it is not there.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match value.to_str() {
        Ok(text) if values.next().is_none() && (1..=LONGEST).contains(&text.len()) => Ok(Some(text)),
        _ => Err(Error::unexpected(format!("the header {name} is not one short text"))),
    }
}
