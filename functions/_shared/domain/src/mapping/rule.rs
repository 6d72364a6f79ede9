//! One line of a mapping.

use super::transformation::{NoWayBack, Transformation};
use crate::path::Path;
use crate::record::Value;
use serde::{Deserialize, Serialize};

/// One field of the target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Where the value comes from.
    pub source: Path,
    /// Where it goes.
    pub target: Path,
    /// How it is changed on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transformation: Option<Transformation>,
    /// How it is changed on the way back, where that is not the plain opposite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverse: Option<Transformation>,
    /// Which ways it flows in a sync that goes both ways.
    #[serde(default, skip_serializing_if = "Way::is_both")]
    pub direction: Way,
    /// Whether a record without it is refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// What stands in for a missing value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_value: Option<Value>,
    /// What happens when a value does not pass.
    #[serde(default, skip_serializing_if = "OnInvalid::is_reject")]
    pub on_invalid: OnInvalid,
    /// When two values of it are the same.
    #[serde(default, rename = "type", skip_serializing_if = "FieldKind::is_exact")]
    pub kind: FieldKind,
    /// Whether it tells the elements of its list apart (`variants[].sku`). Such a list is compared and merged element by
    /// element, whatever their order.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub key: bool,
    /// Whether it is about a person. Its values are masked wherever they are only shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub personal: bool,
}

/// Which ways a field flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Both, as far as the sync does.
    #[default]
    Both,
    /// To the target only.
    ToTarget,
    /// To the source only.
    ToSource,
}

/// What happens to a value that a rule cannot change, or that does not pass its checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnInvalid {
    /// The record is refused.
    #[default]
    Reject,
    /// The field is left out.
    SkipField,
    /// The default value is taken; the field is left out where there is none.
    Default,
    /// The value goes on as it is.
    Warn,
}

/// When two values of a field are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// When [`crate::canon::equal`] says so.
    #[default]
    Exact,
    /// Numbers and texts that show a number, by value: `"10"` is `"10.00"` is `10`.
    Number,
    /// Lists without order and without repetition.
    Set,
    /// Texts without the white space around and the kind of line end; an empty one is none.
    Text,
    /// Points in time, whatever the zone they are written in.
    Time,
}

impl FieldKind {
    /// Whether it is the default kind.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
    const fn is_exact(&self) -> bool {
        matches!(self, Self::Exact)
    }
}

impl Way {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
    const fn is_both(&self) -> bool {
        matches!(self, Self::Both)
    }
}

impl OnInvalid {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
    const fn is_reject(&self) -> bool {
        matches!(self, Self::Reject)
    }
}

impl Rule {
    /// A rule that copies.
    pub fn copy(source: Path, target: Path) -> Self {
        Self {
            source,
            target,
            transformation: None,
            reverse: None,
            direction: Way::Both,
            required: false,
            default_value: None,
            on_invalid: OnInvalid::Reject,
            kind: FieldKind::Exact,
            key: false,
            personal: false,
        }
    }

    /// Whether it flows to the target.
    pub fn goes(&self) -> bool {
        self.direction != Way::ToSource
    }

    /// Whether it can flow back to the source: nothing forbids it, and there is an opposite.
    pub fn returns(&self) -> bool {
        self.direction != Way::ToTarget
            && self.source.is_many() == self.target.is_many()
            && (self.reverse.is_some() || self.opposite().is_ok())
    }

    /// How a value of the target becomes one of the source.
    fn opposite(&self) -> Result<Option<Transformation>, NoWayBack> {
        match (&self.reverse, &self.transformation) {
            (Some(reverse), _) => Ok(Some(reverse.clone())),
            (None, None) => Ok(None),
            (None, Some(transformation)) => transformation.opposite().map(Some),
        }
    }

    /// The rule of the way back; `None` when there is none.
    pub fn turned(&self) -> Option<Self> {
        if self.source.is_many() != self.target.is_many() {
            return None;
        }
        Some(Self {
            source: self.target.clone(),
            target: self.source.clone(),
            transformation: self.opposite().ok()?,
            reverse: self.transformation.clone(),
            direction: match self.direction {
                Way::Both => Way::Both,
                Way::ToTarget => Way::ToSource,
                Way::ToSource => Way::ToTarget,
            },
            required: false,
            default_value: None,
            ..self.clone()
        })
    }
}
