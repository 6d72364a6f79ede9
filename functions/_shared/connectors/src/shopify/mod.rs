//! Shopify, through the Admin GraphQL API.
//!
//! Everything is one `POST` to `graphql.json`. A query's failure comes back with status 200 in `errors`, a refused record
//! in `userErrors`; [`failure`] turns both into ours. A request may cost 1,000 points, counted before it runs; [`cost`]
//! knows how, and the sizes of lists are chosen by it. What does not fit is read on by [`node`].
//!
//! Settings: `api_version` (2026-10), `prices_metafield` (`syncline.prices`).

mod account;
mod cost;
mod failure;
mod graphql;
mod inventory;
mod node;
mod order_write;
mod orders;
mod product_input;
mod product_write;
mod products;
mod reading;
mod replies;
mod search;
mod subscriptions;
#[cfg(test)]
mod tests;
mod variant_input;
mod webhooks;

use crate::{
    Account, Api, Capability, Connector, Error, Event, Exchange, Gauge, Key, Limits, ListQuery, Outcome,
    Page, Reply, Result, SchemaObject, Subscription, TestReport, Token, Write,
};
use domain::auth::{Scheme, WebhookScheme};
use domain::{Fields, ItemType, Record, Value};
use graphql::Shop;
use http::HeaderMap;
use reading::Shape;
use url::Url;

/// Requests side by side for one shop. Points are the real limit; more in flight only meet it sooner.
const CONCURRENCY: usize = 4;

/// What the connector does not do.
const NO_CUSTOMERS: &str = "customers of Shopify are not synced";

/// Shopify.
pub(crate) struct Shopify;

impl Connector for Shopify {
    fn api(&self, account: &Account) -> Api {
        let version = account.setting("api_version", graphql::API_VERSION).to_owned();
        Api { name: "Shopify Admin GraphQL", version }
    }

    fn hosts(&self) -> &'static [&'static str] {
        &["https://*.myshopify.com"]
    }

    fn capability(&self, item_type: ItemType) -> Capability {
        let all = Capability { list: true, find: true, write: true, delete: false, answers_writes: true };
        match item_type {
            ItemType::Customer => Capability::default(),
            ItemType::Product => Capability { delete: true, ..all },
            ItemType::Inventory => Capability { answers_writes: false, ..all },
            ItemType::Order => all,
        }
    }

    fn gauge(&self, reply: &Reply) -> Option<Gauge> {
        cost::gauge(reply)
    }

    fn limits(&self, item_type: ItemType) -> Limits {
        let of = |page: Shape, read: Shape, write| Limits {
            page: page.at_once(),
            read: read.at_once(),
            find: read.at_once(),
            write,
            concurrency: CONCURRENCY,
        };
        match item_type {
            ItemType::Customer => Limits::ONE,
            ItemType::Product => Limits {
                read: products::AT_ONCE,
                ..of(products::PAGE, products::READ, product_write::AT_ONCE)
            },
            ItemType::Inventory => of(inventory::PAGE, inventory::READ, inventory::WRITE_AT_ONCE),
            ItemType::Order => of(orders::PAGE, orders::READ, order_write::AT_ONCE),
        }
    }

    fn scheme(&self, account: &Account) -> Option<Scheme> {
        graphql::scheme(account.credential)
    }

    fn token(&self, account: &Account) -> Result<Exchange<Token>> {
        account::token(account)
    }

    fn list(&self, account: &Account, query: &ListQuery) -> Result<Exchange<Page>> {
        let shop = Shop::of(account)?;
        match query.item_type {
            ItemType::Customer => Err(Error::unsupported(NO_CUSTOMERS)),
            ItemType::Product => products::list(&shop, query),
            ItemType::Inventory => inventory::list(&shop, query),
            ItemType::Order => orders::list(&shop, query),
        }
    }

    fn get_many(
        &self,
        account: &Account,
        item_type: ItemType,
        ids: &[String],
    ) -> Result<Exchange<Vec<Record>>> {
        let shop = Shop::of(account)?;
        match item_type {
            ItemType::Customer => Err(Error::unsupported(NO_CUSTOMERS)),
            ItemType::Product => products::get(&shop, ids),
            ItemType::Inventory => inventory::get(&shop, ids),
            ItemType::Order => orders::get(&shop, ids),
        }
    }

    fn find(&self, account: &Account, item_type: ItemType, key: &Key) -> Result<Exchange<Vec<Record>>> {
        let shop = Shop::of(account)?;
        match item_type {
            ItemType::Customer => Err(Error::unsupported(NO_CUSTOMERS)),
            ItemType::Product => products::find(&shop, key),
            ItemType::Inventory => inventory::find(&shop, key),
            ItemType::Order => orders::find(&shop, key),
        }
    }

    fn write_many(
        &self,
        account: &Account,
        item_type: ItemType,
        writes: &[Write],
    ) -> Result<Exchange<Vec<Outcome>>> {
        let shop = Shop::of(account)?;
        match item_type {
            ItemType::Customer => Err(Error::unsupported(NO_CUSTOMERS)),
            ItemType::Product => product_write::write(&shop, writes),
            ItemType::Inventory => inventory::write(&shop, writes),
            ItemType::Order => order_write::write(&shop, writes),
        }
    }

    fn delete_many(
        &self,
        account: &Account,
        item_type: ItemType,
        ids: &[String],
    ) -> Result<Exchange<Vec<Result<()>>>> {
        match item_type {
            ItemType::Product => account::delete(&Shop::of(account)?, ids),
            ItemType::Inventory | ItemType::Order | ItemType::Customer => {
                Err(Error::unsupported("only products are deleted in Shopify"))
            }
        }
    }

    fn archived(&self, item_type: ItemType) -> Option<Fields> {
        let state = ("status".to_owned(), Value::from("ARCHIVED"));
        matches!(item_type, ItemType::Product).then(|| Fields::from_iter([state]))
    }

    fn prepare(&self, account: &Account, item_type: ItemType) -> Result<Option<Exchange<()>>> {
        account::prepare(&Shop::of(account)?, item_type)
    }

    fn schema(&self, account: &Account) -> Result<Exchange<Vec<SchemaObject>>> {
        account::schema(&Shop::of(account)?)
    }

    fn test(&self, account: &Account) -> Result<Exchange<TestReport>> {
        account::test(&Shop::of(account)?)
    }

    fn webhooks(&self) -> Option<WebhookScheme> {
        Some(webhooks::SCHEME)
    }

    fn event(&self, headers: &HeaderMap, body: &[u8]) -> Result<Event> {
        webhooks::event(headers, body)
    }

    fn topics(&self, item_type: ItemType) -> Vec<&'static str> {
        subscriptions::topics(item_type)
    }

    fn subscriptions(&self, account: &Account, callback: &Url) -> Result<Exchange<Vec<Subscription>>> {
        subscriptions::list(&Shop::of(account)?, callback)
    }

    fn subscribe(
        &self,
        account: &Account,
        callback: &Url,
        topics: &[&str],
    ) -> Result<Exchange<Vec<Result<Subscription>>>> {
        subscriptions::subscribe(&Shop::of(account)?, callback, topics)
    }

    fn unsubscribe(&self, account: &Account, ids: &[String]) -> Result<Exchange<Vec<Result<()>>>> {
        subscriptions::unsubscribe(&Shop::of(account)?, ids)
    }
}
