//! Orders on their way between a shop and an ERP: every line, to the cent, and each order once.

use super::{errors, merchant};
use crate::world::{User, World};
use platforms::{Address, Fault, Matcher, Order, order, product, variant};
use serde_json::json;

/// What can be ordered, in the ERP and in the shop.
fn has_goods(user: &User<'_>) {
    let goods = || {
        let one = |sku: &str, size: &str| variant(sku, "10.00").option("Size", size);
        product("goods")
            .handle("goods")
            .option("Size", &["S", "M", "L"])
            .variant_with(one("GOOD-S", "S"))
            .variant_with(one("GOOD-M", "M"))
            .variant_with(one("GOOD-L", "L"))
    };
    user.shop().has(goods());
    user.erp().has(goods());
}

fn berlin() -> Address {
    let text = str::to_owned;
    Address {
        name: text("Ana Größe"),
        address1: text("Straße 1"),
        address2: text("Hof ✓"),
        city: text("Berlin"),
        zip: text("10115"),
        province: text("BE"),
        country: text("DE"),
        phone: text("+4930123456"),
    }
}

/// An order whose amounts no binary fraction can hold.
fn bill(name: &str) -> Order {
    order(name)
        .email("buyer@example.com")
        .currency("EUR")
        .note("Ring twice, please — σας ευχαριστώ")
        .address(berlin())
        .line("GOOD-S", "Good, small", 3, "0.10")
        .line("GOOD-M", "Good, medium", 7, "19.99")
        .line("GOOD-L", "Good, large", 1, "1234567.89")
}

/// The sum of an order's lines, in hundredths.
fn cents(order: &Order) -> i64 {
    let one = |price: &str| price.replace('.', "").parse::<i64>().unwrap();
    order.lines.iter().map(|line| line.quantity * one(&line.price)).sum()
}

/// How many orders the ERP was made to create for each reference of the shop's.
fn created(user: &User<'_>, prefix: &str) -> Vec<u64> {
    let keys = if prefix == "order" { user.shop().creates_per_key() } else { user.erp().creates_per_key() };
    keys.into_iter().filter(|(key, _)| key.starts_with(prefix)).map(|(_, count)| count).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_the_shop_arrives_in_the_erp_to_the_cent() {
    let world = World::start().await;
    let ana = merchant(&world, "ana").await;
    has_goods(&ana);
    let id = ana.shop().has_order(bill("#1001"));
    ana.lists("order", &[id]).await;

    let run = ana.syncs().await;
    let writes = ana.erp().writes();
    let delta = ana.syncs().await;
    let full = ana.invoke("delta-sync", json!({ "mode": "full" })).await.ok();

    assert_eq!((&run["status"], &run["itemsCreated"]), (&json!("completed"), &json!(1)), "{run}");
    let there = ana.erp().order("#1001").expect("the ERP has the order");
    assert_eq!(there, bill("#1001"), "lines, buyer, address, currency and note are the shop's");
    assert_eq!(cents(&there), 3 * 10 + 7 * 1999 + 123_456_789);
    assert_eq!(ana.erp().order_total("#1001").as_deref(), Some("1234708.12"));
    let journal = ana.erp().journal();
    let sent = journal.iter().find(|entry| entry.body.contains("otherRefNum")).expect("the order was sent");
    for rate in ["0.10", "19.99", "1234567.89"] {
        assert!(sent.body.contains(rate), "{rate} is not sent as it stands: {}", sent.body);
    }
    let customer = format!(r#""entity":{{"id":"{}"}}"#, ana.erp().customer_id());
    assert!(sent.body.contains(&customer), "{customer}: {}", sent.body);
    for again in [delta, full] {
        assert_eq!((&again["status"], &again["itemsUnchanged"]), (&json!("completed"), &json!(1)), "{again}");
    }
    assert_eq!((ana.erp().writes(), ana.shop().writes()), (writes, 0), "what is equal is not written");
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_in_other_currencies_keep_their_currency_and_its_decimals() {
    let world = World::start().await;
    let ana = merchant(&world, "ana").await;
    has_goods(&ana);
    let ids: Vec<String> = [("#1", "USD", "19.95"), ("#2", "JPY", "1980"), ("#3", "KWD", "1.005")]
        .iter()
        .map(|(name, currency, price)| {
            let order = order(name).email("b@example.com").currency(currency).address(berlin());
            ana.shop().has_order(order.line("GOOD-S", "Good", 3, price))
        })
        .collect();
    ana.lists("order", &ids).await;

    let run = ana.syncs().await;

    assert_eq!((&run["status"], &run["itemsCreated"]), (&json!("completed"), &json!(3)), "{run}");
    for (name, currency, price, total) in
        [("#1", "USD", "19.95", "59.85"), ("#2", "JPY", "1980", "5940"), ("#3", "KWD", "1.005", "3.015")]
    {
        let there = ana.erp().order(name).unwrap();
        assert_eq!((there.currency.as_str(), there.lines[0].price.as_str()), (currency, price), "{name}");
        assert_eq!(ana.erp().order_total(name).as_deref(), Some(total), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_made_once_although_the_line_is_cut_behind_the_commit() {
    let world = World::start().await;
    let ana = merchant(&world, "ana").await;
    ana.erp().set_clock_skew(None);
    has_goods(&ana);
    let ids: Vec<String> = (0..30).map(|n| ana.shop().has_order(bill(&format!("#{n}")))).collect();
    ana.lists("order", &ids).await;
    ana.erp().faults().on(Matcher::any().path("/record/").times(12), Fault::DropAfterCommit);

    for _ in 0..6 {
        ana.syncs().await;
        world.db.run("update sync.breakers set state = 'closed', recent = '', failures_in_row = 0").await;
        world.time_passes().await;
        world.drain().await;
    }
    let last = ana.invoke("delta-sync", json!({ "mode": "full" })).await.ok();

    let cuts = ana.erp().journal().iter().filter(|entry| entry.faults.contains(&"drop_after_commit")).count();
    assert!(cuts >= 4, "only {cuts} lines were cut");
    assert_eq!((&last["status"], &last["itemsUnchanged"]), (&json!("completed"), &json!(30)), "{last}");
    assert_eq!(ana.erp().orders().len(), 30);
    let made = created(&ana, "salesOrder");
    assert!(!made.is_empty() && made.iter().all(|count| *count == 1), "{made:?}");
}

/// Shopify has no upsert for orders: what was made is found again by our key.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_made_once_in_the_shop_although_the_line_is_cut_behind_the_commit() {
    let world = World::start().await;
    let ana = merchant(&world, "ana").await;
    has_goods(&ana);
    let ids: Vec<String> = (0..30).map(|n| ana.erp().has_order(bill(&format!("SO-{n}")))).collect();
    ana.lists_from("netsuite", "shopify", "order", &ids).await;
    ana.shop().faults().on(Matcher::any().body("orderCreate").times(3), Fault::DropAfterCommit);

    for _ in 0..4 {
        ana.syncs().await;
        world.db.run("update sync.breakers set state = 'closed', recent = '', failures_in_row = 0").await;
        world.time_passes().await;
        world.drain().await;
    }
    let last = ana.invoke("delta-sync", json!({ "mode": "full" })).await.ok();

    let cuts =
        ana.shop().journal().iter().filter(|entry| entry.faults.contains(&"drop_after_commit")).count();
    assert_eq!(cuts, 3, "the lines were cut");
    assert_eq!((&last["status"], &last["itemsUnchanged"]), (&json!("completed"), &json!(30)), "{last}");
    assert_eq!(ana.shop().orders().len(), 30);
    let made = created(&ana, "order");
    assert!(!made.is_empty() && made.iter().all(|count| *count == 1), "{made:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_order_changes_what_differs_and_nothing_else() {
    let world = World::start().await;
    let ana = merchant(&world, "ana").await;
    has_goods(&ana);
    let ids: Vec<String> = ["#1", "#2", "#3"].iter().map(|name| ana.shop().has_order(bill(name))).collect();
    ana.lists("order", &ids).await;
    ana.syncs().await;
    let writes = ana.erp().writes();
    world.platforms.clock().advance(chrono::TimeDelta::seconds(30));
    assert!(ana.shop().edit_order("#2", |order| {
        order.note = "Leave it with the neighbours".to_owned();
        order.lines[1].quantity = 8;
    }));

    let run = ana.syncs().await;

    assert_eq!((&run["itemsUpdated"], &run["itemsUnchanged"]), (&json!(1), &json!(2)), "{run}");
    let there = ana.erp().order("#2").unwrap();
    assert_eq!((there.note.as_str(), there.lines[1].quantity), ("Leave it with the neighbours", 8));
    assert_eq!(ana.erp().order_total("#2").as_deref(), Some("1234728.11"));
    assert_eq!(ana.erp().orders().len(), 3);
    assert_eq!(ana.erp().writes(), writes + 1, "one order was written");
    assert_eq!(ana.erp().order("#1").unwrap(), bill("#1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_an_item_that_the_erp_does_not_know_is_reported_and_the_others_arrive() {
    let world = World::start().await;
    let ana = merchant(&world, "ana").await;
    has_goods(&ana);
    let strange = bill("#2").line("UNKNOWN-1", "Something else", 1, "5.00");
    let ids = [bill("#1"), strange, bill("#3")].map(|order| ana.shop().has_order(order));
    let items = ana.lists("order", &ids).await;

    let run = ana.syncs().await;

    assert_eq!(
        (&run["status"], &run["itemsCreated"], &run["itemsFailed"]),
        (&json!("partial_success"), &json!(2), &json!(1)),
        "{run}"
    );
    let failed = errors(&run);
    assert_eq!((failed.len(), &failed[0].0), (1, &items[1]), "{run}");
    assert!(failed[0].1.contains("UNKNOWN-1"), "{run}");
    assert_eq!(ana.erp().orders().len(), 2, "half an order is worse than none");
    assert!(ana.erp().order("#2").is_none());
    let list = ana.get("sync-list?status=failed").await.ok();
    assert_eq!(list["data"][0]["id"], items[1], "{list}");
    // Once the item is known, the order follows.
    ana.erp().has(product("else").variant("UNKNOWN-1", "5.00"));
    let next = ana.syncs().await;
    assert_eq!((&next["itemsCreated"], &next["itemsUnchanged"]), (&json!(1), &json!(2)), "{next}");
    assert_eq!(ana.erp().order("#2").unwrap().lines.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_the_erp_arrives_in_the_shop_and_a_changed_memo_follows() {
    let world = World::start().await;
    let ana = merchant(&world, "ana").await;
    has_goods(&ana);
    let id = ana.erp().has_order(bill("PO-7"));
    ana.lists_from("netsuite", "shopify", "order", &[id]).await;

    let first = ana.syncs().await;
    let again = ana.invoke("delta-sync", json!({ "mode": "full" })).await.ok();

    assert_eq!((&first["status"], &first["itemsCreated"]), (&json!("completed"), &json!(1)), "{first}");
    assert_eq!(again["itemsUnchanged"], 1, "{again}");
    assert_eq!(ana.shop().order("PO-7").expect("the shop has the order"), bill("PO-7"));
    world.platforms.clock().advance(chrono::TimeDelta::seconds(30));
    assert!(ana.erp().edit_order("PO-7", |order| order.note = "Before noon".to_owned()));
    let run = ana.syncs().await;
    assert_eq!((&run["status"], &run["itemsUpdated"]), (&json!("completed"), &json!(1)), "{run}");
    assert_eq!(ana.shop().order("PO-7").unwrap().note, "Before noon");
    assert_eq!((ana.shop().orders().len(), ana.erp().writes()), (1, 0));
}

/// Shopify lets nobody change the lines of an order that is made.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_the_shop_does_not_allow_fails_alone_and_says_why() {
    let world = World::start().await;
    let ana = merchant(&world, "ana").await;
    has_goods(&ana);
    let ids = ["A", "B"].map(|name| ana.erp().has_order(bill(name)));
    let items = ana.lists_from("netsuite", "shopify", "order", &ids).await;
    ana.syncs().await;
    world.platforms.clock().advance(chrono::TimeDelta::seconds(30));
    ana.erp().edit_order("A", |order| order.lines[0].quantity = 4);
    ana.erp().edit_order("B", |order| order.note = "Before noon".to_owned());

    let run = ana.syncs().await;

    assert_eq!((&run["status"], &run["itemsUpdated"]), (&json!("partial_success"), &json!(1)), "{run}");
    let failed = errors(&run);
    assert_eq!((failed.len(), &failed[0].0), (1, &items[0]), "{run}");
    assert!(failed[0].1.contains("lines"), "{run}");
    assert_eq!(ana.shop().order("A").unwrap(), bill("A"));
    assert_eq!(ana.shop().order("B").unwrap().note, "Before noon");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_went_one_way_does_not_come_back_as_a_second_one() {
    let world = World::start().await;
    let ana = merchant(&world, "ana").await;
    has_goods(&ana);
    let id = ana.shop().has_order(bill("#1001"));
    ana.lists("order", &[id]).await;
    ana.syncs().await;
    let there = world.db.text("select target_id from public.sync_list").await;
    ana.lists_from("netsuite", "shopify", "order", &[there]).await;
    let writes = ana.erp().writes();

    for _ in 0..3 {
        let run = ana.syncs().await;
        assert_eq!(run["status"], "completed", "{run}");
    }

    assert_eq!((ana.shop().orders().len(), ana.erp().orders().len()), (1, 1));
    assert_eq!((ana.shop().writes(), ana.erp().writes()), (0, writes), "nobody writes what is equal");
}
