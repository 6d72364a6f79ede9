//! A test's grip on an n8n server: its runs and its data tables.

use serde_json::{Map, Value, json};

use super::execution::{Execution, Plan};
use super::runs::{self, Start};
use super::state::State;
use super::{N8nExecution, N8nHandle, tables};

/// A secret of whoever called a webhook, which n8n keeps with the run's data.
const SECRET: &str = "never-to-be-stored";

impl N8nHandle {
    // --- executions ---

    /// How the runs of a workflow go from now on; they succeed until set. It holds for webhooks, MCP and retries.
    pub fn plan(&self, workflow_id: &str, plan: Plan) {
        self.open().state.plans.insert(workflow_id.to_owned(), plan);
    }

    /// What a workflow's last node gives from now on; what its first node was given until set.
    pub fn set_output(&self, workflow_id: &str, output: Value) {
        self.open().state.outputs.insert(workflow_id.to_owned(), output);
    }

    /// A workflow runs by itself, published or not, and goes as planned here. Its data has the header `x-sync-secret`
    /// with [`Self::secret`]. Answers the run's id; empty if there is no such workflow.
    pub fn run(&self, workflow_id: &str, plan: &Plan) -> String {
        let mut instance = self.open();
        let state = &mut instance.state;
        let Some(workflow) = state.workflows.get(workflow_id) else { return String::new() };
        let version = workflow.live.as_ref().unwrap_or(&workflow.draft).clone();
        let mode = if version.webhooks().is_empty() { "trigger" } else { "webhook" };
        let input = json!({
            "headers": { "content-type": "application/json", "x-sync-secret": SECRET }, "params": {}, "query": {},
            "body": {},
        });
        let start = Start { workflow: workflow_id, version: &version, mode, input, retry_of: None };
        let id = runs::begin_with(state, start, plan);
        state.effects.clear();
        id.to_string()
    }

    /// A workflow begins to run and goes on until [`Self::finish`].
    pub fn start(&self, workflow_id: &str) -> String {
        self.run(workflow_id, &Plan::Running)
    }

    /// A run goes on as planned here: it ends, or waits. `false` if there is none.
    pub fn finish(&self, execution_id: &str, plan: &Plan) -> bool {
        let Ok(id) = execution_id.parse() else { return false };
        runs::proceed(&mut self.open().state, id, plan)
    }

    /// The secret that is in the data of the runs that were started here.
    pub fn secret(&self) -> &'static str {
        SECRET
    }

    /// The server forgets all runs that have ended but the newest so many. Answers how many it forgot.
    pub fn prune_executions(&self, keep: usize) -> usize {
        let mut instance = self.open();
        let ended = instance.state.executions.values().filter(|execution| !execution.status.is_open());
        let old: Vec<u64> = ended.rev().skip(keep).map(|execution| execution.id).collect();
        for id in &old {
            instance.state.executions.remove(id);
        }
        old.len()
    }

    /// A run, whether or not the API shows it.
    pub fn execution(&self, id: &str) -> Option<N8nExecution> {
        let id: u64 = id.parse().ok()?;
        self.open().state.executions.get(&id).map(N8nExecution::of)
    }

    /// Every run that there is, oldest first, those included that the API does not show.
    pub fn executions(&self) -> Vec<N8nExecution> {
        self.open().state.executions.values().map(N8nExecution::of).collect()
    }

    /// What an error workflow sends about a run that failed; `None` for any other run.
    pub fn pushed_error(&self, execution_id: &str) -> Option<Value> {
        let instance = self.open();
        let state = &instance.state;
        let execution = state.executions.get(&execution_id.parse().ok()?)?;
        pushed(state, execution, self.base_url())
    }

    // --- data tables ---

    /// Somebody has made a data table with these columns: name and `string`, `number`, `boolean` or `date`. Answers its
    /// id; empty if there can be no such table.
    pub fn add_table(&self, name: &str, columns: &[(&str, &str)]) -> String {
        tables::make(&mut self.open().state, name, columns).map(|table| table.id).unwrap_or_default()
    }

    /// The rows of a table by their ids, with `id`, `createdAt` and `updatedAt`.
    pub fn rows(&self, table_id: &str) -> Vec<Value> {
        let instance = self.open();
        let table = instance.state.tables.get(table_id);
        table.map(|table| table.rows.values().map(super::table::Row::shown).collect()).unwrap_or_default()
    }

    /// A workflow, or somebody, adds a row. Answers its id; `None` when the table does not take it.
    pub fn insert_row(&self, table_id: &str, values: &Value) -> Option<u64> {
        let mut instance = self.open();
        let now = instance.state.now();
        let table = instance.state.tables.get_mut(table_id)?;
        let values = table.checked(values).ok()?;
        Some(table.add(values, now).id)
    }

    /// Somebody changes columns of a row. `false` if there is none, or the table does not take the values.
    pub fn edit_row(&self, table_id: &str, row_id: u64, values: &Value) -> bool {
        let mut instance = self.open();
        let now = instance.state.now();
        let Some(table) = instance.state.tables.get_mut(table_id) else { return false };
        let values: Option<Map<String, Value>> = table.checked(values).ok();
        values.is_some_and(|values| table.write(row_id, &values, now).is_some())
    }

    /// Somebody deletes a row. `false` if there is none.
    pub fn delete_row(&self, table_id: &str, row_id: u64) -> bool {
        let mut instance = self.open();
        let table = instance.state.tables.get_mut(table_id);
        table.is_some_and(|table| table.rows.remove(&row_id).is_some())
    }
}

fn pushed(state: &State, execution: &Execution, address: &str) -> Option<Value> {
    let failure = execution.failure.as_ref()?;
    let workflow = state.workflows.get(&execution.workflow)?;
    let url = format!("{address}/workflow/{}/executions/{}", workflow.id, execution.id);
    let mut run = json!({
        "id": execution.id.to_string(), "url": url, "error": failure.shown(), "lastNodeExecuted": failure.node,
        "mode": execution.mode,
    });
    if let (Some(old), Some(run)) = (execution.retry_of, run.as_object_mut()) {
        run.insert("retryOf".to_owned(), old.to_string().into());
    }
    Some(json!({ "execution": run, "workflow": { "id": workflow.id, "name": workflow.name } }))
}
