//! Records on their way between platforms: stock, orders, the ways to sign in, more than one user at once.

mod alerts;
mod audit;
mod care;
mod customers;
mod dashboard;
mod database;
mod deletes;
mod echo;
mod inventory;
mod n8n;
mod n8n_executions;
mod n8n_live;
mod n8n_moves;
mod n8n_tables;
mod n8n_traces;
mod neighbours;
mod orders;
mod plans;
mod precedents;
mod sign_in;
mod subscriptions;
mod tables;
mod throttled;
mod two_way;
mod user_tokens;
mod webhooks;

pub(crate) use n8n_executions::told;

use crate::world::{User, World};
use serde_json::{Value, json};

/// Gives the user's account on this platform further settings, through the function that a page would use.
async fn configure(user: &User<'_>, platform: &str, settings: Value) {
    let account = user.get(&format!("integrations?platform={platform}")).await.ok()["data"][0].clone();
    let mut config = account["config"].clone();
    for (name, value) in settings.as_object().unwrap() {
        config[name] = value.clone();
    }
    let change = json!({ "id": account["id"], "config": config });
    user.request(reqwest::Method::PUT, "integrations", change).await.ok();
}

/// Somebody with a shop and an ERP that is set up for stock and orders as well.
async fn merchant<'a>(world: &'a World, name: &str) -> User<'a> {
    let user = world.merchant(name).await;
    let customer: i64 = user.erp().customer_id().parse().unwrap();
    configure(&user, "netsuite", json!({ "default_customer_id": customer, "adjustment_account_id": 58 }))
        .await;
    user
}

/// The error of each item that failed in the user's last run, by the item's id.
fn errors(run: &Value) -> Vec<(String, String)> {
    let text = |error: &Value, name: &str| error[name].as_str().unwrap_or_default().to_owned();
    let all = run["errors"].as_array().unwrap();
    all.iter().map(|error| (text(error, "itemId"), text(error, "error"))).collect()
}
