//! `item-search`: searches a platform and shows what would be added to the sync list.

use chrono::{DateTime, Utc};
use domain::{Fields, IntegrationId, ItemId, ItemType, Platform, Value};
use edge::describe::Operation;
use edge::{Call, Door, Problem};
use engine::{Filter, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use store::sync_list::{self, KnownSources};
use store::{Db, integrations};

/// What to look for: on an account, or on a platform where the user has one account.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// The account.
    pub integration_id: Option<IntegrationId>,
    /// The platform, instead of an account.
    pub platform: Option<Platform>,
    /// The kind of item; products when absent.
    pub item_type: Option<ItemType>,
    /// `status` (list), `priceMin`, `priceMax`, `category`, `updatedAfter`, `text`. What is absent does not narrow.
    pub filter_config: Fields,
    /// Where the page before ended (`next_cursor`).
    pub cursor: Option<String>,
    /// Records wanted, 1 to 250; 50 when absent. A platform may give fewer.
    pub limit: Option<usize>,
}

/// One page of what was found, in the platform's order.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Page {
    /// The records.
    pub data: Vec<Row>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

/// One record.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The platform's id: `sourceId` for the sync list.
    pub id: String,
    /// Its name.
    pub name: Option<Value>,
    /// Its SKU, or that of its first variant.
    pub sku: Option<Value>,
    /// Its price, or that of its first variant.
    pub price: Option<Value>,
    /// The platform's word for its state.
    pub status: Option<Value>,
    /// When the platform says it last changed.
    pub modified_at: Option<DateTime<Utc>>,
    /// The item of the sync list, if it is on it.
    pub sync_list_id: Option<ItemId>,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).post(item_search).answer().await
}

async fn item_search(call: Call<Input>) -> Result<Page, Problem> {
    let user = call.caller.user()?;
    let Input { integration_id, platform, item_type, filter_config, cursor, limit } = call.input;
    let filter: Filter = serde_json::from_value(Value::Object(filter_config)).map_err(|error| {
        Problem::invalid("/filterConfig", format!("This filter cannot be read: {error}."))
    })?;
    let limit = limit.unwrap_or(50);
    if !(1..=250).contains(&limit) {
        return Err(Problem::invalid("/limit", "This is a number from 1 to 250."));
    }
    let db = Db::open().await?;
    let account = match (integration_id, platform) {
        (Some(id), _) => integrations::get(&db, &user.claims, id)
            .await?
            .map(|account| account.id)
            .ok_or_else(Problem::not_found)?,
        (None, Some(platform)) => {
            integrations::only_active(&db, &user.claims, platform).await?.ok_or_else(|| {
                Problem::invalid(
                    "/integrationId",
                    format!("Name the account: there is not exactly one active account on {platform}."),
                )
            })?
        }
        (None, None) => return Err(Problem::invalid("/integrationId", "Name an account or a platform.")),
    };
    let settings = Settings::read().await?;
    let item_type = item_type.unwrap_or(ItemType::Product);
    let query = engine::Query { integration_id: account, item_type, filter, page: cursor, limit };
    let found = engine::search(&db, &settings, query, engine::Deadline::at(call.deadline.at())).await?;
    let source_ids: Vec<String> = found.records.iter().map(|record| record.id.clone()).collect();
    let asked = KnownSources {
        source_integration_id: account,
        target_integration_id: None,
        item_type,
        source_ids: &source_ids,
    };
    let known = sync_list::known_sources(&db, &user.claims, &asked).await?;
    let known: HashMap<String, ItemId> = known.into_iter().map(|one| (one.source_id, one.item_id)).collect();
    let data = found.records.into_iter().map(|record| Row::new(record, &known)).collect();
    Ok(Page { data, has_more: found.next.is_some(), next_cursor: found.next })
}

impl Row {
    fn new(mut record: engine::FoundRecord, known: &HashMap<String, ItemId>) -> Self {
        let mut take = |name: &str| record.metadata.remove(name);
        let (name, sku, price, status) = (take("name"), take("sku"), take("price"), take("status"));
        let sync_list_id = known.get(&record.id).copied();
        Self { name, sku, price, status, modified_at: record.modified_at, sync_list_id, id: record.id }
    }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::post(Door::User, item_search)]
}
