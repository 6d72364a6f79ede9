//! What platforms tell us by themselves: that something changed, never what it is now.
//!
//! A message is believed for its signature, taken in once, and leads to a job like any other. The job reads the record
//! as it is then, so that messages may come twice, late, in any order or not at all: the clock repairs what is lost.

use crate::account;
use crate::clock;
use crate::n8n::store_told;
use crate::settings::Settings;
use domain::{Code, Fault, IntegrationId, Platform};
use http::HeaderMap;
use serde::Deserialize;
use std::time::Duration;
use store::Db;
use store::n8n::Resources;
use store::webhooks::{self, Kept, NewEvent};

/// How long messages about one record are gathered, in milliseconds: one edit makes several.
const GATHERING: i64 = 2_000;

/// Why a message was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// It is not proved to be of the account's platform. The cause is for the log.
    #[error("a message is not believed: {0}")]
    Unsigned(String),
    /// It is believed and does not say what it must.
    #[error("the message cannot be read: {0}")]
    Message(String),
}

/// Takes in a message of the platform of this account. No platform is asked.
///
/// [`WebhookError::Unsigned`] for a message that is not believed, whatever the reason: there is no such account, its platform
/// tells nothing by itself, its credential has no secret for this, the signature is missing, doubled or wrong.
/// [`WebhookError::Message`] for one that is believed and does not say what happened.
pub async fn receive_webhook(
    db: &Db,
    settings: &Settings,
    id: IntegrationId,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Kept, WebhookError> {
    let unsigned = |why: &str| WebhookError::Unsigned(format!("account {id}: {why}"));
    let sender = webhooks::sender(db, id).await?.ok_or_else(|| unsigned("there is none"))?;
    let connector = connectors::of(sender.platform);
    let scheme = connector.webhooks().ok_or_else(|| unsigned("its platform tells nothing by itself"))?;
    // A credential that we cannot open is our trouble, and nothing that a stranger should learn of.
    let credential =
        account::open_credential(settings, &sender.sealed).map_err(|error| unsigned(&error.to_string()))?;
    secrets::webhook::verify(scheme, headers, body, &credential.webhook_secrets(), clock::now())
        .map_err(|error| unsigned(&error.to_string()))?;
    if sender.platform == Platform::N8n {
        return executions(db, id, headers, body).await;
    }
    let event = connector.event(headers, body).map_err(|error| WebhookError::Message(error.message))?;
    let subject = event.subject.as_ref();
    let event = NewEvent {
        integration_id: id,
        event_id: &event.id,
        topic: &event.topic,
        item_type: subject.map(|subject| subject.item_type),
        record_id: subject.map(|subject| subject.record_id.as_str()),
        delay_ms: GATHERING,
    };
    Ok(webhooks::keep(db, &event).await?)
}

/// An n8n server tells of executions: its error workflow or a callback of one, or its traces, several at once. They are stored as
/// they are told; what the poll reads later stands beside them, each execution once.
async fn executions(
    db: &Db,
    id: IntegrationId,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Kept, WebhookError> {
    let kind =
        headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let message = |error: connectors::Error| WebhookError::Message(error.message);
    let told = if kind.starts_with("application/x-protobuf") {
        connectors::n8n::traced(body).map_err(message)?.into_iter().map(|one| (one, None)).collect()
    } else {
        vec![(connectors::n8n::told(body).map_err(message)?, resources(body))]
    };
    let news = store_told(db, id, told).await?;
    Ok(Kept { duplicate: news == 0, queued: 0 })
}

/// What a callback says its execution did.
fn resources(body: &[u8]) -> Option<Resources> {
    #[derive(Deserialize)]
    struct Told {
        resources: Resources,
    }
    const MOST: u32 = i32::MAX.unsigned_abs();
    let Resources { created, updated, failed } = serde_json::from_slice::<Told>(body).ok()?.resources;
    Some(Resources { created: created.min(MOST), updated: updated.min(MOST), failed: failed.min(MOST) })
}

impl Fault for WebhookError {
    fn code(&self) -> Code {
        match self {
            Self::Store(error) => error.code(),
            Self::Unsigned(_) => Code::Unauthorized,
            Self::Message(_) => Code::BadRequest,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Store(error) => error.detail(),
            // The same words whatever is missing: a stranger learns nothing of our accounts.
            Self::Unsigned(_) => "This is not signed by the platform of an account that we know.".to_owned(),
            Self::Message(_) => self.to_string(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Store(error) => error.retry_after(),
            Self::Unsigned(_) | Self::Message(_) => None,
        }
    }

    fn log(&self) -> String {
        match self {
            Self::Store(error) => error.log(),
            other => other.to_string(),
        }
    }
}
