//! What to do with one record: a pure function of both sides and of what they looked like when they last agreed.

use crate::mapping::{Mapping, Violation};
use crate::record::{Fields, Record, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who wins when both sides differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The source's value is written.
    #[default]
    SourceWins,
    /// The target keeps its value.
    TargetWins,
    /// The later change wins, by the platforms' own times; a tie or a missing time is left to a person.
    LastWriteWins,
    /// Changes of different fields both stay; where one field changed on both sides, a person decides.
    Merge,
    /// A person decides.
    Manual,
}

/// The rules of one sync, as its configuration has them. Everything has a default.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rules {
    /// How the target's fields are made.
    pub mapping: Mapping,
    /// Who wins.
    pub strategy: Strategy,
    /// Who wins for single fields of the target.
    pub field_strategies: BTreeMap<String, Strategy>,
    /// Who wins when two records meet for the first time.
    pub on_first_sync: Strategy,
}

/// What both sides looked like when they last agreed.
#[derive(Debug, Clone, PartialEq)]
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
    /// The target's record gets these fields; others may be in conflict and stay as they are.
    Update {
        /// The fields that change, each with its whole new value.
        fields: Fields,
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
}

/// One field that differs, and what was decided about it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The target's field.
    pub field: String,
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
}

enum Verdict {
    Same,
    Write(&'static str),
    Keep(&'static str),
    Ask(&'static str),
}

/// Decides about one record.
///
/// Never invents a value: what is written is what the mapping makes of the source. Equal situations get equal
/// decisions, and carrying one out leads to a situation in which the decision is `Unchanged`.
pub fn decide(rules: &Rules, situation: &Situation<'_>) -> Decision {
    let wanted = match rules.mapping.apply(&situation.source.fields) {
        Ok(mut wanted) => {
            if let Some(only) = situation.only {
                wanted.retain(|field, _| only.iter().any(|name| name == field));
            }
            wanted
        }
        Err(violations) => return Decision::Invalid { violations },
    };
    let Some(target) = situation.target else {
        return Decision::Create { fields: wanted };
    };
    let views = Views::new(rules, situation, &wanted, target);
    let (mut fields, mut changes, mut kept, mut conflicts) =
        (Fields::new(), Vec::new(), Vec::new(), Vec::new());
    for (field, value) in &wanted {
        match views.verdict(rules, situation, field) {
            Verdict::Same => {}
            Verdict::Write(rule) => {
                fields.insert(field.clone(), value.clone());
                changes.push(views.change(situation, field, rule));
            }
            Verdict::Keep(rule) => kept.push(views.change(situation, field, rule)),
            Verdict::Ask(rule) => conflicts.push(views.change(situation, field, rule)),
        }
    }
    if !fields.is_empty() {
        Decision::Update { fields, changes, conflicts }
    } else if conflicts.is_empty() {
        Decision::Unchanged { kept }
    } else {
        Decision::Conflict { conflicts }
    }
}

/// Both sides, then and now, in comparable form; and as they are written, for the explanation.
struct Views {
    wanted: Fields,
    current: Fields,
    wanted_as_is: Fields,
    current_as_is: Fields,
    bases: Option<(Fields, Fields)>,
}

impl Views {
    fn new(rules: &Rules, situation: &Situation<'_>, wanted: &Fields, target: &Record) -> Self {
        let current = rules.mapping.project(&target.fields);
        Self {
            wanted: rules.mapping.comparable(wanted),
            current: rules.mapping.comparable(&current),
            wanted_as_is: wanted.clone(),
            current_as_is: current,
            bases: situation.bases.as_ref().map(|bases| {
                (rules.mapping.comparable(bases.source), rules.mapping.comparable(bases.target))
            }),
        }
    }

    fn verdict(&self, rules: &Rules, situation: &Situation<'_>, field: &str) -> Verdict {
        if Mapping::same(field, &self.wanted, &self.current) {
            return Verdict::Same;
        }
        let strategy = rules.field_strategies.get(field).copied();
        let Some((base_source, base_target)) = &self.bases else {
            return settle(strategy.unwrap_or(rules.on_first_sync), situation, "first_sync");
        };
        let source_changed = !Mapping::same(field, &self.wanted, base_source);
        let target_changed = !Mapping::same(field, &self.current, base_target);
        let strategy = strategy.unwrap_or(rules.strategy);
        match (source_changed, target_changed) {
            (false, false) => Verdict::Same,
            (true, false) => Verdict::Write("source_changed"),
            (false, true) => match strategy {
                Strategy::SourceWins => Verdict::Write("source_wins"),
                Strategy::Manual => Verdict::Ask("manual"),
                Strategy::TargetWins | Strategy::LastWriteWins | Strategy::Merge => {
                    Verdict::Keep("target_changed")
                }
            },
            (true, true) => settle(strategy, situation, "both_changed"),
        }
    }

    fn change(&self, situation: &Situation<'_>, field: &str, rule: &'static str) -> Change {
        Change {
            field: field.to_owned(),
            base_source: situation.bases.as_ref().and_then(|bases| bases.source.get(field).cloned()),
            base_target: situation.bases.as_ref().and_then(|bases| bases.target.get(field).cloned()),
            source: self.wanted_as_is.get(field).cloned(),
            target: self.current_as_is.get(field).cloned(),
            rule,
        }
    }
}

/// Who wins a field that both sides claim.
fn settle(strategy: Strategy, situation: &Situation<'_>, otherwise: &'static str) -> Verdict {
    match strategy {
        Strategy::SourceWins => Verdict::Write("source_wins"),
        Strategy::TargetWins => Verdict::Keep("target_wins"),
        Strategy::Merge | Strategy::Manual => Verdict::Ask(otherwise),
        Strategy::LastWriteWins => {
            let times =
                situation.source.modified_at.zip(situation.target.and_then(|target| target.modified_at));
            match times {
                Some((source, target)) if source > target => Verdict::Write("last_write_wins"),
                Some((source, target)) if source < target => Verdict::Keep("last_write_wins"),
                _ => Verdict::Ask("last_write_unknown"),
            }
        }
    }
}

#[cfg(test)]
mod tests;
