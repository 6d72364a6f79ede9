//! One run of `cargo dev`, from the start to the end.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON read by name is null where there is nothing, it never panics"
)]

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use http::Method;
use serde_json::{Value, json};

use crate::api::Caller;
use crate::demo::{self, Merchant};
use crate::options::Options;
use crate::real::{self, Account};
use crate::sync::{self, Outcome, Totals};
use crate::world::{Scene, World};
use crate::{customers, guide, watch};

/// How many products are synced before all others, so that there is something to see soon.
const HANDFUL: usize = 10;
/// The lines of the components' log that are shown when something went wrong.
const LAST_LINES: usize = 20;

/// Somebody who can call the functions.
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) token: String,
}

/// Starts everything, syncs, and stays up unless told otherwise. Runs until it is dropped, then.
pub(crate) async fn run(options: &Options, begun: Instant) -> Result<ExitCode> {
    let real = options.real.as_deref().map(real::read).transpose()?;
    let scene = Scene { database: "syncline_dev", merchants: demo::seed };
    let mut world = World::start(options, scene).await?;
    let people = people(&world, real.is_some()).await?;
    let first = match &real {
        Some(accounts) => first_of_real(&world, &people, accounts).await,
        None => first_of_demo(&world, &people, begun).await,
    };
    if let Err(error) = &first {
        eprintln!("the first sync failed: {error:#}");
    }
    let good = first.as_ref().is_ok_and(Totals::good);
    if !good && !options.verbose {
        last_lines(&world);
    }
    if options.once {
        if let Ok(totals) = &first {
            println!("{}", totals.line());
        }
        world.stop().await;
        return Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    guide::print(&world, &people);
    let _clock = world.schedule().await.context("the clock's jobs cannot be made")?;
    watch::forever(&mut world, !options.verbose).await
}

/// Signs up whoever is in this world, or finds them there.
async fn people(world: &World, real: bool) -> Result<Vec<Person>> {
    let names = if real {
        vec!["me"]
    } else {
        world.merchants.iter().map(|merchant| merchant.name.as_str()).collect()
    };
    let mut people = Vec::new();
    for name in names {
        people.push(sign_up(world, name).await?);
    }
    Ok(people)
}

/// Signs somebody up, or finds them.
pub(crate) async fn sign_up(world: &World, name: &str) -> Result<Person> {
    let admin = world.admin().await?;
    let email = format!("{name}@example.com");
    let known = admin.query_opt("select id::text from auth.users where email = $1", &[&email]).await?;
    let row = if let Some(row) = known {
        row
    } else {
        let add = "insert into auth.users (id, email) values (gen_random_uuid(), $1) returning id::text";
        admin.query_one(add, &[&email]).await.with_context(|| format!("cannot sign up {name}"))?
    };
    let token = world.keys.token(row.try_get(0)?, &email)?;
    Ok(Person { name: name.to_owned(), token })
}

/// The demo: a handful first, then everything, then the second shop.
async fn first_of_demo(world: &World, people: &[Person], begun: Instant) -> Result<Totals> {
    let mut totals = Totals::default();
    for (merchant, person) in world.merchants.iter().zip(people) {
        for account in merchant.accounts() {
            connect(world, person, &account).await?;
        }
    }
    for (at, (merchant, person)) in world.merchants.iter().zip(people).enumerate() {
        if at == 0 {
            let few = merchant.to_erp.get(..HANDFUL).unwrap_or_default();
            let ids = list(world, person, "shopify", few).await?;
            if !ids.is_empty() {
                let wish = json!({ "syncListIds": ids });
                let outcome = sync::run(world, person, &wish, few.len(), || merchant.products()).await?;
                let after = begun.elapsed();
                eprintln!(
                    "the first {} products are in the ERP, {:.1} s after the start",
                    outcome.created,
                    after.as_secs_f64()
                );
                totals.first(after);
                totals.add(few.len(), &outcome);
            }
        }
        let outcome = everything(world, merchant, person).await?;
        eprintln!("{}: {}", person.name, outcome.text());
        totals.add(merchant.to_erp.len().saturating_add(merchant.to_shop.len()), &outcome);
        if let Some(crm) = &merchant.crm {
            customers::sync(world, person, crm).await?;
        }
    }
    Ok(totals)
}

/// Lists all of a merchant's products, both ways, and syncs the list.
async fn everything(world: &World, merchant: &Merchant, person: &Person) -> Result<Outcome> {
    list(world, person, "shopify", &merchant.to_erp).await?;
    list(world, person, "netsuite", &merchant.to_shop).await?;
    let items = merchant.to_erp.len().saturating_add(merchant.to_shop.len());
    sync::run(world, person, &json!({}), items, || merchant.products()).await
}

/// Reads real accounts' keys in, tests them, and syncs what an earlier run has put on the list.
async fn first_of_real(world: &World, people: &[Person], accounts: &[Account]) -> Result<Totals> {
    let person = people.first().context("there is nobody")?;
    for account in accounts {
        let id = connect(world, person, account).await?;
        let report = world
            .api
            .post("integration-test", Caller::User(&person.token), &json!({ "integrationId": id }))
            .await?;
        for step in report["steps"].as_array().into_iter().flatten() {
            let mark = if step["ok"] == true { "ok" } else { "NOT OK" };
            eprintln!("{} {}: {mark} {}", account.name, text(&step["step"]), text(&step["detail"]));
        }
        if report["ok"] != true {
            bail!("{} at {} cannot be used as it is", account.name, account.base_url);
        }
    }
    let caller = Caller::User(&person.token);
    let listed = world.api.get("sync-list?isActive=true&limit=1", caller).await?;
    if listed["data"].as_array().is_none_or(Vec::is_empty) {
        eprintln!("the list is empty, so nothing is synced: put items on it first");
        return Ok(Totals::default());
    }
    let mut totals = Totals::default();
    let outcome = sync::run(world, person, &json!({}), 1, || 0).await?;
    eprintln!("{}", outcome.text());
    totals.add(1, &outcome);
    Ok(totals)
}

/// Makes an account known, or brings a known one up to date; answers its id.
pub(crate) async fn connect(world: &World, person: &Person, account: &Account) -> Result<String> {
    let caller = Caller::User(&person.token);
    let path = format!("integrations?platform={}&limit=1000", account.platform);
    let known = world.api.get(&path, caller).await?;
    let same = |row: &&Value| row["name"] == account.name;
    let known = known["data"].as_array().into_iter().flatten().find(same).map(|row| row["id"].clone());
    let mut body = json!({
        "name": account.name, "baseUrl": account.base_url, "config": account.config, "credential": account.credential,
    });
    let method = if let Some(id) = known {
        body["id"] = id;
        Method::PUT
    } else {
        body["platform"] = account.platform.into();
        Method::POST
    };
    let row = world.api.call(method, "integrations", caller, &body).await;
    let row = row.with_context(|| format!("{}'s account on {}", person.name, account.platform))?;
    Ok(text(&row["id"]).to_owned())
}

/// Puts products of one platform on the list, towards the other; answers the ids of those that were not on it.
pub(crate) async fn list(
    world: &World,
    person: &Person,
    source: &str,
    items: &[Value],
) -> Result<Vec<Value>> {
    let target = if source == "shopify" { "netsuite" } else { "shopify" };
    let mut ids = Vec::new();
    for part in items.chunks(1_000) {
        let body = json!({
            "itemType": "product", "sourcePlatform": source, "targetPlatform": target, "items": part,
        });
        let answer = world.api.post("sync-list", Caller::User(&person.token), &body).await?;
        ids.extend(answer["data"].as_array().into_iter().flatten().map(|row| row["id"].clone()));
    }
    Ok(ids)
}

/// What the components printed last, requests that went well left out.
fn last_lines(world: &World) {
    let mut lines = world.logs().all();
    lines.retain(|line| !line.text.contains("\"level\":\"info\""));
    let from = lines.len().saturating_sub(LAST_LINES);
    eprintln!("{} warnings and errors in the log; the last ones:", lines.len());
    for line in lines.iter().skip(from) {
        eprintln!("  {line}");
    }
}

/// A text inside JSON; empty where there is none.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
