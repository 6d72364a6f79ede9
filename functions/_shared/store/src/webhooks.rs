//! Messages of platforms: whose they are, and taking each in once.

use crate::credentials::Sealed;
use crate::db::sql;
use crate::{Db, Result};
use domain::{ConfigId, IntegrationId, ItemType, Platform};
use serde::{Deserialize, Serialize};

/// The account that a message says it is of.
#[derive(Debug, Clone, Deserialize)]
pub struct Sender {
    /// Which platform it is on.
    pub platform: Platform,
    /// Its credential, which has the secret that messages are signed with. Without an access token.
    pub sealed: Sealed,
}

/// A message that was believed.
#[derive(Debug, Clone, Serialize)]
pub struct NewEvent<'a> {
    /// The account it is of.
    pub integration_id: IntegrationId,
    /// The platform's id of what happened.
    pub event_id: &'a str,
    /// What happened, in the platform's words.
    pub topic: &'a str,
    /// The kind of the record to look at; `None` for a topic that is not followed.
    pub item_type: Option<ItemType>,
    /// The record to look at.
    pub record_id: Option<&'a str>,
    /// How long the work waits for more of its kind, in milliseconds.
    pub delay_ms: i64,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Kept {
    /// It had been taken in before, and nothing was done.
    pub duplicate: bool,
    /// Jobs that will look at the record: new ones, and those that waited already.
    pub queued: u64,
}

/// The account of this id, as a message's signature is checked with it; `None` if it does not exist.
pub async fn sender(db: &Db, integration_id: IntegrationId) -> Result<Option<Sender>> {
    #[derive(Serialize)]
    struct Input {
        integration_id: IntegrationId,
    }
    db.call(sql!("webhooks/sender"), &Input { integration_id }).await
}

/// Keeps a message and queues what follows from it for every sync that has the record, in one step.
pub async fn keep(db: &Db, event: &NewEvent<'_>) -> Result<Kept> {
    db.call(sql!("webhooks/keep"), event).await
}

/// Whether a sync still exists and is switched on.
pub async fn is_followed(db: &Db, config_id: ConfigId) -> Result<bool> {
    #[derive(Serialize)]
    struct Input {
        config_id: ConfigId,
    }
    #[derive(Deserialize)]
    struct Answer {
        is_followed: bool,
    }
    Ok(db.call::<_, Answer>(sql!("webhooks/is_followed"), &Input { config_id }).await?.is_followed)
}
