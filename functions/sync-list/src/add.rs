//! Putting items on the list: named ones, or all that a saved search finds.

use crate::row::{Page, Row};
use domain::ItemId;
use domain::{Direction, Fields, IntegrationId, ItemType, PatternId, Platform, SyncMode, Value};
use edge::{Call, Problem};
use engine::{Filter, Query, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::sync_list::{self, ListQuery, NewItem};
use store::{Claims, Db, integrations, patterns};

/// The most items that one call adds.
const MOST: usize = 1000;

/// What to add: `items`, or `patternId`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// What kind of thing they are.
    pub item_type: ItemType,
    /// The platform they come from; enough where the user has one account there.
    #[serde(default)]
    pub source_platform: Option<Platform>,
    /// The platform they go to; enough where the user has one account there.
    #[serde(default)]
    pub target_platform: Option<Platform>,
    /// The account they come from.
    #[serde(default)]
    pub source_integration_id: Option<IntegrationId>,
    /// The account they go to.
    #[serde(default)]
    pub target_integration_id: Option<IntegrationId>,
    /// Delta when absent.
    #[serde(default)]
    pub sync_mode: Option<SyncMode>,
    /// 1 (first) to 9; 5 when absent.
    #[serde(default)]
    pub priority: Option<i16>,
    /// The filter by which they were found, kept with them.
    #[serde(default)]
    pub filter_config: Option<Fields>,
    /// The items, at most 1,000.
    #[serde(default)]
    pub items: Vec<Item>,
    /// A saved search, run now; everything it finds is added, at most 1,000.
    #[serde(default)]
    pub pattern_id: Option<PatternId>,
}

/// One item.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Item {
    /// Its id at the source.
    pub source_id: String,
    /// The record of the target that it is. When absent it is looked for there, and made where there is none.
    #[serde(default)]
    pub target_id: Option<String>,
    /// What a list shows of it: name, SKU, price.
    #[serde(default)]
    pub metadata: Option<Fields>,
}

/// What became of them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// The items that were added.
    pub data: Vec<Row>,
    /// How many were on the list already.
    pub already: u64,
    /// Whether the search found more than were added.
    pub has_more: bool,
}

pub(crate) async fn add(call: Call<Input>) -> Result<Output, Problem> {
    let user = call.caller.user()?;
    let mut input = call.input;
    if input.priority.is_some_and(|priority| !(1..=9).contains(&priority)) {
        return Err(Problem::invalid("/priority", "This is a number from 1 (first) to 9."));
    }
    let db = Db::open().await?;
    let has_more = match input.pattern_id {
        Some(pattern) => {
            let deadline = engine::Deadline::at(call.deadline.at());
            find(&db, &user.claims, pattern, &mut input, deadline).await?
        }
        None => false,
    };
    match input.items.len() {
        0 if input.pattern_id.is_none() => {
            return Err(Problem::invalid("/items", "Name items, or a pattern."));
        }
        0..=MOST => {}
        _ => return Err(Problem::invalid("/items", "Name at most 1,000 items.")),
    }
    let items = new_items(&input);
    let added = sync_list::add(&db, &user.claims, &items).await?;
    let data = rows(&db, &user.claims, added.added).await?;
    Ok(Output { data, already: added.already, has_more })
}

fn new_items(input: &Input) -> Vec<NewItem> {
    let one = |item: &Item| NewItem {
        item_type: Some(input.item_type),
        source_platform: input.source_platform.map(|platform| platform.word().to_owned()),
        target_platform: input.target_platform.map(|platform| platform.word().to_owned()),
        source_integration_id: input.source_integration_id,
        target_integration_id: input.target_integration_id,
        source_id: item.source_id.clone(),
        target_id: item.target_id.clone(),
        sync_mode: input.sync_mode,
        priority: input.priority,
        filter_config: input.filter_config.clone(),
        metadata: item.metadata.clone(),
        ..NewItem::default()
    };
    input.items.iter().map(one).collect()
}

async fn rows(db: &Db, claims: &Claims, ids: Vec<ItemId>) -> Result<Vec<Row>, Problem> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let order = ids.clone();
    let query = ListQuery { ids: Some(ids), limit: 1000, ..ListQuery::default() };
    let mut data = Page::from(sync_list::list(db, claims, &query).await?).data;
    data.sort_by_key(|row| order.iter().position(|id| *id == row.id));
    Ok(data)
}

/// Runs a saved search and takes what it finds; answers whether there is more.
async fn find(
    db: &Db,
    claims: &Claims,
    pattern: PatternId,
    input: &mut Input,
    deadline: engine::Deadline,
) -> Result<bool, Problem> {
    let pattern = patterns::get(db, claims, pattern).await?.ok_or_else(Problem::not_found)?;
    let (from, to) = sides(input, pattern.direction)?;
    let filter: Filter =
        serde_json::from_value(Value::Object(pattern.filter_config.clone())).map_err(|error| {
            Problem::invalid("/patternId", format!("The pattern's filter cannot be read: {error}."))
        })?;
    let integration_id = match input.source_integration_id {
        Some(id) => id,
        None => integrations::only_active(db, claims, from).await?.ok_or_else(|| unclear(from))?,
    };
    if integrations::get(db, claims, integration_id).await?.is_none() {
        return Err(Problem::not_found());
    }
    let settings = Settings::read().await?;
    let mut query = Query { integration_id, item_type: input.item_type, filter, page: None, limit: MOST };
    loop {
        let found = engine::search(db, &settings, query.clone(), deadline).await?;
        let items = found.records.into_iter();
        input.items.extend(items.map(|one| Item {
            source_id: one.id,
            target_id: None,
            metadata: Some(one.metadata),
        }));
        if input.items.len() >= MOST || found.next.is_none() {
            let more = found.next.is_some() || input.items.len() > MOST;
            input.items.truncate(MOST);
            input.filter_config = Some(pattern.filter_config);
            (input.source_platform, input.target_platform) = (Some(from), Some(to));
            return Ok(more);
        }
        query.page = found.next;
    }
}

/// Which way a pattern is used: its own direction, or for both ways what the caller says.
fn sides(input: &Input, direction: Direction) -> Result<(Platform, Platform), Problem> {
    match (direction, input.source_platform) {
        (Direction::ShopifyToNetsuite, _) | (Direction::Bidirectional, Some(Platform::Shopify)) => {
            Ok((Platform::Shopify, Platform::Netsuite))
        }
        (Direction::NetsuiteToShopify, _) | (Direction::Bidirectional, Some(Platform::Netsuite)) => {
            Ok((Platform::Netsuite, Platform::Shopify))
        }
        (Direction::Bidirectional, _) => Err(Problem::invalid(
            "/sourcePlatform",
            "The pattern looks both ways: say which of its two platforms to search.",
        )),
    }
}

fn unclear(platform: Platform) -> Problem {
    let detail = format!("Name the account: there is not exactly one active account on {platform}.");
    Problem::invalid("/sourceIntegrationId", detail)
}
