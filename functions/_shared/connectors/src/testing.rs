//! Playing an exchange through with replies written by hand, and breaking such replies.

use crate::{Exchange, Reply, Result, Step};
use domain::{Fields, Value};
use proptest::prelude::*;
use std::time::Duration;

/// A request as it was sent.
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Value,
    pub(crate) cost: u32,
    /// How long the step before asked to wait.
    pub(crate) after: Duration,
}

impl Sent {
    pub(crate) fn variables(&self) -> &Value {
        &self.body["variables"]
    }

    pub(crate) fn query(&self) -> &str {
        self.body["query"].as_str().or(self.body["q"].as_str()).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A reply with a JSON body.
pub(crate) fn ok(body: &Value) -> Reply {
    reply(200, &[], &body.to_string())
}

/// Any reply.
pub(crate) fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut builder = http::Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(body.as_bytes().to_vec()).unwrap()
}

/// Answers each step of an exchange with the next reply. Every reply must be used.
pub(crate) fn play<T: 'static>(exchange: Exchange<T>, replies: &[Reply]) -> (Vec<Sent>, Result<T>) {
    let (sent, result) = play_some(exchange, replies);
    assert_eq!(
        sent.len(),
        replies.len(),
        "the exchange took another number of steps; last: {:?}",
        sent.last().map(|s| &s.body)
    );
    (sent, result.expect("the exchange wants to go on"))
}

/// The same, where the exchange may want to go on after the last reply.
pub(crate) fn play_some<T: 'static>(
    exchange: Exchange<T>,
    replies: &[Reply],
) -> (Vec<Sent>, Option<Result<T>>) {
    let (mut exchange, mut wait, mut sent) = (exchange, Duration::ZERO, Vec::new());
    for reply in replies {
        let request = &exchange.request;
        sent.push(Sent {
            method: request.method().to_string(),
            path: request.uri().path_and_query().unwrap().to_string(),
            headers: request.headers().clone(),
            body: serde_json::from_slice(request.body()).unwrap_or_default(),
            cost: exchange.cost,
            after: wait,
        });
        match exchange.read(reply) {
            Ok(Step::Done(answer)) => return (sent, Some(Ok(answer))),
            Err(error) => return (sent, Some(Err(error))),
            Ok(Step::Next { exchange: next, after }) => (exchange, wait) = (next, after),
        }
    }
    (sent, None)
}

/// An object as fields.
pub(crate) fn fields(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        other => panic!("{other} is no object"),
    }
}

/// A golden reply with one value in it replaced by something else, or left out.
pub(crate) fn mutated(golden: Value) -> impl Strategy<Value = Value> {
    let paths = paths(&golden, &mut Vec::new());
    let rubbish = prop_oneof![
        Just(None),
        Just(Some(Value::Null)),
        Just(Some(Value::Bool(true))),
        Just(Some(serde_json::json!(-1.5))),
        Just(Some(serde_json::json!([]))),
        Just(Some(serde_json::json!({}))),
        Just(Some(serde_json::json!([null, {}, "x"]))),
        ".{0,12}".prop_map(|text| Some(Value::String(text))),
    ];
    (prop::sample::select(paths), rubbish).prop_map(move |(path, value)| {
        let mut changed = golden.clone();
        replace(&mut changed, &path, value);
        changed
    })
}

fn paths(value: &Value, here: &mut Vec<String>) -> Vec<Vec<String>> {
    let mut all = vec![here.clone()];
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(values) => {
            values.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (name, child) in children {
        here.push(name);
        all.extend(paths(child, here));
        here.pop();
    }
    all
}

fn replace(value: &mut Value, path: &[String], new: Option<Value>) {
    match (path, value) {
        ([], value) => *value = new.unwrap_or(Value::Null),
        ([last], Value::Object(fields)) => match new {
            Some(new) => drop(fields.insert(last.clone(), new)),
            None => drop(fields.remove(last)),
        },
        ([first, rest @ ..], Value::Object(fields)) => replace(fields.get_mut(first).unwrap(), rest, new),
        ([first, rest @ ..], Value::Array(values)) => {
            replace(values.get_mut(first.parse::<usize>().unwrap()).unwrap(), rest, new);
        }
        _ => {}
    }
}
