//! Orders: how Shopify shows them, and what the neutral record makes of that.

use super::cost;
use super::graphql::Shop;
use super::node::{Node, Recorded, amount, count, cursor, extend, text};
use super::reading::{self, Kind, Shape};
use super::replies::{Address, Line, Order, OrderRest};
use super::search;
use crate::{Error, Exchange, Key, ListQuery, Page, Result, read};
use domain::{Fields, Record, Value};
use serde_json::json;

const FIELDS: &str = include_str!("order_fields.graphql");
const FIND: &str = include_str!("orders_find.graphql");

/// What one order costs: itself 1, total 2, address 1, lines with their price 3 each.
const fn cost_of(lines: u32) -> u32 {
    4 + cost::connection(lines, 3)
}

/// In a listing: 2 + 11 × 27 = 299 points for 250 orders.
pub(super) const PAGE: Shape = Shape { records: 250, each: cost_of(50), sizes: &[("lines", 50)] };
/// By id or key: 50 × 18 = 900 points.
pub(super) const READ: Shape = Shape { records: 50, each: cost_of(10), sizes: &[("lines", 10)] };

/// How orders are read.
pub(super) fn kind() -> Kind {
    Kind {
        list: [include_str!("orders_list.graphql"), FIELDS].concat(),
        get: [include_str!("orders_get.graphql"), FIELDS].concat(),
        page: PAGE,
        read: READ,
    }
}

/// One page, those changed longest ago first.
pub(super) fn list(shop: &Shop, query: &ListQuery) -> Result<Exchange<Page>> {
    reading::list::<Order>(shop, &kind(), search::orders(query)?, query)
}

/// The orders with these ids.
pub(super) fn get(shop: &Shop, ids: &[String]) -> Result<Exchange<Vec<Record>>> {
    reading::get::<Order>(shop, &kind(), ids)
}

/// The document that finds orders by external key, with its fragments.
pub(super) fn find_document() -> String {
    [FIND, FIELDS].concat()
}

/// The orders that carry one of these values.
pub(super) fn find(shop: &Shop, key: &Key) -> Result<Exchange<Vec<Record>>> {
    match key {
        Key::External(keys) => {
            let identifiers = keys.iter().map(|key| reading::external(key)).collect();
            reading::by_identifier::<Order>(shop, &find_document(), &kind(), identifiers)
        }
        Key::Field { name, values } if name == "name" => {
            reading::fits(values.len(), READ.at_once())?;
            let wanted = values.clone();
            reading::search::<Order>(shop, &kind(), search::any_of("name", values), move |record| {
                let name = record.fields.get("name").and_then(Value::as_str);
                name.is_some_and(|name| wanted.iter().any(|one| one == name))
            })
        }
        Key::Field { name, .. } => {
            Err(Error::unsupported(format!("Shopify's orders cannot be found by `{name}`")))
        }
    }
}

impl Node for Order {
    const REST_COST: u32 = 1 + cost::connection(250, 3);
    const REST_AT_ONCE: usize = 10;

    fn rest_document() -> String {
        let shared = FIELDS.find("fragment lines").and_then(|start| FIELDS.get(start..)).unwrap_or(FIELDS);
        [include_str!("order_rest.graphql"), shared].concat()
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn missing(&self) -> Option<Vec<(&'static str, Value)>> {
        let page = &self.line_items.page_info;
        page.has_next_page.then(|| vec![("after", cursor(page))])
    }

    fn append(&mut self, more: &Value) -> Result<()> {
        let OrderRest { line_items } = read::part(more)?;
        extend(&mut self.line_items, line_items)
    }

    fn shared(_: &Shop) -> Fields {
        Fields::new()
    }
}

impl Recorded for Order {
    fn into_record(self) -> Result<Record> {
        let modified_at = read::time(&self.updated_at)?;
        let lines = self.line_items.nodes.iter().map(Line::neutral).collect::<Result<Vec<_>>>()?;
        let fields = [
            ("name", self.name.into()),
            ("email", text(self.email)),
            ("currency", self.currency_code.into()),
            ("processedAt", self.processed_at.into()),
            ("note", text(self.note)),
            ("tags", self.tags.into()),
            ("financialStatus", text(self.display_financial_status)),
            ("fulfillmentStatus", self.display_fulfillment_status.into()),
            ("total", amount(&self.total_price_set.shop_money.amount)?),
            ("lines", lines.into()),
            ("shippingAddress", self.shipping_address.map_or(Value::Null, Address::neutral)),
        ];
        Ok(Record {
            id: self.id,
            fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            modified_at: Some(modified_at),
            version: Some(self.updated_at),
            deleted: false,
        })
    }
}

impl Line {
    fn neutral(&self) -> Result<Value> {
        Ok(json!({
            "sku": self.sku,
            "title": self.title,
            "quantity": count(&self.quantity)?,
            "price": amount(&self.original_unit_price_set.shop_money.amount)?,
        }))
    }
}

impl Address {
    /// Country and province by their codes, which every platform understands; a province without one by its name.
    fn neutral(self) -> Value {
        json!({
            "name": self.name, "address1": self.address1, "address2": self.address2, "city": self.city, "zip": self.zip,
            "province": self.province_code.or(self.province), "country": self.country_code_v2, "phone": self.phone,
        })
    }
}
