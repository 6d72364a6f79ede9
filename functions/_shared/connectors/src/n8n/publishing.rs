//! Publishing, archiving and deleting. What is published or not takes effect some hundred milliseconds after the answer.

use super::failure;
use super::site::{self, Site, id};
use super::workflows::{Workflow, one};
use crate::{Account, Error, ErrorKind, Exchange, Result, Step};
use domain::Value;
use http::Method;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// How long to wait for a workflow that is still being unpublished; measured were 100 to 165 ms.
const UNPUBLISHING: Duration = Duration::from_millis(250);
/// How often to wait.
const MOST_WAITS: u32 = 20;

/// Publishes the draft. Servers before 2.31 call that to activate.
pub fn publish(account: &Account, workflow_id: &str) -> Result<Exchange<Workflow>> {
    switch(account, workflow_id, "publish", "activate")
}

/// Takes a workflow out of use. Servers before 2.31 call that to deactivate.
pub fn unpublish(account: &Account, workflow_id: &str) -> Result<Exchange<Workflow>> {
    switch(account, workflow_id, "unpublish", "deactivate")
}

/// Archives a workflow, which also unpublishes it. [`ErrorKind::Unsupported`] on servers before 2.20.
pub fn archive(account: &Account, workflow_id: &str) -> Result<Exchange<Workflow>> {
    let site = site::of(account)?;
    let path = format!("/workflows/{}/archive", id(workflow_id, "a workflow")?);
    site.call(Method::POST, &path, &json!({}), |reply| one(reply).map(Step::Done))
}

fn switch(account: &Account, workflow_id: &str, verb: &str, before: &str) -> Result<Exchange<Workflow>> {
    let site = site::of(account)?;
    let workflow = format!("/workflows/{}", id(workflow_id, "a workflow")?);
    let older = format!("{workflow}/{before}");
    let request = site.request(Method::POST, &format!("{workflow}/{verb}"), &json!({}))?;
    let again = Arc::clone(&site);
    Ok(site.ask(request, move |reply| match failure::of(reply) {
        Some(error) if failure::is_unknown(&error) => {
            let read = |reply: &crate::Reply| one(reply).map(Step::Done);
            let exchange = again.call(Method::POST, &older, &json!({}), read)?;
            Ok(Step::Next { exchange, after: Duration::ZERO })
        }
        Some(error) => Err(error),
        None => one(reply).map(Step::Done),
    }))
}

/// Deletes a workflow and its executions; `false` when it was not there. One that is still being unpublished is waited
/// for. One that is published is a [`ErrorKind::Conflict`] with the code `published`. Right after one was archived, n8n 2.41.1
/// fails inside ([`ErrorKind::Unavailable`]): worth another try, as any such failure is.
pub fn delete_workflow(account: &Account, workflow_id: &str) -> Result<Exchange<bool>> {
    let path = format!("/workflows/{}", id(workflow_id, "a workflow")?);
    deleting(&site::of(account)?, &path, 0)
}

fn deleting(site: &Site, path: &str, waits: u32) -> Result<Exchange<bool>> {
    let request = site.request(Method::DELETE, path, &Value::Null)?;
    let (again, path) = (Arc::clone(site), path.to_owned());
    Ok(site.ask(request, move |reply| match failure::of(reply) {
        None => Ok(Step::Done(true)),
        Some(error) if failure::is_gone(&error) => Ok(Step::Done(false)),
        Some(error) if error.kind == ErrorKind::Conflict => {
            if !error.message.contains("still being unpublished") {
                return Err(published(error));
            }
            if waits >= MOST_WAITS {
                return Err(error.with_code("unpublishing"));
            }
            let exchange = deleting(&again, &path, waits.saturating_add(1))?;
            Ok(Step::Next { exchange, after: UNPUBLISHING })
        }
        Some(error) => Err(error),
    }))
}

fn published(error: Error) -> Error {
    if error.message.to_ascii_lowercase().contains("published") {
        error.with_code("published")
    } else {
        error
    }
}
