//! What can be written after `cargo dev bench`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::measure::Pace;
use crate::options::Command;

/// The text of `--help`.
pub(crate) const HELP: &str = "\
Measures delta-sync in the world of `cargo dev`: real Postgres, real components, simulated platforms. For 10, 100, 1,000
and 10,000 items, from the shop into the ERP (and back, up to 1,000): the first sync, one where nothing has changed, one
where 1 % has, and a full one where nothing has. What does not fit into one call goes on in the queue and is counted.

Usage: cargo dev bench [OPTIONS]

  --curve          1,000 to 100,000 items, from the shop into the ERP: what an item costs as there are more of them, how long
                   the longest call takes, and how much memory is held. No budget of an account makes it wait.
  --workflows      Instead: how long one call takes to read 1, 10 and 250 workflows of an n8n server, and 10 and 50
                   users' servers with 10 each at once, when all is new and when a little is.
  --least N        Nothing with fewer than N items.
  --most N         Nothing with more than N items.
  --quick          10 and 100 items only, and no run of `cargo dev --once`.
  --bucket N/R     The shop's bucket: N points, R of them back each second; 20000/2000 unless given, and for the curve one
                   that is never empty. It is full at the start of each run.
  --sizes          Builds the components with the release profile and prints the size of each, as it is and gzipped.
  --build          Prints how long the components' build takes: all of it into an empty folder, and again unchanged.
  --json FILE      Writes everything to FILE as well, with the statements and requests of each run by name.

The numbers are of this machine, with everything on it: the platforms answer at once and in the same process.";

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// All passes, both ways.
    Usual,
    /// The same of few items.
    Quick,
    /// How the cost grows with the items.
    Curve,
    /// How n8n servers are read.
    Workflows,
}

/// What to measure.
#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    pub(crate) form: Form,
    /// The fewest items of a sync.
    pub(crate) least: usize,
    /// The most items of a sync.
    pub(crate) most: usize,
    /// Points that fit into the shop's bucket, and those restored each second.
    /// `None`: as the form has it.
    pub(crate) bucket: Option<(f64, f64)>,
    pub(crate) sizes: bool,
    pub(crate) build: bool,
    pub(crate) json: Option<PathBuf>,
}

impl Options {
    /// How fast the platforms may be asked.
    pub(crate) fn pace(&self) -> Pace {
        let lifted = self.form == Form::Curve;
        let usual = if lifted { (10_000_000.0, 1_000_000.0) } else { (20_000.0, 2_000.0) };
        Pace { bucket: self.bucket.unwrap_or(usual), lifted }
    }
}

/// Reads the arguments behind `bench`.
pub(crate) fn parse(arguments: &[String]) -> Result<Command> {
    let mut options = Options {
        form: Form::Usual,
        least: 0,
        most: usize::MAX,
        bucket: None,
        sizes: false,
        build: false,
        json: None,
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let (name, inline) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        let mut value = || {
            inline.clone().or_else(|| rest.next().cloned()).with_context(|| format!("{name} needs a value"))
        };
        match name {
            "--help" | "-h" | "help" => return Ok(Command::BenchHelp),
            "--quick" => options.form = Form::Quick,
            "--curve" => options.form = Form::Curve,
            "--workflows" => options.form = Form::Workflows,
            "--least" => options.least = items(&value()?)?,
            "--most" => options.most = items(&value()?)?,
            "--sizes" => options.sizes = true,
            "--build" => options.build = true,
            "--bucket" => options.bucket = Some(bucket(&value()?)?),
            "--json" => options.json = Some(value()?.into()),
            _ => bail!("there is no {argument:?}; `cargo dev bench --help` says what there is"),
        }
    }
    Ok(Command::Bench(options))
}

fn items(text: &str) -> Result<usize> {
    text.parse().with_context(|| format!("{text:?} is no number of items"))
}

/// `20000/2000`: points, and points per second.
fn bucket(text: &str) -> Result<(f64, f64)> {
    let points =
        |text: &str| text.trim().parse().ok().filter(|points: &f64| points.is_finite() && *points > 0.0);
    let both = text.split_once('/').and_then(|(size, rate)| Some((points(size)?, points(rate)?)));
    both.with_context(|| format!("{text:?} is no bucket; write its points and those of a second: 20000/2000"))
}
