//! One GraphQL request: read, checked, priced, throttled, executed.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use apollo_compiler::ExecutableDocument;
use apollo_compiler::executable::{Operation, Selection, SelectionSet};
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::resolvers::Execution;
use apollo_compiler::response::{JsonMap, JsonValue};
use apollo_compiler::validation::Valid;
use serde_json::{Value, json};

use super::cost::Pricing;
use super::out::sent;
use super::resolve::{Node, Scene};
use super::schema::{self, Own};
use super::state::State;
use super::throttle::Bucket;

/// The most one request may cost, whatever the plan; of mutations too.
const DEAREST: f64 = 1_000.0;
/// The most elements of an input list. Variants and option values have a limit of their own.
const LONGEST_LIST: usize = 250;

/// Documents that were read and checked, by their text; what is wrong with one is remembered too.
#[derive(Debug, Default)]
pub(crate) struct Documents(HashMap<String, Result<Arc<Valid<ExecutableDocument>>, Value>>);

/// What a caller may do and how much of it is left.
pub(crate) struct Caller<'a> {
    pub(crate) scopes: &'a [String],
    pub(crate) bucket: &'a mut Bucket,
    pub(crate) refuse: &'a [usize],
}

/// Answers a request body with the text of its answer. Whatever is wrong with it, the status is 200.
pub(crate) fn run(
    documents: &mut Documents,
    state: &mut State,
    mut caller: Caller<'_>,
    body: &Value,
) -> String {
    respond(documents, state, &mut caller, body).unwrap_or_else(|refusal| refusal.to_string())
}

/// The text of the answer, or the whole body that refuses one.
fn respond(
    documents: &mut Documents,
    state: &mut State,
    caller: &mut Caller<'_>,
    body: &Value,
) -> Result<String, Value> {
    let query = body.get("query").and_then(Value::as_str).filter(|query| !query.trim().is_empty());
    let query = query.ok_or_else(|| refusal("No query was present"))?;
    let own = schema::own().map_err(|message| refusal(&message))?;
    let document = documents.read(own, query).map_err(|errors| json!({ "errors": errors }))?;
    let name = body.get("operationName").and_then(Value::as_str);
    let operation = document.operations.get(name).map_err(|error| refusal(&error.message().to_string()))?;
    let variables = body.get("variables").cloned().filter(|variables| !variables.is_null());
    let JsonValue::Object(raw) = sent(variables.unwrap_or_else(|| json!({}))) else {
        return Err(refusal("Variables are invalid JSON."));
    };
    let variables = coerce_variable_values(&own.schema, operation, &raw).map_err(|error| {
        let extensions = json!({ "code": "INVALID_VARIABLE" });
        json!({ "errors": [{ "message": error.message().to_string(), "extensions": extensions }] })
    })?;
    execute(own, &document, operation, &variables, state, caller)
}

fn refusal(message: &str) -> Value {
    json!({ "errors": [{ "message": message }] })
}

impl Documents {
    fn read(&mut self, own: &Own, query: &str) -> Result<Arc<Valid<ExecutableDocument>>, Value> {
        if let Some(known) = self.0.get(query) {
            return known.clone();
        }
        let read = check(own, query);
        self.0.insert(query.to_owned(), read.clone());
        read
    }
}

/// Reads a document and holds it against the official schema, if there is one, and then against ours.
fn check(own: &Own, query: &str) -> Result<Arc<Valid<ExecutableDocument>>, Value> {
    if let Some(official) = schema::official()
        && let Err(invalid) = ExecutableDocument::parse_and_validate(official, query, "query")
    {
        return Err(messages(&invalid.errors, ""));
    }
    match ExecutableDocument::parse_and_validate(&own.schema, query, "query") {
        Ok(document) => Ok(Arc::new(document)),
        // Right for the vendor, or nobody knows: either way this simulator does not have it.
        Err(invalid) => Err(messages(&invalid.errors, " (simulator)")),
    }
}

fn messages(errors: &apollo_compiler::validation::DiagnosticList, note: &str) -> Value {
    let listed = errors.iter().map(|error| {
        let error = error.to_json();
        let places: Vec<Value> =
            error.locations.iter().map(|at| json!({ "line": at.line, "column": at.column })).collect();
        json!({ "message": format!("{}{note}", error.message), "locations": places })
    });
    listed.collect()
}

/// Checks sizes, cost, bucket and scopes, and then does what is asked.
fn execute(
    own: &Own,
    document: &Valid<ExecutableDocument>,
    operation: &Operation,
    variables: &Valid<JsonMap>,
    state: &mut State,
    caller: &mut Caller<'_>,
) -> Result<String, Value> {
    if let Some(error) = too_long(variables) {
        return Err(json!({ "errors": [error] }));
    }
    let pricing = Pricing { schema: &own.schema, document, variables };
    let requested = pricing.requested(operation);
    caller.bucket.restore(state.clock.now());
    if let Some(error) = too_dear(requested, caller.bucket) {
        return Err(json!({ "errors": [error], "extensions": cost(requested, None, caller.bucket) }));
    }
    if let Some(errors) = denied(document, operation, caller.scopes) {
        let extensions = cost(requested, Some(0.0), caller.bucket);
        return Err(json!({ "data": Value::Null, "errors": errors, "extensions": extensions }));
    }
    let keys = idempotency_keys(document, operation, variables);
    let scene = Scene {
        state: RefCell::new(state),
        scopes: caller.scopes,
        keys: &keys,
        refuse: caller.refuse,
        position: Cell::new(0),
    };
    let root = Node::root(&scene, operation.is_mutation());
    let answer = Execution::new(&own.schema, document)
        .operation(operation)
        .implementers_map(&own.implementers)
        .coerced_variable_values(variables)
        .enable_schema_introspection(true)
        .execute_sync(&root)
        .map_err(|error| refusal(&error.message().to_string()))?;
    let actual = pricing.actual(operation, answer.data.as_ref()).min(requested);
    caller.bucket.take(actual);
    let extensions = cost(requested, Some(actual), caller.bucket);
    // Written as it is: making our own values of a large answer first would take longer than the answer itself.
    let answer = serde_json::to_string(&answer).unwrap_or_default();
    let open = answer.strip_suffix('}').unwrap_or("{\"data\":null");
    Ok(format!("{open},\"extensions\":{extensions}}}"))
}

/// `extensions` of an answer.
fn cost(requested: f64, actual: Option<f64>, bucket: &Bucket) -> Value {
    json!({ "cost": {
        "requestedQueryCost": whole(requested),
        "actualQueryCost": actual.map(whole),
        "throttleStatus": bucket.status(),
    } })
}

/// Refuses what costs more than any request may, or more than there is now.
fn too_dear(requested: f64, bucket: &mut Bucket) -> Option<Value> {
    if requested > DEAREST {
        let cost = whole(requested);
        let message = format!("Query cost is {cost}, which exceeds the single query max cost limit (1000).");
        let extensions = json!({ "code": "MAX_COST_EXCEEDED", "cost": cost, "maxCost": whole(DEAREST) });
        return Some(json!({ "message": message, "extensions": extensions }));
    }
    let documentation = "https://shopify.dev/api/usage/rate-limits";
    let extensions = json!({ "code": "THROTTLED", "documentation": documentation });
    (!bucket.affords(requested)).then(|| json!({ "message": "Throttled", "extensions": extensions }))
}

#[expect(clippy::cast_possible_truncation, reason = "costs are at most a few thousand")]
fn whole(points: f64) -> i64 {
    points.ceil() as i64
}

/// An input list that is longer than Shopify takes.
fn too_long(variables: &JsonMap) -> Option<Value> {
    fn longest(name: &str, value: &JsonValue) -> Option<usize> {
        match value {
            JsonValue::Array(items) => {
                let exempt = matches!(name, "variants" | "values" | "optionValues");
                let own = (!exempt && items.len() > LONGEST_LIST).then_some(items.len());
                own.or_else(|| items.iter().find_map(|item| longest("", item)))
            }
            JsonValue::Object(fields) => {
                fields.iter().find_map(|(name, value)| longest(name.as_str(), value))
            }
            _ => None,
        }
    }
    let size = variables.iter().find_map(|(name, value)| longest(name.as_str(), value))?;
    let message =
        format!("The input array size of {size} is greater than the maximum allowed of {LONGEST_LIST}.");
    Some(json!({ "message": message, "extensions": { "code": "MAX_INPUT_SIZE_EXCEEDED" } }))
}

/// The keys of `@idempotent`, variables put in, by the name of the field in the answer.
fn idempotency_keys(
    document: &ExecutableDocument,
    operation: &Operation,
    variables: &JsonMap,
) -> HashMap<String, String> {
    let fields = operation.selection_set.root_fields(document);
    let keyed = fields.filter_map(|field| {
        let value = field.directives.get("idempotent")?.specified_argument_by_name("key")?;
        let key = match value.as_variable() {
            Some(name) => variables.get(name.as_str())?.as_str()?.to_owned(),
            None => value.as_str()?.to_owned(),
        };
        Some((field.response_key().to_string(), key))
    });
    keyed.collect()
}

/// What the caller's scopes do not cover.
fn denied(document: &ExecutableDocument, operation: &Operation, scopes: &[String]) -> Option<Value> {
    let mut errors = Vec::new();
    let mut look = |field: &str, path: &str, needed: &[&str]| {
        // A right to write includes the right to read.
        let has = |scope: &&str| {
            scopes.iter().any(|held| held == scope || held.replacen("write_", "read_", 1) == **scope)
        };
        if !needed.is_empty() && !needed.iter().any(has) {
            let access = format!("`{}` access scope.", needed.join("` access scope or `"));
            let message = format!("Access denied for {field} field. Required access: {access}");
            let code = json!({ "code": "ACCESS_DENIED", "requiredAccess": access });
            errors.push(json!({ "message": message, "path": [path], "extensions": code }));
        }
    };
    for field in operation.selection_set.root_fields(document) {
        let name = field.name.as_str();
        look(name, field.response_key(), root_scopes(name));
        each_type(document, &field.selection_set, 0, &mut |kind| {
            look(kind, field.response_key(), type_scopes(kind));
        });
    }
    (!errors.is_empty()).then_some(Value::Array(errors))
}

fn each_type(document: &ExecutableDocument, set: &SelectionSet, depth: usize, look: &mut dyn FnMut(&str)) {
    if depth > 20 || set.selections.is_empty() {
        return;
    }
    look(&set.ty);
    for selection in &set.selections {
        match selection {
            Selection::Field(field) => each_type(document, &field.selection_set, depth + 1, look),
            Selection::InlineFragment(fragment) => {
                each_type(document, &fragment.selection_set, depth + 1, look);
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.fragment_name) {
                    each_type(document, &fragment.selection_set, depth + 1, look);
                }
            }
        }
    }
}

fn root_scopes(field: &str) -> &'static [&'static str] {
    match field {
        "productSet" | "productUpdate" | "productDelete" | "productVariantsBulkUpdate" => &["write_products"],
        "inventorySetQuantities"
        | "inventoryAdjustQuantities"
        | "inventoryActivate"
        | "inventoryItemUpdate" => &["write_inventory"],
        "orderCreate" | "orderUpdate" | "orderDelete" => &["write_orders"],
        _ => &[],
    }
}

fn type_scopes(kind: &str) -> &'static [&'static str] {
    match kind {
        "Product" | "ProductVariant" => &["read_products"],
        "InventoryItem" => &["read_inventory", "read_products"],
        "InventoryLevel" => &["read_inventory"],
        "Location" => &["read_locations", "read_inventory"],
        "Order" | "LineItem" => &["read_orders"],
        _ => &[],
    }
}
