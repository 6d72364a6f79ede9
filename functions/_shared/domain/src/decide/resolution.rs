//! What a person decided about conflicts.

use super::Strategy;
use super::change::{Change, path};
use super::leaf::Four;
use crate::mapping::shape::Shape;
use crate::record::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a person decided about a record's conflicts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resolution {
    /// By field or by exact path, as [`Change`] names them.
    pub choices: BTreeMap<String, Choice>,
    /// For every conflict that [`Self::choices`] does not name.
    pub rest: Option<Choice>,
    /// The conflicts that the person saw. What looks otherwise by now is not resolved, but asked again.
    pub seen: Vec<Change>,
}

/// What becomes of one field in conflict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The source's value.
    Source,
    /// The target's value.
    Target,
    /// What both held when they last agreed.
    Base,
    /// This value, as the target would hold it.
    Value(#[schemars(description = "The value, as the target would hold it.")] Value),
    /// Whatever this strategy says.
    Strategy(#[schemars(description = "The strategy that decides.")] Strategy),
}

/// The stored form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    #[serde(default)]
    choices: BTreeMap<String, Choice>,
    rest: Option<Choice>,
}

impl Resolution {
    /// As it is written: `{"choices": {"title": "source", "price": {"value": "9.50"}}, "rest": "target"}`. `None` when it
    /// cannot be read. What the person saw is not in it.
    pub fn read(written: &Value) -> Option<Self> {
        let Stored { choices, rest } = serde_json::from_value(written.clone()).ok()?;
        Some(Self { choices, rest, seen: Vec::new() })
    }

    /// The choice about a place; `None` when there is none.
    pub(super) fn choice(&self, places: &[super::change::Place]) -> Option<&Choice> {
        let field = path(places.get(..1).unwrap_or_default());
        self.choices.get(&path(places)).or_else(|| self.choices.get(&field)).or(self.rest.as_ref())
    }

    /// Whether the place looks as it did when the person chose.
    pub(super) fn is_fresh(&self, places: &[super::change::Place], shape: &Shape, four: &Four<'_>) -> bool {
        let name = path(places);
        let mut all = self.seen.iter().flat_map(|change| std::iter::once(change).chain(&change.parts));
        all.find(|change| change.path == name && change.parts.is_empty()).is_none_or(|seen| {
            shape.same(seen.source.as_ref(), four.source) && shape.same(seen.target.as_ref(), four.target)
        })
    }
}
