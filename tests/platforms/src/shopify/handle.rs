//! A test's grip on a shop.

use std::borrow::Borrow;
use std::sync::Arc;

use super::{Shop, seed, webhooks};
use crate::account::{Account, handle_methods};
use crate::product::{Order, Product};
use crate::shopify::Delivery;

/// A shop, as tests see it from behind the counter. Clones are the same shop.
#[derive(Debug, Clone)]
pub struct ShopifyHandle {
    account: Arc<Account<Shop>>,
    address: String,
    runtime: Option<tokio::runtime::Handle>,
}

impl ShopifyHandle {
    pub(crate) fn new(
        account: Arc<Account<Shop>>,
        address: String,
        runtime: Option<tokio::runtime::Handle>,
    ) -> Self {
        Self { account, address, runtime }
    }

    handle_methods!();

    // --- credentials and settings ---

    /// The static token of a custom app (`shpat_…`); empty after [`Self::revoke_token`].
    pub fn token(&self) -> String {
        self.account.platform().access.static_token.clone().unwrap_or_default()
    }

    /// The app's client id, for the client credentials grant.
    pub fn client_id(&self) -> String {
        self.account.platform().access.client_id.clone()
    }

    /// The app's client secret: for the grant, and for the signatures of webhooks.
    pub fn client_secret(&self) -> String {
        self.account.platform().access.client_secret.clone()
    }

    /// Makes the static token and every token given out worthless.
    pub fn revoke_token(&self) {
        let mut shop = self.account.platform();
        shop.access.static_token = None;
        shop.access.tokens.clear();
    }

    /// The merchant takes the app's secret away: no new tokens, and those given out are worthless.
    pub fn revoke_client(&self) {
        let mut shop = self.account.platform();
        shop.access.client_secret = format!("{}-another", shop.access.client_secret);
        shop.access.tokens.clear();
    }

    /// Every access token that was given out and still holds.
    pub fn tokens(&self) -> Vec<String> {
        self.account.platform().access.tokens.keys().cloned().collect()
    }

    /// The scopes the app has from now on.
    pub fn set_scopes(&self, scopes: &[&str]) {
        self.account.platform().access.scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    }

    /// The shop's own domain, as webhooks name it: `demo.myshopify.com`.
    pub fn domain(&self) -> String {
        self.account.platform().state.domain.clone()
    }

    /// The shop's currency; `EUR` until set. Set it before there are products.
    pub fn set_currency(&self, currency: &str) {
        currency.clone_into(&mut self.account.platform().state.currency);
    }

    /// The size of the bucket in points, and the points restored per second. Fills the bucket.
    pub fn set_bucket(&self, capacity: f64, restored_per_second: f64) {
        let now = self.account.clock.now();
        self.account.platform().bucket.resize(capacity, restored_per_second, now);
    }

    /// Empties the bucket: the next request is throttled.
    pub fn drain_bucket(&self) {
        let now = self.account.clock.now();
        let mut shop = self.account.platform();
        shop.bucket.restore(now);
        shop.bucket.drain();
    }

    /// How many requests were throttled so far.
    pub fn throttled(&self) -> u64 {
        self.account.platform().bucket.refused
    }

    /// Searches find changes made from now on only after so many seconds; 0 at once.
    pub fn set_index_delay(&self, seconds: i64) {
        self.account.platform().state.index_delay = seconds;
    }

    /// The version that answers name in `x-shopify-api-version`.
    pub fn set_answered_version(&self, version: &str) {
        version.clone_into(&mut self.account.platform().version);
    }

    /// Whether a change of stock moves the inventory item's own `updatedAt`; yes until set. (The vendor's pages leave
    /// it open; the product's is moved either way.)
    pub fn set_stock_touches_item(&self, yes: bool) {
        self.account.platform().state.stock_touches_item = yes;
    }

    /// One more location; answers its global id.
    pub fn add_location(&self, name: &str) -> String {
        super::gid("Location", self.account.platform().state.add_location(name))
    }

    // --- records ---

    /// The shop has this product, as if the merchant had made it; the same key again replaces it. Answers its
    /// global id. Not in the journal.
    pub fn has(&self, product: impl Borrow<Product>) -> String {
        super::gid("Product", seed::add(&mut self.account.platform().state, product.borrow().clone()))
    }

    /// [`Self::has`] for many.
    pub fn has_all(&self, products: impl IntoIterator<Item: Borrow<Product>>) {
        let mut shop = self.account.platform();
        for product in products {
            seed::add(&mut shop.state, product.borrow().clone());
        }
    }

    /// A product by what tests call it, its global id, its metafield `syncline.key`, handle, SKU or title, the first
    /// of these that finds one.
    pub fn product(&self, key: &str) -> Option<Product> {
        let shop = self.account.platform();
        let product = shop.state.products.get(&seed::find(&shop.state, key)?)?;
        Some(seed::view(&shop.state, product))
    }

    /// The global id of a product, found as [`Self::product`] does.
    pub fn product_id(&self, key: &str) -> Option<String> {
        let shop = self.account.platform();
        seed::find(&shop.state, key).map(|id| super::gid("Product", id))
    }

    /// Every product, oldest first.
    pub fn products(&self) -> Vec<Product> {
        let shop = self.account.platform();
        shop.state.products.values().map(|product| seed::view(&shop.state, product)).collect()
    }

    /// How many products there are.
    pub fn product_count(&self) -> usize {
        self.account.platform().state.products.len()
    }

    /// When a product last changed, by the shop's clock.
    pub fn updated_at(&self, key: &str) -> Option<chrono::DateTime<chrono::Utc>> {
        let shop = self.account.platform();
        shop.state.products.get(&seed::find(&shop.state, key)?).map(|product| product.updated_at)
    }

    /// The merchant changes a product. `false` if there is none.
    pub fn edit(&self, key: &str, change: impl FnOnce(&mut Product)) -> bool {
        let mut shop = self.account.platform();
        let Some(id) = seed::find(&shop.state, key) else { return false };
        let Some(mut product) = shop.state.products.get(&id).map(|product| seed::view(&shop.state, product))
        else {
            return false;
        };
        change(&mut product);
        shop.state.known_as.insert(product.key.clone(), id);
        seed::add(&mut shop.state, product);
        true
    }

    /// The merchant deletes a product. `false` if there is none.
    pub fn delete(&self, key: &str) -> bool {
        let mut shop = self.account.platform();
        let id = seed::find(&shop.state, key);
        id.and_then(|id| shop.state.remove_product(id)).is_some()
    }

    /// The merchant counts the stock of an SKU at a location. `false` if there is no such SKU or location.
    pub fn set_stock(&self, sku: &str, location: &str, count: i64) -> bool {
        let mut shop = self.account.platform();
        let state = &mut shop.state;
        let exact = |id: &u64| state.variant(*id).is_some_and(|(_, it)| it.sku.as_deref() == Some(sku));
        let variant = state.variants_by_sku(sku).into_iter().find(exact);
        let item = variant.and_then(|id| state.variant(id)).map(|(_, it)| it.item);
        let (Some(item), Some(location)) = (item, state.location_named(location)) else { return false };
        super::stock::put(state, item, location, count);
        true
    }

    /// The global id of the inventory item of an SKU.
    pub fn inventory_id(&self, sku: &str) -> Option<String> {
        let shop = self.account.platform();
        let exact = |id: &u64| shop.state.variant(*id).filter(|(_, it)| it.sku.as_deref() == Some(sku));
        let found =
            shop.state.variants_by_sku(sku).into_iter().find_map(|id| exact(&id).map(|(_, it)| it.item));
        found.map(|item| super::gid("InventoryItem", item))
    }

    /// The value of a product's metafield.
    pub fn metafield(&self, key: &str, namespace: &str, name: &str) -> Option<String> {
        let shop = self.account.platform();
        let product = shop.state.products.get(&seed::find(&shop.state, key)?)?;
        product.metafields.get(&(namespace.to_owned(), name.to_owned())).map(|held| held.value.clone())
    }

    /// A buyer places this order; answers its global id.
    pub fn has_order(&self, order: impl Borrow<Order>) -> String {
        super::gid("Order", seed::add_order(&mut self.account.platform().state, order.borrow()))
    }

    /// The merchant changes the note, the mail address or the lines of an order. `false` if there is none.
    pub fn edit_order(&self, name: &str, change: impl FnOnce(&mut Order)) -> bool {
        let mut shop = self.account.platform();
        let found = shop.state.orders.values().find(|order| order.name == name).cloned();
        found.is_some_and(|old| seed::edit_order(&mut shop.state, old, change))
    }

    /// An order by its name.
    pub fn order(&self, name: &str) -> Option<Order> {
        self.account.platform().state.orders.values().find(|order| order.name == name).map(seed::order_view)
    }

    /// Every order, oldest first.
    pub fn orders(&self) -> Vec<Order> {
        self.account.platform().state.orders.values().map(seed::order_view).collect()
    }

    // --- webhooks ---

    /// The signature of a message with this body, as its receiver checks it.
    pub fn sign(&self, body: &str) -> String {
        webhooks::signature(&self.client_secret(), body.as_bytes())
    }

    /// Messages to addresses that begin with this one arrive at that one: `https` from outside, loopback in a test.
    pub fn reaches(&self, public: &str, local: &str) {
        self.account.platform().state.reached.push((public.to_owned(), local.to_owned()));
    }

    /// How many events wait for delivery.
    pub fn pending_webhooks(&self) -> usize {
        self.account.platform().state.pending.len()
    }

    /// Topics and addresses that are subscribed to.
    pub fn webhook_subscriptions(&self) -> Vec<(String, String)> {
        let shop = self.account.platform();
        shop.state.subscriptions.iter().map(|known| (known.topic.clone(), known.uri.clone())).collect()
    }

    /// Delivers what happened since the last call to all subscribers, in the order (and as often) as the fault plan
    /// says. May be awaited on any runtime.
    pub async fn deliver_webhooks(&self) -> Vec<Delivery> {
        let parcels = {
            let mut shop = self.account.platform();
            let (secret, version) = (shop.access.client_secret.clone(), shop.version.clone());
            webhooks::parcels(&mut shop.state, &secret, &version)
        };
        let parcels = self.account.faults.arrange(parcels);
        let Some(runtime) = &self.runtime else { return Vec::new() };
        runtime.spawn(webhooks::send(parcels)).await.unwrap_or_default()
    }
}
