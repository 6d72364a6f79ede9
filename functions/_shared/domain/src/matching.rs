//! First contact: which record of the target is the same thing as a record of the source.

use crate::canon;
use crate::path::Path;
use crate::record::{Record, Value};
use serde::{Deserialize, Serialize};

/// The most keys that a sync may try one after the other.
pub const MAX_KEYS: usize = 8;

/// One way to recognise a record: these fields hold the same on both sides. Of paths with `[]` one value in common is
/// enough: a SKU among those of a product's variants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatchKey {
    /// Where the source has it.
    pub source: Path,
    /// Where the target has it.
    pub target: Path,
    /// When two of them are the same.
    #[serde(default, skip_serializing_if = "Likeness::is_exact")]
    pub compare: Likeness,
}

/// When two values of a key are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Likeness {
    /// Letter by letter, without the white space around.
    #[default]
    Exact,
    /// Without a difference between capitals and small letters, for e-mail addresses.
    IgnoreCase,
}

impl Likeness {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
    const fn is_exact(&self) -> bool {
        matches!(self, Self::Exact)
    }
}

/// What first contact comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contact {
    /// None is the same thing: a new record is made.
    Create,
    /// This one is the same thing.
    Link {
        /// Its place among the candidates.
        candidate: usize,
        /// The key that told, by its place.
        key: usize,
    },
    /// Several could be, or the one that could be belongs to another record. A person chooses.
    Hold {
        /// Their places among the candidates.
        candidates: Vec<usize>,
        /// The key that told.
        key: usize,
        /// Whether somebody else is linked to it already.
        taken: bool,
    },
    /// The record has none of the keys, so nothing can tell whether it is there already.
    Unknown,
}

/// Looks for the record among the candidates, key by key in their order: the first key that finds any decides.
///
/// `taken` says of a candidate whether it is linked to another record of the source. A key without a value on the source
/// is passed over; a candidate without one is never a match.
pub fn contact(
    keys: &[MatchKey],
    source: &Record,
    candidates: &[Record],
    taken: impl Fn(&Record) -> bool,
) -> Contact {
    let mut known = false;
    for (key, rule) in keys.iter().take(MAX_KEYS).enumerate() {
        let wanted = rule.of_source(source);
        if wanted.is_empty() {
            continue;
        }
        known = true;
        let same = |candidate: &Record| rule.of_target(candidate).iter().any(|value| wanted.contains(value));
        let found: Vec<usize> = candidates
            .iter()
            .enumerate()
            .filter(|(_, candidate)| same(candidate))
            .map(|(place, _)| place)
            .collect();
        let is_taken = |place: &usize| candidates.get(*place).is_some_and(&taken);
        match found.as_slice() {
            [] => {}
            [one] if !is_taken(one) => return Contact::Link { candidate: *one, key },
            _ => {
                let taken = found.iter().all(is_taken);
                return Contact::Hold { candidates: found, key, taken };
            }
        }
    }
    if known || keys.is_empty() { Contact::Create } else { Contact::Unknown }
}

/// Whether a record has a value for one of the keys; there is nothing to recognise it by otherwise.
pub fn is_known(keys: &[MatchKey], source: &Record) -> bool {
    keys.is_empty() || keys.iter().any(|key| !key.of_source(source).is_empty())
}

impl MatchKey {
    /// The same key, seen from the other side.
    #[must_use]
    pub fn turned(&self) -> Self {
        Self { source: self.target.clone(), target: self.source.clone(), compare: self.compare }
    }

    /// What the target has to be asked for to find candidates by this key; empty when the source has no value.
    ///
    /// Where capitals make no difference to us they may to the platform: both ways of writing are asked for.
    pub fn sought(&self, source: &Record) -> Vec<String> {
        let mut sought = Vec::new();
        for text in texts(&self.source, source) {
            if self.compare == Likeness::IgnoreCase {
                sought.push(text.to_lowercase());
            }
            sought.push(text);
        }
        sought
    }

    /// The source's values in the form in which they are compared.
    pub fn of_source(&self, record: &Record) -> Vec<String> {
        self.values(&self.source, record)
    }

    /// The target's values in the form in which they are compared.
    pub fn of_target(&self, record: &Record) -> Vec<String> {
        self.values(&self.target, record)
    }

    fn values(&self, path: &Path, record: &Record) -> Vec<String> {
        let canonical = texts(path, record).map(|text| {
            let mut canonical = String::new();
            canon::write(&Value::String(text), &mut canonical);
            match self.compare {
                Likeness::Exact => canonical,
                Likeness::IgnoreCase => canonical.to_lowercase(),
            }
        });
        canonical.collect()
    }
}

/// What a record holds in these places, as text; one place, unless the path says `[]`.
fn texts(path: &Path, record: &Record) -> impl Iterator<Item = String> {
    let held = path.values(&record.fields).into_iter().filter(|value| !is_empty(value));
    held.map(|value| match value {
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    })
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::cases;
    use proptest::prelude::*;
    use serde_json::json;

    fn record(fields: &Value) -> Record {
        Record { fields: fields.as_object().unwrap().clone(), ..Record::default() }
    }

    fn keys() -> Vec<MatchKey> {
        serde_json::from_value(json!([
            {"source": "sku", "target": "itemId"},
            {"source": "email", "target": "mail", "compare": "ignore_case"},
        ]))
        .unwrap()
    }

    fn meet(source: &Value, candidates: &[Value]) -> Contact {
        let candidates: Vec<Record> = candidates.iter().map(record).collect();
        contact(&keys(), &record(source), &candidates, |candidate| candidate.fields.contains_key("taken"))
    }

    #[test]
    fn no_match_is_created_one_is_linked_and_several_are_held() {
        let source = json!({"sku": "A", "email": "x@y.de"});
        assert_eq!(meet(&source, &[json!({"itemId": "B"})]), Contact::Create);
        assert_eq!(
            meet(&source, &[json!({"itemId": "B"}), json!({"itemId": " A "})]),
            Contact::Link { candidate: 1, key: 0 }
        );
        assert_eq!(
            meet(&source, &[json!({"itemId": "A"}), json!({"itemId": "A"})]),
            Contact::Hold { candidates: vec![0, 1], key: 0, taken: false }
        );
    }

    #[test]
    fn the_next_key_is_tried_only_where_the_one_before_found_nothing() {
        let both = [json!({"mail": "X@Y.de"}), json!({"itemId": "A"})];
        assert_eq!(
            meet(&json!({"sku": "A", "email": "x@y.de"}), &both),
            Contact::Link { candidate: 1, key: 0 }
        );
        assert_eq!(
            meet(&json!({"sku": "C", "email": "x@y.de"}), &both),
            Contact::Link { candidate: 0, key: 1 }
        );
        assert_eq!(
            meet(&json!({"sku": " ", "email": "x@y.de"}), &both),
            Contact::Link { candidate: 0, key: 1 }
        );
    }

    #[test]
    fn a_record_without_any_key_is_not_created_blindly() {
        assert_eq!(
            meet(&json!({"sku": null, "email": ""}), &[json!({"itemId": null, "mail": ""})]),
            Contact::Unknown
        );
    }

    #[test]
    fn a_record_is_known_by_whichever_key_it_has_a_value_for() {
        for (source, known) in
            [(json!({"sku": "A"}), true), (json!({"email": "x@y.de"}), true), (json!({"sku": " "}), false)]
        {
            assert_eq!(is_known(&keys(), &record(&source)), known, "{source}");
        }
        assert!(is_known(&[], &record(&json!({}))), "where nothing is to be recognised by, everything is");
    }

    #[test]
    fn a_key_is_written_as_it_was_read() {
        let written = json!([
            {"source": "sku", "target": "itemId"},
            {"source": "email", "target": "mail", "compare": "ignore_case"},
        ]);
        assert_eq!(serde_json::to_value(keys()).unwrap(), written);
    }

    #[test]
    fn a_match_that_belongs_to_another_record_is_held() {
        let taken = [json!({"itemId": "A", "taken": true})];
        assert_eq!(
            meet(&json!({"sku": "A"}), &taken),
            Contact::Hold { candidates: vec![0], key: 0, taken: true }
        );
    }

    #[test]
    fn one_of_many_values_in_common_is_enough_wherever_it_stands() {
        let key: MatchKey =
            serde_json::from_value(json!({"source": "variants[].sku", "target": "children[].itemId"}))
                .unwrap();
        let source = record(&json!({"variants": [{"sku": "A"}, {"sku": "B"}]}));
        let candidates =
            [json!({"children": [{"itemId": "C"}]}), json!({"children": [{"itemId": "D"}, {"itemId": "B"}]})];
        let candidates: Vec<Record> = candidates.iter().map(record).collect();
        let met = contact(std::slice::from_ref(&key), &source, &candidates, |_| false);
        assert_eq!(met, Contact::Link { candidate: 1, key: 0 });
        assert_eq!(key.sought(&source), ["A", "B"]);
        assert_eq!(
            contact(&[key.turned()], &candidates[1], &[source], |_| false),
            Contact::Link { candidate: 0, key: 0 }
        );
    }

    #[test]
    fn where_capitals_make_no_difference_both_ways_of_writing_are_asked_for() {
        assert_eq!(keys()[1].sought(&record(&json!({"email": " X@y.de"}))), ["x@y.de", "X@y.de"]);
        assert_eq!(keys()[0].sought(&record(&json!({"sku": null}))), [""; 0]);
    }

    #[test]
    fn ids_that_are_numbers_match_the_same_text() {
        let id = serde_json::from_str::<Value>(r#"{"sku": 12345678901234567890}"#).unwrap();
        assert_eq!(
            meet(&id, &[json!({"itemId": "12345678901234567890"})]),
            Contact::Link { candidate: 0, key: 0 }
        );
    }

    proptest! {
        #![proptest_config(cases(100_000))]

        #[test]
        fn two_records_are_never_taken_for_one_thing_by_a_guess(
            sku in proptest::option::of("[ab]?"), email in proptest::option::of("[ab]?"),
            held in proptest::collection::vec((proptest::option::of("[ab]?"), proptest::option::of("[abAB]?")), 0..4),
        ) {
            let candidates: Vec<Value> = held.iter().map(|(id, mail)| json!({"itemId": id, "mail": mail})).collect();
            let contact = meet(&json!({"sku": sku, "email": email}), &candidates);
            if let Contact::Link { candidate, key } = contact {
                let (id, mail) = &held[candidate];
                let same = if key == 0 { *id == sku } else { mail.as_ref().map(|mail| mail.to_lowercase()) == email };
                prop_assert!(same);
                let twins = held.iter().filter(|(other, other_mail)| if key == 0 { other == id } else {
                    other_mail.as_ref().map(|mail| mail.to_lowercase()) == mail.as_ref().map(|mail| mail.to_lowercase())
                }).count();
                prop_assert_eq!(twins, 1);
            }
        }
    }
}
