//! Stock: what is available of a variant, by location.

use super::cost;
use super::failure::{self, bad_field, only};
use super::graphql::{Shop, numbered, repeat};
use super::node::{Node, Recorded, count, cursor, extend, next_cursor, text};
use super::reading::{self, Kind, Shape};
use super::replies::{InventoryItem, InventoryRest, Listing, Location};
use super::search;
use crate::{Error, ErrorKind, Exchange, Key, ListQuery, Outcome, Page, Result, Step, Write, Written, read};
use domain::{Fields, Record, Value};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

const FIELDS: &str = include_str!("inventory_fields.graphql");
const LOCATIONS: &str = include_str!("locations.graphql");
const SET: &str = include_str!("inventory_set.graphql");

/// What one item costs: itself 1, levels with their location and quantities 3 each.
const fn cost_of(levels: u32) -> u32 {
    1 + cost::connection(levels, 3)
}

/// In a listing: 2 + 11 × 18 = 200 points for 250 items.
pub(super) const PAGE: Shape = Shape { records: 250, each: cost_of(20), sizes: &[("levels", 20)] };
/// By id: 60 × 15 = 900 points.
pub(super) const READ: Shape = Shape { records: 60, each: cost_of(10), sizes: &[("levels", 10)] };
/// Records in one write: a mutation 10 and its errors 1 each.
pub(super) const WRITE_AT_ONCE: usize = 50;
/// Shops have at most 200 locations; a page holds 250.
const MOST_LOCATION_PAGES: u32 = 10;

fn kind() -> Kind {
    Kind {
        list: [include_str!("inventory_list.graphql"), FIELDS].concat(),
        get: [include_str!("inventory_get.graphql"), FIELDS].concat(),
        page: PAGE,
        read: READ,
    }
}

/// One page, in the order of ids: Shopify has no order by change for these.
pub(super) fn list(shop: &Shop, query: &ListQuery) -> Result<Exchange<Page>> {
    reading::list::<InventoryItem>(shop, &kind(), search::inventory(query)?, query)
}

/// The items with these ids.
pub(super) fn get(shop: &Shop, ids: &[String]) -> Result<Exchange<Vec<Record>>> {
    reading::get::<InventoryItem>(shop, &kind(), ids)
}

/// The items with these SKUs.
pub(super) fn find(shop: &Shop, key: &Key) -> Result<Exchange<Vec<Record>>> {
    match key {
        Key::Field { name, values } if name == "sku" => {
            reading::fits(values.len(), READ.at_once())?;
            let wanted = values.clone();
            reading::search::<InventoryItem>(shop, &kind(), search::any_of("sku", values), move |record| {
                let sku = record.fields.get("sku").and_then(Value::as_str);
                sku.is_some_and(|sku| wanted.iter().any(|one| one == sku))
            })
        }
        _ => Err(Error::unsupported("Shopify's inventory can be found by `sku` only")),
    }
}

impl Node for InventoryItem {
    const REST_COST: u32 = cost_of(200);
    const REST_AT_ONCE: usize = 10;

    fn rest_document() -> String {
        let shared = FIELDS.find("fragment levels").and_then(|start| FIELDS.get(start..)).unwrap_or(FIELDS);
        [include_str!("inventory_rest.graphql"), shared].concat()
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn missing(&self) -> Option<Vec<(&'static str, Value)>> {
        let page = &self.inventory_levels.page_info;
        page.has_next_page.then(|| vec![("after", cursor(page))])
    }

    fn append(&mut self, more: &Value) -> Result<()> {
        let InventoryRest { inventory_levels } = read::part(more)?;
        extend(&mut self.inventory_levels, inventory_levels)
    }

    fn shared(_: &Shop) -> Fields {
        Fields::new()
    }
}

impl Recorded for InventoryItem {
    fn into_record(self) -> Result<Record> {
        // The item's own time does not move with its stock; the newest of its levels' does.
        let mut newest = (read::time(&self.updated_at)?, self.updated_at);
        let mut quantities = Fields::new();
        for level in self.inventory_levels.nodes {
            let time = read::time(&level.updated_at)?;
            if time > newest.0 {
                newest = (time, level.updated_at);
            }
            if let Some(available) = level.quantities.iter().find(|quantity| quantity.name == "available") {
                quantities.insert(level.location.name, count(&available.quantity)?);
            }
        }
        let fields =
            [("sku", text(self.sku)), ("tracked", self.tracked.into()), ("quantities", quantities.into())];
        Ok(Record {
            id: self.id,
            fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            modified_at: Some(newest.0),
            version: Some(newest.1),
            deleted: false,
        })
    }
}

/// Sets quantities. The names of locations are looked up first.
pub(super) fn write(shop: &Shop, writes: &[Write]) -> Result<Exchange<Vec<Outcome>>> {
    reading::fits(writes.len(), WRITE_AT_ONCE)?;
    locations(shop, writes.to_vec().into(), None, HashMap::new(), 1)
}

fn locations(
    shop: &Shop,
    writes: Arc<[Write]>,
    after: Option<String>,
    known: HashMap<String, String>,
    page_number: u32,
) -> Result<Exchange<Vec<Outcome>>> {
    let variables = [("after".to_owned(), after.clone().into())].into_iter().collect();
    let again = shop.clone();
    shop.ask(LOCATIONS, variables, cost::connection(250, 1), move |reply| {
        let Listing { page } = failure::data::<Listing<Location>>(reply)?;
        let mut known = known.clone();
        known.extend(page.nodes.iter().map(|location| (location.name.clone(), location.id.clone())));
        match next_cursor(&page.page_info)? {
            Some(next) if Some(next) == after.as_deref() || page_number >= MOST_LOCATION_PAGES => {
                Err(Error::unexpected("Shopify's locations do not come to an end"))
            }
            Some(next) => {
                let number = page_number.saturating_add(1);
                let exchange = locations(&again, Arc::clone(&writes), Some(next.to_owned()), known, number)?;
                Ok(Step::Next { exchange, after: Duration::ZERO })
            }
            None => set(&again, &writes, &known),
        }
    })
}

fn set(shop: &Shop, writes: &[Write], locations: &HashMap<String, String>) -> Result<Step<Vec<Outcome>>> {
    let inputs: Vec<Result<Option<Value>>> = writes.iter().map(|write| input(write, locations)).collect();
    let sent: Vec<usize> = inputs
        .iter()
        .enumerate()
        .filter(|(_, input)| matches!(input, Ok(Some(_))))
        .map(|(at, _)| at)
        .collect();
    let variables = numbered(writes.iter().zip(&inputs).filter_map(|(write, input)| {
        let input = input.as_ref().ok()?.clone()?;
        Some(vec![("input", input), ("key", once(write).into())])
    }));
    let outcomes: Vec<Outcome> = writes
        .iter()
        .zip(inputs)
        .map(|(write, input)| input.map(|_| Written { id: write.id.clone().unwrap_or_default(), now: None }))
        .collect();
    if sent.is_empty() {
        return Ok(Step::Done(outcomes));
    }
    let count = sent.len();
    let cost = cost::times(count, cost::MUTATION);
    let exchange = shop.ask(&repeat(SET, count), variables, cost, move |reply| {
        let mut outcomes = outcomes.clone();
        for (answer, position) in failure::each(reply, count)?.into_iter().zip(&sent) {
            if let (Err(error), Some(place)) =
                (answer.and_then(|payload| failure::user_errors(&payload)), outcomes.get_mut(*position))
            {
                *place = Err(error);
            }
        }
        Ok(Step::Done(outcomes))
    })?;
    Ok(Step::Next { exchange, after: Duration::ZERO })
}

/// Shopify answers a key that it has seen before from memory, without looking at the stock. Counts of 10, 20, 10, 20 are
/// writes of their own: the key says as well over which version of the record it is. A repeated request has the same one.
fn once(write: &Write) -> String {
    match &write.expected_version {
        Some(version) => format!("{}@{version}", write.idempotency_key),
        None => write.idempotency_key.clone(),
    }
}

/// What to set; `None` when every quantity is what it should be.
fn input(write: &Write, locations: &HashMap<String, String>) -> Result<Option<Value>> {
    only(&write.fields, &["quantities"])?;
    let Some(id) = &write.id else {
        return Err(Error::new(
            ErrorKind::Rejected,
            "stock belongs to a variant; it cannot be created by itself",
        ));
    };
    let wanted = write.fields.get("quantities").and_then(Value::as_object);
    let wanted = wanted.ok_or_else(|| bad_field("quantities", "must be an object of location and count"))?;
    let current = write.current.get("quantities").and_then(Value::as_object);
    let mut quantities = Vec::new();
    for (name, quantity) in wanted {
        let whole = |value: &Value| {
            read::integer(value)
                .ok_or_else(|| bad_field(&format!("quantities.{name}"), "must be a whole number"))
        };
        let quantity = whole(quantity)?;
        let Some(location) = locations.get(name) else {
            // Other systems list every location of theirs. One without stock is as good as none.
            if quantity == 0 {
                continue;
            }
            let name = format!("quantities.{}", read::excerpt(name));
            return Err(bad_field(&name, "the shop has no such location"));
        };
        let was = current.and_then(|current| current.get(name)).map(whole).transpose()?;
        if was != Some(quantity) {
            // Where the item was never stocked there is nothing to compare with.
            quantities.push(json!({
                "inventoryItemId": id, "locationId": location, "quantity": quantity, "changeFromQuantity": was,
            }));
        }
    }
    let input = json!({
        "name": "available", "reason": "correction", "quantities": quantities,
        "referenceDocumentUri": format!("gid://syncline/Write/{}", write.idempotency_key),
    });
    Ok((!quantities.is_empty()).then_some(input))
}
