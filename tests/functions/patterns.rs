//! `patterns`: searches worth keeping.

use super::{column, names, refusal, small, wrong_field};
use crate::world::{User, World};
use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::{Value, json};

async fn saves(user: &User<'_>, name: &str, direction: &str, filter: Value) -> Value {
    let body = json!({ "name": name, "direction": direction, "filterConfig": filter });
    let reply = user.invoke("patterns", body).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.ok()
}

fn time(row: &Value, field: &str) -> DateTime<Utc> {
    row[field].as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pattern_is_kept_as_it_was_saved_in_each_direction() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    // As text, because a number written in Rust would lose its last zero before it is sent.
    let filter: Value = serde_json::from_str(
        r#"{"status": ["active", "draft"], "priceMin": 10.50, "priceMax": 999.99, "category": "Möbel",
            "updatedAfter": "2026-01-02T03:04:05Z", "text": "chair"}"#,
    )
    .unwrap();
    for direction in ["netsuite-to-shopify", "shopify-to-netsuite", "bidirectional"] {
        let body = json!({ "name": direction, "description": "For spring", "direction": direction, "filterConfig": filter });

        let saved = ana.invoke("patterns", body).await;
        let id = saved.ok()["id"].as_str().unwrap().to_owned();
        let shown = ana.get(&format!("patterns?id={id}")).await.ok();

        assert_eq!((saved.status, &shown), (201, &saved.ok()));
        assert_eq!(
            names(&shown),
            ["createdAt", "description", "direction", "filterConfig", "id", "name", "updatedAt"]
        );
        assert_eq!(
            (&shown["name"], &shown["description"], &shown["direction"], &shown["filterConfig"]),
            (&json!(direction), &json!("For spring"), &json!(direction), &filter)
        );
        assert_eq!(shown["createdAt"], shown["updatedAt"]);
        let row = format!(
            "select concat_ws(' ', direction, filter_config ->> 'priceMin', user_id = '{}')
             from public.saved_search_patterns where id = '{id}'",
            ana.id
        );
        assert_eq!(world.db.text(&row).await, format!("{direction} 10.50 t"), "to the last digit");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_moves_the_time_of_change_and_leaves_the_rest() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    let body = json!({ "name": "Spring", "description": "x", "direction": "bidirectional", "filterConfig": { "text": "a" } });
    let old = ana.invoke("patterns", body).await.ok();
    let patch = async |change: Value| {
        let mut change = change;
        change["id"] = old["id"].clone();
        ana.request(Method::PATCH, "patterns", change).await.ok()
    };

    let renamed = patch(json!({ "name": "Summer" })).await;
    let cleared = patch(json!({ "description": "", "direction": "netsuite-to-shopify" })).await;
    let refiltered = patch(json!({ "filterConfig": { "status": ["draft"] } })).await;

    assert_eq!((&renamed["name"], &renamed["description"]), (&json!("Summer"), &json!("x")));
    assert_eq!(renamed["filterConfig"], json!({ "text": "a" }));
    assert_eq!(
        (&cleared["description"], &cleared["direction"], &cleared["name"]),
        (&Value::Null, &json!("netsuite-to-shopify"), &json!("Summer"))
    );
    assert_eq!(refiltered["filterConfig"], json!({ "status": ["draft"] }), "the whole filter is replaced");
    let times: Vec<DateTime<Utc>> =
        [&old, &renamed, &cleared, &refiltered].iter().map(|row| time(row, "updatedAt")).collect();
    assert!(times.is_sorted_by(|before, after| before < after), "{times:?}");
    assert_eq!(refiltered["createdAt"], old["createdAt"]);
    assert_eq!(ana.get(&format!("patterns?id={}", old["id"].as_str().unwrap())).await.ok(), refiltered);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pattern_says_how_many_records_match_now() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has_all(["a", "b", "c"].map(small));
    ana.shop().has(small("d").status("DRAFT"));
    ana.erp().has(small("e"));
    let active = json!({ "status": ["active"] });
    let there = saves(&ana, "there", "shopify-to-netsuite", active.clone()).await;
    let back = saves(&ana, "back", "netsuite-to-shopify", active.clone()).await;
    let both = saves(&ana, "both", "bidirectional", json!({})).await;

    for (pattern, count) in [(&there, 3), (&back, 1), (&both, 4)] {
        let id = pattern["id"].as_str().unwrap();
        let shown = ana.get(&format!("patterns?id={id}&count=true")).await.ok();
        assert_eq!((&shown["matches"], &shown["more"]), (&json!(count), &json!(false)), "{shown}");
        let plain = ana.get(&format!("patterns?id={id}")).await.ok();
        assert!(plain.get("matches").is_none(), "counting is only done when asked for");
    }
    ana.shop().has(small("f"));
    let again = ana.get(&format!("patterns?id={}&count=true", there["id"].as_str().unwrap())).await.ok();
    assert_eq!(again["matches"], 4, "it is counted anew each time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pattern_without_an_account_to_look_at_cannot_count() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    let pattern = saves(&ana, "early", "shopify-to-netsuite", json!({})).await;
    let id = pattern["id"].as_str().unwrap();

    let reply = ana.get(&format!("patterns?id={id}&count=true")).await;

    assert_eq!(wrong_field(&reply), "/id");
    assert_eq!(ana.get(&format!("patterns?id={id}")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_pattern_is_as_if_it_did_not_exist() {
    let world = World::start().await;
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let hers = saves(&ana, "Spring", "bidirectional", json!({})).await;
    let (id, nobodys) = (hers["id"].as_str().unwrap(), "00000000-0000-4000-8000-000000000000");
    let shown = async |id: &str| refusal(&ben.get(&format!("patterns?id={id}")).await);
    let changed = async |id: &str| {
        refusal(&ben.request(Method::PATCH, "patterns", json!({ "id": id, "name": "Mine" })).await)
    };
    let removed = async |id: &str| {
        refusal(&ben.request(Method::DELETE, &format!("patterns?id={id}"), Value::Null).await)
    };

    assert_eq!(shown(id).await, shown(nobodys).await);
    assert_eq!(changed(id).await, changed(nobodys).await);
    assert_eq!(removed(id).await, removed(nobodys).await);

    assert_eq!(ben.get("patterns").await.ok()["data"], json!([]));
    assert_eq!(ana.get(&format!("patterns?id={id}")).await.ok(), hers);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_pattern_keeps_what_it_put_on_the_list() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has_all(["a", "b"].map(small));
    let filter = json!({ "status": ["active"] });
    let pattern = saves(&ana, "Spring", "shopify-to-netsuite", filter.clone()).await;
    let from = json!({ "itemType": "product", "patternId": pattern["id"] });
    ana.invoke("sync-list", from).await.ok();
    let query = format!("patterns?id={}", pattern["id"].as_str().unwrap());

    let gone = ana.request(Method::DELETE, &query, Value::Null).await;

    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    ana.get(&query).await.problem("not_found");
    ana.request(Method::DELETE, &query, Value::Null).await.problem("not_found");
    let list = ana.get("sync-list").await.ok();
    let filters: Vec<&Value> =
        list["data"].as_array().unwrap().iter().map(|row| &row["filterConfig"]).collect();
    assert_eq!(filters, [&filter, &filter]);
    assert_eq!(ana.syncs().await["itemsCreated"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_there_is_short_and_is_ones_own_once() {
    let world = World::start().await;
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let body = |name: &str| json!({ "name": name, "direction": "bidirectional", "filterConfig": {} });
    let longest = "n".repeat(200);
    let spring = saves(&ana, "Spring", "bidirectional", json!({})).await;
    saves(&ana, &longest, "bidirectional", json!({})).await;

    for name in ["", "   ", &format!("{longest}n")] {
        assert_eq!(wrong_field(&ana.invoke("patterns", body(name)).await), "/name", "{name:?}");
    }
    assert_eq!(ana.invoke("patterns", body("Spring")).await.problem("conflict")["status"], 409);
    let taken = json!({ "id": spring["id"], "name": longest });
    ana.request(Method::PATCH, "patterns", taken).await.problem("conflict");
    assert_eq!(ben.invoke("patterns", body("Spring")).await.status, 201, "names are everybody's own");

    assert_eq!(world.db.count("select count(*) from public.saved_search_patterns").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_followed_is_not_saved() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    let body = |direction: &str, filter: Value| json!({ "name": "x", "direction": direction, "filterConfig": filter });
    let kept = saves(&ana, "kept", "bidirectional", json!({})).await;

    for (body, place) in [
        (body("sideways", json!({})), "/direction"),
        (body("bidirectional", json!({ "status": "active" })), "/filterConfig"),
        (body("bidirectional", json!({ "priceMin": "cheap" })), "/filterConfig"),
        (body("bidirectional", json!({ "colour": "red" })), "/filterConfig"),
        (body("bidirectional", json!([])), "/filterConfig"),
        (json!({ "name": "x", "filterConfig": {} }), "/direction"),
        (json!({ "name": "x", "direction": "bidirectional" }), "/filterConfig"),
    ] {
        assert_eq!(wrong_field(&ana.invoke("patterns", body.clone()).await), place, "{body}");
    }
    let change = json!({ "id": kept["id"], "filterConfig": { "updatedAfter": "soon" } });
    assert_eq!(wrong_field(&ana.request(Method::PATCH, "patterns", change).await), "/filterConfig");

    assert_eq!(column(&ana.get("patterns").await.ok()["data"], "name"), ["kept"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn patterns_come_newest_first_and_page_by_page() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    for n in 0..5 {
        saves(&ana, &format!("p{n}"), "bidirectional", json!({})).await;
    }

    let (mut seen, mut query) = (Vec::new(), "patterns?limit=2".to_owned());
    loop {
        let page = ana.get(&query).await.ok();
        seen.extend(column(&page["data"], "name"));
        let Some(next) = page["next_cursor"].as_str() else { break };
        query = format!("patterns?limit=2&cursor={next}");
    }

    assert_eq!(seen, ["p4", "p3", "p2", "p1", "p0"]);
}
