//! What a platform was asked to tell of by itself.

use domain::ItemType;

/// A standing request to a platform: to send each event of one topic to one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The platform's id.
    pub id: String,
    /// What it is about, in the words of [`crate::Event::topic`]: `products/update`.
    pub topic: String,
    /// The kind of item whose changes it tells; `None` for a topic that we do not follow.
    pub item_type: Option<ItemType>,
}
