//! What a key may do, and where the server sends its traces.

use serde_json::{Value, json};

use super::problem::Problem;
use super::routes::{self, Call};
use super::{API, Instance};
use crate::journal::{Effect, Verb};
use crate::web::Reply;

/// What every body must have, and of which kind it is.
const FIELDS: &[(&str, &str)] = &[
    ("enabled", "boolean"),
    ("exporterProtocol", "string"),
    ("exporterEndpoint", "string"),
    ("exporterTracingPath", "string"),
    ("exporterServiceName", "string"),
    ("exporterHeaders", "string"),
    ("tracesSampleRate", "number"),
    ("startupConnectivityTimeoutMs", "number"),
    ("includeNodeSpans", "boolean"),
    ("injectOutbound", "boolean"),
    ("productionExecutionsOnly", "boolean"),
];

/// No traces are sent.
pub(crate) fn otel_off() -> Value {
    json!({
        "enabled": false, "exporterProtocol": "http/protobuf", "exporterEndpoint": "http://localhost:4318",
        "exporterTracingPath": "/v1/traces", "exporterServiceName": "n8n", "exporterHeaders": "",
        "tracesSampleRate": 1, "startupConnectivityTimeoutMs": 2000, "includeNodeSpans": false,
        "injectOutbound": false, "productionExecutionsOnly": true,
    })
}

#[expect(clippy::unnecessary_wraps, reason = "it is one of the acts of the routes")]
pub(crate) fn otel(instance: &mut Instance, _: &Call) -> Result<Reply, Problem> {
    Ok(Reply::json(200, &instance.otel))
}

/// Replaces the settings whole; they hold from now on.
pub(crate) fn set_otel(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let given = call.body.as_object().ok_or_else(|| Problem::bad("request/body must be object"))?;
    for (name, kind) in FIELDS {
        let value = given.get(*name);
        let value = value
            .ok_or_else(|| Problem::bad(format!("request/body must have required property '{name}'")))?;
        let fits = match *kind {
            "boolean" => value.is_boolean(),
            "number" => value.is_number(),
            _ => value.is_string(),
        };
        if !fits {
            return Err(Problem::bad(format!("request/body/{name} must be {kind}")));
        }
    }
    if let Some(name) = given.keys().find(|name| !FIELDS.iter().any(|(known, _)| known == name)) {
        return Err(Problem::bad(format!("request/body Unrecognized key(s) in object: '{name}'")));
    }
    instance.otel = call.body.clone();
    instance.state.effects.push(Effect::new(Verb::Updated, "settings", "otel"));
    Ok(Reply::json(200, &instance.otel))
}

/// The scopes of the key, and the operations that it may use.
#[expect(clippy::unnecessary_wraps, reason = "it is one of the acts of the routes")]
pub(crate) fn discover(instance: &mut Instance, _: &Call) -> Result<Reply, Problem> {
    let may = |scope: &str| instance.needs(scope).is_ok();
    let scopes: Vec<&str> = routes::scopes().into_iter().filter(|scope| may(scope)).collect();
    let mut resources = serde_json::Map::new();
    for (method, path, scope) in routes::operations(instance.old_version).filter(|(_, _, scope)| may(scope)) {
        let (resource, operation) = scope.split_once(':').unwrap_or(("discover", "read"));
        let entry = resources
            .entry(resource.to_owned())
            .or_insert_with(|| json!({ "operations": [], "endpoints": [] }));
        if let Some(list) = entry.get_mut("operations").and_then(Value::as_array_mut)
            && !list.iter().any(|known| known == operation)
        {
            list.push(operation.into());
        }
        if let Some(list) = entry.get_mut("endpoints").and_then(Value::as_array_mut) {
            let path = format!("{API}{}", path.replace("{}", "{id}"));
            list.push(json!({ "method": method, "path": path, "operationId": scope }));
        }
    }
    let data =
        json!({ "scopes": scopes, "resources": resources, "filters": {}, "specUrl": "/api/v1/openapi.yml" });
    Ok(Reply::json(200, &json!({ "data": data })))
}
