//! The description that `openapi` serves: made from the types of the functions, and never out of date.
//!
//! `UPDATE=1 cargo test -p tests openapi` writes it anew.

use edge::Door;
use edge::describe::{Document, Operation};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::LazyLock;

/// A function and what it says of itself.
type Described = (&'static str, fn() -> Vec<Operation>);

/// All of them.
const FUNCTIONS: [Described; 43] = [
    ("conflict-resolve", ::conflict_resolve::operations),
    ("conflicts", ::conflicts::operations),
    ("data-sync", ::data_sync::operations),
    ("delete-approve", ::delete_approve::operations),
    ("deletes", ::deletes::operations),
    ("delta-sync", ::delta_sync::operations),
    ("execution-poll", ::execution_poll::operations),
    ("execution-report", ::execution_report::operations),
    ("executions", ::executions::operations),
    ("health", ::health::operations),
    ("integration-test", ::integration_test::operations),
    ("integrations", ::integrations::operations),
    ("issue-retry", ::issue_retry::operations),
    ("issues", ::issues::operations),
    ("item-search", ::item_search::operations),
    ("live", ::live::operations),
    ("mapping-preview", ::mapping_preview::operations),
    ("metrics", ::metrics::operations),
    ("openapi", ::openapi::operations),
    ("patterns", ::patterns::operations),
    ("queue", ::queue::operations),
    ("queue-add", ::queue_add::operations),
    ("queue-drain", ::queue_drain::operations),
    ("ready", ::ready::operations),
    ("run-replay", ::run_replay::operations),
    ("scheduled-sync", ::scheduled_sync::operations),
    ("sync-apply", ::sync_apply::operations),
    ("sync-compare", ::sync_compare::operations),
    ("sync-configs", ::sync_configs::operations),
    ("sync-history", ::sync_history::operations),
    ("sync-list", ::sync_list::operations),
    ("sync-perform", ::sync_perform::operations),
    ("sync-plan", ::sync_plan::operations),
    ("sync-start", ::sync_start::operations),
    ("sync-status", ::sync_status::operations),
    ("sync-stop", ::sync_stop::operations),
    ("webhook-receive", ::webhook_receive::operations),
    ("webhook-subscriptions", ::webhook_subscriptions::operations),
    ("workflow-cleanup", ::workflow_cleanup::operations),
    ("workflow-registry", ::workflow_registry::operations),
    ("workflow-sync", ::workflow_sync::operations),
    ("workflow-trigger", ::workflow_trigger::operations),
    ("workflows", ::workflows::operations),
];
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

static TEXT: LazyLock<String> = LazyLock::new(|| {
    let about =
        "Keeps records equal between platforms. Every failure is a problem (RFC 9457) with a stable `code`.";
    let document = Document::new("Syncline", env!("CARGO_PKG_VERSION"), about);
    let add = |document: Document, (name, operations): (&str, fn() -> Vec<Operation>)| {
        document.function(name, &purpose(name), &operations())
    };
    let document = FUNCTIONS.into_iter().fold(document, add);
    let also = |document: Document, (route, name): (String, String)| document.also_at(&route, &name);
    further_routes().into_iter().fold(document, also).finish().unwrap()
});
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&TEXT).unwrap());

/// The routes of spin.toml that are not simply the function's name, each with its function.
fn further_routes() -> Vec<(String, String)> {
    let manifest: toml::Table = toml::from_str(&read("spin.toml")).unwrap();
    let triggers = manifest["trigger"]["http"].as_array().unwrap().iter();
    let routes = triggers.map(|trigger| {
        (trigger["route"].as_str().unwrap().to_owned(), trigger["component"].as_str().unwrap().to_owned())
    });
    routes.filter(|(route, name)| !is_own(route, name)).collect()
}

/// Whether a route is the function's own: its name, and what the function says follows it.
fn is_own(route: &str, name: &str) -> bool {
    let tail = route.strip_prefix("/functions/v1/").and_then(|rest| rest.strip_prefix(name));
    tail.is_some_and(|tail| tail.is_empty() || tail.starts_with('/'))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The first sentence of a function's own documentation: what follows its name there.
fn purpose(function: &str) -> String {
    let source = read(&format!("functions/{function}/src/lib.rs"));
    let first = source.lines().next().unwrap_or_default();
    let start = format!("//! `{function}`: ");
    let purpose = first.strip_prefix(&start).unwrap_or_else(|| panic!("{function} begins with `{start}…`"));
    let purpose = purpose.split_inclusive(". ").next().unwrap_or_default().trim();
    let mut letters = purpose.chars();
    letters.next().map(|first| first.to_uppercase().to_string() + letters.as_str()).unwrap()
}

/// Every operation, with its place in the document.
fn operations() -> Vec<(String, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let methods = paths.iter().flat_map(|(path, item)| {
        item.as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| *name != "servers")
            .map(move |(method, operation)| (format!("{method} {path}"), operation))
    });
    methods.collect()
}

/// Calls back with every object below this value, and its place.
fn walk<'a>(place: &str, value: &'a Value, see: &mut impl FnMut(&str, &'a serde_json::Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            see(place, fields);
            for (name, inner) in fields {
                walk(&format!("{place}/{name}"), inner, see);
            }
        }
        Value::Array(values) => {
            for (index, inner) in values.iter().enumerate() {
                walk(&format!("{place}/{index}"), inner, see);
            }
        }
        _ => {}
    }
}

#[test]
fn the_description_that_is_served_is_that_of_the_types() {
    let path = root().join("functions/openapi/openapi.json");
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        std::fs::write(&path, &*TEXT).unwrap();
    }
    let served = std::fs::read_to_string(&path).unwrap();
    // Not `assert_eq`: two texts of this length side by side help nobody.
    assert!(served == *TEXT, "openapi.json is out of date: run `UPDATE=1 cargo test -p tests openapi`");
}

#[test]
fn every_component_is_described() {
    let manifest: toml::Table = toml::from_str(&read("spin.toml")).unwrap();
    let components: BTreeSet<String> = manifest["component"].as_table().unwrap().keys().cloned().collect();
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let own = paths.iter().filter(|(_, item)| item["servers"][0]["url"] != "/");
    let own: Vec<&String> = own.map(|(path, _)| path).collect();
    let name = |path: &&String| path.split('/').nth(1).unwrap_or_default().to_owned();
    assert_eq!(own.iter().map(name).collect::<BTreeSet<String>>(), components);
    let triggers = manifest["trigger"]["http"].as_array().unwrap().iter();
    let routes: BTreeSet<&str> = triggers.map(|trigger| trigger["route"].as_str().unwrap()).collect();
    for path in own {
        let route = format!("/functions/v1{}", path.replace('{', ":").replace('}', ""));
        assert!(routes.contains(route.as_str()), "spin.toml has no route {route}");
    }
}

#[test]
fn every_further_address_is_described_with_what_it_names() {
    assert!(!further_routes().is_empty());
    for (route, name) in further_routes() {
        let path = route.split('/').map(|part| match part.strip_prefix(':') {
            Some(name) => format!("{{{name}}}"),
            None => part.to_owned(),
        });
        let path = path.collect::<Vec<_>>().join("/");
        let item = &DOCUMENT["paths"][&path];
        let servers = item["servers"].as_array().unwrap();
        assert!(servers.iter().any(|server| server["url"] == "/"), "{name} at {path}");
        for method in METHODS.iter().filter_map(|method| item.get(method)) {
            let named = method["parameters"].as_array().unwrap().iter();
            let named: Vec<&str> =
                named.filter(|one| one["in"] == "path").filter_map(|one| one["name"].as_str()).collect();
            assert_eq!(named, route.split('/').filter_map(|part| part.strip_prefix(':')).collect::<Vec<_>>());
        }
    }
}

#[test]
fn what_a_function_describes_is_what_it_serves() {
    for (name, operations) in FUNCTIONS {
        let source = read(&format!("functions/{name}/src/lib.rs"));
        let served = source.split_once("edge::serve(request, ").unwrap().1;
        let served = served.split_once(".answer()").unwrap().0.replace(char::is_whitespace, "");
        let (door, actions) = served.split_once(')').unwrap();
        let methods: Vec<&str> =
            actions.split('.').filter_map(|one| one.split_once('(').map(|one| one.0)).collect();
        let described: Vec<&str> = operations().iter().map(Operation::method).collect();
        assert_eq!(described, methods, "the methods of {name}");
        let doors: Vec<Door> = operations().iter().map(Operation::door).collect();
        assert!(doors.iter().all(|one| format!("Door::{one:?}") == door), "the door of {name} is {door}");
    }
}

#[test]
fn every_operation_says_in_a_sentence_of_its_own_what_it_does() {
    let mut seen = BTreeMap::new();
    for (place, operation) in operations() {
        let summary = operation["summary"].as_str().unwrap();
        if operation["operationId"].as_str().unwrap().contains("_at_") {
            continue;
        }
        assert!(summary.ends_with('.') && summary.len() > 10, "{place}: {summary:?}");
        assert_eq!(seen.insert(summary, place.clone()), None, "{place} says what another says: {summary}");
    }
}

#[test]
fn every_field_and_every_parameter_is_explained() {
    let mut unexplained = Vec::new();
    let is_said = |value: &Value| value["description"].as_str().is_some_and(|text| !text.is_empty());
    walk("", &DOCUMENT["components"]["schemas"], &mut |place, schema| {
        for (name, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if !is_said(field) {
                unexplained.push(format!("{place}/{name}"));
            }
        }
    });
    for (place, operation) in operations() {
        for parameter in operation["parameters"].as_array().unwrap() {
            if parameter.get("$ref").is_none() && !is_said(parameter) {
                unexplained.push(format!("{place} {}", parameter["name"]));
            }
        }
    }
    assert_eq!(unexplained, Vec::<String>::new());
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_referred_to() {
    let mut used = BTreeSet::new();
    walk("", &DOCUMENT, &mut |place, object| {
        if let Some(target) = object.get("$ref").and_then(Value::as_str) {
            let pointer = target.strip_prefix('#').unwrap_or_else(|| panic!("{place} leads out: {target}"));
            assert!(DOCUMENT.pointer(pointer).is_some(), "{place} leads nowhere: {target}");
            used.insert(target.to_owned());
        }
    });
    for kind in ["schemas", "responses", "parameters", "headers"] {
        for name in DOCUMENT["components"][kind].as_object().unwrap().keys() {
            assert!(used.contains(&format!("#/components/{kind}/{name}")), "nothing refers to {kind}/{name}");
        }
    }
}

/// <https://spec.openapis.org/oas/v3.1.1.html>, as far as what we write goes.
#[test]
fn the_document_has_the_form_of_openapi_3_1() {
    assert_eq!(DOCUMENT["openapi"], "3.1.1");
    let name =
        |name: &String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    for kind in DOCUMENT["components"].as_object().unwrap().values() {
        assert!(kind.as_object().unwrap().keys().all(name));
    }
    let tags: BTreeSet<&str> =
        DOCUMENT["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    let mut ids = BTreeSet::new();
    for (place, operation) in operations() {
        assert!(METHODS.contains(&place.split(' ').next().unwrap()), "{place}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{place}: the id is taken");
        assert!(operation["tags"].as_array().unwrap().iter().all(|tag| tags.contains(tag.as_str().unwrap())));
        for need in operation["security"].as_array().unwrap() {
            for scheme in need.as_object().unwrap().keys() {
                assert!(DOCUMENT["components"]["securitySchemes"].get(scheme).is_some(), "{place}: {scheme}");
            }
        }
        check_parameters(&place, &operation["parameters"]);
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{place} never ends well");
        for (status, response) in responses {
            let status_is_one = status.parse::<u16>().is_ok_and(|status| (200..600).contains(&status));
            assert!(status_is_one, "{place}: {status}");
            assert!(
                response.get("$ref").is_some() || response["description"].is_string(),
                "{place}: {status}"
            );
        }
    }
}

fn check_parameters(place: &str, parameters: &Value) {
    let mut seen = BTreeSet::new();
    for parameter in parameters.as_array().unwrap() {
        let pointer =
            parameter.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
        let parameter = pointer.map_or(parameter, |pointer| DOCUMENT.pointer(pointer).unwrap());
        assert!(
            matches!(parameter["in"].as_str(), Some("query" | "header" | "path")),
            "{place}: {parameter}"
        );
        assert!(parameter.get("schema").is_some(), "{place}: {parameter}");
        assert!(seen.insert((parameter["in"].as_str(), parameter["name"].as_str())), "{place}: {parameter}");
    }
}
