//! When a record that is gone on one side is deleted on the other.
//!
//! A record that is missing from a listing is never by itself a delete: pages fail, filters change, rights are lost.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What a delete on one side means for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeletePolicy {
    /// Nothing.
    #[default]
    Ignore,
    /// The other record is put out of use, as its platform does that.
    Archive,
    /// The other record is deleted.
    Delete,
    /// Both go their own ways.
    Unlink,
}

/// How many records may be gone before a person is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Guard {
    /// So many always.
    pub records: u64,
    /// Or so many in a hundred of those that are linked, whichever is more.
    pub percent: u64,
}

impl Default for Guard {
    fn default() -> Self {
        Self { records: 20, percent: 5 }
    }
}

/// What a look at one record said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sighting {
    /// It is there.
    Present,
    /// The platform says that it was deleted: a tombstone, a feed of deleted records.
    Tombstone,
    /// It was asked for by its id, the request succeeded, and the platform said that there is none.
    NotFound,
    /// A listing that should hold it does not.
    Unlisted,
    /// The look failed.
    Failed,
}

/// What earlier runs know about a record that seems to be gone: the run that first did not find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Missing {
    /// The run.
    pub run: String,
    /// When.
    pub since: DateTime<Utc>,
}

/// What is known about a record after another look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Knowledge {
    /// It is there; whatever was remembered about it being gone is forgotten.
    Alive,
    /// Nothing new: what was remembered stays.
    AsBefore,
    /// It should be asked for directly.
    Ask,
    /// It seems to be gone: remember this, and ask again in another run.
    Suspected(Missing),
    /// It is gone.
    Gone,
}

/// What another look at a record tells. `run` is the run that looked.
pub fn look(sighting: Sighting, before: Option<&Missing>, run: &str, now: DateTime<Utc>) -> Knowledge {
    match (sighting, before) {
        (Sighting::Present, _) => Knowledge::Alive,
        (Sighting::Tombstone, _) => Knowledge::Gone,
        (Sighting::NotFound, Some(missing)) if missing.run != run => Knowledge::Gone,
        (Sighting::NotFound, Some(_)) | (Sighting::Failed, _) => Knowledge::AsBefore,
        (Sighting::NotFound, None) => Knowledge::Suspected(Missing { run: run.to_owned(), since: now }),
        (Sighting::Unlisted, _) => Knowledge::Ask,
    }
}

/// What is done about records that are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sentence {
    /// Nothing, the policy says so.
    Leave,
    /// This is done to their counterparts.
    Carry(DeletePolicy),
    /// There are too many: a person approves first, and nothing is done to any of them.
    Approve,
}

/// What is done about so many records that are gone, out of so many that are linked. `approved` is how many of them a
/// person has approved.
pub fn sentence(policy: DeletePolicy, guard: Guard, gone: u64, linked: u64, approved: bool) -> Sentence {
    match policy {
        DeletePolicy::Ignore => Sentence::Leave,
        DeletePolicy::Unlink => Sentence::Carry(policy),
        DeletePolicy::Archive | DeletePolicy::Delete => {
            let share = linked.saturating_mul(guard.percent.min(100)) / 100;
            if approved || gone <= guard.records.max(share) {
                Sentence::Carry(policy)
            } else {
                Sentence::Approve
            }
        }
    }
}

/// What happens to a record that is gone on one side and was changed on the other since both agreed.
///
/// A delete never wins over a change that it did not know of: that one is held, whatever the policy.
pub const fn is_held(policy: DeletePolicy, other_side_changed: bool) -> bool {
    other_side_changed && matches!(policy, DeletePolicy::Archive | DeletePolicy::Delete)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::cases;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn a_tombstone_is_believed_and_a_missing_record_only_after_two_runs_asked_for_it() {
        assert_eq!(look(Sighting::Tombstone, None, "1", at(0)), Knowledge::Gone);
        let missing = Missing { run: "1".to_owned(), since: at(0) };
        assert_eq!(look(Sighting::NotFound, None, "1", at(0)), Knowledge::Suspected(missing.clone()));
        assert_eq!(look(Sighting::NotFound, Some(&missing), "1", at(1)), Knowledge::AsBefore);
        assert_eq!(look(Sighting::NotFound, Some(&missing), "2", at(2)), Knowledge::Gone);
        assert_eq!(look(Sighting::Present, Some(&missing), "2", at(2)), Knowledge::Alive);
        assert_eq!(look(Sighting::Unlisted, Some(&missing), "2", at(2)), Knowledge::Ask);
        assert_eq!(look(Sighting::Failed, Some(&missing), "2", at(2)), Knowledge::AsBefore);
    }

    #[test]
    fn more_than_twenty_and_five_in_a_hundred_wait_for_approval() {
        let sentence = |policy, gone, linked, approved| {
            super::sentence(policy, Guard::default(), gone, linked, approved)
        };
        assert_eq!(sentence(DeletePolicy::Delete, 20, 30, false), Sentence::Carry(DeletePolicy::Delete));
        assert_eq!(sentence(DeletePolicy::Delete, 21, 30, false), Sentence::Approve);
        assert_eq!(sentence(DeletePolicy::Delete, 21, 30, true), Sentence::Carry(DeletePolicy::Delete));
        assert_eq!(sentence(DeletePolicy::Archive, 50, 1_000, false), Sentence::Carry(DeletePolicy::Archive));
        assert_eq!(sentence(DeletePolicy::Archive, 51, 1_000, false), Sentence::Approve);
        assert_eq!(sentence(DeletePolicy::Ignore, 51, 60, true), Sentence::Leave);
        assert_eq!(sentence(DeletePolicy::Unlink, 51, 60, false), Sentence::Carry(DeletePolicy::Unlink));
    }

    #[test]
    fn a_delete_does_not_win_over_a_change_that_it_did_not_know_of() {
        assert!(is_held(DeletePolicy::Delete, true));
        assert!(!is_held(DeletePolicy::Delete, false));
        assert!(!is_held(DeletePolicy::Unlink, true));
    }

    /// What can go wrong with a listing.
    #[derive(Debug, Clone, Copy)]
    enum Weather {
        Fair,
        ShortPage(usize),
        EmptyPage,
        FailedPage(usize),
        RightsLost,
        DirectReadsFail,
    }

    fn any_weather() -> impl Strategy<Value = Weather> {
        prop_oneof![
            Just(Weather::Fair),
            (0usize..40).prop_map(Weather::ShortPage),
            Just(Weather::EmptyPage),
            (0usize..40).prop_map(Weather::FailedPage),
            Just(Weather::RightsLost),
            Just(Weather::DirectReadsFail),
        ]
    }

    /// What a run sees of a record that is there (`alive`) or deleted.
    fn seen(weather: Weather, place: usize, alive: bool) -> Sighting {
        let listed = match weather {
            Weather::Fair | Weather::DirectReadsFail => alive,
            Weather::ShortPage(end) => alive && place < end,
            Weather::FailedPage(from) => alive && place < from,
            Weather::EmptyPage | Weather::RightsLost => false,
        };
        if listed { Sighting::Present } else { Sighting::Unlisted }
    }

    fn asked(weather: Weather, alive: bool) -> Sighting {
        match weather {
            // A platform that refuses says 401 or 403, which is no answer to the question.
            Weather::RightsLost | Weather::DirectReadsFail => Sighting::Failed,
            _ if alive => Sighting::Present,
            _ => Sighting::NotFound,
        }
    }

    proptest! {
        #![proptest_config(cases(10_000))]

        #[test]
        fn ten_thousand_broken_listings_delete_nothing_that_is_there(
            weathers in proptest::collection::vec(any_weather(), 1..6), gone in proptest::collection::btree_set(0usize..40, 0..4),
        ) {
            let mut known: BTreeMap<usize, Missing> = BTreeMap::new();
            let mut deleted = Vec::new();
            for (run, weather) in weathers.iter().enumerate() {
                let name = run.to_string();
                for place in 0..40 {
                    let alive = !gone.contains(&place);
                    let mut knowledge = look(seen(*weather, place, alive), known.get(&place), &name, at(0));
                    if knowledge == Knowledge::Ask {
                        knowledge = look(asked(*weather, alive), known.get(&place), &name, at(0));
                    }
                    match knowledge {
                        Knowledge::Alive => { known.remove(&place); }
                        Knowledge::Suspected(missing) => { known.insert(place, missing); }
                        Knowledge::Gone => deleted.push(place),
                        Knowledge::AsBefore => {}
                        Knowledge::Ask => prop_assert!(false, "a direct question is an answer"),
                    }
                }
            }
            prop_assert!(deleted.iter().all(|place| gone.contains(place)));
            let clear = weathers.iter().filter(|weather| !matches!(weather, Weather::RightsLost | Weather::DirectReadsFail)).count();
            prop_assert!(clear < 2 || gone.iter().all(|place| deleted.contains(place)), "two clear runs find every delete");
        }

        #[test]
        fn no_run_deletes_more_than_the_guard_allows(gone in 0u64..5_000, linked in 0u64..100_000) {
            let sentence = sentence(DeletePolicy::Delete, Guard::default(), gone, linked, false);
            prop_assert_eq!(sentence == Sentence::Approve, gone > 20 && gone * 100 > linked / 20 * 100 && gone > linked * 5 / 100);
        }
    }
}
