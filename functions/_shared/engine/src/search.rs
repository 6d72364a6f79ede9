//! Looking at a platform before anything is synced.

use crate::clock::Deadline;
use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::wire::Wire;
use connectors::{Filter, ListQuery};
use domain::{Fields, IntegrationId, ItemType, defaults};
use store::Db;
use store::credentials;
use store::integrations;

/// The most records that a count walks through; beyond it the answer is "at least".
const COUNT_CAP: u64 = 10_000;

/// One page of what a search found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The records, in the platform's order.
    pub records: Vec<FoundRecord>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// One record that a search found.
#[derive(Debug, Clone)]
pub struct FoundRecord {
    /// The platform's id.
    pub id: String,
    /// Name, SKU, price and state.
    pub metadata: Fields,
    /// When the platform says it last changed.
    pub modified_at: Option<chrono::DateTime<chrono::Utc>>,
}

/// What to look for.
#[derive(Debug, Clone)]
pub struct Query {
    /// The account; whether the caller may use it, the function has asked before.
    pub integration_id: IntegrationId,
    /// The kind of item.
    pub item_type: ItemType,
    /// The filter.
    pub filter: Filter,
    /// Where the page before ended.
    pub page: Option<String>,
    /// Records wanted.
    pub limit: usize,
}

/// One page of the records that match.
pub async fn search(db: &Db, settings: &Settings, query: Query, deadline: Deadline) -> Result<Found> {
    let side = integrations::load_for_run(db, query.integration_id).await?;
    let side = side.ok_or(store::Error::Missing("integration"))?;
    let sealed = credentials::load_one(db, side.integration_id).await?.ok_or(Error::NoCredential)?;
    let wire = Wire::open(db, settings, &side, sealed, deadline)?;
    let list = list_query(query);
    page(&wire, &list).await
}

/// How many records match, and whether there are more than were counted.
pub async fn count(db: &Db, settings: &Settings, query: Query, deadline: Deadline) -> Result<(u64, bool)> {
    let side = integrations::load_for_run(db, query.integration_id).await?;
    let side = side.ok_or(store::Error::Missing("integration"))?;
    let sealed = credentials::load_one(db, side.integration_id).await?.ok_or(Error::NoCredential)?;
    let wire = Wire::open(db, settings, &side, sealed, deadline)?;
    let mut list = list_query(Query { limit: usize::MAX, ..query });
    let mut counted = 0_u64;
    loop {
        let found = page(&wire, &list).await?;
        counted = counted.saturating_add(u64::try_from(found.records.len()).unwrap_or(0));
        match found.next {
            None => {
                wire.give_back().await?;
                return Ok((counted, false));
            }
            Some(_) if counted >= COUNT_CAP || deadline.left().as_secs() < 2 => return Ok((counted, true)),
            Some(next) if list.page.as_ref() == Some(&next) => {
                return Err(connectors::Error::unexpected("the platform's listing does not advance").into());
            }
            Some(next) => list.page = Some(next),
        }
    }
}

fn list_query(query: Query) -> ListQuery {
    let Query { item_type, filter, page, limit, .. } = query;
    ListQuery { item_type, since: None, filter, page, limit }
}

async fn page(wire: &Wire<'_>, query: &ListQuery) -> Result<Found> {
    let exchange = wire.connector.list(&wire.account, query).map_err(|error| {
        let unfit = error.vendor_code.as_deref() == Some(connectors::Error::UNFIT_FILTER);
        if unfit { Error::Filter(error.message) } else { Error::Platform(error) }
    })?;
    let listed = wire.ask(exchange).await;
    wire.settle().await?;
    let page = listed?;
    let records = page.records.into_iter().map(|record| FoundRecord {
        metadata: defaults::metadata(&record.fields),
        modified_at: record.modified_at,
        id: record.id,
    });
    Ok(Found { records: records.collect(), next: page.next })
}
