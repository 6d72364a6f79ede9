//! What may be written of a workflow.

use super::site::{self, id};
use super::workflows::{Workflow, one};
use crate::{Account, Error, ErrorKind, Exchange, Result, Step, read};
use domain::{Fields, Value};
use http::Method;
use serde_json::json;
use std::fmt;

/// The longest name of a workflow, in characters.
const LONGEST_NAME: usize = 128;

/// The settings that n8n takes. It shows more than these, and refuses a workflow that brings them back.
const SETTINGS: [&str; 17] = [
    "saveExecutionProgress",
    "saveManualExecutions",
    "saveDataErrorExecution",
    "saveDataSuccessExecution",
    "executionTimeout",
    "errorWorkflow",
    "timezone",
    "executionOrder",
    "callerPolicy",
    "callerIds",
    "timeSavedPerExecution",
    "redactionPolicy",
    "availableInMCP",
    "customTelemetryTags",
    "workerPoolOverrideProduction",
    "workerPoolOverrideManual",
    "workerPoolOverrideEvaluation",
];

/// What may be written of a workflow (the whitelist).
#[derive(Clone, PartialEq)]
pub struct Definition {
    /// Its name, 1 to 128 characters.
    pub name: String,
    /// Its nodes: a list of objects, each with a `name` and a `type`.
    pub nodes: Value,
    /// What leads from which node to which: an object.
    pub connections: Value,
    /// Its settings: an object. n8n keeps what is not mentioned.
    pub settings: Value,
}

/// Shows the name only: the parameters of nodes may hold anything.
impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Definition").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Definition {
    /// From what a user stored, an export of n8n's editor for example: keeps the whitelist and drops what n8n refuses.
    /// [`ErrorKind::Rejected`] with a readable message where nodes or connections are missing or of the wrong form, or
    /// the name does not have 1 to 128 characters.
    pub fn of(name: &str, stored: &Value) -> Result<Self> {
        if !(1..=LONGEST_NAME).contains(&name.chars().count()) {
            return Err(wrong("its name must have 1 to 128 characters"));
        }
        let stored = stored.as_object().ok_or_else(|| wrong("it must be an object"))?;
        let nodes = match stored.get("nodes") {
            Some(Value::Array(nodes)) => nodes.iter().enumerate().map(node).collect::<Result<_>>()?,
            Some(_) => return Err(wrong("`nodes` must be a list")),
            None => return Err(wrong("`nodes` is missing")),
        };
        let connections = match stored.get("connections") {
            Some(Value::Object(connections)) => connections.clone(),
            Some(_) => return Err(wrong("`connections` must be an object")),
            None => return Err(wrong("`connections` is missing")),
        };
        let settings: Fields = match stored.get("settings") {
            None | Some(Value::Null) => Fields::new(),
            Some(Value::Object(settings)) => {
                let taken = settings.iter().filter(|(name, _)| SETTINGS.contains(&name.as_str()));
                taken.map(|(name, value)| (name.clone(), value.clone())).collect()
            }
            Some(_) => return Err(wrong("`settings` must be an object")),
        };
        Ok(Self {
            name: name.to_owned(),
            nodes: Value::Array(nodes),
            connections: Value::Object(connections),
            settings: Value::Object(settings),
        })
    }

    fn body(&self) -> Value {
        json!({
            "name": self.name, "nodes": self.nodes, "connections": self.connections, "settings": self.settings,
        })
    }
}

fn node((at, node): (usize, &Value)) -> Result<Value> {
    let Some(fields) = node.as_object() else {
        return Err(wrong(&format!("node {} must be an object", at.saturating_add(1))));
    };
    for field in ["name", "type"] {
        if fields.get(field).and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(wrong(&format!("node {} has no `{field}`", at.saturating_add(1))));
        }
    }
    let mut fields = fields.clone();
    // Read-only, wherever they come from.
    fields.remove("createdAt");
    fields.remove("updatedAt");
    Ok(Value::Object(fields))
}

fn wrong(why: &str) -> Error {
    Error::new(ErrorKind::Rejected, format!("the workflow cannot be written: {}", read::excerpt(why)))
}

/// Makes a workflow. n8n takes any number with the same name: whoever repeats this makes another one.
pub fn create_workflow(account: &Account, definition: &Definition) -> Result<Exchange<Workflow>> {
    let site = site::of(account)?;
    site.call(Method::POST, "/workflows", &definition.body(), |reply| one(reply).map(Step::Done))
}

/// Replaces a workflow's name, nodes and connections, and changes the settings that are mentioned. One that is published
/// is published anew at once. [`ErrorKind::NotFound`] where there is none (or it is somebody else's).
pub fn update_workflow(
    account: &Account,
    workflow_id: &str,
    definition: &Definition,
) -> Result<Exchange<Workflow>> {
    let site = site::of(account)?;
    let path = format!("/workflows/{}", id(workflow_id, "a workflow")?);
    site.call(Method::PUT, &path, &definition.body(), |reply| one(reply).map(Step::Done))
}
