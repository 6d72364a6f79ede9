//! Workflows, as far as they hold no secret: what they are called, how they stand, and how they are started.

use super::failure;
use super::replies::{Listing, Loose, RawNode, RawTag, RawWorkflow, text, time};
use super::site;
use super::trigger::{Takes, Trigger};
use crate::{Account, Error, Exchange, Reply, Result, Step, read};
use chrono::{DateTime, Utc};
use domain::Value;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::form_urlencoded;

/// The most workflows of one page.
pub(super) const PAGE: u32 = 250;

/// The type of the node that a request from outside starts.
const WEBHOOK: &str = "n8n-nodes-base.webhook";

/// One workflow, without what may hold secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Workflow {
    /// n8n's id.
    pub id: String,
    /// Its name. Several may have the same.
    pub name: String,
    /// Whether it is published: whether its triggers run.
    pub active: bool,
    /// Whether it is archived. Archived ones are listed like others.
    pub is_archived: bool,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last changed. Publishing, tags and executions do not change it.
    pub updated_at: Option<DateTime<Utc>>,
    /// The version of its draft.
    pub version_id: Option<String>,
    /// The version that is published.
    pub active_version_id: Option<String>,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Its production webhook.
    pub webhook: Option<Hook>,
    /// The first enabled node that starts it, whatever kind of trigger it is.
    pub trigger: Option<Trigger>,
    /// Whether n8n's MCP server may run it.
    pub in_mcp: bool,
    /// The types of its draft's nodes, each once, in order.
    pub node_types: Vec<String>,
}

/// A tag of a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tag {
    /// n8n's id.
    pub id: String,
    /// Its name: at most 24 characters, once per server.
    pub name: String,
}

/// The production webhook: the first enabled webhook node of the published version (of the draft, where the server does
/// not show versions or nothing is published).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hook {
    /// The method it takes; of several, the first.
    pub method: String,
    /// Its path behind `/webhook/`.
    pub path: String,
    /// The node's name.
    pub node: String,
}

/// A page of workflows.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The workflows, by their ids, which are random: what is made or deleted meanwhile shifts the pages.
    pub workflows: Vec<Workflow>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<String>,
    /// What names this very content of the page.
    pub etag: Option<String>,
    /// Whether the page is the one that was named. Then it is not shown again.
    pub unchanged: bool,
}

/// Which page of workflows to ask for.
#[derive(Debug, Clone, Copy, Default)]
pub struct ListAsk<'a> {
    /// Workflows wanted, at most 250. Each comes with all its nodes, so that pages can be megabytes.
    pub limit: u32,
    /// Where the page begins, as the last one said.
    pub cursor: Option<&'a str>,
    /// The content that is known already.
    pub etag: Option<&'a str>,
    /// Only those with this tag; with a comma between them, those with all of these.
    pub tag: Option<&'a str>,
    /// Only those whose name contains this, in capital or small letters; `%` and `_` stand for anything.
    pub name: Option<&'a str>,
}

impl Workflow {
    /// A hash over all that tells one state of a workflow from another. Its time of change alone does not: publishing and
    /// tags leave it.
    pub fn fingerprint(&self) -> String {
        let mut tags: Vec<&str> = self.tags.iter().map(|tag| tag.id.as_str()).collect();
        tags.sort_unstable();
        domain::hash::value(&json!([
            self.name,
            self.updated_at,
            self.version_id,
            self.active_version_id,
            self.is_archived,
            tags,
        ]))
    }

    pub(super) fn of(raw: &RawWorkflow) -> Result<Self> {
        let id = text(&raw.id).ok_or_else(|| Error::unexpected("n8n shows a workflow without an id"))?;
        let draft: Vec<&RawNode> = nodes(raw.nodes.known());
        let published = raw.active_version.known().map(|version| nodes(Some(&version.nodes)));
        let runs = published.as_deref().unwrap_or(&draft);
        let mut node_types: Vec<String> = draft.iter().filter_map(|node| text(&node.kind)).collect();
        node_types.sort_unstable();
        node_types.dedup();
        let tags = raw.tags.known().into_iter().flatten().filter_map(Loose::known).filter_map(tag);
        Ok(Self {
            id,
            name: text(&raw.name).unwrap_or_default(),
            active: raw.active == true,
            is_archived: raw.is_archived == true,
            created_at: time(&raw.created_at),
            updated_at: time(&raw.updated_at),
            version_id: text(&raw.version_id),
            active_version_id: text(&raw.active_version_id),
            tags: tags.collect(),
            webhook: runs.iter().find_map(|node| hook(node)),
            trigger: runs.iter().find_map(|node| trigger(node)),
            in_mcp: raw.settings.known().is_some_and(|settings| settings.in_mcp == true),
            node_types,
        })
    }
}

fn nodes(nodes: Option<&Vec<Loose<RawNode>>>) -> Vec<&RawNode> {
    nodes.into_iter().flatten().filter_map(Loose::known).collect()
}

/// A tag, where it is one.
pub(super) fn tag(raw: &RawTag) -> Option<Tag> {
    Some(Tag { id: text(&raw.id)?, name: text(&raw.name)? })
}

fn is_enabled(node: &RawNode) -> bool {
    node.disabled != true
}

/// The webhook that a node is. What only an expression says is not known.
fn hook(node: &RawNode) -> Option<Hook> {
    if !is_enabled(node) || node.kind != WEBHOOK {
        return None;
    }
    let parameters = node.parameters.known();
    let method = match parameters.map(|parameters| &parameters.http_method) {
        Some(Value::Array(methods)) => methods.first().and_then(text)?,
        Some(method) => text(method).unwrap_or_else(|| "GET".to_owned()),
        None => "GET".to_owned(),
    };
    let path = parameters.and_then(|parameters| text(&parameters.path)).or_else(|| text(&node.webhook_id))?;
    let path = path.trim_matches('/');
    if path.is_empty() || path.starts_with('=') || method.starts_with('=') {
        return None;
    }
    Some(Hook { method, path: path.to_owned(), node: text(&node.name)? })
}

/// The trigger that a node is, if n8n's MCP server can start it.
fn trigger(node: &RawNode) -> Option<Trigger> {
    let kind = node.kind.as_str().filter(|_| is_enabled(node))?;
    Some(Trigger { takes: Takes::of(kind)?, node: text(&node.name)? })
}

/// A page of workflows. Ids are to be taken once, and what a page leaves out is only gone when [`workflow`] says so.
pub fn workflows(account: &Account, ask: &ListAsk<'_>) -> Result<Exchange<Listed>> {
    let site = site::of(account)?;
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("limit", &ask.limit.clamp(1, PAGE).to_string());
    query.append_pair("excludePinnedData", "true");
    for (name, value) in [("cursor", ask.cursor), ("tags", ask.tag), ("name", ask.name)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let mut request = site.request(Method::GET, &format!("/workflows?{}", query.finish()), &Value::Null)?;
    if let Some(etag) = ask.etag {
        let etag = http::HeaderValue::from_str(etag)
            .map_err(|_| Error::unexpected("the known content is not named by an etag"))?;
        request.headers_mut().insert(http::header::IF_NONE_MATCH, etag);
    }
    let asked = ask.etag.map(str::to_owned);
    Ok(site.ask(request, move |reply| listed(reply, asked.as_deref()).map(Step::Done)))
}

fn listed(reply: &Reply, asked: Option<&str>) -> Result<Listed> {
    let etag = reply.headers().get(http::header::ETAG).and_then(|etag| etag.to_str().ok());
    let etag = etag.or(asked).map(str::to_owned);
    if reply.status() == http::StatusCode::NOT_MODIFIED && asked.is_some() {
        return Ok(Listed { workflows: Vec::new(), next: None, etag, unchanged: true });
    }
    if let Some(error) = failure::of(reply) {
        return Err(error);
    }
    let page: Listing<RawWorkflow> = read::json(reply.body())?;
    let workflows = page.data.iter().map(Workflow::of).collect::<Result<_>>()?;
    let etag = etag.filter(|_| reply.headers().contains_key(http::header::ETAG));
    Ok(Listed { workflows, next: page.next(), etag, unchanged: false })
}

/// One workflow; `None` when n8n itself says that there is none.
pub fn workflow(account: &Account, id: &str) -> Result<Exchange<Option<Workflow>>> {
    let site = site::of(account)?;
    let path = format!("/workflows/{}?excludePinnedData=true", site::id(id, "a workflow")?);
    let request = site.request(Method::GET, &path, &Value::Null)?;
    Ok(site.ask(request, |reply| match failure::of(reply) {
        Some(error) if failure::is_gone(&error) => Ok(Step::Done(None)),
        Some(error) => Err(error),
        None => one(reply).map(Some).map(Step::Done),
    }))
}

/// The workflow that a reply shows.
pub(super) fn one(reply: &Reply) -> Result<Workflow> {
    Workflow::of(&read::json(reply.body())?)
}
