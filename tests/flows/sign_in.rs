//! Signing in at the platforms: short-lived access tokens are bought when they are needed, once, and kept sealed.

use crate::world::{Reply, User, World, root};
use futures::future::join_all;
use platforms::{Entry, NetsuiteHandle, ShopifyHandle, product};
use serde_json::{Value, json};
use std::time::Duration;

/// Somebody whose accounts are connected with what buys tokens.
struct Merchant<'a> {
    user: User<'a>,
    shop: ShopifyHandle,
    erp: NetsuiteHandle,
}

/// How the ERP knows us: the id of a certificate, its private key and how it signs.
struct Certificate {
    id: String,
    key: String,
    algorithm: &'static str,
}

/// The certificate that the simulated account has from the start.
fn elliptic(erp: &NetsuiteHandle) -> Certificate {
    Certificate { id: erp.certificate_id(), key: erp.private_key_pem(), algorithm: "ES256" }
}

/// One with an RSA key, registered by hand.
fn rsa(erp: &NetsuiteHandle) -> Certificate {
    let read = |name: &str| {
        std::fs::read_to_string(root().join("functions/_shared/secrets/fixtures").join(name)).unwrap()
    };
    assert!(erp.register_certificate("rsa-certificate", &read("rsa_public.pem")));
    Certificate { id: "rsa-certificate".to_owned(), key: read("rsa_private.pem"), algorithm: "PS256" }
}

impl<'a> Merchant<'a> {
    async fn sign_up(
        world: &'a World,
        name: &str,
        certificate: impl FnOnce(&NetsuiteHandle) -> Certificate,
    ) -> Self {
        let user = world.user(name).await;
        let (shop, erp) = (world.platforms.shopify(name), world.platforms.netsuite(&format!("{name}-erp")));
        shop.set_bucket(20_000.0, 2_000.0);
        let Certificate { id, key, algorithm } = certificate(&erp);
        for account in [
            json!({
                "name": "Shop", "platform": "shopify", "baseUrl": shop.address(),
                "credential": {
                    "kind": "client_credentials", "client_id": shop.client_id(), "client_secret": shop.client_secret(),
                },
            }),
            json!({
                "name": "ERP", "platform": "netsuite", "baseUrl": erp.address(),
                "config": { "account_id": format!("{name}-erp") },
                "credential": {
                    "kind": "client_assertion", "client_id": erp.client_id(), "certificate_id": id,
                    "private_key": key, "algorithm": algorithm,
                },
            }),
        ] {
            user.invoke("integrations", account).await.ok();
        }
        Self { user, shop, erp }
    }

    /// So many small products in the shop, on the list.
    async fn lists(&self, count: usize) {
        let one = |n: usize| {
            product(&format!("p{n}")).handle(&format!("p-{n}")).variant(&format!("SKU-{n}"), "10.00")
        };
        let ids: Vec<String> = (0..count).map(|n| self.shop.has(one(n))).collect();
        self.user.lists("product", &ids).await;
    }

    /// The account on this platform, as a page sees it.
    async fn account(&self, platform: &str) -> Value {
        self.user.get(&format!("integrations?platform={platform}")).await.ok()["data"][0].clone()
    }

    /// Tries out the account on this platform.
    async fn tests(&self, platform: &str) -> Reply {
        let id = self.account(platform).await["id"].clone();
        self.user.invoke("integration-test", json!({ "integrationId": id })).await
    }

    /// How often a token was asked for: of the shop, of the ERP.
    fn bought(&self) -> (usize, usize) {
        // A purchase that met the account's limit of concurrent requests was asked to wait, and is none.
        let is_one = |entry: &&Entry| is_for_a_token(entry) && entry.status != 429;
        let count = |journal: Vec<Entry>| journal.iter().filter(is_one).count();
        (count(self.shop.journal()), count(self.erp.journal()))
    }
}

fn is_for_a_token(entry: &Entry) -> bool {
    entry.path.contains("/oauth/access_token") || entry.path.contains("/oauth2/v1/token")
}

/// Every row of every table, as text.
async fn all_rows(world: &World) -> String {
    let each = "select string_agg(format('select coalesce(string_agg(t::text, '' ''), '''') as rows from %I.%I as t', \
                schemaname, tablename), ' union all ') from pg_catalog.pg_tables \
                where schemaname in ('public', 'sync', 'auth', 'net', 'cron')";
    let each = world.db.text(each).await;
    world.db.text(&format!("select string_agg(rows, ' ') from ({each}) as tables")).await
}

/// Waits until the platform has been asked so often.
async fn after_requests(requests: impl Fn() -> u64, count: u64) {
    for _ in 0..2_000 {
        if requests() >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the platform was asked {} times only", requests());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_secret_and_a_signed_assertion_buy_one_token_each_and_it_is_used_again() {
    for certificate in [elliptic, rsa] {
        let world = World::start().await;
        let ana = Merchant::sign_up(&world, "ana", certificate).await;
        ana.lists(150).await;

        let first = ana.user.syncs().await;
        let second = ana.user.invoke("delta-sync", json!({ "mode": "full" })).await.ok();

        assert_eq!((&first["status"], &first["itemsCreated"]), (&json!("completed"), &json!(150)), "{first}");
        assert_eq!(
            (&second["status"], &second["itemsUnchanged"]),
            (&json!("completed"), &json!(150)),
            "{second}"
        );
        assert_eq!(ana.erp.product_count(), 150);
        assert_eq!(ana.bought(), (1, 1), "one token of each platform serves both runs");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bought_token_is_stored_sealed_and_shown_nowhere() {
    let world = World::start().await;
    let ana = Merchant::sign_up(&world, "ana", elliptic).await;
    ana.lists(3).await;
    ana.user.syncs().await;

    let rows = all_rows(&world).await;
    let answers = [
        ana.user.get("integrations").await.text,
        ana.user.get("sync-history").await.text,
        ana.tests("shopify").await.text,
        ana.tests("netsuite").await.text,
    ];
    let logs: String = world.host.logs().into_iter().map(|line| line.text + "\n").collect();

    let mut secrets = [ana.shop.tokens(), ana.erp.tokens()].concat();
    assert_eq!(secrets.len(), 2, "each platform gave out one token");
    secrets.push(ana.shop.client_secret());
    secrets.push(ana.erp.private_key_pem().lines().nth(1).unwrap().to_owned());
    for secret in secrets {
        for (place, text) in [("tables", &rows), ("answers", &answers.concat()), ("logs", &logs)] {
            assert!(!text.contains(&secret), "a secret is in the {place}");
        }
    }
    let sealed =
        "select string_agg(slot || ' ' || left(sealed, 6), ',' order by slot, sealed) from sync.credentials";
    assert_eq!(world.db.text(sealed).await, "secret v1.k1.,secret v1.k1.,token v1.k1.,token v1.k1.");
}

/// Tokens end while a run has several requests on their way.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_in_the_middle_of_a_run_is_renewed_once() {
    let world = World::start().await;
    let ana = Merchant::sign_up(&world, "ana", elliptic).await;
    ana.lists(800).await;
    ana.shop.set_latency(Duration::from_millis(40));
    ana.erp.set_latency(Duration::from_millis(40));

    let (run, ()) = tokio::join!(ana.user.syncs(), async {
        after_requests(|| ana.shop.requests(), 5).await;
        ana.shop.revoke_token();
        after_requests(|| ana.erp.requests(), 8).await;
        ana.erp.revoke_tokens();
    });

    assert_eq!((&run["status"], &run["itemsCreated"]), (&json!("completed"), &json!(800)), "{run}");
    assert_eq!(ana.erp.product_count(), 800);
    assert!(ana.erp.creates_per_key().values().all(|count| *count == 1));
    assert_eq!(ana.bought(), (2, 2), "one token at the start, one when it was refused");
    let refused = ana.erp.journal().iter().filter(|entry| entry.status == 401).count();
    assert!(refused > 0, "the token was refused while it was in use");
}

/// The same account is in use in several functions and instances.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_has_ended_is_renewed_by_one_of_many_who_need_it_at_once() {
    let world = World::start().await;
    let ana = Merchant::sign_up(&world, "ana", elliptic).await;
    ana.lists(130).await;
    ana.user.syncs().await;
    assert_eq!(ana.bought(), (1, 1));
    let (shop, erp) =
        (ana.account("shopify").await["id"].clone(), ana.account("netsuite").await["id"].clone());
    for by_the_platform in [false, true] {
        let before = ana.bought();
        if by_the_platform {
            ana.shop.revoke_token();
            ana.erp.revoke_tokens();
        } else {
            let soon =
                "update sync.credentials set expires_at = now() + interval '10 seconds' where slot = 'token'";
            world.db.run(soon).await;
        }
        ana.erp.set_latency(Duration::from_millis(100));
        ana.shop.set_latency(Duration::from_millis(100));
        let calls = [&shop, &erp].into_iter().flat_map(|id| {
            let tries = (0..4).map(move |_| ("integration-test", json!({ "integrationId": id })));
            tries.chain((0..4).map(move |_| ("item-search", json!({ "integrationId": id }))))
        });
        let run = [("delta-sync", json!({ "mode": "full" }))];
        let answers =
            join_all(run.into_iter().chain(calls).map(|(name, body)| ana.user.invoke(name, body))).await;

        for answer in &answers {
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        assert_eq!(answers[0].ok()["status"], "completed");
        assert_eq!(ana.bought(), (before.0 + 1, before.1 + 1), "each platform was asked once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_was_revoked_ends_the_run_says_so_and_asks_no_more() {
    let world = World::start().await;
    let ana = Merchant::sign_up(&world, "ana", elliptic).await;
    ana.lists(300).await;
    ana.user.syncs().await;
    for (platform, revoke) in [("shopify", true), ("netsuite", false)] {
        if revoke {
            ana.shop.revoke_client();
        } else {
            ana.erp.revoke_client();
        }
        ana.shop.clear_journal();
        ana.erp.clear_journal();

        let run = ana.user.invoke("delta-sync", json!({ "mode": "full" })).await.ok();
        world.time_passes().await;
        world.drain().await;

        assert_eq!(
            (&run["status"], &run["itemsFailed"]),
            (&json!("failed"), &json!(300)),
            "{platform}: {run}"
        );
        let id = run["syncHistoryId"].as_str().unwrap();
        let detail = ana.user.get(&format!("sync-history?id={id}")).await.ok();
        assert_eq!(detail["run"]["metadata"]["reason"], "unauthorized", "{platform}: {detail}");
        let requests = if revoke { ana.shop.requests() } else { ana.erp.requests() };
        assert!(requests <= 12, "{platform}: {requests} requests with a credential that does not work");
        let (at_shop, at_erp) = ana.bought();
        let tokens = if revoke { at_shop } else { at_erp };
        assert!((1..=4).contains(&tokens), "{platform}: a token was asked for {tokens} times");
        let tested = ana.tests(platform).await.ok();
        assert_eq!(
            (&tested["ok"], &tested["status"]),
            (&json!(false), &json!("error")),
            "{platform}: {tested}"
        );
        let account = ana.account(platform).await;
        assert_eq!(account["status"], "error", "{account}");
        if revoke {
            // A new secret makes the account usable again.
            let secret = json!({
                "kind": "client_credentials", "client_id": ana.shop.client_id(),
                "client_secret": ana.shop.client_secret(),
            });
            let change = json!({ "id": account["id"], "credential": secret });
            ana.user.request(reqwest::Method::PUT, "integrations", change).await.ok();
            assert_eq!(ana.tests("shopify").await.ok()["status"], "active");
            let run = ana.user.invoke("delta-sync", json!({ "mode": "full" })).await.ok();
            assert_eq!(run["status"], "completed", "{run}");
        }
    }
}
