//! Who and what is in the demo world.

use platforms::{HubspotHandle, NetsuiteHandle, Platforms, Product, ShopifyHandle, catalogue};
use serde_json::{Value, json};

use crate::customers;
use crate::real::Account;

/// The seed of everything simulated: every demo world has the same records.
pub(crate) const SEED: u64 = 7;

/// A shop owner of the demo, with what is simulated of the shop.
#[derive(Debug)]
pub(crate) struct Merchant {
    pub(crate) name: String,
    pub(crate) shop: ShopifyHandle,
    pub(crate) erp: NetsuiteHandle,
    /// Where contacts are kept, if the merchant has such a thing.
    pub(crate) crm: Option<HubspotHandle>,
    /// Products of the shop, which are to appear in the ERP, as `sync-list` takes items.
    pub(crate) to_erp: Vec<Value>,
    /// Products of the ERP, which are to appear in the shop.
    pub(crate) to_shop: Vec<Value>,
}

impl Merchant {
    /// The accounts as `integrations` is told of them.
    pub(crate) fn accounts(&self) -> [Account; 2] {
        let tba = self.erp.tba();
        let shop = Account {
            platform: "shopify",
            name: "Shop",
            base_url: self.shop.address().to_owned(),
            config: json!({}),
            credential: json!({ "kind": "access_token", "access_token": self.shop.token() }),
        };
        let erp = Account {
            platform: "netsuite",
            name: "ERP",
            base_url: self.erp.address().to_owned(),
            config: json!({ "account_id": erp_of(&self.name) }),
            credential: json!({
                "kind": "token_based", "consumer_key": tba.consumer_key, "consumer_secret": tba.consumer_secret,
                "token": tba.token, "token_secret": tba.token_secret,
            }),
        };
        [shop, erp]
    }

    /// How many products both sides have together: it grows by one with each product that is synced.
    pub(crate) fn products(&self) -> u64 {
        let both = self.shop.product_count().saturating_add(self.erp.product_count());
        u64::try_from(both).unwrap_or(u64::MAX)
    }
}

/// Ana sells in euros and has a large catalogue; Ben sells in yen and has a small one.
pub(crate) fn seed(platforms: &Platforms) -> Vec<Merchant> {
    let mut ana = merchant(platforms, "ana", "EUR", &catalogue(SEED, 2_000), &only_in_erp(100));
    let crm = platforms.hubspot("ana-crm");
    customers::fill(&crm);
    ana.crm = Some(crm);
    let yen: Vec<Product> = catalogue(SEED.wrapping_add(1), 150).into_iter().map(in_yen).collect();
    let ben = merchant(platforms, "ben", "JPY", &yen, &[]);
    vec![ana, ben]
}

/// A shop owner with these products.
pub(crate) fn merchant(
    platforms: &Platforms,
    name: &str,
    currency: &str,
    in_shop: &[Product],
    in_erp: &[Product],
) -> Merchant {
    let (shop, erp) = (platforms.shopify(name), platforms.netsuite(&erp_of(name)));
    shop.set_currency(currency);
    // What Shopify gives its largest plan per second, with a bucket to match: reading 2,000 products whole costs 40,000
    // points, and with a standard shop's 100 per second the first sync would mostly be waiting.
    shop.set_bucket(40_000.0, 2_000.0);
    let to_erp = in_shop.iter().map(|product| item(&shop.has(product), product)).collect();
    let to_shop = in_erp.iter().map(|product| item(&erp.has(product), product)).collect();
    Merchant { name: name.to_owned(), shop, erp, crm: None, to_erp, to_shop }
}

/// An item for the list, with what a page shows of it.
fn item(id: &str, product: &Product) -> Value {
    let first = product.variants.first();
    json!({ "sourceId": id, "metadata": {
        "name": product.title, "sku": first.map(|it| &it.sku), "price": first.map(|it| &it.price),
    } })
}

fn erp_of(name: &str) -> String {
    format!("{name}-erp")
}

/// Products that no shop has, with names of their own: nothing may be taken for a product of the shop.
pub(crate) fn only_in_erp(count: usize) -> Vec<Product> {
    let mut products = catalogue(SEED.wrapping_add(2), count);
    for product in &mut products {
        product.key = format!("E-{}", product.key);
        product.handle = format!("e-{}", product.handle);
        // What is switched off in an ERP has no variants to sell.
        "ACTIVE".clone_into(&mut product.status);
        for variant in &mut product.variants {
            variant.sku = format!("ERP-{}", variant.sku);
            variant.barcode = None;
        }
    }
    products
}

/// The same product at prices without decimals: what was 49.90 is 4990.
fn in_yen(mut product: Product) -> Product {
    for variant in &mut product.variants {
        variant.price = variant.price.replace('.', "");
        variant.compare_at_price = variant.compare_at_price.take().map(|price| price.replace('.', ""));
        variant.prices.remove("JPY");
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn what_only_the_erp_has_shares_no_sku_and_no_handle_with_the_shop() {
        let shop = catalogue(SEED, 2_000);
        let known: HashSet<&str> = shop
            .iter()
            .flat_map(|product| {
                product.variants.iter().map(|it| it.sku.as_str()).chain([product.handle.as_str()])
            })
            .collect();
        for product in only_in_erp(100) {
            assert!(!known.contains(product.handle.as_str()), "{}", product.handle);
            assert!(product.variants.iter().all(|variant| !known.contains(variant.sku.as_str())));
        }
    }

    #[test]
    fn prices_in_yen_have_no_decimals() {
        let products = catalogue(SEED, 50).into_iter().map(in_yen);
        assert!(products.flat_map(|it| it.variants).all(|variant| variant.price.parse::<u64>().is_ok()));
    }
}
