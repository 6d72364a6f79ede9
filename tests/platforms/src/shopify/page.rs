//! Connections: pages with cursors that name a place in the order, not a number.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::out::Out;

/// Where a record stands in an order: the value it is sorted by, then its id.
pub(crate) type Place = (String, u64);

/// Which page is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Paging {
    pub(crate) size: usize,
    /// Whether the page lies at the end of the list (`last`, `before`) rather than at its beginning.
    pub(crate) from_end: bool,
    pub(crate) reverse: bool,
    /// The place the page begins after, or ends before.
    pub(crate) cursor: Option<Place>,
}

impl Paging {
    /// Reads `first`, `last`, `after`, `before` and `reverse`.
    ///
    /// # Errors
    /// Neither or both of `first` and `last`, a size out of range, or a cursor this platform did not make.
    pub(crate) fn read(arguments: &Map<String, Value>) -> Result<Self, String> {
        let number = |name: &str| arguments.get(name).and_then(Value::as_i64);
        let (size, from_end) = match (number("first"), number("last")) {
            (Some(first), None) => (first, false),
            (None, Some(last)) => (last, true),
            (None, None) => return Err("you must provide one of first or last".to_owned()),
            (Some(_), Some(_)) => return Err("providing both first and last is not supported".to_owned()),
        };
        if !(0..=super::cost::LARGEST_PAGE).contains(&size) {
            return Err(format!("{} must be between 0 and 250", if from_end { "last" } else { "first" }));
        }
        let cursor = arguments.get(if from_end { "before" } else { "after" }).and_then(Value::as_str);
        Ok(Self {
            size: usize::try_from(size).unwrap_or_default(),
            from_end,
            reverse: arguments.get("reverse").and_then(Value::as_bool).unwrap_or_default(),
            cursor: cursor
                .map(|text| place(text).ok_or("Invalid cursor for current pagination sort."))
                .transpose()?,
        })
    }

    /// Whether records are walked from the greatest to the smallest.
    pub(crate) fn descending(&self) -> bool {
        self.reverse != self.from_end
    }

    /// Makes the connection of records in ascending order of their places.
    pub(crate) fn of_sorted(&self, mut records: Vec<(Place, Out)>) -> Out {
        if self.descending() {
            records.reverse();
        }
        self.of_walk(records.into_iter())
    }

    /// Makes the connection of records in the order they are walked in, stopping as soon as the page is full.
    pub(crate) fn of_walk(&self, records: impl Iterator<Item = (Place, Out)>) -> Out {
        let beyond = |place: &Place| match &self.cursor {
            None => true,
            Some(cursor) if self.descending() => place < cursor,
            Some(cursor) => place > cursor,
        };
        let mut page: Vec<(Place, Out)> =
            records.filter(|(place, _)| beyond(place)).take(self.size + 1).collect();
        let more = page.len() > self.size;
        page.truncate(self.size);
        if self.from_end {
            page.reverse();
        }
        let before = self.cursor.is_some();
        connection(page, if self.from_end { (before, more) } else { (more, before) })
    }
}

fn connection(page: Vec<(Place, Out)>, (next, previous): (bool, bool)) -> Out {
    let cursor = |record: Option<&(Place, Out)>| record.map_or(Value::Null, |(place, _)| text(place).into());
    let info = json!({
        "hasNextPage": next,
        "hasPreviousPage": previous,
        "startCursor": cursor(page.first()),
        "endCursor": cursor(page.last()),
    });
    let edges = page
        .iter()
        .map(|(place, node)| Out::object([("cursor", text(place).into()), ("node", node.clone())]))
        .collect();
    let nodes = page.into_iter().map(|(_, node)| node).collect();
    Out::object([("nodes", Out::List(nodes)), ("edges", Out::List(edges)), ("pageInfo", Out::Leaf(info))])
}

/// A cursor as callers see it.
fn text((value, id): &Place) -> String {
    STANDARD.encode(json!({ "last_id": id, "last_value": value }).to_string())
}

fn place(cursor: &str) -> Option<Place> {
    let decoded: Value = serde_json::from_slice(&STANDARD.decode(cursor).ok()?).ok()?;
    Some((decoded.get("last_value")?.as_str()?.to_owned(), decoded.get("last_id")?.as_u64()?))
}
