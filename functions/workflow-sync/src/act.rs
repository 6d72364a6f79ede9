//! The actions.

use crate::{Input, Output};
use chrono::TimeDelta;
use domain::{Fault, IntegrationId, WorkflowId};
use edge::{Call, Problem};
use engine::{Cleanup, Deadline, Part, Read, Settings, Wanted};
use std::time::Duration;
use store::workflows::{self, Named};
use store::{Claims, Db, n8n};

/// Two clicks are one reading of the workflows.
const FRESH: TimeDelta = TimeDelta::seconds(5);
/// When to ask again for a server that is away.
const AWAY: Duration = Duration::from_mins(1);
const PARTS: &[Part] = &[Part::Workflows, Part::Executions];

/// Reads the server of a user. That it is away is a problem with the time to ask again: nobody is to take it for done.
pub(crate) async fn sync_mine(db: &Db, call: Call<Input>) -> Result<Output, Problem> {
    let user = call.caller.user()?;
    let id = server(db, &user.claims, call.input.integration_id).await?;
    let deadline = Deadline::of_run(call.deadline.at());
    let wanted = Wanted { parts: PARTS, fresh: FRESH, by: Some(user.id) };
    let settings = Settings::read().await?;
    let read = engine::read_n8n(db, &settings, id, wanted, deadline).await?;
    if let Some(failure) = read.failure {
        let what =
            format!("n8n unavailable: {failure} What is shown is as it was before; it catches up by itself.");
        return Err(Problem::platform_unavailable(what, AWAY));
    }
    let mut output = Output { success: true, ..Output::default() };
    output.add(read);
    Ok(output.took(deadline))
}

/// Reads all servers, for systems. One that is away does not keep the others.
pub(crate) async fn sync_all(db: &Db, call: Call<Input>) -> Result<Output, Problem> {
    let deadline = Deadline::of_run(call.deadline.at());
    let settings = Settings::read().await?;
    let wanted = Wanted { parts: PARTS, fresh: TimeDelta::zero(), by: None };
    let mut output = Output { success: true, ..Output::default() };
    let ids = servers(db, call.input.integration_id).await?;
    for (_, read) in engine::read_servers(db, &settings, ids, wanted, deadline).await {
        match read {
            Ok(read) => output.add(read),
            Err(error) => output.fail(error.detail()),
        }
    }
    Ok(output.took(deadline))
}

pub(crate) async fn sync_one(db: &Db, call: Call<Input>) -> Result<Output, Problem> {
    let user = call.caller.user()?;
    let named = named(db, &user.claims, call.input.workflow_id).await?;
    let (Some(server), Some(there)) = (named.integration_id, named.workflow_id) else {
        return Err(Problem::conflict("This workflow is not in n8n yet. Deploy it first."));
    };
    let deadline = Deadline::of_run(call.deadline.at());
    let settings = Settings::read().await?;
    let news = engine::read_workflow(db, &settings, server, &there, deadline).await?;
    let mut output =
        Output { success: true, workflows: 1, executions: news.unwrap_or(0), ..Output::default() };
    if news.is_none() {
        output.removed = 1;
        output.messages.push("n8n has this workflow no more. Deploy it again, or delete it here.".to_owned());
    }
    Ok(output.took(deadline))
}

pub(crate) async fn deploy(db: &Db, call: Call<Input>) -> Result<Output, Problem> {
    let user = call.caller.user()?;
    let named = named(db, &user.claims, call.input.workflow_id).await?;
    let own = "This is a workflow of n8n's own. What is deployed are the workflows of `workflows`.";
    let id = named.mvp_id.ok_or_else(|| Problem::conflict(own))?;
    // Where it is it stays, unless another server is named.
    let wanted = call.input.integration_id.or(named.integration_id);
    let integration_id = server(db, &user.claims, wanted).await?;
    let deadline = Deadline::of_run(call.deadline.at());
    let settings = Settings::read().await?;
    let there = engine::deploy(db, &settings, id, integration_id, call.input.activate, deadline).await?;
    let output = Output {
        success: true,
        workflows: 1,
        created: u64::from(there.created),
        updated: u64::from(!there.created),
        n8n_workflow_id: Some(there.n8n_workflow_id),
        n8n_name: Some(there.n8n_name),
        is_active: Some(there.is_active),
        ..Output::default()
    };
    Ok(output.took(deadline))
}

pub(crate) async fn clean_up(db: &Db, call: Call<Input>) -> Result<Output, Problem> {
    if !call.caller.is_secret() {
        return Err(Problem::forbidden());
    }
    let days = call.input.days.unwrap_or(7);
    if days > 3_650 {
        return Err(Problem::invalid("/days", "This is a number from 0 to 3,650."));
    }
    let deadline = Deadline::of_run(call.deadline.at());
    let settings = Settings::read().await?;
    let cleanup = Cleanup { days, dry_run: call.input.dry_run.unwrap_or(true) };
    let mut output = Output { success: true, ..Output::default() };
    let mut names = Vec::new();
    for id in servers(db, call.input.integration_id).await? {
        match engine::clean_up(db, &settings, id, cleanup, deadline).await {
            Ok(found) => {
                for one in found {
                    output.workflows = output.workflows.saturating_add(1);
                    output.removed = output.removed.saturating_add(u64::from(one.removed == Some(true)));
                    if let Some(reason) = one.reason {
                        output.messages.push(format!("{}: {reason}", one.leftover.name));
                    }
                    names.push(one.leftover.name);
                }
            }
            Err(error) => output.fail(error.detail()),
        }
    }
    output.leftovers = Some(names);
    Ok(output.took(deadline))
}

/// The server that this user's workflows go to.
async fn server(db: &Db, claims: &Claims, id: Option<IntegrationId>) -> Result<IntegrationId, Problem> {
    let found = workflows::permitted(db, claims, None, id).await?.integration_id;
    found.ok_or_else(|| {
        let what = "There is no n8n server for this. Connect one with `integrations`, or ask the project's owner to share the deployment's.";
        Problem::invalid("/integrationId", what)
    })
}

async fn servers(db: &Db, id: Option<IntegrationId>) -> Result<Vec<IntegrationId>, Problem> {
    let found = match id {
        Some(id) => n8n::due(db, Some(&[id])).await?,
        None => n8n::in_use(db).await?,
    };
    if id.is_some() && found.is_empty() {
        return Err(Problem::not_found());
    }
    Ok(found.into_iter().map(|server| server.integration_id).collect())
}

/// A workflow that this user may have read or deployed.
async fn named(db: &Db, claims: &Claims, id: Option<WorkflowId>) -> Result<Named, Problem> {
    let id = id.ok_or_else(|| Problem::invalid("/workflowId", "Name the workflow."))?;
    let found = workflows::permitted(db, claims, Some(id), None).await?.workflow;
    let named = found.ok_or_else(Problem::not_found)?;
    if named.permitted { Ok(named) } else { Err(Problem::forbidden()) }
}

impl Output {
    fn add(&mut self, read: Read) {
        let told = read.workflows;
        let seen = told.created.saturating_add(told.updated).saturating_add(told.unchanged);
        self.workflows = self.workflows.saturating_add(seen);
        self.created = self.created.saturating_add(told.created);
        self.updated = self.updated.saturating_add(told.updated);
        self.removed = self.removed.saturating_add(read.gone);
        self.executions = self.executions.saturating_add(read.executions);
        self.requests = self.requests.saturating_add(read.requests);
        if let Some(failure) = read.failure {
            self.fail(format!("n8n unavailable: {failure}"));
        } else if read.busy {
            self.messages.push("Another call is reading this server just now.".to_owned());
        } else if !read.complete {
            let wait = read.wait.unwrap_or_default().as_secs().max(1);
            self.fail(format!("The budget of requests is spent; the rest is read in {wait} s."));
        }
    }

    fn fail(&mut self, message: String) {
        self.success = false;
        self.messages.push(message);
    }

    fn took(mut self, deadline: Deadline) -> Self {
        self.duration = u64::try_from(deadline.elapsed().as_millis()).unwrap_or(u64::MAX);
        self
    }
}
