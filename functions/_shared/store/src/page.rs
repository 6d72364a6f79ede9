//! Pages of a list.

use serde::{Deserialize, Serialize};

/// One page of a list, and whether there is another one after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageOf<T> {
    /// The rows, in the list's order.
    pub rows: Vec<T>,
    /// Whether more come after the last of them. The next page begins at that last row's place.
    pub has_more: bool,
}

/// The rows of a statement that answers one more than it was asked for, if there are more.
#[derive(Deserialize)]
pub(crate) struct Rows<T> {
    rows: Vec<T>,
}

impl<T> From<Vec<T>> for Rows<T> {
    fn from(rows: Vec<T>) -> Self {
        Self { rows }
    }
}

impl<T> PageOf<T> {
    pub(crate) fn cut(Rows { mut rows }: Rows<T>, limit: i32) -> Self {
        let limit = usize::try_from(limit.clamp(1, 1000)).unwrap_or(1);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        Self { rows, has_more }
    }
}
