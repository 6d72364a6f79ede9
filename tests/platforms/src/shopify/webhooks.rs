//! Webhooks: subscriptions, the bodies subscribers get, and their signed delivery.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::SecondsFormat;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::mutations::{Input, UserError, filled, object, payload};
use super::out::{Kind, Out};
use super::records::{Order, Product, Subscription};
use super::state::State;
use super::{gid, numeric, stamp};
use crate::journal::{Effect, Verb};

/// One delivery and how it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// `products/update`.
    pub topic: String,
    /// Where it went.
    pub uri: String,
    /// The delivery's own id, the same for every attempt and for a duplicate.
    pub webhook_id: String,
    /// The receiver's status; none if it could not be reached.
    pub status: Option<u16>,
}

/// A delivery that is ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) topic: String,
    pub(crate) uri: String,
    /// Where that address leads.
    pub(crate) to: String,
    pub(crate) webhook_id: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// `webhookSubscriptionCreate`.
pub(crate) fn subscribe(state: &mut State, scopes: &[String], arguments: &Input) -> Out {
    const NAME: &str = "webhookSubscription";
    let input = object(arguments, NAME);
    let topic = filled(arguments, "topic").unwrap_or_default();
    let uri = filled(&input, "uri").unwrap_or_default();
    let refuse = |field: &str, message: &str| payload(NAME, Err(vec![UserError::new(field, "", message)]));
    let fail = |message: &str| refuse("webhookSubscription.callbackUrl", message);
    if !may_hear(&topic, scopes) {
        let message = format!(
            "You do not have permission to create or update webhooks with {} topic.",
            topic_path(&topic)
        );
        return refuse("topic", &message);
    }
    if !(uri.starts_with("https://") || is_loopback(&uri)) {
        return fail("Address is invalid");
    }
    if state.subscriptions.iter().any(|known| known.topic == topic && known.uri == uri) {
        return fail("Address for this topic has already been taken");
    }
    let id = state.id();
    let include = input.get("includeFields").and_then(Value::as_array).cloned().unwrap_or_default();
    let subscription = Subscription {
        id,
        topic,
        uri,
        filter: filled(&input, "filter"),
        name: filled(&input, "name"),
        format: filled(&input, "format").unwrap_or_else(|| "JSON".to_owned()),
        include_fields: include.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        created_at: state.clock.second(),
    };
    state.subscriptions.push(subscription);
    state.effects.push(Effect::new(Verb::Created, "webhookSubscription", gid("WebhookSubscription", id)));
    payload(NAME, Ok(Out::Ref(Kind::Subscription(id))))
}

/// Whether the app may read what the topic tells of.
fn may_hear(topic: &str, scopes: &[String]) -> bool {
    let any: &[&str] = match topic.split('_').next().unwrap_or_default() {
        "PRODUCTS" => &["products"],
        "INVENTORY" if topic.starts_with("INVENTORY_ITEMS") => &["inventory", "products"],
        "INVENTORY" => &["inventory"],
        "ORDERS" => &["orders"],
        "CUSTOMERS" => &["customers"],
        _ => return true,
    };
    let reads = |scope: &String| {
        let what = scope.strip_prefix("read_").or_else(|| scope.strip_prefix("write_"));
        what.is_some_and(|what| any.contains(&what))
    };
    scopes.iter().any(reads)
}

/// Tests receive on loopback without TLS; the real platform wants `https`.
fn is_loopback(uri: &str) -> bool {
    let Ok(url) = url::Url::parse(uri) else { return false };
    url.scheme() == "http" && matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"))
}

/// `webhookSubscriptionDelete`.
pub(crate) fn unsubscribe(state: &mut State, arguments: &Input) -> Out {
    let id = numeric(arguments, "id", "WebhookSubscription");
    let known = state.subscriptions.iter().position(|known| Some(known.id) == id);
    let outcome = match known {
        Some(at) => {
            let gone = state.subscriptions.remove(at);
            let id = gid("WebhookSubscription", gone.id);
            state.effects.push(Effect::new(Verb::Deleted, "webhookSubscription", id.clone()));
            Ok(id.into())
        }
        None => Err(vec![UserError::new("id", "", "Webhook subscription does not exist")]),
    };
    payload("deletedWebhookSubscriptionId", outcome)
}

/// What happened since the last delivery, one parcel for each subscriber, signed with the app's secret.
pub(crate) fn parcels(state: &mut State, secret: &str, version: &str) -> Vec<Parcel> {
    let events = std::mem::take(&mut state.pending);
    let mut parcels = Vec::new();
    for event in events {
        for subscription in state.subscriptions.iter().filter(|known| known.topic == event.topic) {
            let body = included(&event.body, &subscription.include_fields).to_string();
            let topic = topic_path(event.topic);
            let webhook_id = format!("{}-{}", event.event_id, subscription.id);
            let headers = vec![
                ("content-type", "application/json".to_owned()),
                ("x-shopify-topic", topic.clone()),
                ("x-shopify-shop-domain", state.domain.clone()),
                ("x-shopify-api-version", version.to_owned()),
                ("x-shopify-webhook-id", webhook_id.clone()),
                ("x-shopify-event-id", event.event_id.clone()),
                ("x-shopify-triggered-at", event.at.to_rfc3339_opts(SecondsFormat::Nanos, true)),
                ("x-shopify-hmac-sha256", signature(secret, body.as_bytes())),
            ];
            let uri = subscription.uri.clone();
            let to =
                state.reached.iter().find_map(|(from, to)| Some(format!("{to}{}", uri.strip_prefix(from)?)));
            parcels.push(Parcel {
                topic,
                to: to.unwrap_or_else(|| uri.clone()),
                uri,
                webhook_id,
                headers,
                body,
            });
        }
    }
    parcels
}

/// The resources whose names are two words; an action may have several (`orders/partially_fulfilled`).
const LONG_NAMES: [&str; 3] = ["inventory_items", "inventory_levels", "bulk_operations"];

fn topic_path(topic: &str) -> String {
    let lower = topic.to_lowercase();
    let long = LONG_NAMES.iter().find_map(|name| Some((*name, lower.strip_prefix(name)?.strip_prefix('_')?)));
    let parts = long.or_else(|| lower.split_once('_'));
    parts.map_or(lower.clone(), |(resource, action)| format!("{resource}/{action}"))
}

fn included(body: &Value, fields: &[String]) -> Value {
    let Some(all) = body.as_object().filter(|_| !fields.is_empty()) else { return body.clone() };
    let kept: Map<String, Value> =
        all.iter().filter(|(name, _)| fields.contains(name)).map(|(n, v)| (n.clone(), v.clone())).collect();
    Value::Object(kept)
}

/// The signature a receiver checks: base64 of HMAC-SHA256 over the body as sent.
pub(crate) fn signature(secret: &str, body: &[u8]) -> String {
    // A key of any length is a key; the error cannot happen, and an empty signature would be refused.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Sends parcels one after the other.
pub(crate) async fn send(parcels: Vec<Parcel>) -> Vec<Delivery> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let mut deliveries = Vec::new();
    for parcel in parcels {
        let mut request = hyper::Request::post(&parcel.to);
        for (name, value) in &parcel.headers {
            request = request.header(*name, value);
        }
        let status = match request.body(Full::new(Bytes::from(parcel.body))) {
            Err(_) => None,
            // Five seconds for the whole exchange, as the real platform gives.
            Ok(request) => {
                match tokio::time::timeout(std::time::Duration::from_secs(5), client.request(request)).await {
                    Ok(Ok(response)) => {
                        let status = response.status().as_u16();
                        drop(response.into_body().collect().await);
                        Some(status)
                    }
                    _ => None,
                }
            }
        };
        deliveries.push(Delivery {
            topic: parcel.topic,
            uri: parcel.uri,
            webhook_id: parcel.webhook_id,
            status,
        });
    }
    deliveries
}

/// A product as webhooks show it, in the shape of the older REST API.
pub(crate) fn product_body(it: &Product) -> Value {
    let variants: Vec<Value> = it
        .variants
        .iter()
        .enumerate()
        .map(|(at, variant)| {
            json!({
                "id": variant.id,
                "admin_graphql_api_id": gid("ProductVariant", variant.id),
                "product_id": it.id,
                "title": variant.title(),
                "sku": variant.sku,
                "barcode": variant.barcode,
                "price": variant.price,
                "compare_at_price": variant.compare_at_price,
                "position": at + 1,
                "inventory_item_id": variant.item,
                "inventory_quantity": variant.available(),
                "updated_at": stamp(variant.updated_at),
            })
        })
        .collect();
    json!({
        "id": it.id,
        "admin_graphql_api_id": gid("Product", it.id),
        "title": it.title,
        "body_html": it.description_html,
        "handle": it.handle,
        "status": it.status.to_lowercase(),
        "vendor": it.vendor,
        "product_type": it.product_type,
        "tags": it.tags.join(", "),
        "created_at": stamp(it.created_at),
        "updated_at": stamp(it.updated_at),
        "variants": variants,
    })
}

/// An order as webhooks show it.
pub(crate) fn order_body(it: &Order) -> Value {
    let lines: Vec<Value> = it
        .lines
        .iter()
        .map(|line| json!({ "id": line.id, "sku": line.sku, "title": line.title, "quantity": line.quantity, "price": line.price }))
        .collect();
    json!({
        "id": it.id,
        "admin_graphql_api_id": gid("Order", it.id),
        "name": it.name,
        "email": it.email,
        "currency": it.currency,
        "note": it.note,
        "tags": it.tags.join(", "),
        "financial_status": it.financial_status.to_lowercase(),
        "updated_at": stamp(it.updated_at),
        "line_items": lines,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_equal_the_vendors_vector() {
        let signed = signature("test_secret_key", br#"{"foo": "bar"}"#);
        assert_eq!(signed, "B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7g=");
    }

    #[test]
    fn topics_become_paths() {
        assert_eq!(topic_path("PRODUCTS_UPDATE"), "products/update");
        assert_eq!(topic_path("INVENTORY_LEVELS_UPDATE"), "inventory_levels/update");
        assert_eq!(topic_path("ORDERS_PARTIALLY_FULFILLED"), "orders/partially_fulfilled");
        assert_eq!(topic_path("APP_UNINSTALLED"), "app/uninstalled");
    }
}
