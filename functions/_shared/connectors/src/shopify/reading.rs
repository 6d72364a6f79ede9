//! Listing, reading by id and finding by key: the same for every kind of record.

use super::graphql::{KEY_NAME, KEY_NAMESPACE, Shop, numbered, repeat};
use super::node::{self, Recorded, Then};
use super::replies::{Listing, Nodes};
use super::{cost, failure, node::complete};
use crate::{Error, Exchange, ListQuery, Page, Result, Step, read};
use domain::{Fields, Record, Value};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// A search that Shopify answers inexactly may give many pages; more than these are no answer any more.
const MOST_SEARCH_PAGES: u32 = 20;

/// A page that is still too dear at this size is no question of its size.
const SMALLEST_PAGE: u32 = 10;

/// How one kind of record is read.
#[derive(Clone)]
pub(super) struct Kind {
    /// The document that lists, with its fragments.
    pub(super) list: String,
    /// The document that reads by id, with its fragments.
    pub(super) get: String,
    /// How much of each record a page shows.
    pub(super) page: Shape,
    /// How much of each record is shown by id or key.
    pub(super) read: Shape,
}

/// How many records one request shows, and how much of the lists in each.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    /// Records in one request.
    pub(super) records: u32,
    /// The most that one record costs.
    pub(super) each: u32,
    /// The sizes of its lists, as variables.
    pub(super) sizes: &'static [(&'static str, u32)],
}

impl Shape {
    /// Records in one request.
    pub(super) const fn at_once(&self) -> usize {
        self.records as usize
    }

    /// The sizes as variables.
    pub(super) fn sizes(&self) -> impl Iterator<Item = (String, Value)> {
        self.sizes.iter().map(|(name, size)| ((*name).to_owned(), (*size).into()))
    }
}

/// One page of a listing.
pub(super) fn list<N: Recorded>(
    shop: &Shop,
    kind: &Kind,
    search: Option<String>,
    query: &ListQuery,
) -> Result<Exchange<Page>> {
    let first = u32::try_from(query.limit).unwrap_or(u32::MAX).clamp(1, kind.page.records);
    list_page::<N>(shop, kind, search, query.page.clone(), first)
}

fn list_page<N: Recorded>(
    shop: &Shop,
    kind: &Kind,
    search: Option<String>,
    after: Option<String>,
    first: u32,
) -> Result<Exchange<Page>> {
    let variables = page_variables::<N>(shop, kind, first, after.as_deref(), search.as_deref());
    let (again, kind) = (shop.clone(), kind.clone());
    let document = kind.list.clone();
    shop.ask(&document, variables, cost::connection(first, kind.page.each), move |reply| {
        let page = match failure::data::<Listing<N>>(reply) {
            // Shopify counts connections by a rule it does not publish: should ours be off, a smaller page still comes.
            Err(error)
                if error.vendor_code.as_deref() == Some("MAX_COST_EXCEEDED") && first > SMALLEST_PAGE =>
            {
                let exchange =
                    list_page::<N>(&again, &kind, search.clone(), after.clone(), first.div_ceil(4))?;
                return Ok(Step::Next { exchange, after: Duration::ZERO });
            }
            listing => listing?.page,
        };
        let next = node::next_cursor(&page.page_info)?.map(str::to_owned);
        if next.is_some() && next == after {
            return Err(Error::unexpected("Shopify shows the same page twice"));
        }
        let then: Then<N, Page> =
            Arc::new(move |nodes| Ok(Step::Done(Page { records: records(nodes)?, next: next.clone() })));
        complete(&again, page.nodes, &then)
    })
}

pub(super) fn page_variables<N: Recorded>(
    shop: &Shop,
    kind: &Kind,
    first: u32,
    after: Option<&str>,
    search: Option<&str>,
) -> Fields {
    let mut variables = N::shared(shop);
    variables.extend(kind.page.sizes());
    variables.insert("first".to_owned(), first.into());
    variables.insert("after".to_owned(), after.into());
    variables.insert("query".to_owned(), search.into());
    variables
}

/// The records with these ids; what does not exist is absent.
pub(super) fn get<N: Recorded>(shop: &Shop, kind: &Kind, ids: &[String]) -> Result<Exchange<Vec<Record>>> {
    let then: Then<N, Vec<Record>> = Arc::new(|nodes| Ok(Step::Done(records(nodes)?)));
    nodes(shop, kind, ids, then)
}

/// Reads nodes by id and goes on with them once they are whole.
pub(super) fn nodes<N: node::Node, T: 'static>(
    shop: &Shop,
    kind: &Kind,
    ids: &[String],
    then: Then<N, T>,
) -> Result<Exchange<T>> {
    fits(ids.len(), kind.read.at_once())?;
    let mut variables = N::shared(shop);
    variables.extend(kind.read.sizes());
    variables.insert("ids".to_owned(), json!(ids));
    let again = shop.clone();
    shop.ask(&kind.get, variables, cost::times(ids.len(), kind.read.each), move |reply| {
        let Nodes { nodes } = failure::data(reply)?;
        complete(&again, node::existing::<N>(&nodes)?, &then)
    })
}

/// The records that these identifiers name, each looked up by itself in one request.
pub(super) fn by_identifier<N: Recorded>(
    shop: &Shop,
    document: &str,
    kind: &Kind,
    identifiers: Vec<Value>,
) -> Result<Exchange<Vec<Record>>> {
    let then: Then<N, Vec<Record>> = Arc::new(|nodes| Ok(Step::Done(records(nodes)?)));
    identified(shop, document, kind, identifiers, move |again, found| {
        complete(again, found.into_iter().flatten().collect(), &then)
    })
}

/// Looks identifiers up and hands on what each of them names.
pub(super) fn identified<N: Recorded, T: 'static>(
    shop: &Shop,
    document: &str,
    kind: &Kind,
    identifiers: Vec<Value>,
    then: impl Fn(&Shop, Vec<Option<N>>) -> Result<Step<T>> + Send + 'static,
) -> Result<Exchange<T>> {
    let count = identifiers.len();
    fits(count, kind.read.at_once())?;
    let mut variables = N::shared(shop);
    variables.extend(kind.read.sizes());
    variables.extend(numbered(identifiers.into_iter().map(|identifier| vec![("identifier", identifier)])));
    let again = shop.clone();
    shop.ask(&repeat(document, count), variables, cost::times(count, kind.read.each), move |reply| {
        let found = failure::each(reply, count)?
            .into_iter()
            .map(|value| match value? {
                Value::Null => Ok(None),
                value => read::part::<N>(&value).map(Some),
            })
            .collect::<Result<Vec<_>>>()?;
        then(&again, found)
    })
}

/// The identifier of the record that carries our external key.
pub(super) fn external(key: &str) -> Value {
    json!({ "customId": { "namespace": KEY_NAMESPACE, "key": KEY_NAME, "value": key } })
}

/// Every record that a search gives and that `is_it` confirms.
pub(super) fn search<N: Recorded>(
    shop: &Shop,
    kind: &Kind,
    search: String,
    is_it: impl Fn(&Record) -> bool + Send + Sync + 'static,
) -> Result<Exchange<Vec<Record>>> {
    search_page::<N>(shop, kind, search, None, &(Arc::new(is_it) as Confirm), Vec::new(), 1)
}

type Confirm = Arc<dyn Fn(&Record) -> bool + Send + Sync>;

fn search_page<N: Recorded>(
    shop: &Shop,
    kind: &Kind,
    search: String,
    after: Option<String>,
    is_it: &Confirm,
    found: Vec<Record>,
    page_number: u32,
) -> Result<Exchange<Vec<Record>>> {
    if page_number > MOST_SEARCH_PAGES {
        return Err(Error::unexpected("Shopify's search finds too much to be of use"));
    }
    let first = kind.page.records;
    let variables = page_variables::<N>(shop, kind, first, after.as_deref(), Some(&search));
    let (again, kind_again, is_it) = (shop.clone(), kind.clone(), Arc::clone(is_it));
    shop.ask(&kind.list, variables, cost::connection(first, kind.page.each), move |reply| {
        let Listing { page } = failure::data::<Listing<N>>(reply)?;
        let next = node::next_cursor(&page.page_info)?.map(str::to_owned);
        if next.is_some() && next == after {
            return Err(Error::unexpected("Shopify shows the same page twice"));
        }
        let (shop, kind, search, is_it, found) =
            (again.clone(), kind_again.clone(), search.clone(), Arc::clone(&is_it), found.clone());
        let then: Then<N, Vec<Record>> = Arc::new(move |nodes| {
            let mut found = found.clone();
            found.extend(records(nodes)?.into_iter().filter(|record| is_it(record)));
            let Some(next) = &next else { return Ok(Step::Done(found)) };
            let number = page_number.saturating_add(1);
            let exchange =
                search_page::<N>(&shop, &kind, search.clone(), Some(next.clone()), &is_it, found, number)?;
            Ok(Step::Next { exchange, after: Duration::ZERO })
        });
        complete(&again, page.nodes, &then)
    })
}

/// The neutral records of whole nodes.
pub(super) fn records<N: Recorded>(nodes: Vec<N>) -> Result<Vec<Record>> {
    nodes.into_iter().map(N::into_record).collect()
}

/// Refuses more records than one request can hold: the caller divides by the limits.
pub(super) fn fits(count: usize, most: usize) -> Result<()> {
    if count > most {
        return Err(Error::unexpected(format!(
            "{count} records were asked for at once; {most} are possible"
        )));
    }
    Ok(())
}
