//! What a shop holds, with an index for every way it is looked up.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::mutations::UserError;
use super::out::Out;
use super::records::{Definition, Destroyed, Event, Lag, Location, Order, Product, Subscription, Variant};
use crate::clock::Clock;
use crate::journal::Effect;

/// Everything the shop holds.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) currency: String,
    pub(crate) domain: String,
    pub(crate) name: String,
    pub(crate) next_id: u64,
    pub(crate) products: BTreeMap<u64, Product>,
    pub(crate) orders: BTreeMap<u64, Order>,
    pub(crate) locations: Vec<Location>,
    pub(crate) definitions: Vec<Definition>,
    pub(crate) subscriptions: Vec<Subscription>,
    /// Where messages to public addresses arrive: the beginning of the address, and what it leads to.
    pub(crate) reached: Vec<(String, String)>,
    pub(crate) destroyed: Vec<Destroyed>,
    pub(crate) pending: Vec<Event>,
    /// Variant id and inventory item id to product id; every known id of either in order.
    pub(crate) variants: BTreeMap<u64, u64>,
    pub(crate) items: BTreeMap<u64, u64>,
    pub(crate) handles: HashMap<String, u64>,
    /// Tokens of SKUs to variant ids.
    pub(crate) sku_tokens: HashMap<String, BTreeSet<u64>>,
    pub(crate) unique_values: HashMap<(&'static str, String, String, String), u64>,
    pub(crate) by_update: BTreeSet<(DateTime<Utc>, u64)>,
    pub(crate) lags: HashMap<u64, Lag>,
    pub(crate) index_delay: i64,
    /// What tests call a product.
    pub(crate) known_as: HashMap<String, u64>,
    pub(crate) next_order: i64,
    /// Answers that are kept for idempotency keys: the arguments as text, and the answer.
    pub(crate) idempotent: HashMap<String, (String, Out)>,
    /// Asynchronous `productSet`s: the product they made, and what was wrong.
    pub(crate) operations: HashMap<u64, (Option<u64>, Vec<UserError>)>,
    /// Whether a change of stock moves the `updatedAt` of the inventory item.
    pub(crate) stock_touches_item: bool,
    /// What the request under way has done.
    pub(crate) effects: Vec<Effect>,
}

impl State {
    pub(crate) fn new(shop: &str, first_id: u64, clock: Clock) -> Self {
        let mut state = Self {
            currency: "EUR".to_owned(),
            domain: format!("{shop}.myshopify.com"),
            name: shop.to_owned(),
            next_id: first_id,
            products: BTreeMap::new(),
            orders: BTreeMap::new(),
            locations: Vec::new(),
            definitions: Vec::new(),
            subscriptions: Vec::new(),
            reached: Vec::new(),
            destroyed: Vec::new(),
            pending: Vec::new(),
            variants: BTreeMap::new(),
            items: BTreeMap::new(),
            handles: HashMap::new(),
            sku_tokens: HashMap::new(),
            unique_values: HashMap::new(),
            by_update: BTreeSet::new(),
            lags: HashMap::new(),
            index_delay: 0,
            known_as: HashMap::new(),
            next_order: 1001,
            idempotent: HashMap::new(),
            operations: HashMap::new(),
            stock_touches_item: true,
            effects: Vec::new(),
            clock,
        };
        for name in crate::LOCATIONS {
            state.add_location(name);
        }
        state
    }

    pub(crate) fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub(crate) fn decimals(&self) -> usize {
        crate::money::decimals(&self.currency)
    }

    pub(crate) fn add_location(&mut self, name: &str) -> u64 {
        let id = self.id();
        let created_at = self.clock.second();
        self.locations.push(Location { id, name: name.to_owned(), active: true, created_at });
        id
    }

    pub(crate) fn location(&self, id: u64) -> Option<&Location> {
        self.locations.iter().find(|location| location.id == id)
    }

    pub(crate) fn location_named(&self, name: &str) -> Option<u64> {
        self.locations.iter().find(|location| location.name == name).map(|location| location.id)
    }

    pub(crate) fn variant(&self, id: u64) -> Option<(&Product, &Variant)> {
        let product = self.products.get(self.variants.get(&id)?)?;
        Some((product, product.variants.iter().find(|variant| variant.id == id)?))
    }

    pub(crate) fn item(&self, id: u64) -> Option<(&Product, &Variant)> {
        let product = self.products.get(self.items.get(&id)?)?;
        Some((product, product.variants.iter().find(|variant| variant.item == id)?))
    }

    /// Puts a product in, new or changed, and brings every index up to date. Sets its time of change.
    pub(crate) fn put_product(&mut self, mut product: Product) {
        let now = self.clock.second();
        let old = self.products.remove(&product.id);
        if let Some(old) = &old {
            self.unindex(old);
        }
        product.updated_at = now;
        self.note_lag(product.id, old.as_ref().map(|old| old.updated_at));
        self.index(&product);
        let topic = if old.is_some() { "PRODUCTS_UPDATE" } else { "PRODUCTS_CREATE" };
        self.products.insert(product.id, product.clone());
        self.happened(topic, super::webhooks::product_body(&product));
    }

    /// Takes a product out; `None` if there is none.
    pub(crate) fn remove_product(&mut self, id: u64) -> Option<Product> {
        let product = self.products.remove(&id)?;
        self.unindex(&product);
        self.lags.remove(&id);
        self.known_as.retain(|_, known| *known != id);
        let event = self.id();
        let at = self.clock.second();
        let subject = super::gid("Product", id);
        self.destroyed.push(Destroyed { id: event, subject, kind: "PRODUCT", at });
        self.happened("PRODUCTS_DELETE", serde_json::json!({ "id": id }));
        Some(product)
    }

    pub(crate) fn note_lag(&mut self, id: u64, before: Option<DateTime<Utc>>) {
        if self.index_delay == 0 {
            self.lags.remove(&id);
            return;
        }
        let now = self.clock.now();
        let until = now + chrono::Duration::seconds(self.index_delay);
        let known = match self.lags.get(&id) {
            Some(lag) if lag.until > now => lag.known,
            _ => before,
        };
        self.lags.insert(id, Lag { known, until });
    }

    /// The time of change that searches know of a record; `None` if the index does not have it yet.
    pub(crate) fn indexed(&self, id: u64, updated_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self.lags.get(&id) {
            Some(lag) if lag.until > self.clock.now() => lag.known,
            _ => Some(updated_at),
        }
    }

    fn index(&mut self, product: &Product) {
        self.handles.insert(product.handle.clone(), product.id);
        self.by_update.insert((product.updated_at, product.id));
        for variant in &product.variants {
            self.variants.insert(variant.id, product.id);
            self.items.insert(variant.item, product.id);
            for token in tokens(variant.sku.as_deref().unwrap_or_default()) {
                self.sku_tokens.entry(token).or_default().insert(variant.id);
            }
        }
        for ((namespace, key), metafield) in &product.metafields {
            if self.unique("PRODUCT", namespace, key) {
                let value = ("PRODUCT", namespace.clone(), key.clone(), metafield.value.clone());
                self.unique_values.insert(value, product.id);
            }
        }
    }

    fn unindex(&mut self, product: &Product) {
        self.handles.remove(&product.handle);
        self.by_update.remove(&(product.updated_at, product.id));
        for variant in &product.variants {
            self.variants.remove(&variant.id);
            self.items.remove(&variant.item);
            for token in tokens(variant.sku.as_deref().unwrap_or_default()) {
                if let Some(ids) = self.sku_tokens.get_mut(&token) {
                    ids.remove(&variant.id);
                }
            }
        }
        for ((namespace, key), metafield) in &product.metafields {
            self.unique_values.remove(&("PRODUCT", namespace.clone(), key.clone(), metafield.value.clone()));
        }
    }

    pub(crate) fn definition(&self, owner: &str, namespace: &str, key: &str) -> Option<&Definition> {
        self.definitions
            .iter()
            .find(|known| known.owner == owner && known.namespace == namespace && known.key == key)
    }

    /// Whether values of this metafield are unique among records of its kind.
    pub(crate) fn unique(&self, owner: &str, namespace: &str, key: &str) -> bool {
        self.definition(owner, namespace, key).is_some_and(|definition| definition.unique)
    }

    /// The record of this kind (`PRODUCT`, `ORDER`) with this value in a unique metafield.
    pub(crate) fn by_unique(
        &self,
        owner: &'static str,
        namespace: &str,
        key: &str,
        value: &str,
    ) -> Option<u64> {
        self.unique_values.get(&(owner, namespace.to_owned(), key.to_owned(), value.to_owned())).copied()
    }

    /// Puts an order in, or takes it out, and brings the index of unique metafields up to date.
    pub(crate) fn put_order(&mut self, id: u64, order: Option<Order>) -> Option<Order> {
        let old = self.orders.remove(&id);
        if let Some(old) = &old {
            for ((namespace, key), metafield) in &old.metafields {
                self.unique_values.remove(&(
                    "ORDER",
                    namespace.clone(),
                    key.clone(),
                    metafield.value.clone(),
                ));
            }
        }
        if let Some(order) = order {
            for ((namespace, key), metafield) in &order.metafields {
                if self.unique("ORDER", namespace, key) {
                    let value = ("ORDER", namespace.clone(), key.clone(), metafield.value.clone());
                    self.unique_values.insert(value, id);
                }
            }
            self.orders.insert(id, order);
        }
        old
    }

    /// A handle like this one that no other product has: `chair`, `chair-1`, `chair-2`.
    pub(crate) fn free_handle(&self, wanted: &str, own: Option<u64>) -> String {
        let taken = |handle: &str| self.handles.get(handle).is_some_and(|owner| Some(*owner) != own);
        if !taken(wanted) {
            return wanted.to_owned();
        }
        // One more number than there are handles: one of them is free.
        let numbered = (1..=self.handles.len() + 1).map(|number| format!("{wanted}-{number}"));
        numbered.into_iter().find(|handle| !taken(handle)).unwrap_or_else(|| wanted.to_owned())
    }

    /// Remembers something subscribers are told when webhooks are delivered.
    pub(crate) fn happened(&mut self, topic: &'static str, body: Value) {
        if !self.subscriptions.iter().any(|subscription| subscription.topic == topic) {
            return;
        }
        let number = self.id();
        let event_id = format!("{number:08x}-0000-4000-8000-{number:012x}");
        let at = self.clock.now();
        self.pending.push(Event { topic, body, event_id, at });
    }

    /// The variants whose SKU has every token of `text`: more than the one that equals it.
    pub(crate) fn variants_by_sku(&self, text: &str) -> BTreeSet<u64> {
        let mut found: Option<BTreeSet<u64>> = None;
        for token in tokens(text) {
            let ids = self.sku_tokens.get(&token).cloned().unwrap_or_default();
            found = Some(match found {
                None => ids,
                Some(so_far) => so_far.intersection(&ids).copied().collect(),
            });
        }
        found.unwrap_or_default()
    }
}

/// The words the search index makes of a text: runs of letters and digits, in lower case.
pub(crate) fn tokens(text: &str) -> Vec<String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|token| !token.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// A handle made of a title: lower case, words joined by `-`.
pub(crate) fn handle_of(title: &str) -> String {
    let words = tokens(title).join("-");
    let handle: String = words.chars().take(255).collect();
    if handle.is_empty() { "product".to_owned() } else { handle }
}
