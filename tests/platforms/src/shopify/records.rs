//! What the records of a shop consist of.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

/// A product as the shop keeps it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Product {
    pub(crate) id: u64,
    pub(crate) title: String,
    pub(crate) description_html: String,
    pub(crate) handle: String,
    pub(crate) status: String,
    pub(crate) vendor: String,
    pub(crate) product_type: String,
    pub(crate) tags: Vec<String>,
    pub(crate) seo: (Option<String>, Option<String>),
    pub(crate) media: Vec<Media>,
    pub(crate) options: Vec<ProductOption>,
    pub(crate) variants: Vec<Variant>,
    pub(crate) metafields: BTreeMap<(String, String), Metafield>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Media {
    pub(crate) id: u64,
    pub(crate) url: String,
    pub(crate) alt: String,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ProductOption {
    pub(crate) id: u64,
    pub(crate) name: String,
    /// Ids and names.
    pub(crate) values: Vec<(u64, String)>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Variant {
    pub(crate) id: u64,
    pub(crate) item: u64,
    pub(crate) sku: Option<String>,
    pub(crate) barcode: Option<String>,
    pub(crate) price: String,
    pub(crate) compare_at_price: Option<String>,
    pub(crate) policy: String,
    pub(crate) taxable: bool,
    /// Option name and value, in the order of the product's options.
    pub(crate) options: Vec<(String, String)>,
    pub(crate) metafields: BTreeMap<(String, String), Metafield>,
    pub(crate) tracked: bool,
    pub(crate) requires_shipping: bool,
    pub(crate) cost: Option<String>,
    /// Available by location id.
    pub(crate) stock: BTreeMap<u64, i64>,
    /// When that last changed, by location id.
    pub(crate) stock_updated_at: BTreeMap<u64, DateTime<Utc>>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) item_updated_at: DateTime<Utc>,
}

impl Variant {
    pub(crate) fn title(&self) -> String {
        self.options.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" / ")
    }

    pub(crate) fn available(&self) -> i64 {
        self.stock.values().sum()
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Metafield {
    pub(crate) id: u64,
    pub(crate) kind: String,
    pub(crate) value: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone)]
pub(crate) struct Definition {
    pub(crate) id: u64,
    pub(crate) owner: String,
    pub(crate) namespace: String,
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) kind: String,
    pub(crate) unique: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Location {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) active: bool,
    pub(crate) created_at: DateTime<Utc>,
}

/// An order; its parts that nothing looks up are kept in the shape the API shows.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) number: i64,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) po_number: Option<String>,
    pub(crate) source: (Option<String>, Option<String>),
    pub(crate) currency: String,
    pub(crate) tags: Vec<String>,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) financial_status: String,
    pub(crate) fulfillment_status: String,
    pub(crate) lines: Vec<OrderLine>,
    pub(crate) shipping_address: Option<Value>,
    pub(crate) metafields: BTreeMap<(String, String), Metafield>,
    pub(crate) test: bool,
    pub(crate) processed_at: DateTime<Utc>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone)]
pub(crate) struct OrderLine {
    pub(crate) id: u64,
    pub(crate) variant: Option<u64>,
    pub(crate) sku: Option<String>,
    pub(crate) title: String,
    pub(crate) variant_title: Option<String>,
    pub(crate) vendor: Option<String>,
    pub(crate) quantity: i64,
    pub(crate) price: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    pub(crate) id: u64,
    pub(crate) topic: String,
    pub(crate) uri: String,
    pub(crate) filter: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) format: String,
    pub(crate) include_fields: Vec<String>,
    pub(crate) created_at: DateTime<Utc>,
}

/// Something that happened and that subscribers are told.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) topic: &'static str,
    pub(crate) body: Value,
    pub(crate) event_id: String,
    pub(crate) at: DateTime<Utc>,
}

/// A deleted record, as `events` shows it.
#[derive(Debug, Clone)]
pub(crate) struct Destroyed {
    pub(crate) id: u64,
    pub(crate) subject: String,
    pub(crate) kind: &'static str,
    pub(crate) at: DateTime<Utc>,
}

/// What the search index believes of a record that it has not caught up with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lag {
    /// The time of change it knows; none if it does not know the record.
    pub(crate) known: Option<DateTime<Utc>>,
    /// When it catches up.
    pub(crate) until: DateTime<Utc>,
}
