//! Having the shop tell us by itself, and ending that (<https://shopify.dev/docs/apps/build/webhooks/subscribe>).
//!
//! A shop shows an app the subscriptions that the app itself made here, whatever their address. Ours are those with our
//! address; of these each topic exists once.

use super::graphql::{Shop, numbered, repeat};
use super::replies::{Listing, WebhookSubscription};
use super::webhooks::{FOLLOWED, Followed};
use super::{cost, failure, node, reading};
use crate::{Error, Exchange, Result, Step, Subscription};
use domain::{Fields, ItemType, Value};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

const SUBSCRIBE: &str = include_str!("webhooks_subscribe.graphql");
const UNSUBSCRIBE: &str = include_str!("webhooks_unsubscribe.graphql");

/// A page of up to 100 subscriptions, 1 point each.
const PAGE_COST: u32 = cost::connection(100, 1);
/// A mutation and the subscription it shows.
const SUBSCRIBE_COST: u32 = cost::MUTATION + 1;
/// Subscriptions ended in one request: 50 × 11 = 550 points.
const END_AT_ONCE: usize = 50;

/// The topics that tell of items of this kind.
pub(super) fn topics(item_type: ItemType) -> Vec<&'static str> {
    FOLLOWED.iter().filter(|(_, kind, ..)| *kind == item_type).map(|(topic, ..)| *topic).collect()
}

/// What the shop sends to this address.
pub(super) fn list(shop: &Shop, callback: &Url) -> Result<Exchange<Vec<Subscription>>> {
    page(shop, callback.as_str().into(), Vec::new(), None)
}

fn page(
    shop: &Shop,
    uri: Arc<str>,
    found: Vec<Subscription>,
    after: Option<String>,
) -> Result<Exchange<Vec<Subscription>>> {
    let variables =
        Fields::from_iter([("uri".to_owned(), (*uri).into()), ("after".to_owned(), after.clone().into())]);
    let again = shop.clone();
    shop.ask(include_str!("webhook_subscriptions.graphql"), variables, PAGE_COST, move |reply| {
        let Listing { page: shown } = failure::data::<Listing<WebhookSubscription>>(reply)?;
        let next = node::next_cursor(&shown.page_info)?.map(str::to_owned);
        // The filter is Shopify's: what it lets through that is not ours must never be taken for it.
        let ours = shown.nodes.into_iter().filter(|one| one.uri == *uri).map(Subscription::from);
        let found: Vec<Subscription> = found.iter().cloned().chain(ours).collect();
        match next {
            None => Ok(Step::Done(found)),
            same if same == after => Err(Error::unexpected("Shopify shows the same page twice")),
            next => Ok(Step::Next {
                exchange: page(&again, Arc::clone(&uri), found, next)?,
                after: Duration::ZERO,
            }),
        }
    })
}

/// Subscribes this address to topics. Answers one outcome for each, in their order.
pub(super) fn subscribe(
    shop: &Shop,
    callback: &Url,
    topics: &[&str],
) -> Result<Exchange<Vec<Result<Subscription>>>> {
    reading::fits(topics.len(), FOLLOWED.len())?;
    let mut inputs = Vec::new();
    for topic in topics {
        let followed = FOLLOWED.iter().find(|(known, ..)| known == topic);
        let followed = followed.ok_or_else(|| Error::unsupported("this topic of Shopify is not followed"))?;
        let input = ("input", input(callback, followed));
        inputs.push(vec![("topic", Value::String(enumerated(topic))), input]);
    }
    let count = topics.len();
    let cost = cost::times(count, SUBSCRIBE_COST);
    shop.ask(&repeat(SUBSCRIBE, count), numbered(inputs), cost, move |reply| {
        let made = |answer: Result<Value>| {
            let made: WebhookSubscription = failure::written(&answer?, "webhookSubscription")?;
            Ok(made.into())
        };
        Ok(Step::Done(failure::each(reply, count)?.into_iter().map(made).collect()))
    })
}

/// Of each message only the record's number is used: nothing else is sent, above all nothing of buyers. The number of an
/// edited order lies deeper; its messages hold no names or addresses, and come whole.
fn input(callback: &Url, (_, _, _, place): &Followed) -> Value {
    let mut input = json!({ "uri": callback.as_str(), "format": "JSON" });
    let field = place.strip_prefix('/').filter(|field| !field.contains('/'));
    if let (Some(field), Value::Object(fields)) = (field, &mut input) {
        fields.insert("includeFields".to_owned(), json!([field]));
    }
    input
}

/// Ends subscriptions; one that is gone already counts as ended. Answers one outcome for each, in their order.
pub(super) fn unsubscribe(shop: &Shop, ids: &[String]) -> Result<Exchange<Vec<Result<()>>>> {
    end(shop, ids, Vec::new())
}

fn end(shop: &Shop, ids: &[String], done: Vec<Result<()>>) -> Result<Exchange<Vec<Result<()>>>> {
    let (now, later) = ids.split_at(ids.len().min(END_AT_ONCE));
    let (count, later) = (now.len(), later.to_vec());
    let variables = numbered(now.iter().map(|id| vec![("id", Value::String(id.clone()))]));
    let again = shop.clone();
    shop.ask(&repeat(UNSUBSCRIBE, count), variables, cost::times(count, cost::MUTATION), move |reply| {
        let ended = failure::each(reply, count)?.into_iter().map(|answer| {
            match answer.and_then(|payload| failure::user_errors(&payload)) {
                Err(error) if failure::is_gone(&error) => Ok(()),
                outcome => outcome,
            }
        });
        let done = done.iter().cloned().chain(ended).collect();
        if later.is_empty() {
            return Ok(Step::Done(done));
        }
        Ok(Step::Next { exchange: end(&again, &later, done)?, after: Duration::ZERO })
    })
}

/// `PRODUCTS_UPDATE`, which is how GraphQL writes `products/update`.
fn enumerated(topic: &str) -> String {
    topic.replace('/', "_").to_ascii_uppercase()
}

impl From<WebhookSubscription> for Subscription {
    fn from(shown: WebhookSubscription) -> Self {
        let followed = FOLLOWED.iter().find(|(topic, ..)| enumerated(topic) == shown.topic);
        Self {
            id: shown.id,
            topic: followed.map_or(shown.topic, |(topic, ..)| (*topic).to_owned()),
            item_type: followed.map(|(_, item_type, ..)| *item_type),
        }
    }
}
