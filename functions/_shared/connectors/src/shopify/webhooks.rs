//! What Shopify tells by itself (<https://shopify.dev/docs/apps/build/webhooks>): signed, at least once, in any order.
//!
//! Only the body is signed. Topic and event come in headers, so whoever has seen a message can have us look at its
//! record again, and no more than that.

use crate::event::header;
use crate::{Error, Event, Result, Subject};
use domain::auth::WebhookScheme;
use domain::{ItemType, Value};
use http::HeaderMap;

/// Base64 of the body's HMAC-SHA256 under the app's client secret.
pub(super) const SCHEME: WebhookScheme = WebhookScheme::HmacSha256Base64 { header: "x-shopify-hmac-sha256" };

/// A topic: its name, the kind of item, the kind of record, and where in the body its number is.
pub(super) type Followed = (&'static str, ItemType, &'static str, &'static str);

/// The topics that are followed.
pub(super) const FOLLOWED: &[Followed] = &[
    ("products/create", ItemType::Product, "Product", "/id"),
    ("products/update", ItemType::Product, "Product", "/id"),
    ("products/delete", ItemType::Product, "Product", "/id"),
    ("orders/create", ItemType::Order, "Order", "/id"),
    ("orders/updated", ItemType::Order, "Order", "/id"),
    ("orders/edited", ItemType::Order, "Order", "/order_edit/order_id"),
    ("orders/paid", ItemType::Order, "Order", "/id"),
    ("orders/fulfilled", ItemType::Order, "Order", "/id"),
    ("orders/partially_fulfilled", ItemType::Order, "Order", "/id"),
    ("orders/cancelled", ItemType::Order, "Order", "/id"),
    ("orders/delete", ItemType::Order, "Order", "/id"),
    ("inventory_levels/connect", ItemType::Inventory, "InventoryItem", "/inventory_item_id"),
    ("inventory_levels/update", ItemType::Inventory, "InventoryItem", "/inventory_item_id"),
    ("inventory_levels/disconnect", ItemType::Inventory, "InventoryItem", "/inventory_item_id"),
    ("inventory_items/create", ItemType::Inventory, "InventoryItem", "/id"),
    ("inventory_items/update", ItemType::Inventory, "InventoryItem", "/id"),
    ("inventory_items/delete", ItemType::Inventory, "InventoryItem", "/id"),
];

/// Which event a message is, and which record to look at.
pub(super) fn event(headers: &HeaderMap, body: &[u8]) -> Result<Event> {
    // One event may be told to several subscriptions: the event's own id goes before that of the message.
    let id = match header(headers, "x-shopify-event-id")? {
        Some(id) => Some(id),
        None => header(headers, "x-shopify-webhook-id")?,
    };
    let id = id.ok_or_else(|| Error::unexpected("the message has no id"))?;
    let topic = header(headers, "x-shopify-topic")?;
    let topic = topic.ok_or_else(|| Error::unexpected("the message has no topic"))?;
    let followed = FOLLOWED.iter().find(|(known, ..)| *known == topic);
    let subject = followed.map(|(_, item_type, kind, place)| subject(body, *item_type, kind, place));
    Ok(Event { id: id.to_owned(), topic: topic.to_owned(), subject: subject.transpose()? })
}

fn subject(body: &[u8], item_type: ItemType, kind: &str, place: &str) -> Result<Subject> {
    let body: Value =
        serde_json::from_slice(body).map_err(|_| Error::unexpected("the message is not JSON"))?;
    let number = body.pointer(place).and_then(Value::as_u64);
    let number = number.ok_or_else(|| Error::unexpected(format!("the message has no number at {place}")))?;
    Ok(Subject { item_type, record_id: format!("gid://shopify/{kind}/{number}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in values {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn of(topic: &str, body: &str) -> Result<Event> {
        event(&headers(&[("x-shopify-event-id", "e-1"), ("x-shopify-topic", topic)]), body.as_bytes())
    }

    fn record_of(topic: &str, body: &str) -> Option<(ItemType, String)> {
        of(topic, body).unwrap().subject.map(|subject| (subject.item_type, subject.record_id))
    }

    #[test]
    fn each_topic_names_a_record_as_our_lists_have_it() {
        let product = Some((ItemType::Product, "gid://shopify/Product/788032119674292922".to_owned()));
        assert_eq!(record_of("products/update", r#"{"id":788032119674292922,"title":"x"}"#), product);
        assert_eq!(record_of("products/delete", r#"{"id":788032119674292922}"#), product);
        assert_eq!(
            record_of("inventory_levels/update", r#"{"inventory_item_id":7,"location_id":9,"available":1}"#),
            Some((ItemType::Inventory, "gid://shopify/InventoryItem/7".to_owned()))
        );
        let order = Some((ItemType::Order, "gid://shopify/Order/5".to_owned()));
        assert_eq!(record_of("orders/edited", r#"{"order_edit":{"id":1,"order_id":5}}"#), order);
        assert_eq!(record_of("orders/cancelled", r#"{"id":5}"#), order);
    }

    #[test]
    fn a_topic_that_is_not_followed_has_no_record_and_its_body_is_not_read() {
        for topic in ["app/uninstalled", "products", "products/", "PRODUCTS/UPDATE", "bulk_operations/finish"]
        {
            assert_eq!(record_of(topic, "no JSON"), None, "{topic}");
        }
    }

    #[test]
    fn the_event_has_its_own_id_and_else_that_of_the_message() {
        let named = |values: &[(&'static str, &str)]| {
            let values: Vec<_> = values.iter().copied().chain([("x-shopify-topic", "shop/update")]).collect();
            event(&headers(&values), b"{}").map(|event| event.id)
        };
        let (own, message) = (("x-shopify-event-id", "e"), ("x-shopify-webhook-id", "w"));
        assert_eq!(named(&[message, own]).unwrap(), "e");
        assert_eq!(named(&[message]).unwrap(), "w");
        for wrong in [&[][..], &[own, own], &[("x-shopify-event-id", "")]] {
            named(wrong).unwrap_err();
        }
        named(&[("x-shopify-event-id", "e".repeat(201).as_str())]).unwrap_err();
        event(&headers(&[own]), b"{}").unwrap_err();
    }

    #[test]
    fn a_followed_topic_without_a_record_is_refused() {
        for body in
            ["", "no JSON", "[]", "{}", r#"{"id":null}"#, r#"{"id":"5"}"#, r#"{"id":-5}"#, r#"{"id":1.5}"#]
        {
            of("products/update", body).unwrap_err();
        }
        of("products/update", &"[".repeat(100_000)).unwrap_err();
    }
}
