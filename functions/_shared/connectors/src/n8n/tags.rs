//! Tags of workflows.

use super::failure;
use super::replies::{Listing, RawTag};
use super::site::{self, Site, id};
use super::workflows::{PAGE, Tag, tag as shown};
use crate::{Account, Error, ErrorKind, Exchange, Result, Step, read};
use http::Method;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use url::form_urlencoded;

/// The longest name of a tag, in characters. n8n says of a longer one that it exists.
const LONGEST_NAME: usize = 24;
/// More pages of tags than a server has.
const MOST_PAGES: u32 = 40;

/// The tag of this name, made if need be. [`ErrorKind::Rejected`] where the name has more than 24 characters.
pub fn tag(account: &Account, name: &str) -> Result<Exchange<Tag>> {
    if !(1..=LONGEST_NAME).contains(&name.chars().count()) {
        let message =
            format!("`{}` cannot be a tag of n8n: it must have 1 to 24 characters", read::excerpt(name));
        return Err(Error::new(ErrorKind::Rejected, message));
    }
    let site = site::of(account)?;
    let request = site.request(Method::POST, "/tags", &json!({ "name": name }))?;
    let (again, name) = (Arc::clone(&site), name.to_owned());
    Ok(site.ask(request, move |reply| match failure::of(reply) {
        Some(error) if error.kind == ErrorKind::Conflict => {
            Ok(Step::Next { exchange: look_up(&again, &name, None, 1)?, after: Duration::ZERO })
        }
        Some(error) => Err(error),
        None => {
            let made = shown(&read::json(reply.body())?);
            made.map(Step::Done).ok_or_else(|| Error::unexpected("n8n does not show the tag that it made"))
        }
    }))
}

fn look_up(site: &Site, name: &str, cursor: Option<&str>, number: u32) -> Result<Exchange<Tag>> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("limit", &PAGE.to_string());
    if let Some(cursor) = cursor {
        query.append_pair("cursor", cursor);
    }
    let (again, name) = (Arc::clone(site), name.to_owned());
    site.get(&format!("/tags?{}", query.finish()), move |reply| {
        let page: Listing<RawTag> = read::json(reply.body())?;
        if let Some(tag) = page.data.iter().filter_map(shown).find(|tag| tag.name == name) {
            return Ok(Step::Done(tag));
        }
        match page.next().filter(|_| number < MOST_PAGES) {
            Some(next) => {
                let exchange = look_up(&again, &name, Some(&next), number.saturating_add(1))?;
                Ok(Step::Next { exchange, after: Duration::ZERO })
            }
            None => Err(Error::new(
                ErrorKind::Conflict,
                format!("n8n says that the tag `{}` exists and does not show it", read::excerpt(&name)),
            )),
        }
    })
}

/// Gives a workflow these tags, and no others.
pub fn set_tags(account: &Account, workflow_id: &str, tag_ids: &[String]) -> Result<Exchange<()>> {
    let path = format!("/workflows/{}/tags", id(workflow_id, "a workflow")?);
    let tags: Vec<_> = tag_ids.iter().map(|id| json!({ "id": id })).collect();
    site::of(account)?.call(Method::PUT, &path, &json!(tags), |reply| {
        let _: Vec<RawTag> = read::json(reply.body())?;
        Ok(Step::Done(()))
    })
}
