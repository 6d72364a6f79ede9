//! What may stand in the body of a workflow. Nothing that is only read, nothing that is unknown.

use serde_json::{Map, Value};

use super::problem::Problem;

/// What every body must have.
const REQUIRED: &[&str] = &["name", "nodes", "connections", "settings"];
/// What only n8n itself sets.
const READ_ONLY: &[&str] = &[
    "id",
    "active",
    "createdAt",
    "updatedAt",
    "versionId",
    "triggerCount",
    "isArchived",
    "tags",
    "meta",
    "activeVersion",
];
/// What may stand beside what must, where a workflow is made and where it is replaced.
const ON_CREATE: &[&str] = &["staticData", "pinData", "shared", "nodeGroups", "projectId", "parentFolderId"];
const ON_UPDATE: &[&str] = &["staticData", "pinData", "nodeGroups", "description", "parentFolderId"];
/// The settings of a workflow.
const SETTINGS: &[&str] = &[
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
    "timeSavedMode",
    "availableInMCP",
    "redactionPolicy",
    "binaryMode",
    "credentialResolverId",
];
/// The most characters of a name.
const LONGEST: usize = 128;

/// Why a body is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A new workflow.
    Create,
    /// In the place of a workflow.
    Update,
}

/// The body, if it is as strict as n8n is.
pub(crate) fn checked(body: &Value, purpose: Purpose) -> Result<&Map<String, Value>, Problem> {
    let given = body.as_object().ok_or_else(|| Problem::bad("request/body must be object"))?;
    if let Some(name) = READ_ONLY.iter().find(|name| given.contains_key(**name)) {
        return Err(Problem::bad(format!("request/body/{name} is read-only")));
    }
    if let Some(name) = REQUIRED.iter().find(|name| !given.contains_key(**name)) {
        return Err(Problem::bad(format!("request/body must have required property '{name}'")));
    }
    let extra = if purpose == Purpose::Create { ON_CREATE } else { ON_UPDATE };
    known("request/body", given, &[REQUIRED, extra].concat())?;
    for (name, kind) in
        [("name", "string"), ("nodes", "array"), ("connections", "object"), ("settings", "object")]
    {
        if given.get(name).map(kind_of) != Some(kind) {
            return Err(Problem::bad(format!("request/body/{name} must be {kind}")));
        }
    }
    if let Some(settings) = given.get("settings").and_then(Value::as_object) {
        known("request/body/settings", settings, SETTINGS)?;
    }
    let length = given.get("name").and_then(Value::as_str).unwrap_or_default().chars().count();
    if length == 0 || length > LONGEST {
        return Err(Problem::bad("Workflow name must be 1 to 128 characters long."));
    }
    Ok(given)
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        _ => "another",
    }
}

fn known(place: &str, given: &Map<String, Value>, names: &[&str]) -> Result<(), Problem> {
    let unknown: Vec<String> =
        given.keys().filter(|name| !names.contains(&name.as_str())).map(|name| format!("'{name}'")).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Problem::bad(format!("{place} Unrecognized key(s) in object: {}", unknown.join(", "))))
}
