//! Workflows: lists, reads and writes.

use serde_json::{Map, Value, json};

use super::body::{self, Purpose};
use super::problem::Problem;
use super::routes::Call;
use super::state::State;
use super::workflow::{Version, Workflow};
use super::{Instance, page, publishing};
use crate::journal::Verb;
use crate::web::Reply;

/// A page of all workflows, archived ones included, by their random ids.
pub(crate) fn list(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let (request, state) = (call.request, &instance.state);
    let active = match request.query_value("active").as_deref() {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => return Err(Problem::bad("request/query/active must be boolean")),
    };
    let name = request.query_value("name").filter(|name| !name.is_empty());
    let tags = request.query_value("tags").unwrap_or_default();
    let tags: Vec<&str> = tags.split(',').filter(|tag| !tag.is_empty()).collect();
    let without_pins = request.query_value("excludePinnedData").is_some_and(|value| value == "true");
    let has = |workflow: &Workflow, name: &str| {
        state.tags.values().any(|tag| tag.name == name && workflow.tags.contains(&tag.id))
    };
    let found: Vec<&Workflow> = state
        .workflows
        .values()
        .filter(|workflow| active.is_none_or(|active| workflow.active.is_some() == active))
        .filter(|workflow| name.as_deref().is_none_or(|name| like(&workflow.name, &format!("%{name}%"))))
        .filter(|workflow| tags.iter().all(|tag| has(workflow, tag)))
        .collect();
    let window = page::window(request)?;
    let page = page::paged(window, &found, |workflow| {
        let mut shown = workflow.listed(state.tags.values());
        if let Some(shown) = shown.as_object_mut().filter(|_| without_pins) {
            shown.remove("pinData");
        }
        shown
    });
    Ok(Reply::json(200, &page))
}

/// Whether a text is like a pattern of SQL, in which `%` and `_` stand for anything. Capitals do not count.
pub(crate) fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let mut reached = vec![false; text.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for wanted in pattern.to_lowercase().chars() {
        let mut next = vec![false; text.len() + 1];
        let mut before = false;
        for (at, is_reached) in reached.iter().enumerate() {
            if let Some(slot) = next.get_mut(at) {
                let given = at.checked_sub(1).and_then(|at| text.get(at));
                let matches = given.is_some_and(|given| wanted == '_' || *given == wanted);
                let stepped = at > 0 && matches && reached.get(at - 1).copied().unwrap_or_default();
                *slot = if wanted == '%' { *is_reached || before } else { stepped };
                before = *slot;
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or_default()
}

pub(crate) fn get(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let state = &instance.state;
    let workflow = state.workflows.get(call.id()).ok_or_else(Problem::not_found)?;
    Ok(Reply::json(200, &workflow.shown(state.tags.values())))
}

/// Every version that was saved, newest first.
pub(crate) fn history(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let workflow = instance.state.workflows.get(call.id()).ok_or_else(Problem::not_found)?;
    let versions: Vec<&Version> = workflow.history.iter().rev().collect();
    Ok(Reply::json(200, &page::paged(page::window(call.request)?, &versions, |one| workflow.version(one))))
}

pub(crate) fn version(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let workflow = instance.state.workflows.get(call.id()).ok_or_else(Problem::not_found)?;
    let id = call.ids.get(1).map_or("", String::as_str);
    let version = workflow.history.iter().find(|version| version.id == id).ok_or_else(Problem::not_found)?;
    Ok(Reply::json(200, &workflow.version(version)))
}

pub(crate) fn create(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let given = body::checked(&call.body, Purpose::Create)?;
    let state = &mut instance.state;
    let id = make(state, given);
    state.tell(Verb::Created, &id);
    Ok(Reply::json(200, &state.shown(&id)))
}

/// A workflow with this content. Two may have the same name.
pub(crate) fn make(state: &mut State, given: &Map<String, Value>) -> String {
    let (id, version, now) = (state.new_id(), state.new_uuid(), state.now());
    let field = |name: &str| given.get(name).cloned().unwrap_or_default();
    let nodes = with_ids(state, field("nodes"));
    let draft = Version { id: version, nodes, connections: field("connections"), created: now };
    let workflow = Workflow {
        id: id.clone(),
        name: field("name").as_str().unwrap_or_default().to_owned(),
        description: Value::Null,
        history: vec![draft.clone()],
        draft,
        settings: given.get("settings").and_then(Value::as_object).cloned().unwrap_or_default(),
        static_data: field("staticData"),
        pin_data: field("pinData"),
        node_groups: given.get("nodeGroups").cloned().unwrap_or_else(|| json!([])),
        tags: std::collections::BTreeSet::new(),
        created: now,
        updated: now,
        archived: false,
        counter: 1,
        triggers: 0,
        active: None,
        live: None,
        pending: None,
    };
    state.workflows.insert(id.clone(), workflow);
    id
}

/// Nodes get the ids that they lack.
pub(crate) fn with_ids(state: &mut State, mut nodes: Value) -> Value {
    for node in nodes.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        let listens = node.get("type").and_then(Value::as_str) == Some("n8n-nodes-base.webhook");
        let wanted = ["id", "webhookId"].into_iter().filter(|name| *name == "id" || listens);
        for name in wanted {
            if node.get(name).and_then(Value::as_str).is_none_or(str::is_empty) {
                let id = state.new_uuid();
                node.insert(name.to_owned(), id.into());
            }
        }
    }
    nodes
}

/// Replaces a workflow. An active one is published again, unless the query says otherwise.
pub(crate) fn update(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let given = body::checked(&call.body, Purpose::Update)?;
    let republishes = instance.old_version
        || call.request.query_value("publishIfActive").is_none_or(|value| value != "false");
    let (state, id) = (&mut instance.state, call.id());
    let workflow = state.workflows.get(id).ok_or_else(Problem::no_workflow)?;
    if workflow.archived {
        return Err(Problem::bad("Cannot update an archived workflow."));
    }
    let is_active = workflow.active.is_some();
    let mut changed = workflow.clone();
    replace(state, &mut changed, given);
    if is_active && republishes {
        publishing::check(state, &changed, &changed.draft)?;
    }
    let draft = changed.draft.clone();
    state.workflows.insert(id.to_owned(), changed);
    if is_active && republishes {
        publishing::set(state, id, Some(draft));
    }
    state.tell(Verb::Updated, id);
    Ok(Reply::json(200, &state.shown(id)))
}

/// Changes what is given. Settings are added to those that are there.
fn replace(state: &mut State, workflow: &mut Workflow, given: &Map<String, Value>) {
    let now = state.now();
    if let Some(name) = given.get("name").and_then(Value::as_str) {
        name.clone_into(&mut workflow.name);
    }
    let extra = [
        ("staticData", &mut workflow.static_data),
        ("pinData", &mut workflow.pin_data),
        ("nodeGroups", &mut workflow.node_groups),
        ("description", &mut workflow.description),
    ];
    for (name, place) in extra {
        if let Some(value) = given.get(name) {
            *place = value.clone();
        }
    }
    let mut settings = workflow.settings.clone();
    for (name, value) in given.get("settings").and_then(Value::as_object).into_iter().flatten() {
        if name == "executionTimeout" && value.as_i64() == Some(-1) {
            settings.remove(name);
        } else {
            settings.insert(name.clone(), value.clone());
        }
    }
    if settings != workflow.settings {
        workflow.settings = settings;
        workflow.counter += 1;
    }
    let nodes = with_ids(state, given.get("nodes").cloned().unwrap_or_default());
    let connections = given.get("connections").cloned().unwrap_or_default();
    redraw(state, workflow, nodes, connections);
    workflow.updated = now;
}

/// Another draft, if anything in it is other than before.
pub(crate) fn redraw(state: &mut State, workflow: &mut Workflow, nodes: Value, connections: Value) {
    if nodes == workflow.draft.nodes && connections == workflow.draft.connections {
        return;
    }
    workflow.draft = Version { id: state.new_uuid(), nodes, connections, created: state.now() };
    workflow.history.push(workflow.draft.clone());
    workflow.counter += 1;
}

/// Deletes a workflow that is not published and no longer runs. Its executions go with it.
pub(crate) fn delete(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let (state, id) = (&mut instance.state, call.id());
    let workflow = state.workflows.get(id).ok_or_else(Problem::not_found)?;
    if workflow.active.is_some() {
        let message = "Cannot delete a published workflow. Unpublish it before deleting.";
        return Err(Problem::new(409, message));
    }
    if workflow.archived && (workflow.live.is_some() || workflow.pending.is_some()) {
        // As 2.41.1 does right after a published workflow was archived.
        return Err(Problem::new(500, "Internal server error"));
    }
    if workflow.live.is_some() || workflow.pending.is_some() {
        let message = "Workflow is still being unpublished. Please try again in a few moments.";
        return Err(Problem::new(409, message));
    }
    let shown = state.shown(id);
    state.tell(Verb::Deleted, id);
    state.forget(id);
    Ok(Reply::json(200, &shown))
}
