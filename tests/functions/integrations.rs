//! `integrations`: accounts come and go; their secrets only go in.

use super::{column, connected, listed, names, refusal, small, wrong_field};
use crate::world::{Reply, User, World};
use reqwest::Method;
use serde_json::{Value, json};

/// A shop's account as a page sends it.
fn shop(world: &World, name: &str) -> Value {
    let shop = world.platforms.shopify(name);
    json!({ "name": name, "platform": "shopify", "baseUrl": shop.address(),
        "credential": { "kind": "access_token", "access_token": shop.token() } })
}

async fn put(user: &User<'_>, change: Value) -> Reply {
    user.request(Method::PUT, "integrations", change).await
}

async fn delete(user: &User<'_>, id: &Value) -> Reply {
    user.request(Method::DELETE, &format!("integrations?id={}", id.as_str().unwrap()), Value::Null).await
}

/// Every row of every table of ours, as text.
async fn everything(world: &World) -> String {
    let client = connected(&world.db).await;
    let tables = client
        .query(
            "select c.oid::regclass::text from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
             where n.nspname in ('public', 'sync', 'auth', 'cron', 'net') and c.relkind = 'r'",
            &[],
        )
        .await
        .unwrap();
    let mut all = String::new();
    for table in tables {
        let table: String = table.get(0);
        let rows = format!("select coalesce(string_agg(t::text, ' '), '') from {table} as t");
        all += &client.query_one(&rows, &[]).await.unwrap().get::<_, String>(0);
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_added_shown_changed_and_removed() {
    let world = World::start().await;
    let ana = world.user("ana").await;

    let added = ana.invoke("integrations", shop(&world, "ana")).await;
    let row = added.ok();
    let shown = ana.get(&format!("integrations?id={}", row["id"].as_str().unwrap())).await.ok();
    let change = json!({ "id": row["id"], "name": "Renamed", "config": { "api_version": "2026-10" }, "status": "inactive",
        "ratePerMinute": 30, "ratePerHour": 500, "maxRetries": 0 });
    let changed = put(&ana, change).await.ok();
    let removed = delete(&ana, &row["id"]).await;

    assert_eq!(added.status, 201);
    assert_eq!(shown, row);
    assert_eq!(
        names(&row),
        [
            "baseUrl",
            "config",
            "createdAt",
            "credentialKind",
            "id",
            "lastTestResult",
            "lastTestTime",
            "maxRetries",
            "name",
            "platform",
            "ratePerHour",
            "ratePerMinute",
            "status",
            "updatedAt"
        ]
    );
    assert_eq!(
        (&row["name"], &row["platform"], &row["status"], &row["credentialKind"], &row["maxRetries"]),
        (&json!("ana"), &json!("shopify"), &json!("active"), &json!("access_token"), &json!(3))
    );
    assert_eq!(
        (
            &changed["name"],
            &changed["status"],
            &changed["ratePerMinute"],
            &changed["ratePerHour"],
            &changed["maxRetries"]
        ),
        (&json!("Renamed"), &json!("inactive"), &json!(30), &json!(500), &json!(0))
    );
    assert_eq!(
        (&changed["config"], &changed["baseUrl"]),
        (&json!({ "api_version": "2026-10" }), &row["baseUrl"])
    );
    assert!(changed["updatedAt"].as_str() > row["updatedAt"].as_str());
    assert_eq!((removed.status, removed.text.as_str()), (204, ""));
    delete(&ana, &row["id"]).await.problem("not_found");
    let left = "select (select count(*) from public.integrations) + (select count(*) from sync.credentials)";
    assert_eq!(world.db.count(left).await, 0, "its secret is gone with it");
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_listed_newest_first_by_platform_and_page_by_page() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    for name in ["one", "two", "three"] {
        ana.invoke("integrations", shop(&world, name)).await.ok();
    }
    ana.connect_netsuite("erp").await;

    let first = ana.get("integrations?limit=3").await.ok();
    let rest = ana
        .get(&format!("integrations?limit=3&cursor={}", first["next_cursor"].as_str().unwrap()))
        .await
        .ok();
    let shops = ana.get("integrations?platform=shopify").await.ok();

    assert_eq!(column(&first["data"], "name"), ["ERP", "three", "two"]);
    assert_eq!((column(&rest["data"], "name"), &rest["has_more"]), (vec!["one".to_owned()], &json!(false)));
    assert_eq!(column(&shops["data"], "name"), ["three", "two", "one"]);
    assert_eq!(wrong_field(&ana.get("integrations?platform=etsy").await), "/platform");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_any_kind_is_in_an_answer_a_table_or_a_log() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    let (shop, erp) = (world.platforms.shopify("ana"), world.platforms.netsuite("ana-erp"));
    let (tba, key) = (erp.tba(), erp.private_key_pem());
    let body = |name: &str, platform: &str, credential: Value| {
        let url = if platform == "shopify" { shop.address() } else { erp.address() };
        json!({ "name": name, "platform": platform, "baseUrl": url, "credential": credential,
            "config": if platform == "shopify" { json!({}) } else { json!({ "account_id": "ana-erp" }) } })
    };
    let bodies = [
        body("a", "shopify", json!({ "kind": "access_token", "access_token": shop.token() })),
        body(
            "b",
            "shopify",
            json!({ "kind": "client_credentials", "client_id": shop.client_id(), "client_secret": shop.client_secret() }),
        ),
        body(
            "c",
            "netsuite",
            json!({ "kind": "token_based", "consumer_key": tba.consumer_key, "consumer_secret": tba.consumer_secret,
            "token": tba.token, "token_secret": tba.token_secret }),
        ),
        body(
            "d",
            "netsuite",
            json!({ "kind": "client_assertion", "client_id": erp.client_id(), "certificate_id": erp.certificate_id(),
            "private_key": key, "algorithm": "ES256" }),
        ),
    ];
    let mut answers = String::new();
    let bearer = format!("Bearer {}", ana.token);
    for (n, body) in bodies.into_iter().enumerate() {
        // With a key, so that what is kept for a repetition is looked at as well.
        let once = format!("key-{n}");
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", once.as_str())];
        let added = world.send("integrations", body.clone(), &headers).await;
        let id = added.ok()["id"].clone();
        let again = world.send("integrations", body.clone(), &headers).await;
        let tested = ana.invoke("integration-test", json!({ "integrationId": id })).await;
        assert_eq!(tested.ok()["ok"], true, "the control: this secret is used: {tested:?}");
        let changed = put(&ana, json!({ "id": id, "credential": body["credential"] })).await;
        let wrong = put(&ana, json!({ "id": id, "credential": { "kind": body["credential"]["kind"], "extra": body["credential"] } })).await;
        wrong.problem("invalid");
        for reply in [added, again, tested, changed, wrong] {
            answers += &reply.text;
        }
    }
    answers += &ana.get("integrations").await.text;
    let (rows, logs) = (
        everything(&world).await,
        world.host.logs().into_iter().map(|line| line.text + "\n").collect::<String>(),
    );

    let line_of_key = key.lines().nth(1).unwrap().to_owned();
    for secret in [shop.token(), shop.client_secret(), tba.consumer_secret, tba.token_secret, line_of_key] {
        for (place, text) in [("an answer", &answers), ("a table", &rows), ("a log", &logs)] {
            assert!(!text.contains(&secret), "a secret is in {place}");
        }
    }
    assert_eq!(
        world
            .db
            .count("select count(*) from sync.credentials where slot = 'secret' and sealed like 'v1.k1.%'")
            .await,
        4
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_never_travels_to_an_address_that_its_owner_did_not_name_with_it() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    let row = ana.invoke("integrations", shop(&world, "ana")).await.ok();
    let other = world.platforms.shopify("elsewhere");
    let credential = json!({ "kind": "access_token", "access_token": other.token() });

    let moved = put(&ana, json!({ "id": row["id"], "baseUrl": other.address() })).await;
    ana.invoke("integration-test", json!({ "integrationId": row["id"] })).await.ok();
    let before = other.requests();
    let told = put(&ana, json!({ "id": row["id"], "baseUrl": other.address(), "credential": credential }))
        .await
        .ok();
    ana.invoke("integration-test", json!({ "integrationId": row["id"] })).await.ok();

    assert_eq!(wrong_field(&moved), "/credential");
    assert_eq!(before, 0, "the other address was not called");
    assert_eq!(told["baseUrl"], other.address());
    assert!(other.requests() > 0);
    let same = put(&ana, json!({ "id": row["id"], "baseUrl": format!("{}/", other.address()) })).await;
    assert_eq!(same.status, 200, "the same address in other words is the same: {same:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_with_the_same_key_adds_one_account() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    let bearer = format!("Bearer {}", ana.token);
    let send = |body: Value| {
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", "first-shop")];
        let world = &world;
        async move { world.send("integrations", body, &headers).await }
    };
    let mut other = shop(&world, "ana");
    other["name"] = json!("Other");

    let first = send(shop(&world, "ana")).await;
    let again = send(shop(&world, "ana")).await;
    let different = send(other).await;

    assert_eq!((first.status, again.status, &again.text), (201, 201, &first.text));
    assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), ("", "true"));
    assert_eq!(different.problem("invalid")["status"], 422);
    assert_eq!(world.db.count("select count(*) from public.integrations").await, 1);
    ana.invoke("integrations", shop(&world, "ana")).await.problem("conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_account_is_said_field_by_field() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    let good = shop(&world, "ana");
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body
    };
    for (body, place) in [
        (with("name", json!(" ")), "/name"),
        (with("name", json!("n".repeat(201))), "/name"),
        (with("platform", json!("etsy")), "/platform"),
        (with("baseUrl", json!("https://evil.example")), "/baseUrl"),
        (with("credential", json!({ "access_token": "x" })), "/credential/kind"),
        (with("credential", json!({ "kind": "password", "password": "x" })), "/credential/kind"),
        (with("credential", json!({ "kind": "token_based" })), "/credential/kind"),
        (with("credential", json!({ "kind": "access_token" })), "/credential/access_token"),
        (
            with("credential", json!({ "kind": "access_token", "access_token": "x", "more": 1 })),
            "/credential/more",
        ),
        (with("ratePerMinute", json!(0)), "/ratePerMinute"),
        (with("maxRetries", json!(11)), "/maxRetries"),
        (with("owner", json!("me")), "/owner"),
    ] {
        assert_eq!(wrong_field(&ana.invoke("integrations", body.clone()).await), place, "{body}");
    }
    assert_eq!(world.db.count("select count(*) from public.integrations").await, 0);

    let row = ana.invoke("integrations", good).await.ok();
    let error = json!({ "id": row["id"], "status": "error" });
    assert_eq!(wrong_field(&put(&ana, error).await), "/status");
    assert_eq!(wrong_field(&put(&ana, json!({ "name": "x" })).await), "/id");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_in_use_is_kept_until_nothing_needs_it() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let items = listed(&ana, &["chair"]).await;
    let row = ana.get("integrations?platform=shopify").await.ok()["data"][0].clone();

    let refused = delete(&ana, &row["id"]).await;

    assert_eq!(refused.problem("conflict")["status"], 409);
    assert_eq!(ana.syncs().await["itemsCreated"], 1, "it still works");
    ana.request(Method::DELETE, &format!("sync-list?ids={}", items[0]), Value::Null).await.ok();
    world.db.run("delete from public.sync_configs").await;
    assert_eq!(delete(&ana, &row["id"]).await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_switched_off_is_left_out_of_what_the_clock_does() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["chair"]).await;
    let row = ana.get("integrations?platform=netsuite").await.ok()["data"][0].clone();
    put(&ana, json!({ "id": row["id"], "status": "inactive" })).await.ok();

    let off = world.tick("scheduled-sync").await.ok();
    put(&ana, json!({ "id": row["id"], "status": "active" })).await.ok();
    let on = world.tick("scheduled-sync").await.ok();

    assert_eq!((&off["totalItems"], &on["itemsSucceeded"]), (&json!(0), &json!(1)), "{off} {on}");
    assert_eq!(ana.erp().product_count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_for_an_account_that_is_switched_off_or_was_refused() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["chair"]).await;
    let row = ana.get("integrations?platform=shopify").await.ok()["data"][0].clone();
    let asks = async || {
        let before = ana.shop().requests();
        let run = ana.syncs().await;
        (run["status"].as_str().unwrap().to_owned(), ana.shop().requests() - before)
    };

    put(&ana, json!({ "id": row["id"], "status": "inactive" })).await.ok();
    let off = asks().await;
    put(&ana, json!({ "id": row["id"], "status": "active" })).await.ok();
    let enters = async |token: String| {
        let credential = json!({ "kind": "access_token", "access_token": token });
        put(&ana, json!({ "id": row["id"], "credential": credential })).await.ok();
    };
    enters(world.platforms.shopify("another").token()).await;
    let refused = asks().await;
    let after = asks().await;
    let status = ana.get("integrations?platform=shopify").await.ok()["data"][0]["status"].clone();
    enters(ana.shop().token()).await;
    let mended = asks().await;

    assert_eq!((off, status), (("failed".to_owned(), 0), json!("error")));
    assert_eq!((refused.0.as_str(), after), ("failed", ("failed".to_owned(), 0)));
    assert_eq!((mended.0.as_str(), ana.erp().product_count()), ("completed", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_account_is_as_if_it_did_not_exist() {
    let world = World::start().await;
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let row = ana.invoke("integrations", shop(&world, "ana")).await.ok();
    world.platforms.shopify("ana").has(small("chair"));
    let nobodys = json!("00000000-0000-4000-8000-000000000000");
    let shown =
        async |id: &Value| refusal(&ben.get(&format!("integrations?id={}", id.as_str().unwrap())).await);
    let changed = async |id: &Value| refusal(&put(&ben, json!({ "id": id, "name": "Mine" })).await);
    let removed = async |id: &Value| refusal(&delete(&ben, id).await);
    let tested =
        async |id: &Value| refusal(&ben.invoke("integration-test", json!({ "integrationId": id })).await);

    assert_eq!(shown(&row["id"]).await, shown(&nobodys).await);
    assert_eq!(changed(&row["id"]).await, changed(&nobodys).await);
    assert_eq!(removed(&row["id"]).await, removed(&nobodys).await);
    assert_eq!(tested(&row["id"]).await, tested(&nobodys).await);

    assert_eq!(ben.get("integrations").await.ok()["data"], json!([]));
    assert_eq!(ana.get("integrations").await.ok()["data"], json!([row]));
    assert_eq!(world.platforms.shopify("ana").requests(), 0);
}
