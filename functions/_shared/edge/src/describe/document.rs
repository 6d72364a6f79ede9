//! The whole document.

use super::schemas::{PLACE, Sides, public_name, rename, sorted};
use super::{Operation, common};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What a parameter of a further address is.
const NAMED: &str = "The thing in question. In a body or a query it need not be named then.";

/// A description of functions in the making.
pub struct Document {
    info: Value,
    tags: Vec<Value>,
    paths: Map<String, Value>,
    schemas: Map<String, Value>,
    clashes: Vec<String>,
}

impl Document {
    /// A document without functions.
    pub fn new(title: &str, version: &str, description: &str) -> Self {
        let mut document = Self {
            info: json!({"title": title, "version": version, "description": description}),
            tags: Vec::new(),
            paths: Map::new(),
            schemas: Map::new(),
            clashes: Vec::new(),
        };
        for (name, schema) in common::schemas() {
            document.add_schema(name, schema);
        }
        document
    }

    /// Adds a function: its name, what it is about in one sentence, and what it does.
    #[must_use]
    pub fn function(mut self, name: &str, about: &str, operations: &[Operation]) -> Self {
        let mut sides = Sides::new();
        let methods: Map<String, Value> = operations
            .iter()
            .map(|operation| (operation.method.to_owned(), operation.object(name, about, &mut sides)))
            .collect();
        let definitions = sides.definitions();
        let names: Vec<(String, String)> =
            definitions.iter().map(|(old, schema)| (old.clone(), public_name(name, old, schema))).collect();
        let mut path = Value::Object(methods);
        rename(&mut path, &names);
        let below = operations.first().and_then(|operation| operation.below);
        let tail = below.map(|(parameter, _)| format!("/{{{parameter}}}")).unwrap_or_default();
        self.paths.insert(format!("/{name}{tail}"), path);
        self.tags.push(json!({"name": name, "description": about}));
        for (old, mut schema) in definitions {
            rename(&mut schema, &names);
            self.add_schema(public_name(name, &old, &schema), schema);
        }
        self
    }

    /// Adds a further address of a function that is described: a route with its parameters as `:name`, from the root.
    /// An address that names one thing makes none.
    #[must_use]
    pub fn also_at(mut self, route: &str, name: &str) -> Self {
        let parameters: Vec<&str> = route.split('/').filter_map(|part| part.strip_prefix(':')).collect();
        let own = format!("/{name}");
        if route == own {
            // The same address below another server.
            if let Some(Value::Object(path)) = self.paths.get_mut(&own) {
                path.insert("servers".to_owned(), json!([{"url": "/functions/v1"}, {"url": "/"}]));
            }
            return self;
        }
        let Some(Value::Object(mut path)) = self.paths.get(&own).cloned() else { return self };
        if route.rsplit('/').next().is_some_and(|last| last.starts_with(':')) {
            path.remove("post");
        }
        let words =
            route.split(['/', ':', '-']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_");
        for operation in path.values_mut() {
            if let Some(id) = operation.get_mut("operationId") {
                *id = format!("{}_at_{words}", id.as_str().unwrap_or_default()).into();
            }
            if let Some(known) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
                known.extend(parameters.iter().map(|name| common::path_parameter(name, NAMED)));
            }
        }
        path.insert("servers".to_owned(), json!([{"url": "/"}]));
        let parts = route.split('/').map(|part| match part.strip_prefix(':') {
            Some(name) => format!("{{{name}}}"),
            None => part.to_owned(),
        });
        self.paths.insert(parts.collect::<Vec<_>>().join("/"), Value::Object(path));
        self
    }

    /// The document as text, the same wherever it is made. The error names the schemas of one name and two meanings.
    pub fn finish(self) -> Result<String, String> {
        if !self.clashes.is_empty() {
            return Err(format!("two different schemas have one name: {}", self.clashes.join(", ")));
        }
        let mut document = json!({
            "openapi": "3.1.1",
            "info": self.info,
            "servers": [{"url": "/functions/v1"}],
            "tags": self.tags,
            "paths": self.paths,
            "components": {
                "schemas": self.schemas,
                "responses": common::responses(&format!("{PLACE}Problem")),
                "parameters": common::parameters(),
                "headers": common::all_headers(),
                "securitySchemes": common::security_schemes(),
            },
        });
        // Responses first: one that is left out takes its headers along.
        for kind in ["responses", "parameters", "headers"] {
            keep_used(&mut document, kind);
        }
        let text = serde_json::to_string_pretty(&sorted(document)).map_err(|error| error.to_string())?;
        Ok(format!("{text}\n"))
    }

    fn add_schema(&mut self, name: String, schema: Value) {
        match self.schemas.get(&name) {
            Some(known) if *known != schema => self.clashes.push(name),
            _ => {
                self.schemas.insert(name, schema);
            }
        }
    }
}

/// Leaves out the common parts of this kind that no function needs so far.
fn keep_used(document: &mut Value, kind: &str) {
    let mut used = BTreeSet::new();
    collect_references(document, &mut used);
    let parts = document.pointer_mut(&format!("/components/{kind}"));
    if let Some(parts) = parts.and_then(Value::as_object_mut) {
        parts.retain(|name, _| used.contains(&format!("#/components/{kind}/{name}")));
    }
}

fn collect_references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str).map(ToOwned::to_owned));
            fields.values().for_each(|inner| collect_references(inner, found));
        }
        Value::Array(values) => values.iter().for_each(|inner| collect_references(inner, found)),
        _ => {}
    }
}
