//! A person who uses the functions.

use super::{ISSUER, JWT_SECRET, Reply, World};
use jsonwebtoken::{EncodingKey, Header};
use platforms::{HubspotHandle, N8nHandle, NetsuiteHandle, ShopifyHandle};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// A signed-in user. A name says which shop and ERP are theirs, so that two users never share one.
pub struct User<'a> {
    pub world: &'a World,
    pub id: Uuid,
    pub token: String,
    shop: Option<ShopifyHandle>,
    erp: Option<NetsuiteHandle>,
    crm: Option<HubspotHandle>,
    n8n: Option<N8nHandle>,
}

impl<'a> User<'a> {
    pub async fn sign_up(world: &'a World, name: &str) -> Self {
        let id = Uuid::parse_str(&world.db.text("select gen_random_uuid()::text").await).unwrap();
        let insert = format!("insert into auth.users (id, email) values ('{id}', '{name}@example.com')");
        world.db.run(&insert).await;
        Self { world, id, token: token(&claims(id)), shop: None, erp: None, crm: None, n8n: None }
    }

    /// The user's shop.
    pub fn shop(&self) -> &ShopifyHandle {
        self.shop.as_ref().expect("this user has connected no shop")
    }

    /// The user's ERP.
    pub fn erp(&self) -> &NetsuiteHandle {
        self.erp.as_ref().expect("this user has connected no ERP")
    }

    /// The user's CRM.
    pub fn crm(&self) -> &HubspotHandle {
        self.crm.as_ref().expect("this user has connected no CRM")
    }

    /// The user's n8n server.
    pub fn n8n(&self) -> &N8nHandle {
        self.n8n.as_ref().expect("this user has connected no n8n server")
    }

    /// Connects a shop, through the function that a page would use.
    pub async fn connect_shopify(&mut self, name: &str) -> Value {
        let shop = self.world.platforms.shopify(name);
        // A shop of the largest plan: tests that are about throttling take it away again.
        shop.set_bucket(20_000.0, 2_000.0);
        let answer = self
            .invoke(
                "integrations",
                json!({
                    "name": "Shop", "platform": "shopify", "baseUrl": shop.address(),
                    "credential": { "kind": "access_token", "access_token": shop.token() },
                }),
            )
            .await
            .ok();
        self.shop = Some(shop);
        answer
    }

    /// Connects an ERP with token-based authentication.
    pub async fn connect_netsuite(&mut self, name: &str) -> Value {
        let erp = self.world.platforms.netsuite(name);
        let tba = erp.tba();
        let answer = self
            .invoke("integrations", json!({
                "name": "ERP", "platform": "netsuite", "baseUrl": erp.address(),
                "config": { "account_id": name },
                "credential": {
                    "kind": "token_based", "consumer_key": tba.consumer_key, "consumer_secret": tba.consumer_secret,
                    "token": tba.token, "token_secret": tba.token_secret,
                },
            }))
            .await
            .ok();
        self.erp = Some(erp);
        answer
    }

    /// Connects a CRM, with these further properties of contacts.
    pub async fn connect_hubspot(&mut self, name: &str, properties: &[&str]) -> Value {
        let crm = self.world.platforms.hubspot(name);
        // Tests that are about throttling take it away again.
        crm.set_limits(2_000, 2_000);
        let answer = self
            .invoke(
                "integrations",
                json!({
                    "name": "CRM", "platform": "hubspot", "baseUrl": crm.address(),
                    "config": { "properties": properties },
                    "credential": { "kind": "access_token", "access_token": crm.token() },
                }),
            )
            .await
            .ok();
        self.crm = Some(crm);
        answer
    }

    /// Connects an n8n server whose budget is `rate` requests a minute. Its MCP key and the secret of its messages are known.
    pub async fn connect_n8n(&mut self, name: &str, rate: u32) -> String {
        let n8n = self.world.platforms.n8n(name);
        let mut credential = n8n.credential();
        credential["webhook_secret"] = "s3cret".into();
        let body = json!({
            "name": name, "platform": "n8n", "baseUrl": n8n.base_url(), "credential": credential,
            "ratePerMinute": rate,
        });
        let answer = self.invoke("integrations", body).await.ok();
        self.n8n = Some(n8n);
        answer["id"].as_str().unwrap().to_owned()
    }

    /// Posts to a function with this user's token.
    pub async fn invoke(&self, function: &str, body: Value) -> Reply {
        self.world.send(function, body, &[("authorization", &format!("Bearer {}", self.token))]).await
    }

    /// Posts to a function that may die meanwhile: `None` when there is no answer.
    pub async fn try_invoke(&self, function: &str, body: Value) -> Option<u16> {
        let request = self.world.http.post(self.world.url(function)).bearer_auth(&self.token).json(&body);
        request.send().await.ok().map(|response| response.status().as_u16())
    }

    /// Gets from a function with this user's token.
    pub async fn get(&self, function_and_query: &str) -> Reply {
        self.request(reqwest::Method::GET, function_and_query, Value::Null).await
    }

    /// Calls a function with any method.
    pub async fn request(&self, method: reqwest::Method, function_and_query: &str, body: Value) -> Reply {
        let mut request =
            self.world.http.request(method, self.world.url(function_and_query)).bearer_auth(&self.token);
        if !body.is_null() {
            request = request.json(&body);
        }
        Reply::of(request.send().await.unwrap()).await
    }

    /// Puts records of the shop on the sync list, towards the ERP; answers the items' ids.
    pub async fn lists(&self, item_type: &str, source_ids: &[String]) -> Vec<String> {
        self.lists_from("shopify", "netsuite", item_type, source_ids).await
    }

    /// Puts records of one platform on the sync list, towards another; answers the items' ids.
    pub async fn lists_from(
        &self,
        source: &str,
        target: &str,
        item_type: &str,
        source_ids: &[String],
    ) -> Vec<String> {
        let mut ids = Vec::new();
        for part in source_ids.chunks(1000) {
            let items: Vec<Value> = part.iter().map(|id| json!({ "sourceId": id })).collect();
            let body = json!({
                "itemType": item_type, "sourcePlatform": source, "targetPlatform": target, "items": items,
            });
            let answer = self.invoke("sync-list", body).await.ok();
            let rows = answer["data"].as_array().unwrap();
            ids.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        }
        ids
    }

    /// Syncs the whole list.
    pub async fn syncs(&self) -> Value {
        self.invoke("delta-sync", json!({})).await.ok()
    }
}

/// What Supabase puts into a user's token.
pub fn claims(id: Uuid) -> Value {
    let now = now();
    json!({
        "iss": ISSUER, "aud": "authenticated", "role": "authenticated", "sub": id, "iat": now, "exp": now + 3600,
        "aal": "aal1", "session_id": id, "email": "", "phone": "", "is_anonymous": false,
    })
}

/// A token with these claims, signed with the project's secret.
pub fn token(claims: &Value) -> String {
    let key = EncodingKey::from_secret(JWT_SECRET.as_bytes());
    jsonwebtoken::encode(&Header::default(), claims, &key).unwrap()
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
