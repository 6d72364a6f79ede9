//! Searches for contacts.
//!
//! A search is answered from an index that is seconds to minutes late, knows nothing of archived contacts, sorts by one
//! property and ends after 10,000 results (<https://developers.hubspot.com/docs/api-reference/search/guide>).

use super::contact::{ID, asked};
use super::portal::{CONTACTS, Setup};
use super::replies::Listed;
use crate::{Exchange, Result, Step, read};
use domain::Value;
use serde_json::json;

/// The most results of one page.
pub(super) const PAGE: usize = 200;

/// What is searched for.
pub(super) struct Search<'a> {
    /// Conditions that all hold.
    pub(super) filters: Vec<Value>,
    /// The property that results are ordered by, smallest first.
    pub(super) sort: &'a str,
    /// Words that are looked for in names, e-mail addresses, phone numbers and companies.
    pub(super) words: Option<&'a str>,
    /// Results wanted.
    pub(super) limit: usize,
    /// Where the page begins, as the one before said.
    pub(super) after: Option<&'a str>,
}

impl Search<'_> {
    /// One page of results.
    pub(super) fn page<T: 'static>(
        &self,
        portal: &Setup,
        read: impl Fn(Listed) -> Result<Step<T>> + Send + 'static,
    ) -> Result<Exchange<T>> {
        // The published description calls all of these required.
        let mut body = json!({
            "filterGroups": [{ "filters": self.filters }],
            "sorts": [{ "propertyName": self.sort, "direction": "ASCENDING" }],
            "properties": asked(portal, false),
            "limit": self.limit.clamp(1, PAGE),
            "after": self.after.unwrap_or("0"),
        });
        if let (Some(words), Some(body)) = (self.words, body.as_object_mut()) {
            body.insert("query".to_owned(), words.into());
        }
        portal.post(&format!("{CONTACTS}/search"), &body, move |reply| read(read::json(reply.body())?))
    }
}

/// A condition on one property.
pub(super) fn filter(property: &str, operator: &str, value: &str) -> Value {
    json!({ "propertyName": property, "operator": operator, "value": value })
}

/// The condition that a property has one of these values.
pub(super) fn one_of(property: &str, values: &[String]) -> Value {
    // Texts are compared in small letters, and only found when asked for in small letters.
    let values: Vec<String> = values.iter().map(|value| value.to_lowercase()).collect();
    json!({ "propertyName": property, "operator": "IN", "values": values })
}

/// The condition that the id is behind this one.
pub(super) fn behind(id: u64) -> Value {
    filter(ID, "GT", &id.to_string())
}
