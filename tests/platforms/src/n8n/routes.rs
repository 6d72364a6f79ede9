//! The paths of the public API: what each does, which scope it needs, and since when there is it.

use http::Method;
use serde_json::Value;

use super::problem::Problem;
use super::workflows as flows;
use super::{Instance, executions, publishing, rows, settings, tables, tags};
use crate::web::{Reply, Request};

/// The longest body that is read.
const LONGEST: usize = 16 * 1024 * 1024;

/// A request with what its path names and its body says.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) request: &'a Request,
    pub(crate) ids: Vec<String>,
    /// Null when there is none.
    pub(crate) body: Value,
}

impl Call<'_> {
    /// The first record that the path names.
    pub(crate) fn id(&self) -> &str {
        self.ids.first().map_or("", String::as_str)
    }
}

/// What a request does.
type Act = fn(&mut Instance, &Call) -> Result<Reply, Problem>;

struct Route {
    method: &'static str,
    path: &'static str,
    scope: &'static str,
    act: Act,
    /// Whether older versions have it too.
    old: bool,
}

const fn always(method: &'static str, path: &'static str, scope: &'static str, act: Act) -> Route {
    Route { method, path, scope, act, old: true }
}

const fn new(method: &'static str, path: &'static str, scope: &'static str, act: Act) -> Route {
    Route { method, path, scope, act, old: false }
}

/// Every path that is simulated; those without names in them first.
const ROUTES: &[Route] = &[
    always("GET", "/workflows", "workflow:list", flows::list),
    always("POST", "/workflows", "workflow:create", flows::create),
    always("GET", "/workflows/{}", "workflow:read", flows::get),
    always("PUT", "/workflows/{}", "workflow:update", flows::update),
    always("DELETE", "/workflows/{}", "workflow:delete", flows::delete),
    always("POST", "/workflows/{}/activate", "workflow:activate", publishing::activate),
    always("POST", "/workflows/{}/deactivate", "workflow:deactivate", publishing::deactivate),
    new("POST", "/workflows/{}/publish", "workflow:activate", publishing::publish),
    new("POST", "/workflows/{}/unpublish", "workflow:deactivate", publishing::unpublish),
    always("POST", "/workflows/{}/archive", "workflow:delete", publishing::archive),
    always("POST", "/workflows/{}/unarchive", "workflow:delete", publishing::unarchive),
    always("GET", "/workflows/{}/tags", "workflowTags:list", tags::of_workflow),
    always("PUT", "/workflows/{}/tags", "workflowTags:update", tags::set_of_workflow),
    new("GET", "/workflows/{}/history", "workflow:read", flows::history),
    new("GET", "/workflows/{}/versions/{}", "workflow:read", flows::version),
    // Because of this one a path that is not there is a method that is not allowed.
    new("GET", "/workflows/{}/{}", "workflow:read", flows::version),
    always("GET", "/tags", "tag:list", tags::list),
    always("POST", "/tags", "tag:create", tags::create),
    always("GET", "/tags/{}", "tag:read", tags::get),
    always("PUT", "/tags/{}", "tag:update", tags::rename),
    always("DELETE", "/tags/{}", "tag:delete", tags::delete),
    always("GET", "/executions", "execution:list", executions::list),
    always("POST", "/executions/stop", "execution:stop", executions::stop_many),
    always("GET", "/executions/{}", "execution:read", executions::get),
    always("DELETE", "/executions/{}", "execution:delete", executions::delete),
    always("POST", "/executions/{}/stop", "execution:stop", executions::stop),
    always("POST", "/executions/{}/retry", "execution:retry", executions::retry),
    always("GET", "/data-tables", "dataTable:list", tables::list),
    always("POST", "/data-tables", "dataTable:create", tables::create),
    always("GET", "/data-tables/{}", "dataTable:read", tables::get),
    always("PATCH", "/data-tables/{}", "dataTable:update", tables::rename),
    always("DELETE", "/data-tables/{}", "dataTable:delete", tables::delete),
    always("GET", "/data-tables/{}/columns", "dataTable:read", tables::columns),
    always("GET", "/data-tables/{}/rows", "dataTableRow:read", rows::list),
    always("POST", "/data-tables/{}/rows", "dataTableRow:create", rows::insert),
    always("PATCH", "/data-tables/{}/rows/update", "dataTableRow:update", rows::update),
    always("POST", "/data-tables/{}/rows/upsert", "dataTableRow:upsert", rows::upsert),
    always("DELETE", "/data-tables/{}/rows/delete", "dataTableRow:delete", rows::delete),
    always("DELETE", "/data-tables/{}/rows/clear", "dataTableRow:delete", rows::clear),
    always("GET", "/discover", "", settings::discover),
    new("GET", "/settings/otel", "otel:manage", settings::otel),
    new("PUT", "/settings/otel", "otel:manage", settings::set_otel),
];

/// What the community's edition refuses, and the feature that is missing.
const LICENSED: &[(&str, &str)] = &[
    ("/projects", "projectRole:admin"),
    ("/variables", "variables"),
    ("/source-control", "sourceControl"),
    ("/settings/log-streaming", "logStreaming"),
    ("/role-mapping-rules", "provisioning"),
];

/// What the vendor has and this server has not.
const MISSING: &[&str] = &[
    "/credentials",
    "/users",
    "/audit",
    "/insights",
    "/settings/ldap",
    "/settings/sso",
    "/community-packages",
    "/n8n-packages",
    "/node-type-policies",
    "/promotions",
    "/roles",
];

/// Every scope there is, once.
pub(crate) fn scopes() -> Vec<&'static str> {
    let scopes: std::collections::BTreeSet<_> =
        ROUTES.iter().map(|route| route.scope).filter(|scope| !scope.is_empty()).collect();
    scopes.into_iter().collect()
}

/// Every path with its method and scope, as far as this version has them.
pub(crate) fn operations(
    old_version: bool,
) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let there = ROUTES.iter().filter(move |route| route.old || !old_version);
    there.map(|route| (route.method, route.path, route.scope))
}

/// Does what the path says: an unknown path and a wrong method come before the key, the key before the content. A body
/// that cannot be read is not even looked at by the API.
pub(crate) fn answer(instance: &mut Instance, request: &Request, path: &str) -> Result<Reply, Problem> {
    let parsed = parsed(request)?;
    let there = ROUTES.iter().filter(|route| route.old || !instance.old_version);
    let named: Vec<(&Route, Vec<String>)> =
        there.filter_map(|route| Some((route, names(route.path, path)?))).collect();
    if named.is_empty() {
        return Err(elsewhere(path));
    }
    let method = request.method.as_str();
    let Some((route, ids)) = named.into_iter().find(|(route, _)| route.method == method) else {
        return Err(Problem::new(405, format!("{method} method not allowed")));
    };
    instance.let_in(request)?;
    instance.needs(route.scope)?;
    let kind = request.header("content-type");
    if !request.body.is_empty() && !kind.starts_with("application/json") {
        return Err(Problem::new(415, format!("unsupported media type {kind}")));
    }
    (route.act)(instance, &Call { request, ids, body: parsed })
}

/// The body as JSON, where it says that it is.
fn parsed(request: &Request) -> Result<Value, Problem> {
    if request.body.len() > LONGEST {
        return Err(Problem::page(413, "PayloadTooLargeError: request entity too large"));
    }
    let has_body = request.method != Method::GET && !request.body.is_empty();
    if !has_body || !request.header("content-type").starts_with("application/json") {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&request.body).map_err(|_| Problem::page(500, "Failed to parse request body"))
}

/// What stands in the places of the braces, decoded, if the path is of this form.
fn names(form: &str, path: &str) -> Option<Vec<String>> {
    let (mut form, mut path) = (form.split('/'), path.split('/'));
    let mut names = Vec::new();
    loop {
        match (form.next(), path.next()) {
            (None, None) => return Some(names),
            (Some("{}"), Some(given)) if !given.is_empty() => {
                names.push(percent_decoded(given));
            }
            (Some(wanted), Some(given)) if wanted == given => {}
            _ => return None,
        }
    }
}

/// A part of a path as it was meant. A plus is a plus there.
pub(crate) fn percent_decoded(part: &str) -> String {
    let part = part.replace('+', "%2B");
    let mut decoded = url::form_urlencoded::parse(part.as_bytes());
    decoded.next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

/// What is said of a path that is not simulated.
fn elsewhere(path: &str) -> Problem {
    let is =
        |start: &str| path == start || path.strip_prefix(start).is_some_and(|rest| rest.starts_with('/'));
    if let Some((_, feature)) = LICENSED.iter().find(|(start, _)| is(start)) {
        return Problem::new(403, format!("Your license does not allow for feat:{feature}."));
    }
    if MISSING.iter().any(|start| is(start)) {
        return Problem::new(501, format!("{path} is not simulated (simulator)"));
    }
    Problem::no_path()
}
