//! A test's grip on an n8n server: its keys, its phases and its workflows.

use std::sync::{Arc, MutexGuard};

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::workflow::Version;
use super::{Instance, N8nWorkflow, Phase, key, publishing, tags, workflows};
use crate::account::{Account, handle_methods};

/// A server, as its own people see it. Clones are the same server.
#[derive(Debug, Clone)]
pub struct N8nHandle {
    account: Arc<Account<Instance>>,
    address: String,
}

impl N8nHandle {
    pub(crate) fn new(account: Arc<Account<Instance>>, address: String) -> Self {
        Self { account, address }
    }

    handle_methods!();

    /// The server's state, with everything done that has become due.
    pub(super) fn open(&self) -> MutexGuard<'_, Instance> {
        let mut instance = self.account.platform();
        instance.state.settle();
        instance
    }

    // --- credentials and settings ---

    /// The address that an integration is given: the API is below it at `/api/v1`, webhooks at `/webhook`.
    pub fn base_url(&self) -> &str {
        &self.address
    }

    /// The key of the public API; empty after [`Self::expire_key`].
    pub fn api_key(&self) -> String {
        self.account.platform().api_key.clone().unwrap_or_default()
    }

    /// The key of the MCP server, which is another one.
    pub fn mcp_key(&self) -> String {
        self.account.platform().mcp_key.clone()
    }

    /// What an integration is given as its credential.
    pub fn credential(&self) -> Value {
        json!({ "kind": "api_key", "api_key": self.api_key(), "mcp_key": self.mcp_key() })
    }

    /// Makes the key of the API worthless.
    pub fn expire_key(&self) {
        self.account.platform().api_key = None;
    }

    /// Somebody makes another key of the API, which is answered; the one before is worthless.
    pub fn renew_key(&self) -> String {
        let mut instance = self.account.platform();
        let made = key(&mut instance.state, "public-api");
        instance.api_key.insert(made).clone()
    }

    /// What the key may do from now on; everything until set.
    pub fn set_scopes(&self, scopes: &[&str]) {
        self.account.platform().scopes = Some(scopes.iter().map(|scope| (*scope).to_owned()).collect());
    }

    /// Whether the server starts: its health is good, it is not ready, and the API is not there.
    pub fn set_starting(&self, yes: bool) {
        self.account.platform().phase = if yes { Phase::Starting } else { Phase::Running };
    }

    /// Whether the server is stopped: every connection is cut.
    pub fn set_stopped(&self, yes: bool) {
        self.account.platform().phase = if yes { Phase::Stopped } else { Phase::Running };
    }

    /// Whether it is a server of version 2.30: it knows neither `publish` and `publishIfActive` nor `startedAfter`.
    pub fn set_old_version(&self, yes: bool) {
        self.account.platform().old_version = yes;
    }

    /// How long after its publication a version runs, by the platforms' clock; 300 ms until set. What is unpublished
    /// ends after half of it.
    pub fn set_publication_delay(&self, delay: TimeDelta) {
        self.open().state.publication = delay;
    }

    /// The most requests to the API that came within any 60 seconds of the machine's clock.
    pub fn most_in_a_minute(&self) -> usize {
        self.account.platform().arrivals.most
    }

    /// Where the server sends its traces.
    pub fn otel(&self) -> Value {
        self.account.platform().otel.clone()
    }

    // --- workflows ---

    /// Somebody has made this workflow in the editor: with a webhook at this path (`POST`, answers at once), or with a
    /// schedule. An active one runs already. Answers its id. Not in the journal.
    pub fn add_workflow(&self, name: &str, active: bool, webhook: Option<&str>) -> String {
        let first = match webhook {
            Some(path) => json!({
                "name": "Webhook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0],
                "webhookId": path,
                "parameters": { "httpMethod": "POST", "path": path, "responseMode": "onReceived" },
            }),
            None => json!({
                "name": "Schedule Trigger", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1,
                "position": [0, 0], "parameters": {},
            }),
        };
        let code = json!({
            "name": "Code", "type": "n8n-nodes-base.code", "typeVersion": 2, "position": [220, 0],
            "parameters": { "jsCode": "return $input.all();" },
        });
        let name_of_first = first.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut connections = serde_json::Map::new();
        let to_code = json!({ "main": [[{ "node": "Code", "type": "main", "index": 0 }]] });
        connections.insert(name_of_first, to_code);
        let content =
            json!({ "name": name, "nodes": [first, code], "connections": connections, "settings": {} });
        let mut instance = self.open();
        let state = &mut instance.state;
        let id = content.as_object().map(|content| workflows::make(state, content)).unwrap_or_default();
        if active {
            release(&mut instance, &id, true);
        }
        id
    }

    /// A workflow; `None` when there is none.
    pub fn workflow(&self, id: &str) -> Option<N8nWorkflow> {
        let state = &self.open().state;
        state.workflows.get(id).map(|workflow| N8nWorkflow::of(state, workflow))
    }

    /// Every workflow, by its id.
    pub fn workflows(&self) -> Vec<N8nWorkflow> {
        let state = &self.open().state;
        state.workflows.values().map(|workflow| N8nWorkflow::of(state, workflow)).collect()
    }

    /// Somebody renames a workflow, a prefix included. `false` if there is none.
    pub fn rename(&self, id: &str, name: &str) -> bool {
        self.edit(id, |_, workflow| name.clone_into(&mut workflow.name))
    }

    /// Somebody draws other nodes. What is published stays as it is. `false` if there is no such workflow.
    pub fn set_nodes(&self, id: &str, nodes: Value, connections: Value) -> bool {
        self.edit(id, |state, workflow| {
            let nodes = workflows::with_ids(state, nodes);
            workflows::redraw(state, workflow, nodes, connections);
        })
    }

    /// Somebody changes a setting, such as `availableInMCP`, `errorWorkflow` or `saveDataSuccessExecution`; null takes
    /// it away. `false` if there is no such workflow.
    pub fn set_setting(&self, id: &str, name: &str, value: Value) -> bool {
        self.edit(id, |_, workflow| {
            if value.is_null() {
                workflow.settings.remove(name);
            } else {
                workflow.settings.insert(name.to_owned(), value);
            }
            workflow.counter += 1;
        })
    }

    fn edit(
        &self,
        id: &str,
        change: impl FnOnce(&mut super::state::State, &mut super::workflow::Workflow),
    ) -> bool {
        let mut instance = self.open();
        let state = &mut instance.state;
        let Some(mut workflow) = state.workflows.get(id).cloned() else { return false };
        change(state, &mut workflow);
        workflow.updated = state.now();
        state.workflows.insert(id.to_owned(), workflow);
        true
    }

    /// Somebody tags a workflow; a new tag is made. `false` if there is no such workflow or can be no such tag.
    pub fn tag(&self, id: &str, name: &str) -> bool {
        let mut instance = self.open();
        let state = &mut instance.state;
        let known = state.tags.values().find(|tag| tag.name == name).map(|tag| tag.id.clone());
        let Some(tag) = known.or_else(|| tags::make(state, name).ok().map(|tag| tag.id)) else {
            return false;
        };
        let Some(workflow) = state.workflows.get_mut(id) else { return false };
        workflow.tags.insert(tag);
        true
    }

    /// Somebody takes all tags off a workflow. `false` if there is none.
    pub fn untag(&self, id: &str) -> bool {
        let mut instance = self.open();
        let Some(workflow) = instance.state.workflows.get_mut(id) else { return false };
        workflow.tags.clear();
        true
    }

    /// The names of all tags, in order.
    pub fn tags(&self) -> Vec<String> {
        let mut names: Vec<String> = self.open().state.tags.values().map(|tag| tag.name.clone()).collect();
        names.sort();
        names
    }

    /// Somebody publishes a workflow's draft, which runs at once. `false` if it cannot be published.
    pub fn publish(&self, id: &str) -> bool {
        release(&mut self.open(), id, true)
    }

    /// Somebody unpublishes a workflow, which ends at once. `false` if there is none.
    pub fn unpublish(&self, id: &str) -> bool {
        release(&mut self.open(), id, false)
    }

    /// Somebody archives a workflow. `false` if there is none, or it is archived.
    pub fn archive(&self, id: &str) -> bool {
        publishing::shelve(&mut self.open().state, id, true)
    }

    /// Somebody takes a workflow out of the archive. `false` if it is not in it.
    pub fn unarchive(&self, id: &str) -> bool {
        publishing::shelve(&mut self.open().state, id, false)
    }

    /// Somebody deletes a workflow, published or not, and with it its executions. `false` if there is none.
    pub fn delete(&self, id: &str) -> bool {
        self.open().state.forget(id).is_some()
    }

    /// A workflow's webhook wants to see this header from now on, once its node says `authentication: headerAuth`.
    pub fn protect_webhook(&self, id: &str, header: &str, value: &str) {
        let guard = (header.to_owned(), value.to_owned());
        self.open().state.guards.insert(id.to_owned(), guard);
    }
}

/// Publishes the draft, or ends what is published, without the delay.
fn release(instance: &mut Instance, id: &str, active: bool) -> bool {
    let state = &mut instance.state;
    let Some(workflow) = state.workflows.get(id) else { return false };
    let version: Option<Version> = active.then(|| workflow.draft.clone());
    if let Some(version) = &version
        && (workflow.archived || publishing::check(state, workflow, version).is_err())
    {
        return false;
    }
    publishing::set(state, id, version);
    let now = state.clock.now();
    if let Some(workflow) = state.workflows.get_mut(id) {
        workflow.pending = workflow.pending.take().map(|(_, version)| (now, version));
        workflow.settle(now);
    }
    true
}
