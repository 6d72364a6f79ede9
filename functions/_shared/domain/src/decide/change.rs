//! One field that differs, and what was decided about it.

use crate::mapping::mask;
use crate::record::Value;
use serde::{Serialize, Serializer};

/// One field that differs, and what was decided about it. Shown (serialised), values about a person are masked.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The target's top-level field.
    pub field: String,
    /// Where exactly: the field, or a place below it, `children["A-1"].price`.
    pub path: String,
    /// The source's view when both sides last agreed.
    pub base_source: Option<Value>,
    /// The target's value when both sides last agreed.
    pub base_target: Option<Value>,
    /// What the source asks for now.
    pub source: Option<Value>,
    /// What the target holds now.
    pub target: Option<Value>,
    /// The rule that decided.
    pub rule: &'static str,
    /// Which side is written.
    pub writes: Writes,
    /// Whether the values are about a person.
    pub personal: bool,
    /// The places below the field that differ, where it is decided place by place.
    pub parts: Vec<Change>,
    /// The way to the place.
    pub(crate) places: Vec<Place>,
}

/// One step on the way to a place in the target's fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Into an object.
    Field(String),
    /// To the element of a list with this key.
    Element(String),
}

/// Which side a field is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Writes {
    /// None.
    #[default]
    Nothing,
    /// The target.
    Target,
    /// The source.
    Source,
    /// Both.
    Both,
}

impl Writes {
    pub(crate) const fn of(target: bool, source: bool) -> Self {
        match (target, source) {
            (false, false) => Self::Nothing,
            (true, false) => Self::Target,
            (false, true) => Self::Source,
            (true, true) => Self::Both,
        }
    }

    /// Whether the target is written.
    pub const fn target(self) -> bool {
        matches!(self, Self::Target | Self::Both)
    }

    /// Whether the source is written.
    pub const fn source(self) -> bool {
        matches!(self, Self::Source | Self::Both)
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self::of(self.target() || other.target(), self.source() || other.source())
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    field: &'a str,
    path: &'a str,
    base_source: Option<Value>,
    base_target: Option<Value>,
    source: Option<Value>,
    target: Option<Value>,
    rule: &'static str,
    writes: Writes,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    parts: &'a [Change],
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = |value: &Option<Value>| {
            value.as_ref().map(|value| if self.personal { mask(value) } else { value.clone() })
        };
        Shown {
            field: &self.field,
            path: &self.path,
            base_source: shown(&self.base_source),
            base_target: shown(&self.base_target),
            source: shown(&self.source),
            target: shown(&self.target),
            rule: self.rule,
            writes: self.writes,
            parts: &self.parts,
        }
        .serialize(serializer)
    }
}

/// The places as a path that people read.
pub(crate) fn path(places: &[Place]) -> String {
    let mut path = String::new();
    for place in places {
        match place {
            Place::Field(name) if path.is_empty() => path.push_str(name),
            Place::Field(name) => {
                path.push('.');
                path.push_str(name);
            }
            Place::Element(key) => {
                path.push('[');
                path.push_str(key);
                path.push(']');
            }
        }
    }
    path
}

/// The places as a path of the mapping: `children[].price`.
pub(crate) fn pattern(places: &[Place]) -> String {
    let plain: Vec<Place> = places
        .iter()
        .map(|place| match place {
            Place::Element(_) => Place::Element(String::new()),
            Place::Field(name) => Place::Field(name.clone()),
        })
        .collect();
    path(&plain)
}
