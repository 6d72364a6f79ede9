//! From a tree to a value.

use super::functions;
use super::signs::binary;
use super::tree::{Each, Goal, Node};
use super::{Failure, MAX_WORK};
use crate::path::Path;
use crate::record::{Fields, NULL, Value};
use rust_decimal::prelude::ToPrimitive;
use std::borrow::Cow;
use std::cell::Cell;

/// What an expression can see, and what is left of its work.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) value: &'a Value,
    pub(super) record: &'a Fields,
    pub(super) work: &'a Cell<usize>,
    pub(super) element: Option<Element<'a>>,
}

/// The element that is looked at, and the one of the list around it.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    name: &'a str,
    value: &'a Value,
    around: Option<&'a Element<'a>>,
}

impl<'a> Scope<'a> {
    fn named(&self, name: &str) -> &'a Value {
        let mut element = self.element;
        while let Some(inner) = element {
            if inner.name == name {
                return inner.value;
            }
            element = inner.around.copied();
        }
        if name == "value" { self.value } else { self.record.get(name).unwrap_or(NULL) }
    }

    /// Counts what is done, so that lists in lists in lists come to an end.
    fn pay(&self, work: usize) -> Result<(), Failure> {
        let spent = self.work.get().saturating_add(work);
        self.work.set(spent);
        if spent > MAX_WORK { Err(Failure::new("this is too much to compute")) } else { Ok(()) }
    }

    /// A value that is kept or looked through costs as much as it is large.
    fn paid(&self, value: Cow<'a, Value>) -> Result<Cow<'a, Value>, Failure> {
        self.pay(weight(&value))?;
        Ok(value)
    }
}

/// About how many bytes a value is.
fn weight(value: &Value) -> usize {
    let inside = match value {
        Value::Null | Value::Bool(_) => 0,
        Value::Number(number) => number.as_str().len(),
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(weight).sum(),
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| key.len().saturating_add(weight(value))).sum()
        }
    };
    inside.saturating_add(8)
}

pub(super) fn evaluate<'a>(node: &'a Node, scope: &Scope<'a>) -> Result<Cow<'a, Value>, Failure> {
    scope.pay(1)?;
    Ok(match node {
        Node::Literal(value) => Cow::Borrowed(value),
        Node::Name(name) => Cow::Borrowed(scope.named(name)),
        Node::Field(path) => look(path, scope)?,
        Node::Select(inside, key) => select(evaluate(inside, scope)?, key)?,
        Node::Has(inside, key) => truth_value(has(&*evaluate(inside, scope)?, key)?),
        Node::Index(pair) => {
            let [inside, at] = pair.as_ref();
            index(evaluate(inside, scope)?, &*evaluate(at, scope)?)?
        }
        Node::List(nodes) => Cow::Owned(Value::Array(kept(nodes, scope)?)),
        Node::Not(node) => truth_value(!holds(node, scope)?),
        Node::Minus(node) => {
            Cow::Owned(binary(super::tree::Sign::Minus, &Value::from(0), &*evaluate(node, scope)?)?)
        }
        Node::Both(pair) => {
            let [a, b] = pair.as_ref();
            truth_value(holds(a, scope)? && holds(b, scope)?)
        }
        Node::Either(pair) => {
            let [a, b] = pair.as_ref();
            truth_value(holds(a, scope)? || holds(b, scope)?)
        }
        Node::Otherwise(nodes) => otherwise(nodes, scope)?,
        Node::Choose(three) => {
            let [condition, this, that] = three.as_ref();
            evaluate(if holds(condition, scope)? { this } else { that }, scope)?
        }
        Node::Sign(sign, pair) => {
            let [a, b] = pair.as_ref();
            let (a, b) = (scope.paid(evaluate(a, scope)?)?, scope.paid(evaluate(b, scope)?)?);
            Cow::Owned(binary(*sign, &a, &b)?)
        }
        Node::Call(function, arguments) => Cow::Owned(functions::call(*function, &kept(arguments, scope)?)?),
        Node::Each(each) => Cow::Owned(look_at_each(each, scope)?),
    })
}

fn truth_value<'a>(truth: bool) -> Cow<'a, Value> {
    Cow::Owned(Value::Bool(truth))
}

fn holds<'a>(node: &'a Node, scope: &Scope<'a>) -> Result<bool, Failure> {
    truth(&*evaluate(node, scope)?)
}

/// Yes, or no, or null, which is no.
pub(super) fn truth(value: &Value) -> Result<bool, Failure> {
    match value {
        Value::Bool(truth) => Ok(*truth),
        Value::Null => Ok(false),
        _ => Err(Failure::new("a condition must be true or false")),
    }
}

fn kept<'a>(nodes: &'a [Node], scope: &Scope<'a>) -> Result<Vec<Value>, Failure> {
    nodes.iter().map(|node| scope.paid(evaluate(node, scope)?).map(Cow::into_owned)).collect()
}

fn otherwise<'a>(nodes: &'a [Node], scope: &Scope<'a>) -> Result<Cow<'a, Value>, Failure> {
    for node in nodes {
        let value = evaluate(node, scope)?;
        if !value.is_null() {
            return Ok(value);
        }
    }
    Ok(Cow::Borrowed(NULL))
}

/// What is at a path; a list where it says `[]`.
fn look<'a>(path: &Path, scope: &Scope<'a>) -> Result<Cow<'a, Value>, Failure> {
    if !path.is_many() {
        return Ok(Cow::Borrowed(path.first(scope.record).unwrap_or(NULL)));
    }
    let values = path.values(scope.record).into_iter();
    let kept: Result<_, _> =
        values.map(|value| scope.paid(Cow::Borrowed(value)).map(Cow::into_owned)).collect();
    Ok(Cow::Owned(Value::Array(kept?)))
}

/// A field that is not there is null.
fn select<'a>(inside: Cow<'a, Value>, key: &str) -> Result<Cow<'a, Value>, Failure> {
    if inside.is_array() {
        return Err(Failure::new(format!("a list has no field: write `.map(one, one.{key})` behind it")));
    }
    Ok(match inside {
        Cow::Borrowed(value) => Cow::Borrowed(value.get(key).unwrap_or(NULL)),
        Cow::Owned(mut value) => Cow::Owned(value.get_mut(key).map(Value::take).unwrap_or_default()),
    })
}

fn has(inside: &Value, key: &str) -> Result<bool, Failure> {
    match inside {
        Value::Object(fields) => Ok(fields.contains_key(key)),
        Value::Null => Ok(false),
        _ => Err(Failure::new("only an object has fields")),
    }
}

/// An element or a field that is not there is null.
fn index<'a>(inside: Cow<'a, Value>, at: &Value) -> Result<Cow<'a, Value>, Failure> {
    if inside.is_null() {
        return Ok(inside);
    }
    if let (Value::Object(_), Value::String(key)) = (&*inside, at) {
        return select(inside, key);
    }
    let at = crate::decimal::of(at).filter(|at| at.is_integer() && inside.is_array());
    let Some(at) = at.and_then(|at| at.to_usize()) else {
        return Err(Failure::new("a list has elements from 0, an object has fields by name"));
    };
    Ok(match inside {
        Cow::Borrowed(value) => Cow::Borrowed(value.get(at).unwrap_or(NULL)),
        Cow::Owned(mut value) => Cow::Owned(value.get_mut(at).map(Value::take).unwrap_or_default()),
    })
}

/// One look at each element of a list. A list that is null has none.
fn look_at_each<'a>(each: &'a Each, scope: &Scope<'a>) -> Result<Value, Failure> {
    let list = evaluate(&each.list, scope)?;
    let mut made = Vec::new();
    let mut count = 0_usize;
    for value in functions::list(&list)? {
        let element = Element { name: &each.name, value, around: scope.element.as_ref() };
        let inside = Scope { element: Some(element), ..*scope };
        let counts = each.condition.as_ref().map_or(Ok(true), |condition| holds(condition, &inside))?;
        match each.goal {
            Goal::List if counts => made.push(inside.paid(evaluate(&each.item, &inside)?)?.into_owned()),
            Goal::Any if counts => return Ok(Value::Bool(true)),
            Goal::All if !counts => return Ok(Value::Bool(false)),
            _ => count = count.saturating_add(usize::from(counts)),
        }
    }
    Ok(match each.goal {
        Goal::List => Value::Array(made),
        Goal::Any => Value::Bool(false),
        Goal::All => Value::Bool(true),
        Goal::One => Value::Bool(count == 1),
    })
}
