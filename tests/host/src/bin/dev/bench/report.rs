//! How the numbers are shown.

use std::fmt::Write;

use serde_json::{Value, json};

use super::machine::{self, Build, Machine, Size};
use super::row::{Names, Row, Target};
use crate::sync::millis;

/// Everything that was measured.
pub(crate) struct Report {
    pub(crate) bucket: (f64, f64),
    /// Whether it is shown how the cost grows, instead of the targets.
    pub(crate) curve: bool,
    pub(crate) rows: Vec<Row>,
    pub(crate) machine: Machine,
    pub(crate) build: Option<Build>,
    pub(crate) sizes: Option<Vec<Size>>,
}

impl Report {
    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a text cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let (size, rate) = self.bucket;
        let Machine { begun, ended, memory, once } = &self.machine;
        let load = |load: &Option<String>| load.clone().unwrap_or_else(|| "not known".to_owned());
        writeln!(
            out,
            "\nprocessors {}, load {} at the start and {} at the end",
            machine::processors(),
            load(begun),
            load(ended)
        )?;
        writeln!(out, "the shop's bucket: {size} points, {rate} per second, full at the start of each run")?;
        if self.curve {
            curve(out, &self.rows)?;
            remarks(out, &self.rows)?;
        } else {
            table(out, &self.rows)?;
            writeln!(
                out,
                "\nTargets: 100 items in less than 1 s; 8 statements and 4 per 1,000 items begun; 1 request per 50 items and side."
            )?;
            remarks(out, &self.rows)?;
            missed(out, &self.rows)?;
        }
        if let Some(once) = once {
            let first = once.line.get("firstProductsMs").and_then(Value::as_u64).unwrap_or_default();
            writeln!(
                out,
                "\ncargo dev --once, components built before: first products after {:.1} s, all 2,250 after {:.1} s\n  {}",
                std::time::Duration::from_millis(first).as_secs_f64(),
                once.took.as_secs_f64(),
                once.line
            )?;
        }
        if let (Some(before), Some(after)) = memory {
            writeln!(
                out,
                "\npeak memory of this process (host, simulated platforms and all their records): {} MiB before, {} MiB after",
                before / 1024,
                after / 1024
            )?;
        }
        if let Some(Build { cold, warm }) = &self.build {
            writeln!(
                out,
                "\nbuild of the components, profile quick, sources fetched before: {:.1} s into an empty folder, {:.1} s unchanged",
                cold.as_secs_f64(),
                warm.as_secs_f64()
            )?;
        }
        self.sizes.as_deref().map_or(Ok(()), |sizes| weights(out, sizes))
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let sizes = |sizes: &Vec<Size>| -> Vec<Value> {
            sizes
                .iter()
                .map(|it| json!({ "name": it.name, "bytes": it.raw, "gzipped": it.gzipped }))
                .collect()
        };
        json!({
            "processors": machine::processors(),
            "load": { "before": self.machine.begun, "after": self.machine.ended },
            "bucket": { "points": self.bucket.0, "perSecond": self.bucket.1 },
            "rows": self.rows.iter().map(Row::json).collect::<Vec<Value>>(),
            "once": self.machine.once.as_ref().map(machine::Once::json),
            "peakMemoryKib": { "before": self.machine.memory.0, "after": self.machine.memory.1 },
            "buildMs": self.build.as_ref().map(|it| json!({ "cold": millis(it.cold), "warm": millis(it.warm) })),
            "sizes": self.sizes.as_ref().map(sizes),
        })
    }
}

fn table(out: &mut String, rows: &[Row]) -> std::fmt::Result {
    writeln!(
        out,
        "\n{:<12} {:>6}  {:<16} {:>5} {:>8} {:>7} {:>6} {:>6} {:>6} {:>10}  targets",
        "direction", "items", "run", "calls", "seconds", "items/s", "shop", "ERP", "/item", "statements"
    )?;
    for row in rows {
        let targets: Vec<String> = row.targets().iter().map(short).collect();
        writeln!(
            out,
            "{:<12} {:>6}  {:<16} {:>5} {:>8.2} {:>7.0} {:>6} {:>6} {:>6.3} {:>10}  {}",
            row.case.direction.word(),
            row.case.items,
            row.pass.word(),
            row.calls,
            row.took.as_secs_f64(),
            row.per_second(),
            row.shop,
            row.erp,
            row.per_item(),
            row.statements,
            targets.join(", ")
        )?;
    }
    Ok(())
}

/// How the cost of an item grows with the number of items.
fn curve(out: &mut String, rows: &[Row]) -> std::fmt::Result {
    writeln!(
        out,
        "\n| items | run | seconds | µs per item | calls | longest call, s | statements | shop requests | ERP requests | instance, MiB | process, MiB |\n\
         |---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    )?;
    for row in rows {
        let process =
            row.memory.process.map_or_else(|| "not known".to_owned(), |kib| (kib / 1024).to_string());
        writeln!(
            out,
            "| {} | {} | {:.2} | {:.0} | {} | {:.2} | {} | {} | {} | {} | {process} |",
            row.case.items,
            row.pass.word(),
            row.took.as_secs_f64(),
            row.micros_per_item(),
            row.calls,
            row.longest.as_secs_f64(),
            row.statements,
            row.shop,
            row.erp,
            row.memory.instance >> 20
        )?;
    }
    writeln!(
        out,
        "\nAn instance is one of a component that syncs: the most that any has held so far. The process is the host with all\n\
         instances, the simulated platforms and all their records."
    )
}

/// What is wrong with a run although it came to its end.
fn remarks(out: &mut String, rows: &[Row]) -> std::fmt::Result {
    for row in rows {
        let name = || format!("{} {}, {}", row.case.items, row.case.direction.word(), row.pass.word());
        if row.cut > 0 {
            writeln!(
                out,
                "\n{}: {} of {} calls ran out of time before they could answer",
                name(),
                row.cut,
                row.calls
            )?;
        }
        if row.uncounted > 0 {
            writeln!(
                out,
                "\n{}: {} changes reached the target but count as unchanged",
                name(),
                row.uncounted
            )?;
        }
    }
    Ok(())
}

/// `statements ≤ 12 no`.
fn short(target: &Target) -> String {
    format!("{} ≤ {} {}", target.what, target.limit, if target.met() { "yes" } else { "no" })
}

/// What the runs sent that did not meet a target of counts.
fn missed(out: &mut String, rows: &[Row]) -> std::fmt::Result {
    for row in rows {
        let targets = row.targets();
        let missed = |what: &str| targets.iter().any(|target| target.what.contains(what) && !target.met());
        if !missed("statements") && !missed("requests") {
            continue;
        }
        writeln!(out, "\n{} {}, {}", row.case.items, row.case.direction.word(), row.pass.word())?;
        if missed("statements") {
            writeln!(out, "  statements: {}", list(&row.by_statement))?;
        }
        if missed("requests") {
            writeln!(out, "  requests: {}", list(&row.by_request))?;
        }
    }
    Ok(())
}

/// The most frequent first.
fn list(names: &Names) -> String {
    let mut sorted: Vec<(&String, &u64)> = names.iter().collect();
    sorted.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
    sorted.iter().map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
}

fn weights(out: &mut String, sizes: &[Size]) -> std::fmt::Result {
    writeln!(out, "\n{:<20} {:>10} {:>10}  (bytes, profile release)", "component", "raw", "gzipped")?;
    for Size { name, raw, gzipped } in sizes {
        writeln!(out, "{name:<20} {raw:>10} {gzipped:>10}")?;
    }
    let sum = |of: fn(&Size) -> u64| sizes.iter().map(of).sum::<u64>();
    writeln!(out, "{:<20} {:>10} {:>10}", "all", sum(|it| it.raw), sum(|it| it.gzipped))
}
