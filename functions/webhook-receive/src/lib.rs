//! `webhook-receive`: takes in a platform's message that something changed, and queues the items it is about.

use edge::describe::Operation;
use edge::{Call, Door, Problem};
use engine::{Settings, WebhookError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Db;

/// The platform's message. Its signature is checked over its bytes; of what it says, only which record to look at is
/// used.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Message {}

/// What became of the message.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// Always true: it need not be sent again.
    pub received: bool,
    /// Whether it had come before. Then nothing was done.
    pub duplicate: bool,
    /// Jobs that will look at the record: new ones, and those that waited already.
    pub queued: u64,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::Signature).post(webhook_receive).answer().await
}

async fn webhook_receive(call: Call<Message>) -> Result<Output, Problem> {
    let unsigned = |why: &str| WebhookError::Unsigned(why.to_owned());
    let id = call.path.first().and_then(|text| text.parse().ok());
    let id = id.ok_or_else(|| unsigned("the address names no account"))?;
    let delivery = call.delivery.ok_or_else(|| unsigned("there is no message"))?;
    let settings = Settings::read().await?;
    let db = Db::open().await?;
    let kept = engine::receive_webhook(&db, &settings, id, &delivery.headers, &delivery.body).await?;
    Ok(Output { received: true, duplicate: kept.duplicate, queued: kept.queued })
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    let account = "The account that the message is of: its id, as `integrations` shows it.";
    vec![Operation::post(Door::Signature, webhook_receive).below("integrationId", account)]
}
