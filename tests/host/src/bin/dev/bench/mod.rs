//! `cargo dev bench`: the numbers, measured in the same world as `cargo dev`.

mod machine;
mod measure;
mod names;
mod options;
mod report;
mod row;
#[cfg(test)]
mod tests;
mod workflows;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use platforms::Platforms;
use serde_json::{Value, json};

use crate::demo::Merchant;
use crate::options::Options as WorldOptions;
use crate::world::{Scene, World};
use machine::Machine;
use options::Form;
pub(crate) use options::{HELP, Options, parse};
use report::Report;
use row::{Case, Direction, Pass};

/// Items of each sync, and of the quick form.
const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];
const QUICK: [usize; 2] = [10, 100];
/// Items of each sync of the curve.
const CURVE: [usize; 5] = [1_000, 3_000, 10_000, 30_000, 100_000];
/// The most items that are also synced the other way, from the ERP into the shop.
const MOST_BACK: usize = 1_000;

/// Measures everything that was asked for and prints it.
///
/// # Errors
/// When a sync does not do what it should: the numbers of a wrong sync are worth nothing.
pub(crate) async fn run(options: &Options) -> Result<ExitCode> {
    if host::real_spin() {
        bail!("a real Spin counts nothing: run this without SYNCLINE_HOST");
    }
    if options.form == Form::Workflows {
        return servers(options).await;
    }
    let begun = machine::load();
    // Before our own world: with DATABASE_URL both set the functions' password on the same server.
    let once = if options.form == Form::Usual { Some(machine::once().await?) } else { None };
    let world = start().await?;
    let before = machine::peak_memory();
    let (cases, passes) = wanted(options);
    let rows = measure::all(&world, &cases, passes, options.pace()).await?;
    let after = machine::peak_memory();
    world.stop().await;
    let machine = Machine { begun, ended: machine::load(), memory: (before, after), once };
    let build = if options.build { Some(machine::build_times().await?) } else { None };
    let sizes = if options.sizes { Some(machine::sizes().await?) } else { None };
    let report = Report {
        bucket: options.pace().bucket,
        curve: options.form == Form::Curve,
        rows,
        machine,
        build,
        sizes,
    };
    print!("{}", report.text());
    write(options, &report.json())?;
    Ok(ExitCode::SUCCESS)
}

/// Measures how n8n servers are read.
async fn servers(options: &Options) -> Result<ExitCode> {
    let world = start().await?;
    let rows = workflows::all(&world, &workflows::CASES).await?;
    world.stop().await;
    print!("{}", workflows::table(&rows));
    let rows: Vec<Value> = rows.iter().map(workflows::Row::json).collect();
    write(options, &json!({ "workflows": rows }))?;
    Ok(ExitCode::SUCCESS)
}

fn write(options: &Options, numbers: &Value) -> Result<()> {
    let Some(file) = &options.json else { return Ok(()) };
    let text = serde_json::to_string_pretty(numbers)?;
    std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// A world with nobody in it: each case brings its own merchant.
async fn start() -> Result<World> {
    let options = WorldOptions { once: true, port: 0, data: None, real: None, verbose: false };
    World::start(&options, Scene { database: "syncline_bench", merchants: nobody }).await
}

fn nobody(_: &Platforms) -> Vec<Merchant> {
    Vec::new()
}

/// What is synced, and how often.
fn wanted(options: &Options) -> (Vec<Case>, &'static [Pass]) {
    let small = |sizes: &[usize]| -> Vec<usize> {
        sizes.iter().copied().filter(|items| (options.least..=options.most).contains(items)).collect()
    };
    let to_erp = |items| Case { direction: Direction::ToErp, items };
    match options.form {
        Form::Usual => (cases(&small(&SIZES)), &Pass::ALL),
        Form::Quick => (cases(&small(&QUICK)), &Pass::ALL),
        Form::Workflows => (Vec::new(), &[]),
        Form::Curve => (small(&CURVE).into_iter().map(to_erp).collect(), &Pass::CURVE),
    }
}

/// Both directions of each size.
fn cases(sizes: &[usize]) -> Vec<Case> {
    let to_erp = sizes.iter().map(|items| Case { direction: Direction::ToErp, items: *items });
    let back = sizes.iter().filter(|items| **items <= MOST_BACK);
    let to_shop = back.map(|items| Case { direction: Direction::ToShop, items: *items });
    to_erp.chain(to_shop).collect()
}
