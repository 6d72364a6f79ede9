//! What goes back to the source.

use super::walk::{Settled, Walk, put};
use crate::canon;
use crate::mapping::{Mapping, Resolver, Rule, Violation};
use crate::record::{Fields, NULL, Record, Value};

impl Walk<'_> {
    /// The source's fields that carry what goes back.
    ///
    /// Only what differs on the way back is taken from there: a value that went through the mapping and back may look
    /// otherwise than before, although nobody changed it.
    pub(super) fn back(
        &self,
        settled: &Settled,
        view: &Fields,
        target: &Record,
        resolver: &dyn Resolver,
    ) -> Result<Fields, Vec<Violation>> {
        let rules = self.rules.mapping.rules().iter();
        let rules = rules.filter(|rule| rule.returns() && settled.back.contains_key(rule.target.field()));
        let mapping = Mapping::new(rules.filter_map(Rule::turned).collect());
        let with = |values: &dyn Fn(&String) -> Option<Value>| {
            let mut fields = target.fields.clone();
            for name in settled.back.keys() {
                put(&mut fields, name, values(name));
            }
            fields
        };
        let before = with(&|name| view.get(name).cloned());
        let after = with(&|name| settled.back.get(name).cloned().flatten());
        let (was, _) = mapping.back(&before, resolver);
        let (mut is, mut violations) = mapping.back(&after, resolver);
        if !violations.is_empty() {
            for violation in &mut violations {
                violation.record.clone_from(&target.id);
            }
            return Err(violations);
        }
        let own = mapping.project(&self.situation.source.fields);
        let mut back = Fields::new();
        for name in mapping.targets() {
            let Some(wanted) = is.remove(name) else { continue };
            let value = patched(own.get(name), was.get(name), wanted);
            if !canon::equal(own.get(name).unwrap_or(NULL), &value) {
                back.insert(name.to_owned(), value);
            }
        }
        Ok(back)
    }
}

/// `own`, with the difference between `was` and `wanted` made to it.
fn patched(own: Option<&Value>, was: Option<&Value>, wanted: Value) -> Value {
    let (Some(own), Some(was)) = (own, was) else { return wanted };
    if canon::equal(was, &wanted) {
        return own.clone();
    }
    match (own, was, wanted) {
        (Value::Object(own), Value::Object(was), Value::Object(wanted)) => {
            let patch = |(name, value): (String, Value)| {
                let value = patched(own.get(&name), was.get(&name), value);
                (name, value)
            };
            Value::Object(wanted.into_iter().map(patch).collect())
        }
        (Value::Array(own), Value::Array(was), Value::Array(wanted)) if own.len() == was.len() => {
            let same_length = wanted.len() == was.len();
            let patch = |(index, value): (usize, Value)| {
                let twin = was.iter().position(|was| canon::equal(was, &value));
                let place = twin.or_else(|| same_length.then_some(index));
                let at = |list: &[Value]| place.and_then(|place| list.get(place)).cloned();
                patched(at(own).as_ref(), at(was).as_ref(), value)
            };
            Value::Array(wanted.into_iter().enumerate().map(patch).collect())
        }
        (_, _, wanted) => wanted,
    }
}
