//! How a value is changed on its way, step by step.

use super::check::Check;
use super::format::Format;
use super::resolver::{Resolver, Towards};
use crate::canon;
use crate::expression::Expression;
use crate::record::{Fields, NULL, Value};
use serde::{Deserialize, Serialize};

/// The steps that a value takes, one after the other.
///
/// Written as one step, `{"format": "trim"}`, or as a list of them; `{"type": "format", "config": "trim"}` is the same.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Vec<Step>")]
pub struct Transformation {
    /// In their order.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Writes it in another form.
    Format(Format),
    /// Puts another value in its place.
    Lookup(Lookup),
    /// Computes a number. A value that was a text stays one, so `"10.00"` becomes `"11.90"` and not `11.90`.
    Calculate(Expression),
    /// Computes anything.
    Custom(Expression),
    /// Lets it pass, or not.
    Validate(Check),
    /// Lets the whole record pass, or leaves it out of the sync.
    Filter(Check),
}

/// What stands for what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub enum Lookup {
    /// Pairs of a source value and the value that stands for it on the target. Written `[["a", "b"]]` or `{"a": "b"}`.
    Pairs(Vec<(Value, Value)>),
    /// The id of a record of another object becomes the id of the record it is linked to. Written `{"link": "customer"}`.
    Link(String),
}

/// A step that is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadStep(String);

/// A step that cannot be taken backwards: nobody can tell which value it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no way back")]
pub struct NoWayBack;

/// Why a value does not get through.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stop {
    /// The record is none of this sync's business.
    Filtered(String),
    /// The value is wrong.
    Wrong { rule: String, detail: String },
}

/// What a step can see besides the value.
pub(super) struct Sight<'a> {
    pub(super) record: &'a Fields,
    pub(super) resolver: &'a dyn Resolver,
    pub(super) towards: Towards,
}

impl Transformation {
    /// One step.
    pub fn of(step: Step) -> Self {
        Self { steps: vec![step] }
    }

    /// Pairs of values.
    pub fn lookup(pairs: Vec<(Value, Value)>) -> Self {
        Self::of(Step::Lookup(Lookup::Pairs(pairs)))
    }

    /// Whether it makes a value out of none.
    pub(super) fn computes(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Calculate(_) | Step::Custom(_)))
    }

    /// Whether it follows a link.
    pub(super) fn asks(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Lookup(Lookup::Link(_))))
    }

    /// Whether it makes another value, besides letting it pass or not.
    pub(super) fn changes(&self) -> bool {
        self.steps.iter().any(|step| !matches!(step, Step::Validate(_) | Step::Filter(_)))
    }

    /// The steps of the way back, if each of them has an opposite.
    pub fn opposite(&self) -> Result<Self, NoWayBack> {
        let steps = self.steps.iter().rev().map(Step::opposite).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { steps: steps.into_iter().flatten().collect() })
    }
}

impl Step {
    /// The same step backwards; `None` when the value goes back as it is.
    fn opposite(&self) -> Result<Option<Self>, NoWayBack> {
        match self {
            Self::Format(format) => format.opposite().map(|format| format.map(Self::Format)),
            Self::Lookup(Lookup::Pairs(pairs)) => {
                let turned = pairs.iter().map(|(a, b)| (b.clone(), a.clone())).collect();
                Ok(Some(Self::Lookup(Lookup::Pairs(turned))))
            }
            Self::Lookup(Lookup::Link(_)) => Ok(Some(self.clone())),
            Self::Calculate(_) | Self::Custom(_) => Err(NoWayBack),
            Self::Validate(_) | Self::Filter(_) => Ok(None),
        }
    }

    /// Carries it out.
    pub(super) fn run(&self, value: Option<Value>, sight: &Sight<'_>) -> Result<Option<Value>, Stop> {
        let wrong = |rule: &str, detail: String| Stop::Wrong { rule: rule.to_owned(), detail };
        match self {
            Self::Format(format) => match value {
                None | Some(Value::Null) if !format.makes() => Ok(value),
                value => format
                    .apply(value.as_ref().unwrap_or(NULL), sight.record)
                    .map(Some)
                    .map_err(|detail| wrong(&format!("format.{}", format.name()), detail.to_owned())),
            },
            Self::Lookup(lookup) => {
                let given = value.is_some();
                match lookup.find(value, sight) {
                    None if given => Err(wrong("lookup", "nothing stands for this value".to_owned())),
                    found => Ok(found),
                }
            }
            Self::Calculate(expression) => {
                let result = expression
                    .evaluate(value.as_ref(), sight.record)
                    .map_err(|failure| wrong("calculate", failure.to_string()))?;
                match (result, &value) {
                    (Value::Null, _) => Ok(Some(Value::Null)),
                    (Value::Number(number), Some(Value::String(_))) => {
                        Ok(Some(Value::String(number.to_string())))
                    }
                    (Value::Number(number), _) => Ok(Some(Value::Number(number))),
                    _ => Err(wrong("calculate", "the result is no number".to_owned())),
                }
            }
            Self::Custom(expression) => expression
                .evaluate(value.as_ref(), sight.record)
                .map(Some)
                .map_err(|failure| wrong("custom", failure.to_string())),
            Self::Validate(check) => match check.passes(value.as_ref(), sight) {
                Ok(()) => Ok(value),
                Err(detail) => Err(wrong(&format!("validate.{}", check.name()), detail)),
            },
            Self::Filter(check) => match check.passes(value.as_ref(), sight) {
                Ok(()) => Ok(value),
                Err(detail) => Err(Stop::Filtered(format!("{}: {detail}", check.name()))),
            },
        }
    }
}

impl Lookup {
    fn find(&self, value: Option<Value>, sight: &Sight<'_>) -> Option<Value> {
        let value = value?;
        match self {
            Self::Pairs(pairs) => {
                let found = pairs.iter().find(|(from, _)| canon::equal(from, &value));
                found.map(|(_, to)| to.clone()).or_else(|| value.is_null().then_some(Value::Null))
            }
            Self::Link(_) if value.is_null() => Some(Value::Null),
            Self::Link(object) => sight.resolver.linked(object, &value, sight.towards),
        }
    }
}

impl TryFrom<Value> for Transformation {
    type Error = BadStep;

    fn try_from(written: Value) -> Result<Self, BadStep> {
        let steps = match written {
            Value::Array(steps) => steps,
            step => vec![step],
        };
        Ok(Self { steps: steps.into_iter().map(step).collect::<Result<_, _>>()? })
    }
}

/// One written step: `{"format": …}`, or `{"type": "format", "config": …}`.
fn step(written: Value) -> Result<Step, BadStep> {
    let written = match written {
        Value::Object(mut fields) if fields.get("type").is_some_and(Value::is_string) => {
            let name = fields.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
            let config = ["config", "rule", "value"].iter().find_map(|key| fields.remove(*key));
            Value::Object(Fields::from_iter([(name, config.unwrap_or_default())]))
        }
        other => other,
    };
    serde_json::from_value(written).map_err(|error| BadStep(error.to_string()))
}

impl From<Transformation> for Vec<Step> {
    fn from(transformation: Transformation) -> Self {
        transformation.steps
    }
}

impl TryFrom<Value> for Lookup {
    type Error = BadStep;

    fn try_from(written: Value) -> Result<Self, BadStep> {
        let bad =
            || BadStep("a lookup is `[[from, to], …]`, `{from: to, …}` or `{\"link\": object}`".to_owned());
        match written {
            Value::Array(_) => serde_json::from_value(written).map(Self::Pairs).map_err(|_| bad()),
            Value::Object(fields) => match (fields.len(), fields.get("link")) {
                (1, Some(Value::String(object))) => Ok(Self::Link(object.clone())),
                _ => {
                    Ok(Self::Pairs(fields.into_iter().map(|(from, to)| (Value::String(from), to)).collect()))
                }
            },
            _ => Err(bad()),
        }
    }
}

impl From<Lookup> for Value {
    fn from(lookup: Lookup) -> Self {
        match lookup {
            Lookup::Pairs(pairs) => pairs.into_iter().map(|(from, to)| Self::Array(vec![from, to])).collect(),
            Lookup::Link(object) => Self::Object(Fields::from_iter([("link".to_owned(), object.into())])),
        }
    }
}
