use super::{account, connection, data, strings};
use crate::shopify::Shopify;
use crate::testing::{Sent, play, play_some};
use crate::{Connector, Error, ErrorKind, Result, Subscription};
use domain::{ItemType, Platform};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use url::Url;

fn callback() -> Url {
    "https://sync.example.com/functions/v1/webhook-receive/1".parse().unwrap()
}

fn all_topics() -> Vec<&'static str> {
    ItemType::ALL.iter().flat_map(|item_type| Shopify.topics(*item_type)).collect()
}

/// Subscribing to everything, looking at it, and ending it, for the check of documents.
pub(super) fn requests() -> Vec<Sent> {
    let ids = vec!["gid://shopify/WebhookSubscription/1".to_owned(); 60];
    let nothing = [data(&json!({}))];
    let (account, callback) = (account(), callback());
    let mut sent = play_some(Shopify.subscriptions(&account, &callback).unwrap(), &nothing).0;
    sent.extend(play_some(Shopify.subscribe(&account, &callback, &all_topics()).unwrap(), &nothing).0);
    sent.extend(play_some(Shopify.unsubscribe(&account, &ids).unwrap(), &nothing).0);
    sent
}

fn subscription(number: u32, topic: &str, uri: &str) -> Value {
    json!({ "id": format!("gid://shopify/WebhookSubscription/{number}"), "topic": topic, "uri": uri })
}

fn refused(message: &str) -> Value {
    json!({ "webhookSubscription": null, "userErrors": [{ "field": ["webhookSubscription", "callbackUrl"], "message": message }] })
}

#[test]
fn each_topic_is_subscribed_by_shopifys_word_for_it_with_nothing_but_the_number() {
    let topics =
        ["products/update", "inventory_levels/update", "orders/partially_fulfilled", "orders/edited"];
    let exchange = Shopify.subscribe(&account(), &callback(), &topics).unwrap();
    let made = |number, topic| json!({ "webhookSubscription": subscription(number, topic, callback().as_str()), "userErrors": [] });
    let answer = data(&json!({
        "a_0": made(1, "PRODUCTS_UPDATE"), "a_1": made(2, "INVENTORY_LEVELS_UPDATE"),
        "a_2": made(3, "ORDERS_PARTIALLY_FULFILLED"), "a_3": made(4, "ORDERS_EDITED"),
    }));

    let (sent, outcomes) = play(exchange, &[answer]);

    let uri = callback().to_string();
    let input = |field: &str| json!({ "uri": uri, "format": "JSON", "includeFields": [field] });
    assert_eq!(
        *sent[0].variables(),
        json!({
            "topic_0": "PRODUCTS_UPDATE", "input_0": input("id"),
            "topic_1": "INVENTORY_LEVELS_UPDATE", "input_1": input("inventory_item_id"),
            "topic_2": "ORDERS_PARTIALLY_FULFILLED", "input_2": input("id"),
            "topic_3": "ORDERS_EDITED", "input_3": { "uri": uri, "format": "JSON" },
        })
    );
    let seen: Vec<_> = outcomes.unwrap().into_iter().map(Result::unwrap).collect();
    let expected = |at: usize, number: u32, item_type| Subscription {
        id: format!("gid://shopify/WebhookSubscription/{number}"),
        topic: topics[at].to_owned(),
        item_type: Some(item_type),
    };
    assert_eq!(
        seen,
        [
            expected(0, 1, ItemType::Product),
            expected(1, 2, ItemType::Inventory),
            expected(2, 3, ItemType::Order),
            expected(3, 4, ItemType::Order),
        ]
    );
}

#[test]
fn a_topic_that_is_refused_leaves_the_others_alone() {
    let exchange = Shopify.subscribe(&account(), &callback(), &["orders/create", "products/create"]).unwrap();
    let made = json!({ "webhookSubscription": subscription(1, "PRODUCTS_CREATE", callback().as_str()), "userErrors": [] });
    let answer = data(&json!({ "a_0": refused("You do not have permission"), "a_1": made }));

    let outcomes = play(exchange, &[answer]).1.unwrap();

    let error = outcomes[0].as_ref().unwrap_err();
    assert_eq!(error.kind, ErrorKind::Rejected);
    assert_eq!(error.message, "webhookSubscription.callbackUrl: You do not have permission");
    assert_eq!(outcomes[1].as_ref().unwrap().topic, "products/create");
}

#[test]
fn a_topic_that_is_not_followed_is_not_subscribed() {
    for topic in ["app/uninstalled", "", "PRODUCTS_UPDATE", "products/update\n"] {
        let error = Shopify.subscribe(&account(), &callback(), &[topic]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported, "{topic}");
    }
}

#[test]
fn only_subscriptions_of_our_very_address_are_ours_on_whatever_page() {
    let (uri, longer) = (callback().to_string(), format!("{}2", callback()));
    let first =
        json!([subscription(1, "PRODUCTS_UPDATE", &uri), subscription(2, "PRODUCTS_UPDATE", &longer)]);
    let second = json!([subscription(3, "APP_UNINSTALLED", &uri)]);
    let replies = [
        data(&json!({ "page": connection(&first, Some("c")) })),
        data(&json!({ "page": connection(&second, None) })),
    ];

    let (sent, found) = play(Shopify.subscriptions(&account(), &callback()).unwrap(), &replies);

    assert_eq!(*sent[0].variables(), json!({ "uri": uri, "after": null }));
    assert_eq!(*sent[1].variables(), json!({ "uri": uri, "after": "c" }));
    let found: Vec<_> = found.unwrap().into_iter().map(|one| (one.id, one.topic, one.item_type)).collect();
    let id = |number| format!("gid://shopify/WebhookSubscription/{number}");
    assert_eq!(
        found,
        [
            (id(1), "products/update".to_owned(), Some(ItemType::Product)),
            (id(3), "APP_UNINSTALLED".to_owned(), None)
        ]
    );
}

#[test]
fn a_list_that_does_not_advance_is_no_answer() {
    let page = || data(&json!({ "page": connection(&json!([]), Some("c")) }));
    let error =
        play(Shopify.subscriptions(&account(), &callback()).unwrap(), &[page(), page()]).1.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unexpected);
}

#[test]
fn a_subscription_that_is_gone_already_counts_as_ended() {
    let gone = json!({ "deletedWebhookSubscriptionId": null, "userErrors": [{ "field": ["id"], "message": "Webhook subscription does not exist" }] });
    let busy = json!({ "deletedWebhookSubscriptionId": null, "userErrors": [{ "field": ["id"], "message": "Try later" }] });
    let exchange = Shopify.unsubscribe(&account(), &strings(&["a", "b"])).unwrap();

    let outcomes = play(exchange, &[data(&json!({ "a_0": gone, "a_1": busy }))]).1.unwrap();

    let refused = Error::new(ErrorKind::Rejected, "id: Try later").with_code("USER_ERROR");
    assert_eq!(outcomes, [Ok(()), Err(refused)]);
}

#[test]
fn many_subscriptions_are_ended_part_by_part() {
    let answer = |count: usize| {
        let ended = |number| {
            (format!("a_{number}"), json!({ "deletedWebhookSubscriptionId": "x", "userErrors": [] }))
        };
        data(&Value::Object((0..count).map(ended).collect()))
    };
    let ids: Vec<String> = (0..60).map(|number| number.to_string()).collect();

    let (sent, outcomes) = play(Shopify.unsubscribe(&account(), &ids).unwrap(), &[answer(50), answer(10)]);

    assert_eq!(outcomes.unwrap(), vec![Ok(()); 60]);
    assert_eq!((&sent[0].variables()["id_49"], &sent[1].variables()["id_9"]), (&json!("49"), &json!("59")));
}

#[test]
fn what_can_be_subscribed_is_what_is_followed_and_customers_are_not() {
    let topics = all_topics();
    assert_eq!(topics.iter().collect::<BTreeSet<_>>().len(), topics.len(), "each once");
    assert_eq!(Shopify.topics(ItemType::Product), ["products/create", "products/update", "products/delete"]);
    assert!(Shopify.topics(ItemType::Customer).is_empty());
}

#[test]
fn a_platform_that_tells_nothing_says_so() {
    for platform in [Platform::Netsuite, Platform::Hubspot, Platform::N8n, Platform::Supabase] {
        let connector = crate::of(platform);
        let kinds = [
            connector.subscriptions(&account(), &callback()).unwrap_err().kind,
            connector.subscribe(&account(), &callback(), &["products/update"]).unwrap_err().kind,
            connector.unsubscribe(&account(), &strings(&["1"])).unwrap_err().kind,
        ];
        assert_eq!(kinds, [ErrorKind::Unsupported; 3], "{platform}");
        assert!(ItemType::ALL.iter().all(|item_type| connector.topics(*item_type).is_empty()));
    }
}
