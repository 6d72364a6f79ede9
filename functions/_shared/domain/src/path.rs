//! Paths into a record: `title`, `address.city`, `lines[0].sku`, `variants[].price`, `tags[]`.

use crate::record::{Fields, Value};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The longest list index a path may name; a mapping is no way to fill memory.
const MAX_INDEX: usize = 10_000;
/// The most steps a path may have.
const MAX_STEPS: usize = 16;

/// Where a value is in a record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Path {
    first: String,
    rest: Vec<Step>,
}

/// One step of a path behind its first name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// Into an object.
    Key(String),
    /// To one element of a list.
    Index(usize),
    /// To each element of a list.
    Each,
}

/// A text that is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a path: write names joined by dots, `[]` for each element, `[0]` for one of them")]
pub struct BadPath(String);

impl Path {
    /// The name of the top-level field it begins at.
    pub fn field(&self) -> &str {
        &self.first
    }

    /// The values found there: one, or one for each element where the path says `[]`. Absent ones are left out.
    pub fn values<'a>(&self, fields: &'a Fields) -> Vec<&'a Value> {
        let mut found: Vec<&Value> = fields.get(&self.first).into_iter().collect();
        for step in &self.rest {
            found = found.into_iter().flat_map(|value| step.inside(value)).collect();
        }
        found
    }

    /// The first value found there.
    pub fn first<'a>(&self, fields: &'a Fields) -> Option<&'a Value> {
        self.values(fields).into_iter().next()
    }

    /// Whether the value there is one of many.
    pub fn is_many(&self) -> bool {
        self.rest.contains(&Step::Each)
    }

    /// A top-level field of any name.
    pub(crate) fn top(field: &str) -> Self {
        Self { first: field.to_owned(), rest: Vec::new() }
    }

    /// The steps behind the top-level field.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.rest
    }

    /// Copies what `from` finds in `source` to this path in `target`, changing each value on the way. Elements keep
    /// their positions: the third element found under `[]` becomes the third element here.
    pub(crate) fn copy(
        &self,
        from: &Self,
        source: &Fields,
        target: &mut Fields,
        change: &mut dyn FnMut(Option<&Value>) -> Option<Value>,
    ) {
        let slot = |target: &mut Fields, value: Option<Value>, steps: &[Step]| {
            if let Some(value) = value {
                put(target.entry(self.first.clone()).or_insert(Value::Null), steps, value);
            }
        };
        let many = from
            .rest
            .iter()
            .position(|step| *step == Step::Each)
            .zip(self.rest.iter().position(|step| *step == Step::Each));
        let Some((from_each, to_each)) = many else {
            let value = self.gathered(from, source);
            let value = change(value.as_ref());
            return slot(target, value, &self.rest);
        };
        let (from_head, from_tail) = from.rest.split_at(from_each);
        let (to_head, to_tail) = self.rest.split_at(to_each);
        let list = Self { first: from.first.clone(), rest: from_head.to_vec() };
        let Some(Value::Array(elements)) = list.first(source) else {
            return;
        };
        let empty = list_at(target, &self.first, to_head).is_none().then(|| Value::Array(Vec::new()));
        slot(target, empty, to_head);
        for (index, element) in elements.iter().enumerate().take(MAX_INDEX) {
            let (inner_from, inner_to) = (tail_path(from_tail), tail_path(to_tail));
            let wrapped = Fields::from_iter([("it".to_owned(), element.clone())]);
            let mut result = Fields::new();
            inner_to.copy(&inner_from, &wrapped, &mut result, change);
            if let Some(value) = result.remove("it") {
                let mut steps = to_head.to_vec();
                steps.push(Step::Index(index));
                merge_at(target.entry(self.first.clone()).or_insert(Value::Null), &steps, value);
            }
        }
    }

    /// One value as it is; several gathered into a list, when only the source side says `[]`.
    fn gathered(&self, from: &Self, source: &Fields) -> Option<Value> {
        if from.is_many() && !self.is_many() {
            Some(Value::Array(from.values(source).into_iter().cloned().collect()))
        } else {
            from.first(source).cloned()
        }
    }
}

/// The rest of a path behind its first `[]`, seen from the element.
fn tail_path(tail: &[Step]) -> Path {
    Path { first: "it".to_owned(), rest: tail.iter().skip(1).cloned().collect() }
}

fn list_at<'a>(target: &'a Fields, first: &str, steps: &[Step]) -> Option<&'a Value> {
    Path { first: first.to_owned(), rest: steps.to_vec() }.first(target)
}

/// Puts a value at the end of these steps, making the objects and lists in between.
fn put(slot: &mut Value, steps: &[Step], value: Value) {
    match descend(slot, steps) {
        Some(place) => *place = value,
        None => *slot = value,
    }
}

/// Like [`put`], but an object is merged into the object that stands there.
fn merge_at(slot: &mut Value, steps: &[Step], value: Value) {
    let Some(place) = descend(slot, steps) else { return };
    match (place, value) {
        (Value::Object(old), Value::Object(new)) => merge_objects(old, new),
        (place, value) => *place = value,
    }
}

fn merge_objects(old: &mut Fields, new: Fields) {
    for (key, value) in new {
        match (old.get_mut(&key), value) {
            (Some(Value::Object(inner)), Value::Object(value)) => merge_objects(inner, value),
            (_, value) => {
                old.insert(key, value);
            }
        }
    }
}

fn descend<'a>(slot: &'a mut Value, steps: &[Step]) -> Option<&'a mut Value> {
    let mut place = slot;
    for step in steps {
        place = match step {
            Step::Key(name) => {
                if !place.is_object() {
                    *place = Value::Object(Fields::new());
                }
                place.as_object_mut()?.entry(name.clone()).or_insert(Value::Null)
            }
            Step::Index(index) => {
                if !place.is_array() {
                    *place = Value::Array(Vec::new());
                }
                let list = place.as_array_mut()?;
                if list.len() <= *index {
                    list.resize(index.checked_add(1)?, Value::Null);
                }
                list.get_mut(*index)?
            }
            Step::Each => return None,
        };
    }
    Some(place)
}

impl Step {
    fn inside<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        match (self, value) {
            (Self::Key(name), Value::Object(fields)) => fields.get(name).into_iter().collect(),
            (Self::Index(index), Value::Array(values)) => values.get(*index).into_iter().collect(),
            (Self::Each, Value::Array(values)) => values.iter().collect(),
            _ => Vec::new(),
        }
    }
}

impl FromStr for Path {
    type Err = BadPath;

    fn from_str(text: &str) -> Result<Self, BadPath> {
        let bad = || BadPath(text.chars().take(80).collect());
        let mut steps = Vec::new();
        for part in text.split('.') {
            let (name, brackets) = part.find('[').map_or((part, ""), |at| part.split_at(at));
            if name.is_empty() || name.contains(']') {
                return Err(bad());
            }
            steps.push(Step::Key(name.to_owned()));
            let mut rest = brackets;
            while !rest.is_empty() {
                let (inside, after) =
                    rest.strip_prefix('[').and_then(|rest| rest.split_once(']')).ok_or_else(bad)?;
                steps.push(match inside {
                    "" => Step::Each,
                    digits => {
                        Step::Index(digits.parse().ok().filter(|index| *index < MAX_INDEX).ok_or_else(bad)?)
                    }
                });
                rest = after;
            }
        }
        if steps.len() > MAX_STEPS {
            return Err(bad());
        }
        let mut steps = steps.into_iter();
        match steps.next() {
            Some(Step::Key(first)) => Ok(Self { first, rest: steps.collect() }),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first)?;
        for step in &self.rest {
            match step {
                Step::Key(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Each => f.write_str("[]")?,
            }
        }
        Ok(())
    }
}

impl TryFrom<String> for Path {
    type Error = BadPath;

    fn try_from(text: String) -> Result<Self, BadPath> {
        text.parse()
    }
}

impl From<Path> for String {
    fn from(path: Path) -> Self {
        path.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_sixteen_steps_is_read_and_one_of_seventeen_is_not() {
        assert!(vec!["a"; 16].join(".").parse::<Path>().is_ok());
        assert!(vec!["a"; 17].join(".").parse::<Path>().is_err());
        assert!("a[9999]".parse::<Path>().is_ok() && "a[10000]".parse::<Path>().is_err());
    }
}
