//! Syncs that go both ways: who changed what, who wins, and a person where nobody does.

use crate::world::{User, World};
use chrono::TimeDelta;
use platforms::{Product, product};
use serde_json::{Value, json};

/// A product as both platforms know it.
pub(super) fn chair() -> Product {
    product("chair").handle("chair").title("Chair").variant("chair-1", "10.00")
}

/// A sync of products that goes both ways, by these rules; answers its id.
pub(super) async fn both_ways(user: &User<'_>, rules: Value) -> String {
    // The platforms' clock goes on ahead of ours: the ERP must not refuse signatures for that.
    user.erp().set_clock_skew(None);
    let account = async |platform: &str| {
        user.get(&format!("integrations?platform={platform}")).await.ok()["data"][0]["id"].clone()
    };
    let body = json!({ "name": "Both ways", "itemType": "product", "direction": "bidirectional", "rules": rules,
        "sourceIntegrationId": account("shopify").await, "targetIntegrationId": account("netsuite").await });
    user.invoke("sync-configs", body).await.ok()["id"].as_str().unwrap().to_owned()
}

/// Carries the sync out, a minute later by the platforms' clock.
pub(super) async fn perform(user: &User<'_>, config: &str) -> Value {
    user.world.platforms.clock().advance(TimeDelta::minutes(1));
    user.invoke("sync-perform", json!({ "configId": config })).await.ok()
}

/// How many records a run wrote, on either side.
pub(super) fn written(run: &Value) -> i64 {
    run["recordsCreated"].as_i64().unwrap() + run["recordsUpdated"].as_i64().unwrap()
}

/// Edits the product by hand on both sides, a minute later.
pub(super) fn edit(user: &User<'_>, in_shop: impl FnOnce(&mut Product), in_erp: impl FnOnce(&mut Product)) {
    user.world.platforms.clock().advance(TimeDelta::minutes(1));
    assert!(user.shop().edit("chair", in_shop) && user.erp().edit("chair", in_erp));
}

/// The title of the product in the shop and in the ERP.
pub(super) fn titles(user: &User<'_>) -> (String, String) {
    (user.shop().product("chair").unwrap().title, user.erp().product("chair").unwrap().title)
}

/// Something of a product in the shop and in the ERP.
pub(super) fn sides_of(user: &User<'_>, key: &str, get: impl Fn(&Product) -> String) -> (String, String) {
    (get(&user.shop().product(key).unwrap()), get(&user.erp().product(key).unwrap()))
}

/// The user's conflicts in this state.
pub(super) async fn conflicts(user: &User<'_>, status: &str) -> Vec<Value> {
    user.get(&format!("conflicts?status={status}")).await.ok()["data"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_in_the_erp_reaches_the_shop_and_nothing_echoes() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has(chair());
    let config = both_ways(&ana, json!({})).await;
    let first = perform(&ana, &config).await;
    edit(&ana, |_| {}, |product| product.title = "Armchair".to_owned());

    let second = perform(&ana, &config).await;
    let quiet = [perform(&ana, &config).await, perform(&ana, &config).await];

    assert_eq!(
        (&first["recordsCreated"], &second["recordsUpdated"]),
        (&json!(1), &json!(1)),
        "{first} {second}"
    );
    assert_eq!(titles(&ana), ("Armchair".to_owned(), "Armchair".to_owned()));
    assert_eq!(quiet.iter().map(written).sum::<i64>(), 0, "{quiet:?}");
    assert_eq!(quiet[1]["status"], "completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_different_fields_on_both_sides_both_arrive() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has(chair());
    let config = both_ways(&ana, json!({})).await;
    perform(&ana, &config).await;
    edit(
        &ana,
        |product| product.vendor = "Oak & Co".to_owned(),
        |product| product.title = "Armchair".to_owned(),
    );

    let run = perform(&ana, &config).await;
    let quiet = perform(&ana, &config).await;

    let (shop, erp) = (ana.shop().product("chair").unwrap(), ana.erp().product("chair").unwrap());
    assert_eq!((shop.title.as_str(), erp.title.as_str()), ("Armchair", "Armchair"), "{run}");
    assert_eq!((shop.vendor.as_str(), erp.vendor.as_str()), ("Oak & Co", "Oak & Co"));
    assert_eq!((written(&quiet), run["recordsConflicted"].as_i64()), (0, Some(0)), "{quiet}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_set_back_is_set_back_on_the_other_side_too() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has(chair());
    let config = both_ways(&ana, json!({})).await;
    perform(&ana, &config).await;
    for title in ["Armchair", "Chair", "Armchair", "Chair"] {
        edit(&ana, |_| {}, |product| title.clone_into(&mut product.title));
        perform(&ana, &config).await;
        assert_eq!(titles(&ana), (title.to_owned(), title.to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_both_changed_waits_for_a_person_while_the_rest_flows() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has(chair());
    let config = both_ways(&ana, json!({ "strategy": "manual" })).await;
    perform(&ana, &config).await;
    edit(
        &ana,
        |product| (product.title, product.vendor) = ("Stool".to_owned(), "Oak & Co".to_owned()),
        |product| product.title = "Armchair".to_owned(),
    );

    let run = perform(&ana, &config).await;
    let waiting = conflicts(&ana, "pending").await;
    perform(&ana, &config).await;

    assert_eq!((&run["recordsConflicted"], &run["status"]), (&json!(1), &json!("partial_success")), "{run}");
    assert_eq!(titles(&ana), ("Stool".to_owned(), "Armchair".to_owned()), "nothing is written for the title");
    assert_eq!(ana.erp().product("chair").unwrap().vendor, "Oak & Co", "the other field flows");
    assert_eq!(waiting.len(), 1);
    let change = &waiting[0]["changes"][0];
    assert_eq!((&change["source"], &change["target"]), (&json!("Stool"), &json!("Armchair")), "{change}");
    assert_eq!(change["baseTarget"], "Chair", "{change}");
    assert_eq!(conflicts(&ana, "pending").await.len(), 1, "it is met again and is the same one");
    assert_eq!(world.db.count("select count(*) from public.sync_issues").await, 0, "it is no failure");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_chooses_and_both_sides_get_the_choice() {
    for (choice, title) in [
        (json!({ "choice": "source" }), "Stool"),
        (json!({ "choice": "target" }), "Armchair"),
        (json!({ "choice": "base" }), "Chair"),
        (json!({ "choice": { "value": "Seat" } }), "Seat"),
        (json!({ "choice": { "strategy": "source_wins" } }), "Stool"),
        (json!({ "fields": { "displayName": "target" } }), "Armchair"),
    ] {
        let world = World::start().await;
        let ana = world.merchant("ana").await;
        ana.shop().has(chair());
        let config = both_ways(&ana, json!({ "strategy": "manual" })).await;
        perform(&ana, &config).await;
        edit(
            &ana,
            |product| product.title = "Stool".to_owned(),
            |product| product.title = "Armchair".to_owned(),
        );
        perform(&ana, &config).await;
        let mut body = choice.clone();
        body["ids"] = json!([conflicts(&ana, "pending").await[0]["id"]]);

        let answer = ana.invoke("conflict-resolve", body).await.ok();
        let quiet = perform(&ana, &config).await;

        assert_eq!(answer["data"][0]["status"], "resolved", "{choice}: {answer}");
        assert_eq!(titles(&ana), (title.to_owned(), title.to_owned()), "{choice}");
        assert_eq!((written(&quiet), &quiet["recordsConflicted"]), (0, &json!(0)), "{choice}: {quiet}");
        let kept = &conflicts(&ana, "resolved").await[0];
        assert_eq!(kept["resolvedBy"], json!(ana.id), "{kept}");
        assert!(kept["resolvedAt"].is_string() && kept["resolution"].is_object(), "{kept}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_about_values_that_have_changed_since_is_not_carried_out() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has(chair());
    let config = both_ways(&ana, json!({ "strategy": "manual" })).await;
    perform(&ana, &config).await;
    edit(&ana, |product| product.title = "Stool".to_owned(), |product| product.title = "Armchair".to_owned());
    perform(&ana, &config).await;
    let id = conflicts(&ana, "pending").await[0]["id"].clone();
    edit(&ana, |_| {}, |product| product.title = "Throne".to_owned());

    let answer = ana.invoke("conflict-resolve", json!({ "ids": [id], "choice": "source" })).await.ok();

    assert_eq!(answer["data"][0]["status"], "pending", "{answer}");
    assert_eq!(titles(&ana), ("Stool".to_owned(), "Throne".to_owned()), "nobody saw the throne: it stays");
    let again = &conflicts(&ana, "pending").await[0];
    assert_eq!((&again["changes"][0]["target"], &again["resolution"]), (&json!("Throne"), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_that_both_sides_end_by_themselves_is_settled() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has(chair());
    let config = both_ways(&ana, json!({ "strategy": "manual" })).await;
    perform(&ana, &config).await;
    edit(&ana, |product| product.title = "Stool".to_owned(), |product| product.title = "Armchair".to_owned());
    perform(&ana, &config).await;
    edit(&ana, |product| product.title = "Bench".to_owned(), |product| product.title = "Bench".to_owned());

    let run = perform(&ana, &config).await;

    assert_eq!((&run["status"], written(&run)), (&json!("completed"), 0), "{run}");
    assert_eq!((conflicts(&ana, "pending").await.len(), conflicts(&ana, "settled").await.len()), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_conflict_is_as_if_it_did_not_exist() {
    let world = World::start().await;
    let (ana, ben) = (world.merchant("ana").await, world.user("ben").await);
    ana.shop().has(chair());
    let config = both_ways(&ana, json!({ "strategy": "manual" })).await;
    perform(&ana, &config).await;
    edit(&ana, |product| product.title = "Stool".to_owned(), |product| product.title = "Armchair".to_owned());
    perform(&ana, &config).await;
    let id = conflicts(&ana, "pending").await[0]["id"].clone();

    let decide = ben.invoke("conflict-resolve", json!({ "ids": [id], "choice": "source" })).await;
    let nobodys = json!({ "ids": ["00000000-0000-4000-8000-000000000000"], "choice": "source" });
    let performs = ben.invoke("sync-perform", json!({ "configId": config })).await;

    decide.problem("not_found");
    ben.invoke("conflict-resolve", nobodys).await.problem("not_found");
    performs.problem("not_found");
    ben.get(&format!("conflicts?id={}", id.as_str().unwrap())).await.problem("not_found");
    assert_eq!(ben.get("conflicts").await.ok()["data"], json!([]));
    assert_eq!(titles(&ana), ("Stool".to_owned(), "Armchair".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_strategy_of_a_sync_decides_where_both_changed() {
    for (strategy, title) in
        [("source_wins", "Stool"), ("target_wins", "Armchair"), ("last_write_wins", "Armchair")]
    {
        let world = World::start().await;
        let ana = world.merchant("ana").await;
        ana.shop().has(chair());
        let config = both_ways(&ana, json!({ "strategy": strategy })).await;
        perform(&ana, &config).await;
        world.platforms.clock().advance(TimeDelta::minutes(1));
        ana.shop().edit("chair", |product| product.title = "Stool".to_owned());
        world.platforms.clock().advance(TimeDelta::minutes(1));
        ana.erp().edit("chair", |product| product.title = "Armchair".to_owned());

        let run = perform(&ana, &config).await;
        let quiet = perform(&ana, &config).await;

        assert_eq!(titles(&ana), (title.to_owned(), title.to_owned()), "{strategy}: {run}");
        assert_eq!(written(&quiet), 0, "{strategy}: {quiet}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_that_only_the_erp_has_is_made_in_the_shop_once() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.erp().has(product("lamp").title("Lamp").variant("lamp-1", "15.00"));
    let config = both_ways(&ana, json!({})).await;

    let first = perform(&ana, &config).await;
    let quiet = perform(&ana, &config).await;
    world.platforms.clock().advance(TimeDelta::minutes(1));
    ana.shop().edit("lamp", |product| product.title = "Desk lamp".to_owned());
    let back = perform(&ana, &config).await;

    assert_eq!((&first["recordsCreated"], written(&quiet)), (&json!(1), 0), "{first} {quiet}");
    assert_eq!((ana.shop().product_count(), ana.erp().product_count()), (1, 1));
    assert_eq!(ana.shop().product("lamp").unwrap().variants[0].price, "15.00");
    assert_eq!(ana.erp().product("lamp").unwrap().title, "Desk lamp", "from now on they are one: {back}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_that_both_have_under_one_key_is_linked_and_not_doubled() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has(chair());
    ana.erp().has(product("chair").title("Chair").variant("chair-1", "10.00"));
    let config = both_ways(&ana, json!({})).await;

    perform(&ana, &config).await;
    edit(&ana, |_| {}, |product| product.title = "Armchair".to_owned());
    perform(&ana, &config).await;

    assert_eq!((ana.shop().product_count(), ana.erp().product_count()), (1, 1));
    assert_eq!(titles(&ana), ("Armchair".to_owned(), "Armchair".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_goes_one_way_writes_nothing_to_its_source() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has(chair());
    let config = both_ways(&ana, json!({})).await;
    let change = json!({ "id": config, "direction": "unidirectional" });
    ana.request(reqwest::Method::PUT, "sync-configs", change).await.ok();
    perform(&ana, &config).await;
    edit(&ana, |_| {}, |product| product.title = "Armchair".to_owned());
    ana.erp().has(product("lamp").title("Lamp").variant("lamp-1", "15.00"));

    let run = perform(&ana, &config).await;

    assert_eq!((written(&run), ana.shop().product_count()), (0, 1), "{run}");
    assert_eq!(titles(&ana), ("Chair".to_owned(), "Armchair".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn products_find_each_other_by_the_keys_that_the_sync_names_one_after_the_other() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has(chair());
    ana.shop().has(product("lamp").handle("lamp").title("Lamp").variant("lamp-1", "20.00"));
    ana.shop().has(product("desk").handle("desk").title("Desk").variant("desk-1", "30.00"));
    // The ERP calls the chair by another name, with the same SKU, and the lamp by the same name, with another SKU.
    ana.erp().has(product("SEAT-7").handle("SEAT-7").title("Chair").variant("chair-1", "10.00"));
    ana.erp().has(product("lamp").handle("lamp").title("Lamp").variant("L-9", "20.00"));
    let keys = json!([
        { "source": "variants[].sku", "target": "children[].itemId" },
        { "source": "handle", "target": "itemId", "compare": "ignore_case" },
    ]);
    let config = both_ways(&ana, json!({ "matchKeys": keys })).await;
    let change = json!({ "id": config, "direction": "unidirectional" });
    ana.request(reqwest::Method::PUT, "sync-configs", change).await.ok();

    let run = perform(&ana, &config).await;

    assert_eq!(
        (&run["recordsCreated"], &run["recordsFailed"], &run["recordsHeld"]),
        (&json!(1), &json!(0), &json!(0)),
        "{run}"
    );
    assert_eq!((ana.shop().product_count(), ana.erp().product_count()), (3, 3), "only the desk was missing");
    let pairs = world.db.count("select count(*) from sync.sync_links").await;
    assert_eq!(pairs, 3, "and each has its counterpart");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_platform_cannot_be_searched_by_makes_no_second_record() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has(chair());
    ana.erp().has(chair());
    let config =
        both_ways(&ana, json!({ "matchKeys": [{ "source": "title", "target": "displayName" }] })).await;

    let run = perform(&ana, &config).await;

    assert_eq!((ana.shop().product_count(), ana.erp().product_count()), (1, 1), "{run}");
    assert!(run["recordsFailed"].as_i64().unwrap() > 0, "{run}");
    assert!(run["errors"][0]["error"].as_str().unwrap().contains("displayName"), "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_both_sides_added_to_a_set_is_merged_and_texts_are_merged_line_by_line() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let lines = "<p>Oak</p>\n<p>Four legs</p>\n<p>Oiled</p>";
    ana.shop().has(Product { tags: vec!["wood".to_owned()], description_html: lines.to_owned(), ..chair() });
    let config = both_ways(&ana, json!({ "strategy": "merge" })).await;
    perform(&ana, &config).await;
    edit(
        &ana,
        |product| {
            product.tags.push("new".to_owned());
            product.description_html = product.description_html.replace("Oak", "Ash");
        },
        |product| {
            product.tags.push("sale".to_owned());
            product.description_html = product.description_html.replace("Oiled", "Waxed");
        },
    );

    let run = perform(&ana, &config).await;
    let quiet = perform(&ana, &config).await;

    let (shop, erp) = sides_of(&ana, "chair", |product| {
        let mut tags = product.tags.clone();
        tags.sort();
        format!("{} {}", tags.join(","), product.description_html)
    });
    assert_eq!(
        (shop.as_str(), &shop),
        ("new,sale,wood <p>Ash</p>\n<p>Four legs</p>\n<p>Waxed</p>", &erp),
        "{run}"
    );
    assert_eq!((written(&quiet), &run["recordsConflicted"]), (0, &json!(0)), "{quiet}");
}
