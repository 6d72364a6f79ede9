//! Runs the cases, one merchant each.

use anyhow::{Context, Result, ensure};
use http::Method;
use platforms::{Product, catalogue};
use serde_json::json;

use super::machine;
use super::names::{self, Statements};
use super::row::{Case, Direction, Memory, Pass, Row};
use crate::api::Caller;
use crate::demo::{self, Merchant, SEED};
use crate::session::{Person, connect, list, sign_up};
use crate::sync::{self, Outcome};
use crate::world::World;

/// One item of so many changes between two runs.
const CHANGED: usize = 100;

/// The most that an account's own budget may be set to: requests a minute, and an hour.
const LIFTED: (u32, u32) = (100_000, 1_000_000);

/// What a changed title begins with.
const NEW: &str = "New ";

/// How fast the platforms may be asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pace {
    /// Points that fit into the shop's bucket, and those restored each second.
    pub(crate) bucket: (f64, f64),
    /// Whether the accounts' own budgets are set to the most there is, so that a run waits for nothing but its work.
    pub(crate) lifted: bool,
}

/// Measures these passes of every case, with the shop's bucket full at the start of each.
pub(crate) async fn all(world: &World, cases: &[Case], passes: &[Pass], pace: Pace) -> Result<Vec<Row>> {
    let statements = Statements::read(&world.root)?;
    let mut rows = Vec::new();
    // Compiles the components, which no run shall pay for.
    world.host().context("there is no host")?.warm_up().await?;
    for case in cases {
        let stage = Stage::set(world, *case, pace).await?;
        for pass in passes.iter().copied() {
            let row = stage.measure(world, &statements, pass).await;
            let row =
                row.with_context(|| format!("{} {} {}", case.items, case.direction.word(), pass.word()))?;
            eprintln!(
                "{:>6} {} {}: {:.2} s in {} calls of at most {:.2} s, {} statements, {} and {} requests, {} MiB",
                case.items,
                case.direction.word(),
                pass.word(),
                row.took.as_secs_f64(),
                row.calls,
                row.longest.as_secs_f64(),
                row.statements,
                row.shop,
                row.erp,
                row.memory.instance >> 20
            );
            rows.push(row);
        }
    }
    Ok(rows)
}

/// A merchant with a list, ready to be synced.
struct Stage {
    case: Case,
    pace: Pace,
    merchant: Merchant,
    person: Person,
    /// The products that change: what the source calls them, and the handle that both sides know.
    changing: Vec<(String, String)>,
}

impl Stage {
    async fn set(world: &World, case: Case, pace: Pace) -> Result<Self> {
        let platforms = world.platforms().context("there are no simulated platforms")?;
        let (name, in_shop, in_erp) = match case.direction {
            Direction::ToErp => (format!("out-{}", case.items), catalogue(SEED, case.items), Vec::new()),
            Direction::ToShop => (format!("back-{}", case.items), Vec::new(), demo::only_in_erp(case.items)),
        };
        let products = if in_shop.is_empty() { &in_erp } else { &in_shop };
        let names = |product: &Product| (product.key.clone(), product.handle.clone());
        let changing = products.iter().step_by(CHANGED).map(names).collect();
        let merchant = demo::merchant(platforms, &name, "EUR", &in_shop, &in_erp);
        let person = sign_up(world, &name).await?;
        for account in merchant.accounts() {
            let id = connect(world, &person, &account).await?;
            if pace.lifted {
                let budget = json!({ "id": id, "ratePerMinute": LIFTED.0, "ratePerHour": LIFTED.1 });
                world.api.call(Method::PUT, "integrations", Caller::User(&person.token), &budget).await?;
            }
        }
        list(world, &person, "shopify", &merchant.to_erp).await?;
        list(world, &person, "netsuite", &merchant.to_shop).await?;
        Ok(Self { case, pace, merchant, person, changing })
    }

    async fn measure(&self, world: &World, statements: &Statements, pass: Pass) -> Result<Row> {
        let Merchant { shop, erp, .. } = &self.merchant;
        if pass == Pass::Changed {
            self.change()?;
        }
        shop.set_bucket(self.pace.bucket.0, self.pace.bucket.1);
        shop.clear_journal();
        erp.clear_journal();
        machine::forget_peak_memory();
        let before = world.statement_texts();
        let wish = if pass == Pass::Full { json!({ "mode": "full" }) } else { json!({}) };
        let run = sync::run(world, &self.person, &wish, self.case.items, || self.merchant.products()).await?;
        self.check(pass, &run)?;
        let sent = world.statement_texts().into_iter().filter_map(|(text, count)| {
            let new = count.saturating_sub(before.get(&text).copied().unwrap_or(0));
            (new > 0).then_some((text, new))
        });
        let mut by_request = names::of_requests("shop", &shop.journal());
        by_request.extend(names::of_requests("ERP", &erp.journal()));
        Ok(Row {
            case: self.case,
            pass,
            calls: run.calls,
            cut: run.cut,
            uncounted: self.uncounted(pass, &run),
            took: run.took,
            longest: run.longest,
            memory: Memory { instance: world.instance_memory(), process: machine::peak_memory() },
            shop: shop.requests(),
            erp: erp.requests(),
            statements: run.statements,
            by_statement: statements.named(sent),
            by_request,
        })
    }

    /// Somebody renames products at the source.
    fn change(&self) -> Result<()> {
        let rename = |product: &mut Product| product.title.insert_str(0, NEW);
        for (key, _) in &self.changing {
            let renamed = match self.case.direction {
                Direction::ToErp => self.merchant.shop.edit(key, rename),
                Direction::ToShop => self.merchant.erp.edit(key, rename),
            };
            ensure!(renamed, "the source has no product {key}");
        }
        Ok(())
    }

    /// The numbers of a sync that did something else are worth nothing. What was done, the platforms say.
    fn check(&self, pass: Pass, run: &Outcome) -> Result<()> {
        let Merchant { shop, erp, .. } = &self.merchant;
        let (items, changed) = (count(self.case.items), count(self.changing.len()));
        let (created, updated) = match pass {
            Pass::First => (items, 0),
            Pass::Changed => (0, changed),
            Pass::Unchanged | Pass::Full => (0, 0),
        };
        let all = run.status == "completed" && run.failed == 0 && run.open == 0 && run.processed == items;
        ensure!(
            all && run.created == created && run.updated <= updated,
            "expected {created} created and {updated} updated of {items}, got {}",
            run.text()
        );
        let writes = shop.writes().saturating_add(erp.writes());
        ensure!((writes == 0) == (created + updated == 0), "the platforms counted {writes} writes");
        ensure!(shop.product_count() == erp.product_count(), "one side has more products than the other");
        let titled = |handle: &String| match self.case.direction {
            Direction::ToErp => erp.product(handle),
            Direction::ToShop => shop.product(handle),
        };
        for (_, handle) in self.changing.iter().filter(|_| pass == Pass::Changed) {
            let renamed = titled(handle).is_some_and(|product| product.title.starts_with(NEW));
            ensure!(renamed, "{handle} has kept its old title on the target");
        }
        Ok(())
    }

    /// Changes that reached the target, but that the run's ledger has as unchanged.
    fn uncounted(&self, pass: Pass, run: &Outcome) -> u64 {
        if pass == Pass::Changed { count(self.changing.len()).saturating_sub(run.updated) } else { 0 }
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
