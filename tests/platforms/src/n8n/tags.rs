//! Tags, and which workflows have them.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::problem::Problem;
use super::routes::Call;
use super::state::State;
use super::workflow::text;
use super::{Instance, page, stamp};
use crate::journal::{Effect, Verb};
use crate::web::Reply;

/// The most characters of a name.
const LONGEST: usize = 24;

/// A tag.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tag {
    pub(crate) id: String,
    pub(crate) name: String,
    created: DateTime<Utc>,
    updated: DateTime<Utc>,
}

impl Tag {
    pub(crate) fn shown(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "createdAt": stamp(self.created), "updatedAt": stamp(self.updated),
        })
    }
}

/// Makes a tag. A name that is too long is refused with the words for one that is taken, as n8n does.
pub(crate) fn make(state: &mut State, name: &str) -> Result<Tag, Problem> {
    free(state, name)?;
    let (id, now) = (state.new_id(), state.now());
    let tag = Tag { id, name: name.to_owned(), created: now, updated: now };
    state.tags.insert(tag.id.clone(), tag.clone());
    Ok(tag)
}

fn free(state: &State, name: &str) -> Result<(), Problem> {
    if name.is_empty() {
        return Err(Problem::bad("request/body must have required property 'name'"));
    }
    if name.chars().count() > LONGEST || state.tags.values().any(|tag| tag.name == name) {
        return Err(Problem::new(409, "Tag already exists"));
    }
    Ok(())
}

pub(crate) fn create(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let tag = make(&mut instance.state, text(&call.body, "name"))?;
    tell(&mut instance.state, Verb::Created, &tag);
    Ok(Reply::json(201, &tag.shown()))
}

pub(crate) fn list(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let tags: Vec<&Tag> = instance.state.tags.values().collect();
    Ok(Reply::json(200, &page::paged(page::window(call.request)?, &tags, |tag| tag.shown())))
}

pub(crate) fn get(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let tag = instance.state.tags.get(call.id()).ok_or_else(Problem::not_found)?;
    Ok(Reply::json(200, &tag.shown()))
}

pub(crate) fn rename(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let state = &mut instance.state;
    if !state.tags.contains_key(call.id()) {
        return Err(Problem::not_found());
    }
    let name = text(&call.body, "name");
    free(state, name)?;
    let now = state.now();
    let tag = state.tags.get_mut(call.id()).ok_or_else(Problem::not_found)?;
    (tag.name, tag.updated) = (name.to_owned(), now);
    let tag = tag.clone();
    tell(state, Verb::Updated, &tag);
    Ok(Reply::json(200, &tag.shown()))
}

pub(crate) fn delete(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let tag = instance.state.tags.remove(call.id()).ok_or_else(Problem::not_found)?;
    for workflow in instance.state.workflows.values_mut() {
        workflow.tags.remove(&tag.id);
    }
    tell(&mut instance.state, Verb::Deleted, &tag);
    Ok(Reply::json(200, &tag.shown()))
}

/// The tags of one workflow.
pub(crate) fn of_workflow(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    Ok(Reply::json(200, &of(&instance.state, call.id())?))
}

/// Replaces all tags of one workflow, which does not count as a change of it.
pub(crate) fn set_of_workflow(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let state = &mut instance.state;
    let given = call.body.as_array().ok_or_else(|| Problem::bad("request/body must be array"))?;
    let ids: BTreeSet<String> = given.iter().map(|tag| text(tag, "id").to_owned()).collect();
    let workflow = state.workflows.get_mut(call.id()).ok_or_else(Problem::not_found)?;
    if ids.iter().any(|id| !state.tags.contains_key(id)) {
        return Err(Problem::new(404, "Some tags not found"));
    }
    workflow.tags = ids;
    let effect = Effect::new(Verb::Updated, "workflowTags", call.id());
    state.effects.push(effect);
    Ok(Reply::json(200, &of(state, call.id())?))
}

fn of(state: &State, id: &str) -> Result<Value, Problem> {
    let workflow = state.workflows.get(id).ok_or_else(Problem::not_found)?;
    let tags = state.tags.values().filter(|tag| workflow.tags.contains(&tag.id));
    Ok(tags.map(Tag::shown).collect())
}

fn tell(state: &mut State, verb: Verb, tag: &Tag) {
    state.effects.push(Effect::new(verb, "tag", tag.id.clone()).key("name", tag.name.clone()));
}
