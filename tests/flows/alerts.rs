//! What people hear of by themselves: syncs and servers that went wrong, and that it is over.

use super::n8n::AMPLE;
use super::two_way::{chair, perform};
use crate::world::{User, World};
use serde_json::{Value, json};

const TOLD: &str = "select coalesce(string_agg(concat_ws(' ', alert_type, metric, times, case when resolved_at is null then 'open' end, message),
    '; ' order by created_at, alert_type), '') from public.workflow_alerts";

/// A sync of products one way; answers its id.
async fn one_way(user: &User<'_>) -> String {
    let account = async |platform: &str| {
        user.get(&format!("integrations?platform={platform}")).await.ok()["data"][0]["id"].clone()
    };
    let body = json!({ "name": "Chairs", "itemType": "product", "rules": {},
        "sourceIntegrationId": account("shopify").await, "targetIntegrationId": account("netsuite").await });
    user.invoke("sync-configs", body).await.ok()["id"].as_str().unwrap().to_owned()
}

async fn test(user: &User<'_>, platform: &str) -> Value {
    let account = user.get(&format!("integrations?platform={platform}")).await.ok()["data"][0]["id"].clone();
    user.invoke("integration-test", json!({ "integrationId": account })).await.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_fails_raises_an_alert_by_itself_and_closes_it_when_it_works_again() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has(chair());
    let config = one_way(&ana).await;
    perform(&ana, &config).await;
    assert_eq!(world.db.text(TOLD).await, "", "nothing to tell of what works");

    ana.shop().set_scopes(&[]);
    for _ in 0..2 {
        assert_eq!(perform(&ana, &config).await["status"], "failed");
    }
    let told = world.db.text(TOLD).await;
    ana.shop().set_scopes(&["write_products", "write_inventory", "read_locations", "write_orders"]);
    assert_eq!(test(&ana, "shopify").await["ok"], true);
    assert_eq!(perform(&ana, &config).await["status"], "completed");

    assert!(told.starts_with("failure sync_failed 2 open Chairs failed: "), "{told}");
    let after = world.db.text(TOLD).await;
    assert!(after.starts_with("failure sync_failed 2 Chairs failed: "), "{after}");
    assert!(after.ends_with("; success sync_failed 1 Chairs works again"), "{after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_n8n_server_that_does_not_answer_is_told_once_until_it_does() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    ana.connect_n8n("Works", AMPLE).await;
    ana.n8n().add_workflow("Flow", true, None);
    let due = "update sync.n8n_servers set due_at = now(), workflows_at = null;
        update sync.breakers set state = 'closed', open_until = '-infinity'";
    world.tick("execution-poll").await.ok();

    ana.n8n().set_starting(true);
    for _ in 0..3 {
        world.db.run(due).await;
        world.tick("execution-poll").await.ok();
    }
    let away = world.db.text(TOLD).await;
    ana.n8n().set_starting(false);
    for _ in 0..2 {
        world.db.run(due).await;
        world.tick("execution-poll").await.ok();
    }

    assert!(away.starts_with("failure n8n_error 3 open Works: n8n unavailable: "), "{away}");
    let back = world.db.text(TOLD).await;
    assert!(back.ends_with("; success n8n_error 1 Works: n8n answers again"), "{back}");
    for secret in [ana.n8n().api_key(), ana.n8n().base_url().to_owned()] {
        assert!(!back.contains(&secret), "{back}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn syncs_that_fail_too_often_are_told_by_the_clock_of_the_database() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has(chair());
    let config = one_way(&ana).await;
    for _ in 0..8 {
        perform(&ana, &config).await;
    }
    let job = world.db.text("select command from cron.job where jobname = 'syncline-alerts'").await;
    world.db.run(&job).await;
    let before = world.db.count("select count(*) from public.workflow_alerts").await;

    ana.shop().set_scopes(&[]);
    perform(&ana, &config).await;
    world.db.run(&job).await;

    let rate = "select concat_ws(' ', message, value, recipients) from public.workflow_alerts where metric = 'failure_rate'";
    assert_eq!((before, world.db.text(rate).await.as_str()), (0, "1 of 9 syncs failed 11.1 dashboard"));
}
