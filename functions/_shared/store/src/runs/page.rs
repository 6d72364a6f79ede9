//! What is said of the records of one page.

use crate::runs::{Child, Cursor, SideName};
use chrono::{DateTime, Utc};
use domain::deletes::DeletePolicy;
use domain::{ConfigId, Fields, ItemId, RunId, SyncMode, Value};
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};

/// Asks for the next page of a listed run: the items at the run's position, with their links.
#[derive(Debug, Clone, Serialize)]
pub struct NextPage {
    /// The run of one sync.
    pub run_id: RunId,
    /// As the run was opened or resumed with.
    pub fence: i64,
    /// At most this many (the statement caps it at 1,000).
    pub limit: i32,
    /// How long the lease lasts from now, in seconds.
    pub lease_seconds: i32,
}

/// A page of work.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Work {
    /// The lease was lost: stop, write nothing more.
    pub lost: bool,
    /// A person asked to stop.
    pub cancelled: bool,
    /// The records, in order. May be fewer than asked for, even none: those switched off meanwhile are left out.
    pub items: Vec<Item>,
    /// Records of the target that were asked about and that no record of the source is linked to.
    #[serde(default)]
    pub unlinked: Vec<Unlinked>,
    /// Where the run stands after this page, to be handed back with its results.
    pub position: i64,
    /// Items of a listed run that come after this page: 0 on the last.
    pub remaining: i64,
}

/// One record to be looked at, and what is known of it.
#[derive(Debug, Clone, Deserialize)]
pub struct Item {
    /// `None` for a record of a `changed` run that is on no list.
    pub item_id: Option<ItemId>,
    /// Its place in the page that was asked for, from 1. Places of rows left out are missing.
    pub place: i64,
    /// The source platform's id.
    pub source_id: String,
    /// The target's id: of the link, of the list, or of the reverse sync's link.
    pub target_id: Option<String>,
    /// The run's mode, else the item's.
    pub mode: SyncMode,
    /// What both sides looked like when they last agreed.
    pub link: Option<Link>,
    /// An earlier attempt to create it that never said how it ended.
    pub intent: Option<Intent>,
    /// Only these target fields flow, where the item says so.
    pub fields: Option<Vec<String>>,
    /// What a person decided about its conflict.
    pub resolution: Option<Decided>,
    /// An earlier run did not find it.
    pub missing: Option<Missing>,
    /// What was written last, for the brake on syncs that feed each other.
    pub trail: Option<Trail>,
}

/// The last write to a pair.
#[derive(Debug, Clone, Deserialize)]
pub struct Trail {
    /// How many writes in a row answered a change that came at once after ours.
    pub hops: u32,
    /// Which side was written.
    pub side: Wrote,
    /// When, by the database's clock.
    pub at: DateTime<Utc>,
    /// When the sync in the other direction wrote to the source.
    pub opposite_at: Option<DateTime<Utc>>,
}

/// What was written of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wrote {
    /// The source.
    Source,
    /// The target.
    Target,
    /// Both of them.
    Both,
}

/// That a pair was written.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Written {
    /// Where.
    pub side: Wrote,
    /// The count of writes that only answered.
    pub hops: u32,
}

/// That a record was asked for by its id and not found.
#[derive(Debug, Clone, Deserialize)]
pub struct Missing {
    /// Where.
    pub side: SideName,
    /// By which run.
    pub run: RunId,
    /// When.
    pub since: DateTime<Utc>,
}

/// A record that only the target has.
#[derive(Debug, Clone, Deserialize)]
pub struct Unlinked {
    /// The target platform's id.
    pub target_id: String,
    /// An earlier attempt to create it on the source that never said how it ended.
    pub intent: Option<Intent>,
}

/// What a person decided about a record's conflict, not carried out yet.
#[derive(Debug, Clone, Deserialize)]
pub struct Decided {
    /// By field, and for all others.
    pub decided: Value,
    /// Stands for the values that the person saw.
    pub seen: Option<String>,
}

/// What both sides looked like when they last agreed.
///
/// The bases are sent as text that holds JSON, so that Postgres keeps every digit and every escape of them; they come
/// back as the objects they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Link {
    /// The source platform's version of the record, where it has one.
    pub source_version: Option<String>,
    /// The content hash of the source.
    pub source_hash: Option<String>,
    /// The target platform's version of the record, where it has one.
    pub target_version: Option<String>,
    /// The mapped view of the source.
    #[serde(serialize_with = "as_text")]
    pub base_source: Fields,
    /// What the target really held.
    #[serde(serialize_with = "as_text")]
    pub base_target: Fields,
}

/// That a record is about to be created, written down before it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Intent {
    /// The source platform's id; `target:` and the target's for a record that is about to be created on the source.
    pub source_id: String,
    /// By which the record can be found on the target, should the answer get lost.
    pub external_key: String,
    /// For platforms that recognise a repeated request.
    pub idempotency_key: String,
}

/// The intents of one page.
#[derive(Debug, Clone, Serialize)]
pub struct Intents<'a> {
    /// The run of one sync.
    pub run_id: RunId,
    /// As the run was opened or resumed with.
    pub fence: i64,
    /// At most one per record.
    pub intents: &'a [Intent],
    /// How long the lease lasts from now, in seconds.
    pub lease_seconds: i32,
}

/// How each record of a page ended.
#[derive(Debug, Clone, Serialize)]
pub struct PageResults<'a> {
    /// The run of one sync.
    pub run_id: RunId,
    /// As the run was opened or resumed with.
    pub fence: i64,
    /// Of the page as it was handed out, less the undone items: moves the run there.
    pub position: i64,
    /// At most one per record of the page.
    pub results: &'a [ItemResult],
    /// Items of the page that did not come to their end: of a listed run they come next.
    pub undone: &'a [ItemId],
    /// Where a `changed` run's listing stands now; moves in this same statement.
    pub cursor: Option<Cursor>,
    /// The listing has no further page. Of a listed run the statement knows it by itself.
    pub last_page: bool,
    /// Requests sent to platforms for this page.
    pub platform_requests: i64,
    /// How long the lease lasts from now, in seconds.
    pub lease_seconds: i32,
    /// Wanted of the next page, 0 for none.
    pub next_limit: i32,
}

/// How one record ended.
#[derive(Debug, Clone, Serialize)]
pub struct ItemResult {
    /// As it was handed out.
    pub item_id: Option<ItemId>,
    /// The source platform's id; `target:` and the target's for a record that only the target has.
    pub source_id: String,
    /// The target platform's id, where the record is there (or was, until it was deleted).
    pub target_id: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// What to remember, for every outcome after which both sides agree. Stored only together with `target_id`.
    pub link: Option<Link>,
    /// For people: a few fields of the source (`name`, `sku`, `price`), kept in `sync_list.metadata`.
    #[serde(serialize_with = "maybe_as_text")]
    pub metadata: Option<Fields>,
    /// Per field: base, source, target, rule. Kept as the event's explanation.
    #[serde(serialize_with = "as_text")]
    pub changes: Value,
    /// What was wrong, in words and as a code.
    pub error: Option<ItemError>,
    /// The inputs of the decision, kept for what was written, failed, held or is in conflict.
    #[serde(serialize_with = "maybe_as_text")]
    pub inputs: Option<Value>,
    /// Of a conflict: the fields in question, as `changes` has them.
    #[serde(serialize_with = "maybe_as_text")]
    pub conflicts: Option<Value>,
    /// Of a conflict: stands for the values in question.
    pub seen: Option<String>,
    /// Of a record that one side does not have any more.
    pub gone: Option<Gone>,
    /// Of a record that was written. Kept with its link.
    pub wrote: Option<Written>,
}

/// What is known of a record that one side does not have any more.
#[derive(Debug, Clone, Serialize)]
pub struct Gone {
    /// How far it is.
    pub step: GoneStep,
    /// Which side.
    pub side: SideName,
    /// `tombstone` or `not_found`.
    pub reason: &'static str,
    /// What the sync does about it.
    pub policy: DeletePolicy,
    /// How the pair ended, where its counterpart is still there: `archived` or `unlinked`.
    pub ended: Option<&'static str>,
}

/// How far a delete is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GoneStep {
    /// It was not found for the first time; another run asks again.
    Suspected,
    /// It is there again.
    There,
    /// It is gone. The end of the run says what becomes of its counterpart.
    Found,
    /// The end of the run has said it.
    Settled,
}

/// Why a record failed or was held.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ItemError {
    /// One of [`domain::RetryClass`]'s words, or `held`. After `rejected` a pending intent is forgotten: the platform
    /// has said that nothing was created.
    pub class: String,
    /// The vendor's code, or ours.
    pub code: String,
    /// For people.
    pub message: String,
}

/// The words of the balance rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// New on the target.
    Created,
    /// Written on the target.
    Updated,
    /// Equal on both sides.
    Unchanged,
    /// Left out by rule.
    Skipped,
    /// Gone from the target; its link goes too.
    Deleted,
    /// Not brought up to date.
    Failed,
    /// Both sides changed the same field.
    Conflicted,
    /// Waiting for a person.
    Held,
    /// Gone on one side, and not counted yet: the end of the run settles it.
    Gone,
}

/// Asks for a sync and what is known of records of it.
#[derive(Debug, Clone, Serialize)]
pub struct Look<'a> {
    /// The sync.
    pub config_id: ConfigId,
    /// The source platform's ids; `None` for those that are linked or on the list.
    pub source_ids: Option<&'a [String]>,
    /// Of these, those behind this id.
    pub after: Option<&'a str>,
    /// At most this many (the statement caps it at 1,000).
    pub limit: i32,
}

/// A sync and records of it.
#[derive(Debug, Clone, Deserialize)]
pub struct Looked {
    /// The sync, as for a run that will not be.
    pub child: Child,
    /// The records.
    pub items: Vec<Item>,
    /// Whether more are linked or listed behind the last of them.
    pub more: bool,
}

/// Asks for what is known of these records, for a `changed` run. Links, intents and list rows, as in [`Item`].
#[derive(Debug, Clone, Serialize)]
pub struct Lookup<'a> {
    /// The run of one sync.
    pub run_id: RunId,
    /// As the run was opened or resumed with.
    pub fence: i64,
    /// The source platform's ids, each once.
    pub source_ids: &'a [String],
    /// The target platform's ids, each once.
    pub target_ids: &'a [String],
    /// How long the lease lasts from now, in seconds.
    pub lease_seconds: i32,
}

fn as_text<T: Serialize, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&serde_json::to_string(value).map_err(S::Error::custom)?)
}

#[expect(clippy::ref_option, reason = "the form that serde asks for")]
fn maybe_as_text<T: Serialize, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => as_text(value, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bases_travel_to_the_letter() {
        let base: Fields =
            serde_json::from_str(r#"{"price":1.10,"id":12345678901234567890123,"n":"\u0000"}"#).unwrap();
        let link = Link {
            source_version: None,
            source_hash: None,
            target_version: None,
            base_source: base.clone(),
            base_target: Fields::new(),
        };
        let sent = serde_json::to_value(&link).unwrap();
        assert_eq!(sent["base_source"], json!(r#"{"id":12345678901234567890123,"n":"\u0000","price":1.10}"#));
    }
}
