//! Publishing: at once in what the API says, a little later in what runs.

use chrono::SubsecRound;

use super::Instance;
use super::problem::Problem;
use super::routes::Call;
use super::state::State;
use super::workflow::{Version, Workflow, text};
use crate::journal::Verb;
use crate::web::Reply;

/// When the older paths were given up.
const DEPRECATED: &str = "@1784764800";
const NO_TRIGGER: &str = "Workflow cannot be activated because it has no trigger node. At least one trigger, webhook, \
                          or polling node is required.";

/// Publishes the draft, or the version that the body names.
pub(crate) fn publish(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let (state, id) = (&mut instance.state, call.id());
    let workflow = state.workflows.get(id).ok_or_else(Problem::no_workflow)?;
    if workflow.archived {
        return Err(Problem::bad("Cannot activate an archived workflow."));
    }
    let version = match text(&call.body, "versionId") {
        "" => Some(&workflow.draft),
        wanted => workflow.history.iter().find(|version| version.id == wanted),
    };
    let version = version.cloned().ok_or_else(|| Problem::new(404, "Version not found"))?;
    check(state, workflow, &version)?;
    set(state, id, Some(version));
    state.tell(Verb::Updated, id);
    Ok(Reply::json(200, &state.shown(id)))
}

/// Ends what is published. One that is not published stays as it is.
pub(crate) fn unpublish(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let (state, id) = (&mut instance.state, call.id());
    let workflow = state.workflows.get(id).ok_or_else(Problem::no_workflow)?;
    if workflow.active.is_some() {
        set(state, id, None);
        state.tell(Verb::Updated, id);
    }
    Ok(Reply::json(200, &state.shown(id)))
}

/// The older path of [`publish`].
pub(crate) fn activate(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let reply = publish(instance, call)?;
    Ok(given_up(instance, reply))
}

/// The older path of [`unpublish`].
pub(crate) fn deactivate(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let reply = unpublish(instance, call)?;
    Ok(given_up(instance, reply))
}

fn given_up(instance: &Instance, reply: Reply) -> Reply {
    if instance.old_version { reply } else { reply.with("deprecation", DEPRECATED) }
}

/// Whether a version can be published: it starts by something, of nodes that are known, at addresses that are free.
pub(crate) fn check(state: &State, workflow: &Workflow, version: &Version) -> Result<(), Problem> {
    if let Some(kind) = version.unknown() {
        return Err(Problem::bad(format!("Unrecognized node type: {kind}")));
    }
    if version.triggers() == 0 {
        return Err(Problem::bad(NO_TRIGGER));
    }
    let own = version.webhooks();
    let others = state.workflows.values().filter(|other| other.id != workflow.id);
    let taken = others.filter_map(|other| other.active.as_ref()).flat_map(Version::webhooks);
    let meets = |other: super::workflow::Webhook| {
        own.iter().any(|one| one.method == other.method && one.path == other.path)
    };
    if taken.into_iter().any(meets) {
        return Err(Problem::new(409, "There is a conflict with one of the webhooks."));
    }
    Ok(())
}

/// Says what is published; it runs, or ends, a little later. The time of the workflow's change stays.
pub(crate) fn set(state: &mut State, id: &str, version: Option<Version>) {
    let wait = if version.is_some() { state.publication } else { state.publication / 2 };
    let due = state.clock.now() + wait;
    if let Some(workflow) = state.workflows.get_mut(id) {
        workflow.active.clone_from(&version);
        workflow.pending = Some((due, version));
    }
}

/// Archives a workflow, which unpublishes it. The answer still has the time of the change before.
pub(crate) fn archive(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let state = &mut instance.state;
    let before = state.workflows.get(call.id()).ok_or_else(Problem::not_found)?.updated;
    if !shelve(state, call.id(), true) {
        return Err(Problem::bad("Workflow is already archived."));
    }
    state.tell(Verb::Updated, call.id());
    let mut shown = state.shown(call.id());
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("updatedAt".to_owned(), super::stamp(before).into());
    }
    Ok(Reply::json(200, &shown))
}

pub(crate) fn unarchive(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let state = &mut instance.state;
    state.workflows.get(call.id()).ok_or_else(Problem::not_found)?;
    if !shelve(state, call.id(), false) {
        return Err(Problem::bad("Workflow is not archived."));
    }
    state.tell(Verb::Updated, call.id());
    Ok(Reply::json(200, &state.shown(call.id())))
}

/// Puts a workflow into the archive or takes it out. Its draft is a new version each time, its time has whole seconds.
/// `false` when there was nothing to do.
pub(crate) fn shelve(state: &mut State, id: &str, archived: bool) -> bool {
    let version = state.new_uuid();
    let now = state.now().trunc_subsecs(0);
    let Some(workflow) = state.workflows.get_mut(id).filter(|workflow| workflow.archived != archived) else {
        return false;
    };
    workflow.archived = archived;
    workflow.updated = now;
    workflow.draft.id = version;
    workflow.history.push(workflow.draft.clone());
    if workflow.active.is_some() {
        set(state, id, None);
    }
    true
}
