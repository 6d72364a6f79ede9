//! A user's workflow in n8n: made once, found again after a crash, never twice.
//!
//! n8n makes whatever it is told to make, as often as it is told. So what it has made is remembered before anything else is
//! sent, and carries a tag of ours; after an attempt that broke off, the workflow is looked for by the tag, and then by its name among
//! those that nobody's workflow stands for: one of them is as good as another, since its content is replaced.

use super::{keep, line, moving};
use crate::clock::Deadline;
use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::wire::{Failure, Wire};
use connectors::ErrorKind;
use connectors::n8n::{
    Definition, ListAsk, Tag, Workflow, create_workflow, publish, set_tags, tag, unpublish, update_workflow,
    workflow, workflows as list,
};
use domain::{IntegrationId, Value, WorkflowId};
use serde_json::json;
use store::Db;
use store::workflows::{self, Deploying};

/// How long nobody else deploys the workflow, in seconds.
const LEASE: i32 = 60;
/// What every tag of ours begins with.
const OURS: &str = "sl-";

/// A workflow that is in n8n.
#[derive(Debug, Clone)]
pub struct Deployed {
    /// What n8n calls it.
    pub n8n_workflow_id: String,
    /// Its name there.
    pub n8n_name: String,
    /// Whether it is published.
    pub is_active: bool,
    /// Whether it was made now.
    pub created: bool,
    /// Which version is there.
    version: Option<String>,
}

/// Brings a workflow into n8n as it is stored here. `activate`: publish it, or take it back; as it is where absent. From another
/// server it moves: there it is taken back first, so that it never runs twice.
///
/// [`Error::Conflict`] while another deploys it, or where it still runs on a server that cannot be told to stop.
pub async fn deploy(
    db: &Db,
    settings: &Settings,
    id: WorkflowId,
    integration_id: IntegrationId,
    activate: Option<bool>,
    deadline: Deadline,
) -> Result<Deployed> {
    let busy =
        || Error::Conflict("This workflow is being deployed already. Look again in a minute.".to_owned());
    let wanted = workflows::begin_deploy(db, id, integration_id, LEASE).await?.ok_or_else(busy)?;
    let ended = attempt(db, settings, id, integration_id, &wanted, activate, deadline).await;
    let mut end = workflows::Deployed { id, is_active: None, hash: None, version: None, error: None };
    // Whatever went wrong, the row tells, and nobody else waits for the lease.
    let why = ended.as_ref().err().map(domain::Fault::detail);
    if let Ok((deployed, hash)) = &ended {
        end.is_active = Some(deployed.is_active);
        end.hash = Some(hash.as_str());
        end.version = deployed.version.as_deref();
    }
    end.error = why.as_deref();
    workflows::end_deploy(db, &end).await?;
    ended.map(|(deployed, _)| deployed)
}

async fn attempt(
    db: &Db,
    settings: &Settings,
    id: WorkflowId,
    integration_id: IntegrationId,
    wanted: &Deploying,
    activate: Option<bool>,
    deadline: Deadline,
) -> Result<(Deployed, String)> {
    let (side, sealed) = line(db, integration_id).await?;
    if wanted.is_elsewhere {
        moving::settle(db, settings, (id, integration_id), wanted, deadline).await?;
    }
    let wire = Wire::open(db, settings, &side, sealed, deadline)?;
    let ended = Work { db, wire: &wire, id, wanted }.carry_out(activate).await;
    wire.give_back().await?;
    Ok(ended?)
}

/// Whether n8n would take a workflow's definition: what is wrong with it is said before it is stored.
pub fn check_definition(name: &str, definition: &Value) -> Result<()> {
    Definition::of(name, definition)?;
    Ok(())
}

struct Work<'a> {
    db: &'a Db,
    wire: &'a Wire<'a>,
    id: WorkflowId,
    wanted: &'a Deploying,
}

impl Work<'_> {
    async fn carry_out(&self, activate: Option<bool>) -> Result<(Deployed, String), Failure> {
        let definition = Definition::of(&self.wanted.n8n_name, &self.wanted.definition)?;
        let hash = hash(&definition);
        let (mut there, created) = match self.known().await? {
            Some(known) => self.update(known, &definition, &hash).await?,
            None => (self.create(&definition).await?, true),
        };
        if there.tags.iter().all(|known| known.name != self.wanted.tag) {
            self.mark(&mut there).await?;
        }
        // What ran where it was before, or until its account was removed, goes on running.
        let goes_on = self.wanted.is_active && self.wanted.deployed_hash.is_none();
        match activate.or(goes_on.then_some(true)) {
            Some(true) if !there.active => {
                there = self.with_tags(publish(&self.wire.account, &there.id)?, there.tags).await?;
            }
            Some(false) if there.active => {
                there = self.with_tags(unpublish(&self.wire.account, &there.id)?, there.tags).await?;
            }
            _ => {}
        }
        keep(self.db, self.wire.integration_id(), std::slice::from_ref(&there)).await?;
        let n8n_name = self.wanted.n8n_name.clone();
        let deployed = Deployed {
            n8n_workflow_id: there.id,
            n8n_name,
            is_active: there.active,
            created,
            version: there.version_id,
        };
        Ok((deployed, hash))
    }

    /// What n8n has of it already.
    async fn known(&self) -> Result<Option<Workflow>, Failure> {
        if let Some(id) = &self.wanted.n8n_workflow_id {
            // Deleted there: it is made anew, since what is stored here is the truth.
            if let Some(found) = self.wire.ask(workflow(&self.wire.account, id)?).await? {
                return Ok(Some(found));
            }
        }
        if !self.wanted.tried {
            return Ok(None);
        }
        if let Some(tagged) = self.search(Some(&self.wanted.tag), None).await?.into_iter().next() {
            return Ok(Some(tagged));
        }
        let mut same: Vec<Workflow> = self.search(None, Some(&self.wanted.n8n_name)).await?;
        same.retain(|one| one.name == self.wanted.n8n_name && !one.is_archived && !is_marked(one));
        let ids: Vec<String> = same.iter().map(|one| one.id.clone()).collect();
        if ids.is_empty() {
            return Ok(None);
        }
        let free = workflows::unclaimed(self.db, self.wire.integration_id(), &ids).await?;
        Ok(same.into_iter().find(|one| free.contains(&one.id)))
    }

    async fn search(&self, tag: Option<&str>, name: Option<&str>) -> Result<Vec<Workflow>, Failure> {
        let ask = ListAsk { limit: 250, cursor: None, etag: None, tag, name };
        Ok(self.wire.ask(list(&self.wire.account, &ask)?).await?.workflows)
    }

    async fn create(&self, definition: &Definition) -> Result<Workflow, Failure> {
        // Sent once: an answer that was lost is found again by name the next time.
        let made = self.wire.ask_once(&create_workflow(&self.wire.account, definition)?).await?;
        workflows::made(self.db, self.id, &made.id).await?;
        Ok(made)
    }

    /// Replaces the content where it is another one; n8n publishes an active workflow again with each change.
    async fn update(
        &self,
        known: Workflow,
        definition: &Definition,
        hash: &str,
    ) -> Result<(Workflow, bool), Failure> {
        if self.wanted.n8n_workflow_id.as_ref() != Some(&known.id) {
            workflows::made(self.db, self.id, &known.id).await?;
        }
        if known.is_archived {
            let why = "It is archived in n8n. Take it back there, then deploy it again.";
            return Err(connectors::Error::new(ErrorKind::Rejected, why).into());
        }
        // What was edited in n8n is replaced as well: what is stored here is the truth.
        let same = self.wanted.deployed_hash.as_deref() == Some(hash)
            && known.name == definition.name
            && known.version_id == self.wanted.deployed_version;
        if same {
            return Ok((known, false));
        }
        match self.wire.ask(update_workflow(&self.wire.account, &known.id, definition)?).await {
            Ok(mut there) => {
                if there.tags.is_empty() {
                    there.tags = known.tags;
                }
                Ok((there, false))
            }
            // Deleted between the two requests.
            Err(Failure::Platform(error)) if error.kind == ErrorKind::NotFound => {
                Ok((self.create(definition).await?, true))
            }
            Err(other) => Err(other),
        }
    }

    /// Puts our tag on it, beside those that it has.
    async fn mark(&self, there: &mut Workflow) -> Result<(), Failure> {
        let ours: Tag = self.wire.ask(tag(&self.wire.account, &self.wanted.tag)?).await?;
        there.tags.push(ours);
        let ids: Vec<String> = there.tags.iter().map(|tag| tag.id.clone()).collect();
        self.wire.ask(set_tags(&self.wire.account, &there.id, &ids)?).await
    }

    /// The answer to publishing leaves the tags out.
    async fn with_tags(
        &self,
        exchange: connectors::Exchange<Workflow>,
        tags: Vec<Tag>,
    ) -> Result<Workflow, Failure> {
        let there = self.wire.ask(exchange).await?;
        Ok(Workflow { tags, ..there })
    }
}

/// Whether it carries a tag of ours.
pub(super) fn is_marked(workflow: &Workflow) -> bool {
    workflow.tags.iter().any(|tag| tag.name.starts_with(OURS))
}

/// Whether its name is one that we give.
pub(super) fn is_named_by_us(name: &str) -> bool {
    let short = name.strip_prefix("[USR-").and_then(|rest| rest.split_once("] "));
    short.is_some_and(|(id, rest)| {
        id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) && !rest.is_empty()
    })
}

fn hash(definition: &Definition) -> String {
    let Definition { name, nodes, connections, settings } = definition;
    domain::hash::value(&json!({
        "name": name, "nodes": nodes, "connections": connections, "settings": settings,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_we_give_are_ours() {
        assert!(is_named_by_us("[USR-0a1b2c3d] Invoices"));
        for other in
            ["Invoices", "[USR-1] Invoices", "[USR-0a1b2c3d]", "[USR-0a1b2c3d] ", "x [USR-0a1b2c3d] y"]
        {
            assert!(!is_named_by_us(other), "{other}");
        }
    }
}
