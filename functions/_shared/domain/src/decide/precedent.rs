//! What people have decided before, as a suggestion for the next conflict of the same field. Nothing is ever decided by it.

use super::Choice;
use std::collections::BTreeMap;

/// Fewer decisions than this are no habit.
const LEAST: u64 = 3;

/// A choice that people have made for a field.
#[derive(Debug, Clone, PartialEq)]
pub struct Precedent {
    /// The field, as conflicts name it.
    pub field: String,
    /// What was chosen.
    pub choice: Choice,
    /// How often.
    pub times: u64,
}

/// What people mostly choose for a field.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// The choice.
    pub choice: Choice,
    /// How often it was made.
    pub times: u64,
    /// Of so many decisions about the field.
    pub of: u64,
}

/// For each field the choice that was made in at least two thirds of its decisions, and at least three times. A value that
/// somebody typed in is never suggested: it was meant for one record.
pub fn suggest(precedents: &[Precedent]) -> BTreeMap<String, Suggestion> {
    let mut all = BTreeMap::<&str, u64>::new();
    for one in precedents {
        let sum = all.entry(&one.field).or_default();
        *sum = sum.saturating_add(one.times);
    }
    let mut suggestions = BTreeMap::new();
    for one in precedents {
        let of = all.get(one.field.as_str()).copied().unwrap_or(0);
        let is_habit = one.times >= LEAST && one.times.saturating_mul(3) >= of.saturating_mul(2);
        if is_habit && !matches!(one.choice, Choice::Value(_)) {
            let suggestion = Suggestion { choice: one.choice.clone(), times: one.times, of };
            suggestions.insert(one.field.clone(), suggestion);
        }
    }
    suggestions
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn told(field: &str, choice: Choice, times: u64) -> Precedent {
        Precedent { field: field.to_owned(), choice, times }
    }

    #[test]
    fn a_habit_is_suggested_and_a_divided_mind_is_not() {
        let found = suggest(&[
            told("price", Choice::Source, 4),
            told("price", Choice::Target, 2),
            told("title", Choice::Target, 3),
            told("title", Choice::Source, 2),
            told("vendor", Choice::Base, 2),
        ]);
        let price = Suggestion { choice: Choice::Source, times: 4, of: 6 };
        assert_eq!(found, BTreeMap::from([("price".to_owned(), price)]));
    }

    #[test]
    fn a_value_is_for_one_record_but_counts_as_a_decision() {
        let value = Choice::Value(json!("Chair"));
        assert_eq!(suggest(&[told("title", value.clone(), 9)]), BTreeMap::new());
        assert_eq!(suggest(&[told("title", value, 3), told("title", Choice::Source, 3)]), BTreeMap::new());
    }

    proptest! {
        #[test]
        fn what_is_suggested_was_chosen_by_most(source in 0_u64..50, target in 0_u64..50, base in 0_u64..50) {
            let precedents =
                [told("a", Choice::Source, source), told("a", Choice::Target, target), told("a", Choice::Base, base)];
            if let Some(found) = suggest(&precedents).get("a") {
                let others = found.of - found.times;
                prop_assert!(found.times >= LEAST && found.times >= 2 * others);
                prop_assert_eq!(found.of, source + target + base);
            }
        }
    }
}
