//! `webhook-subscriptions`: asks a platform to tell of its changes by itself, shows what it was asked for, and ends it.

use domain::{IntegrationId, ItemType};
use edge::describe::Operation;
use edge::{Call, Door, Problem};
use engine::{Deadline, Ended, Hearing, Settings, Subscribed, Subscription};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Claims, Db, integrations};

/// Which account's subscriptions to show.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Query {
    /// The account.
    pub integration_id: Option<IntegrationId>,
}

/// What the account's platform is to tell of.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// The account.
    pub integration_id: IntegrationId,
    /// Changes of items of these kinds; of every kind that the platform can tell of when absent.
    #[serde(default)]
    pub item_types: Option<Vec<ItemType>>,
}

/// Which subscriptions to end.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Removal {
    /// The account.
    pub integration_id: Option<IntegrationId>,
    /// These of its subscriptions; all when absent.
    pub ids: Option<Vec<String>>,
}

/// What the platform sends to the account's address.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WebhookSubscriptions")]
pub struct Shown {
    /// The address of the account's messages.
    pub address: String,
    /// The subscriptions that are there. What the platform sends to other addresses is not shown.
    pub data: Vec<Row>,
}

/// One subscription.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "WebhookSubscription")]
pub struct Row {
    /// The platform's id of it.
    pub id: String,
    /// What it is about, in the platform's words: `products/update`.
    pub topic: String,
    /// The kind of item whose changes it tells; `null` for a topic that is not followed.
    pub item_type: Option<ItemType>,
}

/// Every topic that was asked for.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WebhookSubscribed")]
pub struct Made {
    /// The address of the account's messages.
    pub address: String,
    /// What became of each topic.
    pub data: Vec<MadeRow>,
}

/// One topic that was asked for.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "WebhookSubscribedTopic")]
pub struct MadeRow {
    /// The platform's id of the subscription; `null` where it was refused.
    pub id: Option<String>,
    /// The topic, in the platform's words.
    pub topic: String,
    /// The kind of item whose changes it tells; `null` where it was refused.
    pub item_type: Option<ItemType>,
    /// Whether it was not there before.
    pub created: bool,
    /// Why the platform refused it.
    pub error: Option<String>,
}

/// Every subscription that was to end.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WebhookUnsubscribed")]
pub struct Removed {
    /// The address of the account's messages.
    pub address: String,
    /// What became of each.
    pub data: Vec<RemovedRow>,
}

/// One subscription that was to end.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WebhookUnsubscribedTopic")]
pub struct RemovedRow {
    /// The platform's id of it.
    pub id: String,
    /// What it was about; `null` where none with this id was at the account's address.
    pub topic: Option<String>,
    /// Whether it is ended.
    pub removed: bool,
    /// Why it is not.
    pub error: Option<String>,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).get(list).post(create).delete(remove).answer().await
}

async fn list(call: Call<Query>) -> Result<Shown, Problem> {
    let user = call.caller.user()?;
    let (db, settings, id) = opened(&user.claims, call.input.integration_id).await?;
    let found = engine::subscriptions(&db, &settings, id, Deadline::at(call.deadline.at())).await?;
    Ok(Shown::from(found))
}

async fn create(call: Call<Input>) -> Result<Made, Problem> {
    let user = call.caller.user()?;
    let Input { integration_id, item_types } = call.input;
    let (db, settings, id) = opened(&user.claims, Some(integration_id)).await?;
    let deadline = Deadline::at(call.deadline.at());
    Ok(Made::from(engine::subscribe(&db, &settings, id, item_types.as_deref(), deadline).await?))
}

async fn remove(call: Call<Removal>) -> Result<Removed, Problem> {
    let user = call.caller.user()?;
    let Removal { integration_id, ids } = call.input;
    let (db, settings, id) = opened(&user.claims, integration_id).await?;
    let deadline = Deadline::at(call.deadline.at());
    Ok(Removed::from(engine::unsubscribe(&db, &settings, id, ids.as_deref(), deadline).await?))
}

/// The account, if it is this user's, or of an organization in which they may have syncs carried out.
async fn opened(
    claims: &Claims,
    id: Option<IntegrationId>,
) -> Result<(Db, Settings, IntegrationId), Problem> {
    let id = id.ok_or_else(|| Problem::invalid("/integrationId", "Name the account."))?;
    let db = Db::open().await?;
    match integrations::permitted(&db, claims, id).await? {
        Some(true) => Ok((db, Settings::read().await?, id)),
        Some(false) => Err(Problem::forbidden()),
        None => Err(Problem::not_found()),
    }
}

impl From<Hearing<Subscription>> for Shown {
    fn from(found: Hearing<Subscription>) -> Self {
        let row = |one: Subscription| Row { id: one.id, topic: one.topic, item_type: one.item_type };
        Self { address: found.address.to_string(), data: found.subscriptions.into_iter().map(row).collect() }
    }
}

impl From<Hearing<Subscribed>> for Made {
    fn from(made: Hearing<Subscribed>) -> Self {
        let row = |one: Subscribed| {
            let (subscription, error) = match one.outcome {
                Ok(subscription) => (Some(subscription), None),
                Err(error) => (None, Some(error)),
            };
            MadeRow {
                topic: one.topic.to_owned(),
                item_type: subscription.as_ref().and_then(|one| one.item_type),
                id: subscription.map(|one| one.id),
                created: one.created,
                error,
            }
        };
        Self { address: made.address.to_string(), data: made.subscriptions.into_iter().map(row).collect() }
    }
}

impl From<Hearing<Ended>> for Removed {
    fn from(ended: Hearing<Ended>) -> Self {
        let row = |one: Ended| RemovedRow {
            removed: one.refused.is_none(),
            id: one.id,
            topic: one.topic,
            error: one.refused,
        };
        Self { address: ended.address.to_string(), data: ended.subscriptions.into_iter().map(row).collect() }
    }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get(Door::User, list).summary("Shows what an account's platform tells of by itself."),
        Operation::post(Door::User, create).summary(
            "Asks an account's platform to tell of its changes by itself; what is there already is left.",
        ),
        Operation::delete(Door::User, remove).summary("Ends what an account's platform tells of by itself."),
    ]
}
