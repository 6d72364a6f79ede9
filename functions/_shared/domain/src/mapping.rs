//! From the source's fields to the target's, and back.

mod check;
mod format;
mod resolver;
mod rule;
pub(crate) mod shape;
mod transformation;
mod violation;
pub mod written;

pub use check::{Check, Pattern, ValueType};
pub use format::{BadZone, Format, Mark, Zone};
pub use resolver::{Nobody, Resolver, Towards};
pub use rule::{FieldKind, OnInvalid, Rule, Way};
pub use transformation::{BadStep, Lookup, NoWayBack, Step, Transformation};
pub use violation::{Violation, mask};

use crate::canon;
use crate::record::{Fields, NULL, Record, Value};
use serde::{Deserialize, Serialize};
use shape::Shape;
use transformation::{Sight, Stop};

/// How the target's fields are made, and how they are compared.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mapping {
    rules: Vec<Rule>,
}

/// What a mapping made of a record.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mapped {
    /// The target's view of the source.
    pub fields: Fields,
    /// What did not pass but was let through, left out or replaced, as the rules say.
    pub warnings: Vec<Violation>,
}

/// Why a mapping made nothing of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Refused {
    /// It is wrong.
    Invalid(Vec<Violation>),
    /// A filter leaves it out.
    Filtered(Box<Violation>),
}

/// What becomes of a value that the source does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Absent {
    LeftOut,
    IsNull,
}

impl Mapping {
    /// A mapping of these rules, applied in their order.
    pub fn new(rules: Vec<Rule>) -> Self {
        Self { rules }
    }

    /// Its rules.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The target's top-level fields that it makes, each once, in order.
    pub fn targets(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for rule in &self.rules {
            if !names.contains(&rule.target.field()) {
                names.push(rule.target.field());
            }
        }
        names
    }

    /// Whether it follows links to other kinds of item, and so has something to ask.
    pub fn asks(&self) -> bool {
        let steps = |rule: &Rule| {
            let both = [rule.transformation.as_ref(), rule.reverse.as_ref()];
            both.into_iter().flatten().any(Transformation::asks)
        };
        self.rules.iter().any(steps)
    }

    /// The target's view of the source: what the target should hold. What a filter would leave out is mapped all the same.
    pub fn apply(&self, source: &Fields) -> Result<Fields, Vec<Violation>> {
        self.apply_with(source, &Nobody)
    }

    /// The same, with links to other kinds of item at hand.
    pub fn apply_with(&self, source: &Fields, resolver: &dyn Resolver) -> Result<Fields, Vec<Violation>> {
        match self.make(source, resolver, Towards::Target, Absent::LeftOut) {
            (made, violations, _) if violations.is_empty() => Ok(made.fields),
            (_, violations, _) => Err(violations),
        }
    }

    /// The target's view of a record of the source, with its warnings, or why there is none.
    pub fn map(&self, source: &Record, resolver: &dyn Resolver, towards: Towards) -> Result<Mapped, Refused> {
        let named = |mut violations: Vec<Violation>| {
            for violation in &mut violations {
                violation.record.clone_from(&source.id);
            }
            violations
        };
        let (mut made, violations, filtered) = self.make(&source.fields, resolver, towards, Absent::LeftOut);
        if let Some(violation) = named(filtered.into_iter().collect()).pop() {
            return Err(Refused::Filtered(Box::new(violation)));
        }
        if violations.is_empty() {
            made.warnings = named(made.warnings);
            Ok(made)
        } else {
            Err(Refused::Invalid(named(violations)))
        }
    }

    /// The target's view of the source as it is compared: what the source does not have is null, and what is absent is
    /// what the mapping left out on purpose.
    pub(crate) fn view(&self, source: &Fields, resolver: &dyn Resolver) -> Fields {
        self.make(source, resolver, Towards::Target, Absent::IsNull).0.fields
    }

    /// What the way back makes of these fields of the target, and what is wrong with them.
    pub(crate) fn back(&self, target: &Fields, resolver: &dyn Resolver) -> (Fields, Vec<Violation>) {
        let (made, violations, _) = self.make(target, resolver, Towards::Source, Absent::LeftOut);
        (made.fields, violations)
    }

    fn make(
        &self,
        source: &Fields,
        resolver: &dyn Resolver,
        towards: Towards,
        absent: Absent,
    ) -> (Mapped, Vec<Violation>, Option<Violation>) {
        let mut made = Mapped::default();
        let (mut violations, mut filtered) = (Vec::new(), None);
        for rule in &self.rules {
            let mut missing = false;
            let Mapped { fields, warnings } = &mut made;
            let name = rule.target.to_string();
            let sight = Sight { record: source, resolver, towards };
            rule.target.copy(&rule.source, source, fields, &mut |given| match rule
                .change(given, &sight, warnings)
            {
                Ok(value) => {
                    missing |= value.as_ref().is_none_or(Value::is_null);
                    let is_null = given.is_none() && absent == Absent::IsNull;
                    value.or_else(|| is_null.then_some(Value::Null))
                }
                Err(Stop::Filtered(detail)) => {
                    filtered = filtered.take().or_else(|| Some(rule.violation("filter", &detail, given)));
                    None
                }
                Err(Stop::Wrong { rule: name, detail }) => {
                    violations.push(rule.violation(&name, &detail, given));
                    None
                }
            });
            let known = violations.last().is_some_and(|violation| violation.target == name);
            if rule.required && !known && (missing || rule.target.values(fields).is_empty()) {
                violations.push(rule.violation("required", "there is no value", None));
            }
        }
        (made, violations, filtered)
    }

    /// What of a target record this mapping is about. The rest belongs to somebody else and is never compared.
    pub fn project(&self, target: &Fields) -> Fields {
        let mut seen = Fields::new();
        for rule in &self.rules {
            rule.target.copy(&rule.target, target, &mut seen, &mut |value| value.cloned());
        }
        seen
    }

    /// The same fields in the form in which they are compared, each value by its rule's kind.
    pub fn comparable(&self, fields: &Fields) -> Fields {
        self.shape().comparable_fields(fields)
    }

    /// Whether a top-level field has the same meaning in both, given in [`Self::comparable`] form. Absent is null.
    pub fn same(field: &str, left: &Fields, right: &Fields) -> bool {
        canon::equal(left.get(field).unwrap_or(NULL), right.get(field).unwrap_or(NULL))
    }

    /// The mapping of the way back: of every rule that has one.
    #[must_use]
    pub fn turned(&self) -> Self {
        Self { rules: self.rules.iter().filter_map(Rule::turned).collect() }
    }

    /// The tree of the target's fields.
    pub(crate) fn shape(&self) -> Shape {
        Shape::of(&self.rules)
    }
}

impl Rule {
    /// The value on the other side; `None` when there is none.
    fn change(
        &self,
        value: Option<&Value>,
        sight: &Sight<'_>,
        warnings: &mut Vec<Violation>,
    ) -> Result<Option<Value>, Stop> {
        let present = value.is_some_and(|value| !value.is_null());
        let Some(transformation) = &self.transformation else {
            return Ok(if present { value } else { self.default_value.as_ref().or(value) }.cloned());
        };
        if !present && self.default_value.is_some() && transformation.changes() && !transformation.computes()
        {
            return Ok(self.default_value.clone());
        }
        let mut now = value.cloned();
        for step in &transformation.steps {
            match step.run(now.clone(), sight) {
                Ok(next) => now = next,
                Err(Stop::Wrong { rule, .. }) if rule == "lookup" && self.default_value.is_some() => {
                    return Ok(self.default_value.clone());
                }
                Err(Stop::Wrong { rule, detail }) => match self.on_invalid {
                    OnInvalid::Reject => return Err(Stop::Wrong { rule, detail }),
                    OnInvalid::SkipField => {
                        warnings.push(self.violation(&rule, &detail, value));
                        return Ok(None);
                    }
                    OnInvalid::Default => {
                        warnings.push(self.violation(&rule, &detail, value));
                        return Ok(self.default_value.clone());
                    }
                    OnInvalid::Warn => warnings.push(self.violation(&rule, &detail, value)),
                },
                Err(filtered) => return Err(filtered),
            }
        }
        Ok(match now {
            None | Some(Value::Null) => self.default_value.clone().or(now),
            now => now,
        })
    }

    fn violation(&self, rule: &str, detail: &str, value: Option<&Value>) -> Violation {
        Violation {
            record: String::new(),
            target: self.target.to_string(),
            origin: self.source.to_string(),
            rule: rule.to_owned(),
            detail: detail.to_owned(),
            value: value.map(|value| if self.personal { mask(value) } else { value.clone() }),
        }
    }
}

#[cfg(test)]
mod tests;
