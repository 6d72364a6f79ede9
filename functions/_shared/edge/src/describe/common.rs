//! What all functions have in common: problems, headers, keys and tokens.

use super::schemas::Sides;
use crate::problem::{self, Body};
use domain::Code;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The statuses of problems, and the codes that each stands for.
pub(super) fn statuses() -> BTreeMap<u16, Vec<Code>> {
    let mut all: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in Code::ALL {
        all.entry(problem::face(*code).0).or_default().push(*code);
    }
    all
}

/// The schema of a problem, and what it is made of.
pub(super) fn schemas() -> Vec<(String, Value)> {
    let mut sides = Sides::new();
    sides.written.subschema_for::<Body<'_>>();
    let mut definitions = sides.definitions();
    let words: Vec<&str> = Code::ALL.iter().map(|code| code.word()).collect();
    for (_, schema) in definitions.iter_mut().filter(|(name, _)| name == "Problem") {
        if let Some(code) = schema.pointer_mut("/properties/code").and_then(Value::as_object_mut) {
            code.insert("enum".to_owned(), json!(words));
        }
    }
    definitions
}

/// Where the answer of a status stands.
pub(super) fn response(status: u16) -> String {
    format!("#/components/responses/Problem{status}")
}

/// The answers that are problems, one for each status.
pub(super) fn responses(schema: &str) -> Value {
    let one = |(status, codes): (u16, Vec<Code>)| {
        let words: Vec<String> =
            codes.iter().map(|code| format!("{} (`{}`)", problem::face(*code).1, code.word())).collect();
        let mut names = vec!["X-Request-Id"];
        match status {
            401 => names.push("WWW-Authenticate"),
            405 => names.push("Allow"),
            409 | 429 | 503 => names.push("Retry-After"),
            _ => {}
        }
        let response = json!({
            "description": format!("{}.", words.join("; ")),
            "headers": headers(&names),
            "content": {"application/problem+json": {"schema": {"$ref": schema}}},
        });
        (format!("Problem{status}"), response)
    };
    Value::Object(statuses().into_iter().map(one).collect())
}

/// A reference to one of the [`parameters`].
pub(super) fn parameter(name: &str) -> Value {
    json!({"$ref": format!("#/components/parameters/{name}")})
}

/// What may be sent with a request beside its input.
pub(super) fn parameters() -> Value {
    let header = |name: &str, description: &str, schema: Value| json!({"name": name, "in": "header", "required": false, "description": description, "schema": schema});
    json!({
        "RequestId": header(
            "X-Request-Id",
            "The caller's own id of this request. It comes back in the answer and stands in every line of the log.",
            json!({"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"}),
        ),
        "IdempotencyKey": header(
            "Idempotency-Key",
            "The same request with the same key does its work once and is answered alike.",
            json!({"type": "string", "minLength": 1, "maxLength": 255}),
        ),
        "Prefer": header(
            "Prefer",
            "`respond-async` for an answer at once, with the work afterwards.",
            json!({"type": "string", "examples": ["respond-async"]}),
        ),
    })
}

/// References to these of [`all_headers`].
pub(super) fn headers(names: &[&str]) -> Value {
    let one = |name: &&str| ((*name).to_owned(), json!({"$ref": format!("#/components/headers/{name}")}));
    Value::Object(names.iter().map(one).collect::<Map<_, _>>())
}

/// What an answer may have beside its body.
pub(super) fn all_headers() -> Value {
    let text = |description: &str| json!({"description": description, "schema": {"type": "string"}});
    json!({
        "X-Request-Id": text("The id of this request, to be named when something is reported."),
        "Location": text("Where to look, if the output names a place."),
        "ETag": text("The version of the output, for a later `If-Match`."),
        "Allow": text("The methods there are."),
        "WWW-Authenticate": text("How to sign in: `Bearer`."),
        "Retry-After": {
            "description": "How long to wait before trying again, in seconds.",
            "schema": {"type": "integer", "minimum": 1},
        },
        "Idempotent-Replayed": {
            "description": "Says that this is the answer which an earlier request with the same key got.",
            "schema": {"type": "string", "const": "true"},
        },
    })
}

/// How callers show who they are.
pub(super) fn security_schemes() -> Value {
    json!({
        "userToken": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The access token of a signed-in user.",
        },
        "secretKey": {
            "type": "apiKey",
            "in": "header",
            "name": "apikey",
            "description": "A secret key of a system. Never to be sent from a browser.",
        },
    })
}

/// A part of the address that names the thing in question.
pub(super) fn path_parameter(name: &str, what: &str) -> Value {
    json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}, "description": what})
}
