//! What people have chosen in conflicts before.

use super::two_way::{both_ways, chair, conflicts, edit, perform, titles};
use crate::world::World;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn what_people_have_mostly_chosen_is_suggested_and_decides_nothing() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has(chair());
    let config = both_ways(&ana, json!({ "strategy": "manual" })).await;
    perform(&ana, &config).await;
    let mut suggested = Vec::new();
    for round in 0..4 {
        edit(
            &ana,
            |product| product.title = format!("Stool {round}"),
            |product| product.title = format!("Armchair {round}"),
        );
        perform(&ana, &config).await;
        let waiting = &conflicts(&ana, "pending").await[0];
        suggested.push(waiting["suggestions"].clone());
        if round < 3 {
            let body = json!({ "ids": [waiting["id"]], "choice": "target" });
            ana.invoke("conflict-resolve", body).await.ok();
        }
    }

    let habit = json!({ "displayName": { "choice": "target", "times": 3, "of": 3 } });
    assert_eq!(suggested, [json!({}), json!({}), json!({}), habit]);
    assert_eq!(titles(&ana), ("Stool 3".to_owned(), "Armchair 3".to_owned()), "nothing is decided by it");
}
