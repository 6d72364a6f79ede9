//! `patterns`: saved searches: the filters that a user syncs by.

use chrono::{DateTime, Utc};
use domain::{Direction, Fields, ItemType, PatternId, Platform, Value};
use edge::describe::Operation;
use edge::{Call, Created, Door, Either, Empty, Problem};
use engine::{Filter, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::patterns::{self, NewPattern, Pattern, PatternChange, PatternQuery};
use store::{Claims, Db, integrations};

/// Which patterns to show.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Query {
    /// This one.
    pub id: Option<PatternId>,
    /// With `id`: how many records match it now, on the platform it looks at.
    pub count: bool,
    /// With `count`: which kind of item; products when absent.
    pub item_type: Option<ItemType>,
    /// Where the page before ended (`next_cursor`).
    pub cursor: Option<String>,
    /// 1 to 1,000; 50 when absent.
    pub limit: Option<i32>,
}

/// A pattern to be saved.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct New {
    /// What to call it, 1 to 200 characters.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Which way it looks.
    pub direction: Direction,
    /// `status` (list), `priceMin`, `priceMax`, `category`, `updatedAfter`, `text`.
    pub filter_config: Fields,
}

/// A change of a pattern. What is absent stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Change {
    /// The pattern.
    pub id: PatternId,
    /// What to call it.
    #[serde(default)]
    pub name: Option<String>,
    /// What it is for; an empty text for nothing.
    #[serde(default)]
    pub description: Option<String>,
    /// Which way it looks.
    #[serde(default)]
    pub direction: Option<Direction>,
    /// The whole new filter.
    #[serde(default)]
    pub filter_config: Option<Fields>,
}

/// Which pattern to delete.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Removal {
    /// The pattern.
    pub id: PatternId,
}

/// A pattern.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The pattern.
    pub id: PatternId,
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Which way it looks.
    pub direction: Direction,
    /// Its filter.
    pub filter_config: Fields,
    /// How many records match now, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matches: Option<u64>,
    /// Whether there are more than were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more: Option<bool>,
    /// When it was saved.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// One page of patterns, newest first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Page {
    /// The patterns.
    pub data: Vec<Row>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).get(list).post(create).patch(change).delete(remove).answer().await
}

async fn list(call: Call<Query>) -> Result<Either<Row, Page>, Problem> {
    let user = call.caller.user()?;
    let Query { id, count, item_type, cursor, limit } = call.input;
    let db = Db::open().await?;
    if let Some(id) = id {
        let pattern = patterns::get(&db, &user.claims, id).await?.ok_or_else(Problem::not_found)?;
        let mut row = Row::from(pattern);
        if count {
            let deadline = engine::Deadline::at(call.deadline.at());
            let item_type = item_type.unwrap_or(ItemType::Product);
            let (matches, more) = matches(&db, &user.claims, &row, item_type, deadline).await?;
            (row.matches, row.more) = (Some(matches), Some(more));
        }
        return Ok(Either::Left(row));
    }
    let query = PatternQuery {
        before: edge::cursor::read(cursor.as_deref())?,
        limit: edge::cursor::limit(limit)?,
        ..PatternQuery::default()
    };
    let page = patterns::list(&db, &user.claims, &query).await?;
    let last = page.rows.last().filter(|_| page.has_more);
    let next_cursor = last.map(|row| edge::cursor::write(row.created_at, row.id));
    Ok(Either::Right(Page {
        next_cursor,
        has_more: page.has_more,
        data: page.rows.into_iter().map(Row::from).collect(),
    }))
}

/// Counts what a pattern finds on the platform it looks at; one for both ways is counted at the shop.
async fn matches(
    db: &Db,
    claims: &Claims,
    row: &Row,
    item_type: ItemType,
    deadline: engine::Deadline,
) -> Result<(u64, bool), Problem> {
    let platform = match row.direction {
        Direction::NetsuiteToShopify => Platform::Netsuite,
        Direction::ShopifyToNetsuite | Direction::Bidirectional => Platform::Shopify,
    };
    let filter = filter(&row.filter_config)?;
    let account = integrations::only_active(db, claims, platform).await?;
    let integration_id = account.ok_or_else(|| {
        Problem::invalid("/id", format!("There is not exactly one active account on {platform} to count on."))
    })?;
    let settings = Settings::read().await?;
    let query = engine::Query { integration_id, item_type, filter, page: None, limit: 0 };
    Ok(engine::count(db, &settings, query, deadline).await?)
}

async fn create(call: Call<New>) -> Result<Created<Row>, Problem> {
    let user = call.caller.user()?;
    let New { name, description, direction, filter_config } = call.input;
    check_name(&name)?;
    filter(&filter_config)?;
    let db = Db::open().await?;
    let new = NewPattern { name, description, direction, filter_config };
    Ok(Created(Row::from(patterns::create(&db, &user.claims, &new).await?)))
}

async fn change(call: Call<Change>) -> Result<Row, Problem> {
    let user = call.caller.user()?;
    let Change { id, name, description, direction, filter_config } = call.input;
    name.as_deref().map_or(Ok(()), check_name)?;
    if let Some(config) = &filter_config {
        filter(config)?;
    }
    let description = description.map(|text| Some(text).filter(|text| !text.is_empty()));
    let change = PatternChange { name, description, direction, filter_config };
    let db = Db::open().await?;
    let changed = patterns::update(&db, &user.claims, id, &change).await?;
    changed.map(Row::from).ok_or_else(Problem::not_found)
}

async fn remove(call: Call<Removal>) -> Result<Empty, Problem> {
    let user = call.caller.user()?;
    let db = Db::open().await?;
    if patterns::delete(&db, &user.claims, call.input.id).await? {
        Ok(Empty)
    } else {
        Err(Problem::not_found())
    }
}

fn check_name(name: &str) -> Result<(), Problem> {
    if (1..=200).contains(&name.trim().chars().count()) {
        Ok(())
    } else {
        Err(Problem::invalid("/name", "A name has 1 to 200 characters."))
    }
}

/// A filter that can be followed: checked when it is saved, not when it is used.
fn filter(config: &Fields) -> Result<Filter, Problem> {
    serde_json::from_value(Value::Object(config.clone()))
        .map_err(|error| Problem::invalid("/filterConfig", format!("This filter cannot be read: {error}.")))
}

impl From<Pattern> for Row {
    fn from(pattern: Pattern) -> Self {
        Self {
            id: pattern.id,
            name: pattern.name,
            description: pattern.description,
            direction: pattern.direction,
            filter_config: pattern.filter_config,
            matches: None,
            more: None,
            created_at: pattern.created_at,
            updated_at: pattern.updated_at,
        }
    }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get(Door::User, list)
            .summary("Shows saved searches, newest first; with `id` one of them."),
        Operation::post(Door::User, create).summary("Saves a search."),
        Operation::patch(Door::User, change).summary("Changes a saved search."),
        Operation::delete(Door::User, remove).summary("Deletes a saved search."),
    ]
}
