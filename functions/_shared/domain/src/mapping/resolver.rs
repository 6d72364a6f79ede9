//! What a mapping must ask somebody else.

use crate::record::Value;

/// Which way a value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Towards {
    /// From the source to the target.
    Target,
    /// From the target to the source.
    Source,
}

/// What a mapping cannot know from the record alone. The engine loads it for a page before it maps.
pub trait Resolver {
    /// The id, on the other side, of a linked record of this object; `None` when there is no link.
    fn linked(&self, object: &str, id: &Value, towards: Towards) -> Option<Value>;
}

/// Knows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Resolver for Nobody {
    fn linked(&self, _: &str, _: &Value, _: Towards) -> Option<Value> {
        None
    }
}
