//! A workflow: its draft, the version that is published, and the one that runs.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::stamp;
use super::tags::Tag;

const WEBHOOK: &str = "n8n-nodes-base.webhook";
const RESPOND: &str = "n8n-nodes-base.respondToWebhook";
const MANUAL: &str = "n8n-nodes-base.manualTrigger";
/// A type that no server has; whatever is of no package of the vendor's is unknown too.
const UNKNOWN: &str = "n8n-nodes-base.doesNotExist";

/// Nodes and connections at one time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) nodes: Value,
    pub(crate) connections: Value,
    pub(crate) created: DateTime<Utc>,
}

/// Where a published version listens.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Webhook {
    pub(crate) node: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) parameters: Value,
}

impl Version {
    fn nodes(&self) -> impl Iterator<Item = &Value> {
        self.nodes.as_array().into_iter().flatten()
    }

    pub(crate) fn enabled(&self) -> impl Iterator<Item = &Value> {
        self.nodes().filter(|node| node.get("disabled").and_then(Value::as_bool) != Some(true))
    }

    /// Nodes that start runs by themselves. A manual trigger does not.
    pub(crate) fn triggers(&self) -> usize {
        self.enabled().filter(|node| is_trigger(text(node, "type"))).count()
    }

    /// The node that runs begin with.
    pub(crate) fn first(&self) -> &str {
        let trigger = self.enabled().find(|node| {
            let kind = text(node, "type");
            is_trigger(kind) || kind == MANUAL
        });
        trigger.or_else(|| self.nodes().next()).map_or("Trigger", |node| text(node, "name"))
    }

    /// The first node of a type that the server does not know.
    pub(crate) fn unknown(&self) -> Option<&str> {
        let known = |kind: &str| {
            kind != UNKNOWN && (kind.starts_with("n8n-nodes-base.") || kind.starts_with("@n8n/"))
        };
        self.nodes().map(|node| text(node, "type")).find(|kind| !known(kind))
    }

    /// Where it listens.
    pub(crate) fn webhooks(&self) -> Vec<Webhook> {
        let listening = self.enabled().filter(|node| text(node, "type") == WEBHOOK);
        listening
            .map(|node| {
                let parameters = node.get("parameters").cloned().unwrap_or_default();
                let method = parameters.get("httpMethod").and_then(Value::as_str).unwrap_or("GET").to_owned();
                let path = text(&parameters, "path").trim_matches('/').to_owned();
                Webhook { node: text(node, "name").to_owned(), method, path, parameters }
            })
            .collect()
    }

    /// The parameters of the node that answers the caller.
    pub(crate) fn responder(&self) -> Option<&Value> {
        self.enabled().find(|node| text(node, "type") == RESPOND).and_then(|node| node.get("parameters"))
    }
}

/// A workflow and everything about it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Workflow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Value,
    pub(crate) draft: Version,
    pub(crate) settings: Map<String, Value>,
    pub(crate) static_data: Value,
    pub(crate) pin_data: Value,
    pub(crate) node_groups: Value,
    /// Tags by their ids.
    pub(crate) tags: BTreeSet<String>,
    pub(crate) created: DateTime<Utc>,
    pub(crate) updated: DateTime<Utc>,
    pub(crate) archived: bool,
    pub(crate) counter: u64,
    pub(crate) triggers: usize,
    /// What the API calls published.
    pub(crate) active: Option<Version>,
    /// What runs.
    pub(crate) live: Option<Version>,
    /// What will run, and from when on.
    pub(crate) pending: Option<(DateTime<Utc>, Option<Version>)>,
    /// Every version that was ever saved, oldest first.
    pub(crate) history: Vec<Version>,
}

impl Workflow {
    /// Lets what was published run, once its time has come.
    pub(crate) fn settle(&mut self, now: DateTime<Utc>) {
        if self.pending.as_ref().is_some_and(|(due, _)| *due <= now)
            && let Some((_, version)) = self.pending.take()
        {
            if let Some(version) = &version {
                self.triggers = version.triggers();
            }
            self.live = version;
        }
    }

    /// A setting as text.
    pub(crate) fn setting(&self, name: &str) -> &str {
        self.settings.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether the MCP server may run it.
    pub(crate) fn in_mcp(&self) -> bool {
        self.settings.get("availableInMCP").and_then(Value::as_bool) == Some(true)
    }

    /// As an item of the list.
    pub(crate) fn listed<'a>(&self, tags: impl Iterator<Item = &'a Tag>) -> Value {
        let tags: Vec<Value> = tags.filter(|tag| self.tags.contains(&tag.id)).map(Tag::shown).collect();
        json!({
            "id": self.id, "name": self.name, "active": self.active.is_some(),
            "activeVersionId": self.active.as_ref().map(|version| version.id.as_str()),
            "createdAt": stamp(self.created), "updatedAt": stamp(self.updated), "isArchived": self.archived,
            "versionId": self.draft.id, "triggerCount": self.triggers, "nodes": self.draft.nodes,
            "connections": self.draft.connections, "nodeGroups": self.node_groups, "settings": self.settings,
            "staticData": self.static_data, "pinData": self.pin_data, "meta": null, "tags": tags,
            "shared": [{ "role": "workflow:owner", "workflowId": self.id, "projectId": "personal" }],
            "activeVersion": self.active.as_ref().map(|version| self.version(version)),
        })
    }

    /// With all that belongs to it.
    pub(crate) fn shown<'a>(&self, tags: impl Iterator<Item = &'a Tag>) -> Value {
        let mut shown = self.listed(tags);
        if let Some(shown) = shown.as_object_mut() {
            shown.insert("description".to_owned(), self.description.clone());
            shown.insert("versionCounter".to_owned(), self.counter.into());
            shown.insert("sourceWorkflowId".to_owned(), Value::Null);
            let project = json!({ "id": "personal", "name": "Owner", "type": "personal" });
            let owner = json!({
                "role": "workflow:owner", "workflowId": self.id, "projectId": "personal", "project": project,
            });
            shown.insert("shared".to_owned(), json!([owner]));
            if let Some(active) = shown.get_mut("activeVersion").and_then(Value::as_object_mut) {
                active.insert("workflowPublishHistory".to_owned(), json!([]));
            }
        }
        shown
    }

    /// One of its versions.
    pub(crate) fn version(&self, version: &Version) -> Value {
        json!({
            "versionId": version.id, "workflowId": self.id, "nodes": version.nodes,
            "connections": version.connections, "authors": "Owner", "name": null, "description": null,
            "autosaved": false, "createdAt": stamp(version.created), "updatedAt": stamp(version.created),
        })
    }
}

/// A field as text, empty if it is none.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn is_trigger(kind: &str) -> bool {
    kind != MANUAL && (kind == WEBHOOK || kind.ends_with("Trigger") || kind.ends_with("trigger"))
}
