//! `delta-sync`: brings the caller's sync list up to date, leaving alone what did not change.

use crate::world::World;
use platforms::product;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_listed_product_appears_in_the_erp_with_its_variants() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let chair = ana.shop().has(
        product("chair").title("Chair é 椅子").option("Size", &["S", "M"]).variant("CHAIR-S", "49.90").variant("CHAIR-M", "54.90"),
    );
    ana.lists("product", &[chair]).await;

    let run = ana.syncs().await;

    assert_eq!(run["status"], "completed", "{run}");
    assert_eq!(run["itemsCreated"], 1, "{run}");
    let item = ana.erp().products().into_iter().find(|item| item.handle == "chair").expect("the ERP has the chair");
    assert_eq!(item.title, "Chair é 椅子");
    assert_eq!(item.variants.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_item_is_not_written_again() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let chair = ana.shop().has(product("chair").title("Chair").variant("CHAIR-1", "49.90"));
    ana.lists("product", &[chair]).await;

    let first = ana.syncs().await;
    let writes = ana.erp().writes();
    let second = ana.syncs().await;

    assert_eq!(first["itemsCreated"], 1, "{first}");
    assert_eq!(second["itemsUnchanged"], 1, "{second}");
    assert_eq!(second["status"], json!("completed"));
    assert_eq!(ana.erp().writes(), writes, "the second run must not touch the ERP");
}
