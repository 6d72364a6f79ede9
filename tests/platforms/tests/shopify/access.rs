//! Who is let in, and who is told of what happens.

use chrono::Duration;
use platforms::{Fault, Platforms, product};
use serde_json::{Value, json};

use crate::support::{graphql, graphql_uri, send};
use crate::{SET, input};

#[tokio::test]
async fn tokens_end_and_scopes_are_checked() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let shop = platforms.shopify("demo");
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        shop.client_id(),
        shop.client_secret()
    );
    let form_type = [("content-type", "application/x-www-form-urlencoded")];
    let uri = format!("{}/admin/oauth/access_token", shop.address());
    let granted = send("POST", &uri, &form_type, &form).await?.json();
    assert_eq!(granted["expires_in"], 86_399);
    let token = granted["access_token"].as_str().unwrap().to_owned();
    let body = json!({ "query": "{ shop { name } }" }).to_string();
    let headers = [("content-type", "application/json"), ("x-shopify-access-token", token.as_str())];
    let answer = send("POST", &graphql_uri(&shop), &headers, &body).await?;
    assert_eq!((answer.status, answer.header("x-shopify-api-version")), (200, "2026-10"));
    platforms.clock().advance(Duration::hours(25));
    assert_eq!(send("POST", &graphql_uri(&shop), &headers, &body).await?.status, 401);
    assert_eq!(
        send("POST", &uri, &form_type, "grant_type=client_credentials&client_id=x").await?.status,
        400
    );
    shop.set_scopes(&["read_products"]);
    let denied = graphql(&shop, SET, json!({ "input": input("A", "A", "1") })).await?;
    assert_eq!(denied["errors"][0]["extensions"]["code"], "ACCESS_DENIED");
    assert_eq!(shop.product_count(), 0);
    let scopes = graphql(&shop, "{ currentAppInstallation { accessScopes { handle } } }", json!({})).await?;
    assert_eq!(
        scopes["data"]["currentAppInstallation"]["accessScopes"],
        json!([{ "handle": "read_products" }])
    );
    Ok(())
}

#[tokio::test]
async fn webhooks_are_signed_and_the_plan_may_double_them() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let shop = platforms.shopify("demo");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let uri = format!("http://{}/hook", listener.local_addr()?);
    let (sender, mut received) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        while let Ok((mut stream, _)) = listener.accept().await {
            let sender = sender.clone();
            tokio::spawn(async move {
                let mut text = Vec::new();
                let mut buffer = [0; 16_384];
                while let Ok(length) = stream.read(&mut buffer).await {
                    if length == 0 {
                        break;
                    }
                    text.extend_from_slice(&buffer[..length]);
                    let request = String::from_utf8_lossy(&text).into_owned();
                    if request.contains("\r\n\r\n") && request.ends_with('}') {
                        sender.send(request).unwrap();
                        text.clear();
                        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                    }
                }
            });
        }
    });
    let subscribe = "mutation($w: WebhookSubscriptionInput!) { webhookSubscriptionCreate(topic: PRODUCTS_UPDATE, webhookSubscription: $w) { webhookSubscription { id topic uri } userErrors { field message } } }";
    let made = graphql(&shop, subscribe, json!({ "w": { "uri": uri } })).await?;
    assert_eq!(made["data"]["webhookSubscriptionCreate"]["webhookSubscription"]["uri"], json!(uri), "{made}");
    shop.has(product("A"));
    shop.edit("A", |it| it.title = "New".to_owned());
    shop.faults().always(Fault::DuplicateEvents);
    let deliveries = shop.deliver_webhooks().await;
    assert_eq!(deliveries.iter().map(|it| it.status).collect::<Vec<_>>(), [Some(200), Some(200)]);
    let request = received.recv().await.unwrap();
    let lower = request.to_lowercase();
    for header in [
        "x-shopify-topic: products/update",
        "x-shopify-shop-domain: demo.myshopify.com",
        "x-shopify-hmac-sha256: ",
        "x-shopify-triggered-at: ",
    ] {
        assert!(lower.contains(header), "{header}");
    }
    let body = request.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(serde_json::from_str::<Value>(body)?["title"], "New");
    Ok(())
}

#[tokio::test]
async fn an_address_hears_of_a_topic_once_and_only_of_what_the_app_may_read() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let shop = platforms.shopify("demo");
    let subscribe = "mutation($t: WebhookSubscriptionTopic!, $w: WebhookSubscriptionInput!) { webhookSubscriptionCreate(topic: $t, webhookSubscription: $w) { webhookSubscription { id } userErrors { field message } } }";
    let ask = |topic: &str, uri: &str| json!({ "t": topic, "w": { "uri": uri, "includeFields": ["id"] } });
    let refusal = |answer: &Value| {
        answer["data"]["webhookSubscriptionCreate"]["userErrors"][0]["message"].as_str().map(str::to_owned)
    };
    let uri = "https://sync.example.com/hook";
    let first = graphql(&shop, subscribe, ask("ORDERS_PARTIALLY_FULFILLED", uri)).await?;
    assert_eq!(refusal(&first), None, "{first}");

    let twice = graphql(&shop, subscribe, ask("ORDERS_PARTIALLY_FULFILLED", uri)).await?;
    let open = graphql(&shop, subscribe, ask("ORDERS_PAID", "http://sync.example.com/hook")).await?;
    let unknown = graphql(&shop, subscribe, ask("ORDERS_EATEN", uri)).await?;
    shop.set_scopes(&["read_products"]);
    let denied = graphql(&shop, subscribe, ask("ORDERS_PAID", uri)).await?;

    assert_eq!(refusal(&twice).as_deref(), Some("Address for this topic has already been taken"));
    assert_eq!(refusal(&open).as_deref(), Some("Address is invalid"));
    assert!(unknown["errors"].is_array() && unknown.get("data").is_none_or(Value::is_null), "{unknown}");
    assert!(refusal(&denied).is_some_and(|message| message.contains("orders/paid")), "{denied}");
    assert_eq!(shop.webhook_subscriptions().len(), 1);
    Ok(())
}
