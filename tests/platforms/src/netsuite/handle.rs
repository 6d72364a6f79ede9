//! A test's grip on a NetSuite account.

use std::borrow::Borrow;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};

use super::auth::Tba;
use super::{Books, seed};
use crate::account::{Account, handle_methods};
use crate::product::{Order, Product};

/// An account, as its own staff sees it. Clones are the same account.
#[derive(Debug, Clone)]
pub struct NetsuiteHandle {
    account: Arc<Account<Books>>,
    address: String,
}

impl NetsuiteHandle {
    pub(crate) fn new(account: Arc<Account<Books>>, address: String) -> Self {
        Self { account, address }
    }

    handle_methods!();

    // --- credentials and settings ---

    /// Keys and secrets of token-based authentication, with the realm.
    pub fn tba(&self) -> Tba {
        self.account.platform().auth.tba.clone()
    }

    /// The client id of the OAuth 2.0 integration (`iss` of an assertion).
    pub fn client_id(&self) -> String {
        self.account.platform().auth.client_id.clone()
    }

    /// Where access tokens are asked for (`aud` of an assertion).
    pub fn token_url(&self) -> String {
        format!("{}{}", self.address, super::auth::TOKEN_PATH)
    }

    /// The id of the registered ES256 certificate (`kid` of an assertion).
    pub fn certificate_id(&self) -> String {
        self.account.platform().auth.elliptic().0
    }

    /// The private key of that certificate, PKCS #8 PEM, P-256.
    pub fn private_key_pem(&self) -> String {
        self.account.platform().auth.elliptic().1
    }

    /// The id and the private key (PKCS #8 PEM, RSA 3072) of a certificate for PS256. The key is made when it is first
    /// asked for, which takes seconds.
    pub fn rsa_certificate(&self) -> (String, String) {
        self.account.platform().auth.rsa()
    }

    /// Registers another certificate's public key (SPKI PEM, P-256 or RSA). Answers whether it could be read.
    pub fn register_certificate(&self, certificate_id: &str, public_key_pem: &str) -> bool {
        self.account.platform().auth.register(certificate_id, public_key_pem)
    }

    /// Makes every access token given out worthless.
    pub fn revoke_tokens(&self) {
        self.account.platform().auth.revoke();
    }

    /// An administrator revokes every certificate: no new tokens, and those given out are worthless.
    pub fn revoke_client(&self) {
        self.account.platform().auth.revoke_certificates();
    }

    /// Every access token that was given out and not revoked.
    pub fn tokens(&self) -> Vec<String> {
        self.account.platform().auth.given_out()
    }

    /// How far the times of signatures and assertions may be off; five minutes until set, `None` for any.
    pub fn set_clock_skew(&self, allowed: Option<Duration>) {
        self.account.platform().auth.skew = allowed;
    }

    /// How many requests may be under way; 5 until set.
    pub fn set_concurrency(&self, requests: u64) {
        self.account.platform().concurrency = requests;
    }

    /// The account's time zone, which SuiteQL's times follow; UTC until set. `false` if there is no such zone.
    pub fn set_time_zone(&self, name: &str) -> bool {
        let Ok(zone) = name.parse() else { return false };
        let mut books = self.account.platform();
        books.zone = zone;
        books.suiteql.set_zone(zone);
        true
    }

    /// How many times a new asynchronous job says that it is pending; 0 until set.
    pub fn set_job_polls(&self, polls: u32) {
        self.account.platform().jobs.polls = polls;
    }

    /// Whether each record of a batch has a task of its own, whose result is that record's reply; no until set: one
    /// task did them all, and its result is a collection. (The vendor's pages show no result of a batch.)
    pub fn set_task_per_record(&self, yes: bool) {
        self.account.platform().jobs.apart = yes;
    }

    /// Whether a change of stock moves the item's `lastModifiedDate`; yes until set. (The vendor's pages leave it open;
    /// `lastquantityavailablechange` moves either way.)
    pub fn set_stock_touches_item(&self, yes: bool) {
        self.account.platform().ledger.stock_touches_item = yes;
    }

    /// Defines a custom field: `custitem_…` or `custbody_…`. Those with `syncline` after the prefix are defined.
    pub fn define_field(&self, name: &str) {
        self.account.platform().ledger.custom_fields.insert(name.to_lowercase());
    }

    /// One more location; answers its id.
    pub fn add_location(&self, name: &str) -> String {
        self.account.platform().ledger.add_location(name).to_string()
    }

    // --- records ---

    /// The account has this product, as a parent item with a child for each variant; the same key again replaces it.
    /// Answers the parent's id. Not in the journal.
    pub fn has(&self, product: impl Borrow<Product>) -> String {
        seed::add(&mut self.account.platform().ledger, product.borrow()).to_string()
    }

    /// [`Self::has`] for many.
    pub fn has_all(&self, products: impl IntoIterator<Item: Borrow<Product>>) {
        let mut books = self.account.platform();
        for product in products {
            seed::add(&mut books.ledger, product.borrow());
        }
    }

    /// A product by its external id, item name, the item name of one of its children, title or internal id, the first
    /// of these that finds one.
    pub fn product(&self, key: &str) -> Option<Product> {
        let books = self.account.platform();
        let parent = books.ledger.item(seed::find(&books.ledger, key)?)?;
        Some(seed::view(&books.ledger, parent))
    }

    /// The internal id of a product's parent item, found as [`Self::product`] does.
    pub fn product_id(&self, key: &str) -> Option<String> {
        seed::find(&self.account.platform().ledger, key).map(|id| id.to_string())
    }

    /// Every product (items without a parent), oldest first.
    pub fn products(&self) -> Vec<Product> {
        let books = self.account.platform();
        let parents =
            books.ledger.of_kind("inventoryItem").filter(|record| record.reference("parent").is_none());
        parents.map(|parent| seed::view(&books.ledger, parent)).collect()
    }

    /// How many products there are, not counting variants.
    pub fn product_count(&self) -> usize {
        self.account.platform().ledger.parents.len()
    }

    /// When a product's parent item last changed, by the account's clock.
    pub fn updated_at(&self, key: &str) -> Option<DateTime<Utc>> {
        let books = self.account.platform();
        books.ledger.item(seed::find(&books.ledger, key)?).map(|record| record.modified)
    }

    /// Someone in the company changes a product. `false` if there is none.
    pub fn edit(&self, key: &str, change: impl FnOnce(&mut Product)) -> bool {
        let mut books = self.account.platform();
        let Some(id) = seed::find(&books.ledger, key) else { return false };
        let Some(record) = books.ledger.item(id) else { return false };
        let mut product = seed::view(&books.ledger, record);
        if record.external_id.is_none() {
            // It is found again by its external id: give it one, as its view already names it.
            let mut record = record.clone();
            record.external_id = Some(product.key.clone());
            books.ledger.put(record);
        }
        change(&mut product);
        seed::add(&mut books.ledger, &product);
        true
    }

    /// Someone in the company deletes a product and its variants. `false` if there is none.
    pub fn delete(&self, key: &str) -> bool {
        let mut books = self.account.platform();
        let Some(id) = seed::find(&books.ledger, key) else { return false };
        let children: Vec<u64> =
            books.ledger.children.get(&id).map(|ids| ids.iter().copied().collect()).unwrap_or_default();
        for child in children {
            books.ledger.remove("inventoryItem", child);
        }
        books.ledger.remove("inventoryItem", id).is_some()
    }

    /// Someone counts the stock of an item at a location. `false` if there is no such item or location.
    pub fn set_stock(&self, sku: &str, location: &str, count: i64) -> bool {
        let mut books = self.account.platform();
        let ledger = &mut books.ledger;
        let name = sku.to_lowercase();
        let item = ledger
            .by_name
            .iter()
            .filter(|((_, known), _)| *known == name)
            .map(|((parent, _), id)| (parent.is_none(), *id))
            .min();
        let (Some((_, item)), Some(place)) = (item, ledger.location_named(location)) else { return false };
        let difference = i128::from(count) * 1_000 - ledger.on_hand(item, place);
        ledger.adjust(item, place, difference);
        true
    }

    /// The internal id of the item with this name, not that of its parent.
    pub fn item_id(&self, name: &str) -> Option<String> {
        let books = self.account.platform();
        let name = name.to_lowercase();
        let named = books.ledger.by_name.iter().filter(|((_, known), _)| *known == name);
        named.map(|((parent, _), id)| (parent.is_none(), *id)).min().map(|(_, id)| id.to_string())
    }

    /// The internal id of the account's customer.
    pub fn customer_id(&self) -> String {
        let books = self.account.platform();
        let first = books.ledger.of_kind("customer").map(|record| record.id).next();
        first.unwrap_or_default().to_string()
    }

    /// A field of the parent item as the API shows it: `displayName`, `custitem_syncline_tags`.
    pub fn field(&self, key: &str, name: &str) -> Option<serde_json::Value> {
        let books = self.account.platform();
        books.ledger.item(seed::find(&books.ledger, key)?)?.fields.get(name).cloned()
    }

    /// Someone enters this sales order; answers its id.
    pub fn has_order(&self, order: impl Borrow<Order>) -> String {
        seed::add_order(&mut self.account.platform().ledger, order.borrow()).to_string()
    }

    /// Someone changes the memo, the mail address or the lines of a sales order. `false` if there is none.
    pub fn edit_order(&self, key: &str, change: impl FnOnce(&mut Order)) -> bool {
        let mut books = self.account.platform();
        let found =
            books.ledger.of_kind("salesOrder").find(|record| record.text("otherRefNum") == key).cloned();
        found.is_some_and(|old| seed::edit_order(&mut books.ledger, old, change))
    }

    /// A sales order by its `otherRefNum`, external id or internal id.
    pub fn order(&self, key: &str) -> Option<Order> {
        let books = self.account.platform();
        let is = |record: &&super::ledger::Record| {
            record.text("otherRefNum") == key
                || record.external_id.as_deref() == Some(key)
                || record.id.to_string() == key
        };
        books.ledger.of_kind("salesOrder").find(is).map(|record| seed::order_view(&books.ledger, record))
    }

    /// The sum of a sales order, found as [`Self::order`] does.
    pub fn order_total(&self, key: &str) -> Option<String> {
        let books = self.account.platform();
        books
            .ledger
            .of_kind("salesOrder")
            .find(|record| record.text("otherRefNum") == key)
            .map(seed::order_total)
    }

    /// Every sales order, oldest first.
    pub fn orders(&self) -> Vec<Order> {
        let books = self.account.platform();
        books.ledger.of_kind("salesOrder").map(|record| seed::order_view(&books.ledger, record)).collect()
    }
}
