//! What changed between two versions of a configuration.

use crate::canon;
use crate::mapping::written::escaped;
use crate::record::Value;
use serde::Serialize;

/// One place where two versions differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Where, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What happened there.
    pub change: What,
    /// What was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// What happened at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Something new is there.
    Added,
    /// What was there is not any more.
    Removed,
    /// Something else is there.
    Changed,
}

/// Every place where two versions differ, in the order of the older one. Equal numbers that are written differently are
/// no difference, and neither is the order of keys. Lists are compared place by place.
pub fn between(before: &Value, after: &Value) -> Vec<Difference> {
    let mut differences = Vec::new();
    compare(String::new(), Some(before), Some(after), &mut differences);
    differences
}

fn compare(pointer: String, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Difference>) {
    let change = match (before, after) {
        (None, None) => return,
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let added = new.iter().filter(|(name, _)| !old.contains_key(*name)).map(|(name, _)| name);
            for name in old.keys().chain(added) {
                compare(format!("{pointer}/{}", escaped(name)), old.get(name), new.get(name), found);
            }
            return;
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for index in 0..old.len().max(new.len()) {
                compare(format!("{pointer}/{index}"), old.get(index), new.get(index), found);
            }
            return;
        }
        (Some(old), Some(new)) if canon::equal(old, new) => return,
        (Some(_), Some(_)) => What::Changed,
        (None, Some(_)) => What::Added,
        (Some(_), None) => What::Removed,
    };
    found.push(Difference { pointer, change, before: before.cloned(), after: after.cloned() });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::cases;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn each_change_has_its_place() {
        let before = json!({"strategy": "manual", "mapping": [{"source": "a", "target": "b"}], "a/b": {"x~": 1}, "n": 1.0});
        let after = json!({"mapping": [{"source": "a", "target": "c"}, {"source": "d", "target": "e"}], "a/b": {"x~": 2},
            "n": 1.00, "direction": "two_way"});
        let found: Vec<_> =
            between(&before, &after).into_iter().map(|one| (one.pointer, one.change)).collect();
        let expected = [
            ("/a~1b/x~0", What::Changed),
            ("/mapping/0/target", What::Changed),
            ("/mapping/1", What::Added),
            ("/strategy", What::Removed),
            ("/direction", What::Added),
        ];
        assert_eq!(found, expected.map(|(pointer, change)| (pointer.to_owned(), change)));
        assert_eq!(between(&after, &after), []);
    }

    /// Makes these changes, the last ones of a list first.
    fn apply(value: &mut Value, differences: &[Difference]) {
        for difference in differences.iter().rev() {
            let (parent, name) = difference.pointer.rsplit_once('/').unwrap_or(("", ""));
            let name = name.replace("~1", "/").replace("~0", "~");
            if difference.pointer.is_empty() {
                *value = difference.after.clone().unwrap();
                continue;
            }
            match (value.pointer_mut(parent).unwrap(), &difference.after) {
                (Value::Object(fields), Some(after)) => {
                    fields.insert(name, after.clone());
                }
                (Value::Object(fields), None) => {
                    fields.remove(&name);
                }
                (Value::Array(values), Some(after)) if difference.change == What::Changed => {
                    values[name.parse::<usize>().unwrap()] = after.clone();
                }
                (Value::Array(values), Some(after)) => {
                    // Added ones come in reverse here; each stands where the list ends by then.
                    let place = differences
                        .iter()
                        .filter(|other| {
                            other.change == What::Added
                                && other.pointer.rsplit_once('/').is_some_and(|(p, _)| p == parent)
                        })
                        .map(|other| &other.pointer)
                        .min_by_key(|pointer| pointer.rsplit_once('/').unwrap().1.parse::<usize>().unwrap())
                        .unwrap();
                    values.insert(place.rsplit_once('/').unwrap().1.parse::<usize>().unwrap(), after.clone());
                }
                (Value::Array(values), None) => {
                    values.remove(name.parse().unwrap());
                }
                _ => panic!("{}", difference.pointer),
            }
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(Value::from),
            (0u8..3).prop_map(Value::from),
            "[ab~/]{0,2}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                proptest::collection::btree_map("[ab~/]{1,2}", inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(cases(100_000))]

        #[test]
        fn the_differences_lead_from_one_version_to_the_other(before in any_value(), after in any_value()) {
            let mut value = before.clone();
            apply(&mut value, &between(&before, &after));
            prop_assert_eq!(value, after);
        }
    }
}
