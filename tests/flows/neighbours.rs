//! Many users of one deployment at the same time: nobody sees, delays or breaks anybody else.

use crate::world::{User, World};
use futures::future::join_all;
use platforms::{Fault, product};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const NAMES: [&str; 20] = [
    "ana", "ben", "cleo", "dora", "emil", "finn", "greta", "hugo", "ines", "jan", "kira", "leo", "mia",
    "nils", "olga", "paul", "quinn", "rosa", "sven", "tara",
];

/// So many products with this user's name in everything.
async fn lists(user: &User<'_>, name: &str, count: usize) -> Vec<String> {
    let one = |n: usize| {
        let of = product(&format!("{name}{n}")).title(&format!("Property of {name}"));
        of.handle(&format!("{name}-{n}")).variant(&format!("{name}-SKU-{n}"), "10.00")
    };
    let ids: Vec<String> = (0..count).map(|n| user.shop().has(one(n))).collect();
    user.lists("product", &ids).await
}

/// How many products the user at this place has.
fn count_of(place: usize) -> usize {
    3 + place
}

async fn everybody(world: &World) -> Vec<User<'_>> {
    let users = join_all(NAMES.iter().map(|name| world.merchant(name))).await;
    join_all(
        users.iter().zip(NAMES).enumerate().map(|(place, (user, name))| lists(user, name, count_of(place))),
    )
    .await;
    users
}

/// Whether each SKU in the user's ERP is the user's own, and how many there are.
fn own_products(user: &User<'_>, name: &str) -> usize {
    let products = user.erp().products();
    for product in &products {
        assert_eq!(product.title, format!("Property of {name}"));
        assert!(
            product.variants.iter().all(|variant| variant.sku.starts_with(&format!("{name}-SKU-"))),
            "{product:?}"
        );
    }
    products.len()
}

/// Everything that the functions answer this user about their own things.
async fn answers(user: &User<'_>, run: &Value) -> String {
    let mut all = run.to_string();
    for page in ["sync-list?limit=1000", "sync-history", "integrations", "patterns", "queue"] {
        all += &user.get(page).await.ok().to_string();
    }
    let id = run["syncHistoryId"].as_str().unwrap();
    all + &user.get(&format!("sync-history?id={id}")).await.ok().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_users_at_once_get_their_own_records_ids_and_numbers() {
    let world = World::start().await;
    let users = everybody(&world).await;

    let runs = join_all(users.iter().map(User::syncs)).await;

    for (place, ((user, name), run)) in users.iter().zip(NAMES).zip(&runs).enumerate() {
        let count = json!(count_of(place));
        assert_eq!(
            (&run["status"], &run["itemsProcessed"], &run["itemsCreated"]),
            (&json!("completed"), &count, &count),
            "{name}: {run}"
        );
        assert_eq!(own_products(user, name), count_of(place), "{name}");
        let told = answers(user, run).await;
        assert!(told.contains(&format!("Property of {name}")), "{name} sees the own records: {told}");
        for (other, foreign) in users.iter().zip(NAMES).filter(|(_, foreign)| *foreign != name) {
            assert!(!told.contains(&format!("Property of {foreign}")), "{name} sees a record of {foreign}");
            assert!(!told.contains(&format!("/shopify/{foreign}\"")), "{name} sees the shop of {foreign}");
            assert!(!told.contains(&other.id.to_string()), "{name} sees the id of {foreign}");
        }
    }
    let ids: std::collections::BTreeSet<String> =
        runs.iter().map(|run| run["syncHistoryId"].to_string()).collect();
    assert_eq!(ids.len(), NAMES.len(), "each has a run of their own");
    let mixed = "select count(*) from public.sync_list as l join public.integrations as i \
                 on i.id in (l.source_integration_id, l.target_integration_id) where i.user_id <> l.user_id";
    assert_eq!(world.db.count(mixed).await, 0);
    let mixed = "select count(*) from public.sync_events as e join public.sync_runs as r on r.id = e.run_id \
                 where e.user_id is distinct from r.user_id";
    assert_eq!(world.db.count(mixed).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_logged_for_twenty_users_names_none_of_them_and_none_of_their_secrets() {
    let world = World::start().await;
    let users = everybody(&world).await;
    join_all(users.iter().map(User::syncs)).await;
    users[3].shop().revoke_token();
    users[4].erp().faults().always(Fault::Html(503));
    join_all(users.iter().map(|user| user.invoke("delta-sync", json!({ "mode": "full" })))).await;

    let lines = world.host.logs();
    let text: String = lines.iter().map(|line| line.text.clone() + "\n").collect();

    let requests: Vec<Value> = lines
        .iter()
        .filter(|line| line.text.contains("\"message\":\"request\""))
        .map(|line| serde_json::from_str(&line.text).unwrap())
        .collect();
    assert!(requests.len() >= 5 * NAMES.len(), "each request was logged, {} were", requests.len());
    assert!(requests.iter().all(|line| line["caller"] == "user"), "{requests:?}");
    for (user, name) in users.iter().zip(NAMES) {
        let tba = user.erp().tba();
        let secrets = [
            user.token.clone(),
            user.shop().token(),
            tba.consumer_secret,
            tba.token_secret,
            tba.token,
            format!("{name}@example.com"),
            format!("Property of {name}"),
        ];
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            assert!(!text.contains(secret.as_str()), "something of {name} is in the log: {secret}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_platform_of_one_user_does_not_hold_up_another() {
    let world = World::start().await;
    let (ana, ben) = (world.merchant("ana").await, world.merchant("ben").await);
    lists(&ana, "ana", 40).await;
    lists(&ben, "ben", 40).await;
    // Both components are compiled and the instance is there.
    ben.syncs().await;
    ana.shop().set_latency(Duration::from_millis(1_500));
    ana.erp().set_latency(Duration::from_millis(1_500));

    let start = Instant::now();
    let slow = async { (ana.syncs().await, start.elapsed()) };
    let quick = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let mut longest = Duration::ZERO;
        for _ in 0..5 {
            let began = Instant::now();
            let run = ben.invoke("delta-sync", json!({ "mode": "full" })).await.ok();
            assert_eq!(run["itemsUnchanged"], 40, "{run}");
            longest = longest.max(began.elapsed());
        }
        (longest, start.elapsed())
    };
    let ((slow_run, slow_took), (longest, quick_done)) = tokio::join!(slow, quick);

    assert_eq!(slow_run["itemsCreated"], 40, "{slow_run}");
    assert!(slow_took > Duration::from_secs(4), "the slow one was slow: {slow_took:?}");
    assert!(quick_done < slow_took, "five quick runs ended in {quick_done:?}, the slow one in {slow_took:?}");
    assert!(longest < Duration::from_secs(3), "a quick run took {longest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_platform_of_some_users_leaves_the_others_untouched() {
    let world = World::start().await;
    let users = everybody(&world).await;
    let broken = |place: usize| place.is_multiple_of(5);
    for (place, user) in users.iter().enumerate().filter(|(place, _)| broken(*place)) {
        let fault = [Fault::status(500), Fault::Html(503), Fault::DropBefore, Fault::BadJson];
        user.erp().faults().always(fault[place / 5].clone());
    }

    let runs = join_all(users.iter().map(User::syncs)).await;

    for (place, ((user, name), run)) in users.iter().zip(NAMES).zip(&runs).enumerate() {
        if broken(place) {
            assert_ne!(run["status"], "completed", "{name}: {run}");
            assert_eq!(run["itemsCreated"], 0, "{name}: {run}");
        } else {
            assert_eq!(
                (&run["status"], &run["itemsCreated"]),
                (&json!("completed"), &json!(count_of(place))),
                "{name}: {run}"
            );
            assert_eq!(own_products(user, name), count_of(place));
        }
    }
    let open = "select count(*) from sync.breakers as b join public.integrations as i on i.id = b.integration_id \
                where b.state <> 'closed' and i.platform <> 'netsuite'";
    assert_eq!(world.db.count(open).await, 0, "no shop is blamed for an ERP");
    let open = "select count(*) from sync.breakers where state <> 'closed'";
    assert!(world.db.count(open).await <= 4, "only those who are broken are left alone");
    // And they catch up when their platform is back.
    for user in &users {
        user.erp().faults().clear();
    }
    world.db.run("update sync.breakers set open_until = now(), probe_until = now()").await;
    world.time_passes().await;
    world.drain().await;
    join_all(users.iter().map(User::syncs)).await;
    for (place, (user, name)) in users.iter().zip(NAMES).enumerate() {
        assert_eq!(own_products(user, name), count_of(place), "{name}");
    }
}
