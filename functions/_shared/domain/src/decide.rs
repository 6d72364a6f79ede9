//! What to do with one record: a pure function of both sides and of what they looked like when they last agreed.
//!
//! Both sides are compared where the target's fields are: the source's view is what the mapping makes of it, and what
//! goes back to the source goes through the mapping's opposite. Lists whose elements have a key are decided element by
//! element, objects field by field, everything else as a whole.

mod back;
mod bases;
mod change;
mod leaf;
mod merge;
mod precedent;
mod resolution;
mod walk;

pub use bases::{Answers, bases_after};
pub use change::{Change, Writes};
pub use precedent::{Precedent, Suggestion, suggest};
pub use resolution::{Choice, Resolution};

use crate::mapping::{Mapping, Nobody, Refused, Resolver, Towards, Violation};
use crate::record::{Fields, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use walk::Walk;

/// Who wins when both sides differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The source's value is written.
    #[default]
    SourceWins,
    /// The target's value stays, and goes to the source where the sync goes both ways.
    TargetWins,
    /// The later change wins, by the platforms' own times; a tie or a missing time is left to a person.
    LastWriteWins,
    /// Both changes stay where they can: different fields, elements of sets, lines of texts. Where they cannot,
    /// [`Rules::fallback`] decides.
    Merge,
    /// A person decides.
    Manual,
}

/// Which ways a sync goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// From the source to the target.
    #[default]
    #[serde(alias = "unidirectional", alias = "to_target")]
    OneWay,
    /// Both ways.
    #[serde(alias = "bidirectional", alias = "both")]
    TwoWay,
}

/// The rules of one sync, as its configuration has them. Everything has a default.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// How the target's fields are made.
    pub mapping: Mapping,
    /// Which ways it goes.
    pub flow: Flow,
    /// Who wins.
    pub strategy: Strategy,
    /// Who wins for single fields of the target: `tags`, or `children[].price` for a field in a list with a key.
    pub field_strategies: BTreeMap<String, Strategy>,
    /// Who wins when two records meet for the first time. What only one side has is no conflict then: it stays, and
    /// goes to the other side where the sync goes there.
    pub on_first_sync: Strategy,
    /// Who wins where [`Strategy::Merge`] finds no way to keep both.
    pub fallback: Strategy,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            mapping: Mapping::default(),
            flow: Flow::OneWay,
            strategy: Strategy::SourceWins,
            field_strategies: BTreeMap::new(),
            on_first_sync: Strategy::SourceWins,
            fallback: Strategy::Manual,
        }
    }
}

impl Rules {
    /// The same sync seen from the other side: for records that exist only on the target.
    #[must_use]
    pub fn turned(&self) -> Self {
        let turn = |strategy| match strategy {
            Strategy::SourceWins => Strategy::TargetWins,
            Strategy::TargetWins => Strategy::SourceWins,
            other => other,
        };
        let mapping = self.mapping.turned();
        let name = |target: &String| {
            let rule = self
                .mapping
                .rules()
                .iter()
                .find(|rule| rule.target.to_string() == *target || rule.target.field() == target);
            rule.map_or_else(|| target.clone(), |rule| rule.source.to_string())
        };
        Self {
            mapping,
            flow: self.flow,
            strategy: turn(self.strategy),
            field_strategies: self
                .field_strategies
                .iter()
                .map(|(field, strategy)| (name(field), turn(*strategy)))
                .collect(),
            on_first_sync: turn(self.on_first_sync),
            fallback: turn(self.fallback),
        }
    }
}

/// What both sides looked like when they last agreed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bases<'a> {
    /// The mapped view of the source.
    pub source: &'a Fields,
    /// What the target really held.
    pub target: &'a Fields,
}

/// Everything that a decision depends on.
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    /// The source now.
    pub source: &'a Record,
    /// The target now, if there is one.
    pub target: Option<&'a Record>,
    /// What they looked like when they last agreed, if they ever did.
    pub bases: Option<Bases<'a>>,
    /// Only these fields of the target flow.
    pub only: Option<&'a [String]>,
}

/// What shall happen to the record.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// The target gets a new record with these fields.
    Create {
        /// Every mapped field.
        fields: Fields,
    },
    /// One side or both get these fields; others may be in conflict and stay as they are.
    Update {
        /// The target's fields that change, each with its whole new value.
        fields: Fields,
        /// The source's fields that change, each with its whole new value. Empty unless the sync goes both ways.
        back: Fields,
        /// Why, field by field.
        changes: Vec<Change>,
        /// Fields left for a person.
        conflicts: Vec<Change>,
    },
    /// Nothing differs, or nothing that differs is ours to write.
    Unchanged {
        /// Fields that differ and stay as they are, with the rule that says so.
        kept: Vec<Change>,
    },
    /// Nothing can be written before a person decides.
    Conflict {
        /// The fields in question.
        conflicts: Vec<Change>,
    },
    /// The record cannot be mapped.
    Invalid {
        /// What is wrong with it.
        violations: Vec<Violation>,
    },
    /// A filter of the mapping leaves the record out of the sync.
    Filtered {
        /// Which one.
        violation: Box<Violation>,
    },
}

/// What helps with a decision.
#[derive(Clone, Copy)]
pub struct Aids<'a> {
    /// Answers what the mapping must ask.
    pub resolver: &'a dyn Resolver,
    /// What a person decided about the record's conflicts.
    pub resolution: Option<&'a Resolution>,
}

impl Default for Aids<'_> {
    fn default() -> Self {
        Self { resolver: &Nobody, resolution: None }
    }
}

/// A decision, and what the mapping remarked on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// What shall happen.
    pub decision: Decision,
    /// Values that did not pass but were let through, left out or replaced.
    pub warnings: Vec<Violation>,
}

/// Decides about one record.
///
/// Never invents a value: what is written is what the mapping makes of the other side, or a merge of both. Equal
/// situations get equal decisions, and carrying one out leads to a situation in which the decision is `Unchanged`.
pub fn decide(rules: &Rules, situation: &Situation<'_>) -> Decision {
    decide_with(rules, situation, Aids::default()).decision
}

/// Decides about one record, with links to other objects and a person's choices at hand.
pub fn decide_with(rules: &Rules, situation: &Situation<'_>, aids: Aids<'_>) -> Decided {
    let done = |decision, warnings| Decided { decision, warnings };
    let mapped = match rules.mapping.map(situation.source, aids.resolver, Towards::Target) {
        Ok(mapped) => mapped,
        Err(Refused::Invalid(violations)) => return done(Decision::Invalid { violations }, Vec::new()),
        Err(Refused::Filtered(violation)) => return done(Decision::Filtered { violation }, Vec::new()),
    };
    let Some(target) = situation.target else {
        let mut fields = mapped.fields;
        let goes: BTreeSet<&str> = going(&rules.mapping);
        fields.retain(|field, _| wanted(situation, field) && goes.contains(field.as_str()));
        return done(Decision::Create { fields }, mapped.warnings);
    };
    let view = rules.mapping.view(&situation.source.fields, aids.resolver);
    let current = rules.mapping.project(&target.fields);
    let mut walk = Walk::new(rules, situation, aids.resolution, &view, &current);
    let settled = walk.units(|field| wanted(situation, field));
    let back = match walk.back(&settled, &view, target, aids.resolver) {
        Ok(back) => back,
        Err(violations) => return done(Decision::Invalid { violations }, mapped.warnings),
    };
    let outcome = walk.outcome(settled.fields, back);
    done(outcome, mapped.warnings)
}

/// Whether a field of the target takes part.
fn wanted(situation: &Situation<'_>, field: &str) -> bool {
    situation.only.is_none_or(|only| only.iter().any(|name| name == field))
}

/// The target's top-level fields that anything goes to.
fn going(mapping: &Mapping) -> BTreeSet<&str> {
    mapping.rules().iter().filter(|rule| rule.goes()).map(|rule| rule.target.field()).collect()
}

#[cfg(test)]
mod tests;
