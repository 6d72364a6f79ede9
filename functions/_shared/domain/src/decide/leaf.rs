//! One place that differs: who changed it, and who wins.

use super::resolution::Choice;
use super::walk::Walk;
use super::{Strategy, merge};
use crate::mapping::shape::Shape;
use crate::record::Value;

/// One place on both sides, now and when they last agreed.
///
/// A source that is absent has nothing to say: the mapping left the value out. A target that is absent holds nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Four<'a> {
    pub(super) source: Option<&'a Value>,
    pub(super) target: Option<&'a Value>,
    pub(super) base_source: Option<&'a Value>,
    pub(super) base_target: Option<&'a Value>,
    /// Whether they ever agreed.
    pub(super) met: bool,
}

/// What happens to a place.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Act {
    /// Nothing, and nothing is said about it.
    Same,
    /// The target gets the source's value.
    ToTarget,
    /// The source gets the target's value.
    ToSource,
    /// Each side gets its own.
    Set { target: Option<Value>, source: Option<Value> },
    /// Both stay as they are.
    Keep,
    /// A person decides.
    Ask,
}

/// Where a place may be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    pub(super) target: bool,
    pub(super) source: bool,
}

impl Walk<'_> {
    /// What happens to a place whose two values differ, and by which rule.
    pub(super) fn act(
        &self,
        shape: &Shape,
        four: &Four<'_>,
        strategy: Strategy,
        open: Open,
    ) -> (Act, &'static str) {
        if !(open.target || open.source) {
            return (Act::Same, "closed");
        }
        if !four.met {
            return self.first(shape, four, strategy, open);
        }
        let source_changed = four.source.is_some() && !shape.same(four.source, four.base_source);
        let target_changed = !shape.same(four.target, four.base_target);
        match (source_changed, target_changed) {
            (false, false) => (Act::Same, "normalised"),
            (true, false) if open.target => (Act::ToTarget, "source_changed"),
            (true, false) => match strategy {
                Strategy::TargetWins => (Act::ToSource, "target_wins"),
                Strategy::Manual => (Act::Ask, "manual"),
                _ => (Act::Keep, "source_changed"),
            },
            (false, true) if open.source => (Act::ToSource, "target_changed"),
            (false, true) => match strategy {
                Strategy::SourceWins if four.source.is_some() => (Act::ToTarget, "source_wins"),
                Strategy::Manual => (Act::Ask, "manual"),
                _ => (Act::Keep, "target_changed"),
            },
            (true, true) => self.settle(shape, four, strategy, open, "both_changed"),
        }
    }

    /// Two records that meet for the first time. What one side does not have is no opinion.
    fn first(&self, shape: &Shape, four: &Four<'_>, strategy: Strategy, open: Open) -> (Act, &'static str) {
        match (shape.same(four.source, None), shape.same(four.target, None)) {
            (true, _) if open.source => (Act::ToSource, "only_on_target"),
            (true, _) => (Act::Keep, "only_on_target"),
            (_, true) if open.target => (Act::ToTarget, "only_on_source"),
            (_, true) => (Act::Keep, "only_on_source"),
            _ => self.settle(shape, four, strategy, open, "first_sync"),
        }
    }

    /// Who wins a place that both sides claim.
    pub(super) fn settle(
        &self,
        shape: &Shape,
        four: &Four<'_>,
        strategy: Strategy,
        open: Open,
        otherwise: &'static str,
    ) -> (Act, &'static str) {
        let forward = |rule| (if open.target { Act::ToTarget } else { Act::Keep }, rule);
        let backward = |rule| (if open.source { Act::ToSource } else { Act::Keep }, rule);
        match strategy {
            Strategy::SourceWins => forward("source_wins"),
            Strategy::TargetWins => backward("target_wins"),
            Strategy::Manual => (Act::Ask, otherwise),
            Strategy::LastWriteWins => match self.times() {
                Some((source, target)) if source > target => forward("last_write_wins"),
                Some((source, target)) if source < target => backward("last_write_wins"),
                _ => (Act::Ask, "last_write_unknown"),
            },
            Strategy::Merge => match merge::both(shape.kind, four) {
                Some((merged, rule)) => (merged, rule),
                None if self.rules.fallback == Strategy::Merge => (Act::Ask, otherwise),
                None => self.settle(shape, four, self.rules.fallback, open, otherwise),
            },
        }
    }

    /// What a person's choice makes of a place in conflict.
    pub(super) fn chosen(
        &self,
        choice: &Choice,
        shape: &Shape,
        four: &Four<'_>,
        open: Open,
    ) -> (Act, &'static str) {
        let set = |target: Option<&Value>, source: Option<&Value>| Act::Set {
            target: target.cloned(),
            source: source.cloned(),
        };
        match choice {
            Choice::Source => (set(four.source, four.source), "chosen_source"),
            Choice::Target => (set(four.target, four.target), "chosen_target"),
            Choice::Base => (set(four.base_target, four.base_source), "chosen_base"),
            Choice::Value(value) => (set(Some(value), Some(value)), "chosen_value"),
            Choice::Strategy(strategy) => self.settle(shape, four, *strategy, open, "both_changed"),
        }
    }
}
