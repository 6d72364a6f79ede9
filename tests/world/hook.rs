//! A shop that tells us by itself what happened in it.

use super::{Reply, User};
use platforms::ShopifyHandle;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

const SUBSCRIBE: &str = "
    mutation ($topic: WebhookSubscriptionTopic!, $to: WebhookSubscriptionInput!) {
      webhookSubscriptionCreate(topic: $topic, webhookSubscription: $to) { userErrors { message } }
    }";

/// The address of an account's messages, and the shop that signs them.
pub struct Hook<'a> {
    user: &'a User<'a>,
    shop: ShopifyHandle,
    pub account: String,
    next: AtomicU32,
}

impl<'a> User<'a> {
    /// Enters the secret of the shop's app, as a person does who wants to hear of what happens.
    pub async fn hears(&'a self) -> Hook<'a> {
        let id = self.get("integrations?platform=shopify").await.ok()["data"][0]["id"].clone();
        let shop = self.shop().clone();
        let credential = json!({
            "kind": "access_token", "access_token": shop.token(), "webhook_secret": shop.client_secret(),
        });
        let change = json!({ "id": id, "credential": credential });
        self.request(Method::PUT, "integrations", change).await.ok();
        Hook { user: self, shop, account: id.as_str().unwrap().to_owned(), next: AtomicU32::new(1) }
    }
}

impl Hook<'_> {
    /// The function and what follows its name.
    pub fn path(&self) -> String {
        format!("webhook-receive/{}", self.account)
    }

    /// Has the shop itself deliver these topics (`PRODUCTS_UPDATE`), each time `deliver_webhooks` is called.
    pub async fn subscribes(&self, topics: &[&str]) -> &Self {
        let address = self.user.world.url(&self.path());
        for topic in topics {
            let variables = json!({ "topic": topic, "to": { "uri": address } });
            let request = self
                .user
                .world
                .http
                .post(format!("{}/admin/api/2026-10/graphql.json", self.shop.address()))
                .header("x-shopify-access-token", self.shop.token())
                .json(&json!({ "query": SUBSCRIBE, "variables": variables }));
            let answer: Value = request.send().await.unwrap().json().await.unwrap();
            assert_eq!(answer["data"]["webhookSubscriptionCreate"]["userErrors"], json!([]), "{answer}");
        }
        self
    }

    /// The shop delivers what happened since it last did; every message is taken in. Answers how many there were.
    pub async fn deliver(&self) -> usize {
        let deliveries = self.shop.deliver_webhooks().await;
        for delivery in &deliveries {
            assert_eq!(delivery.status, Some(200), "{delivery:?}");
        }
        deliveries.len()
    }

    /// Tells a topic with this body, well signed, as an event of its own.
    pub async fn tells(&self, topic: &str, body: &str) -> Reply {
        let event = format!("event-{}", self.next.fetch_add(1, Ordering::Relaxed));
        self.sends(
            &[("x-shopify-topic", topic), ("x-shopify-event-id", &event), (SIGNATURE, &self.shop.sign(body))],
            body,
        )
        .await
    }

    /// Sends a message with exactly these headers.
    pub async fn sends(&self, headers: &[(&str, &str)], body: &str) -> Reply {
        post(self.user, &self.path(), headers, body).await
    }
}

/// The header with the signature.
pub const SIGNATURE: &str = "x-shopify-hmac-sha256";

/// Posts a text to a function with exactly these headers.
pub async fn post(user: &User<'_>, function: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut request = user.world.http.post(user.world.url(function)).body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Reply::of(request.send().await.unwrap()).await
}

/// The number at the end of a record's id, as messages name it.
pub fn number(id: &str) -> &str {
    id.rsplit('/').next().unwrap()
}
