//! Builds and loads what changes.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};
use host::Logs;
use host::manifest::Manifest;
use tokio::sync::broadcast::error::RecvError;

use crate::world::{self, World};

/// How often the sources are looked at.
const TICK: Duration = Duration::from_secs(1);
/// What components are made of.
const SOURCES: &[&str] = &["functions", "sql", "Cargo.toml", "spin.toml"];

/// When each file last changed.
type Times = BTreeMap<PathBuf, SystemTime>;

/// Builds and loads whatever changes, and shows the log if `show`, until it is dropped.
pub(crate) async fn forever(world: &mut World, show: bool) -> Result<ExitCode> {
    let logs = world.logs().clone();
    let following = async { if show { follow(&logs).await } else { std::future::pending().await } };
    tokio::select! {
        never = following => match never {},
        done = changes(world) => done,
    }
}

async fn changes(world: &mut World) -> Result<ExitCode> {
    let mut known = times(&world.root)?;
    loop {
        tokio::time::sleep(TICK).await;
        // A file may vanish while its folder is read: look again later.
        let Ok(now) = times(&world.root) else { continue };
        if now == known {
            continue;
        }
        let changed: Vec<&Path> = differing(&known, &now);
        let manifest = changed.iter().any(|path| path.ends_with("spin.toml"));
        eprintln!("{}: building …", names(&world.root, &changed));
        let begun = Instant::now();
        match load(world, manifest).await {
            Ok(what) => eprintln!("{what} ({:.1} s)", begun.elapsed().as_secs_f64()),
            // The components go on as they were.
            Err(error) => eprintln!("{error:#}"),
        }
        known = now;
    }
}

/// Builds, then loads what came out differently. Answers what was done.
async fn load(world: &mut World, manifest: bool) -> Result<String> {
    world::build().await?;
    if manifest || world.host().is_none() {
        // Read first: a host is not stopped for a manifest that no host can start with.
        Manifest::read(&world.root.join("spin.toml"))?;
        world.restart().await.context("the host does not start with the new spin.toml")?;
        return Ok("built, and the host started again".to_owned());
    }
    let Some(host) = world.host() else { return Ok("built".to_owned()) };
    let loaded = host.reload().await?;
    if loaded.is_empty() {
        Ok("built, nothing changed".to_owned())
    } else {
        Ok(format!("loaded {}", loaded.join(", ")))
    }
}

/// Prints what the components print.
async fn follow(logs: &Logs) -> Infallible {
    let mut lines = logs.subscribe();
    loop {
        match lines.recv().await {
            Ok(line) => eprintln!("{line}"),
            Err(RecvError::Lagged(count)) => eprintln!("… {count} lines of the log left out"),
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

fn times(root: &Path) -> Result<Times> {
    let mut times = Times::new();
    for source in SOURCES {
        note(&root.join(source), &mut times)?;
    }
    Ok(times)
}

fn note(path: &Path, times: &mut Times) -> Result<()> {
    let meta = std::fs::metadata(path).with_context(|| format!("cannot look at {}", path.display()))?;
    if !meta.is_dir() {
        times.insert(path.to_owned(), meta.modified()?);
        return Ok(());
    }
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // Editors keep files of their own beside ours; none of them is a source.
        if !name.starts_with(['.', '#']) && !name.ends_with('~') {
            note(&entry.path(), times)?;
        }
    }
    Ok(())
}

/// The files that are new, gone or of another time.
fn differing<'a>(old: &'a Times, new: &'a Times) -> Vec<&'a Path> {
    let mut paths: Vec<&Path> = Vec::new();
    paths.extend(
        new.iter().filter(|(path, time)| old.get(*path) != Some(*time)).map(|(path, _)| path.as_path()),
    );
    paths.extend(old.keys().filter(|path| !new.contains_key(*path)).map(PathBuf::as_path));
    paths
}

/// The first files by name, and how many more there are.
fn names(root: &Path, paths: &[&Path]) -> String {
    let short = |path: &&Path| path.strip_prefix(root).unwrap_or(path).display().to_string();
    let first: Vec<String> = paths.iter().take(3).map(short).collect();
    let more = paths.len().saturating_sub(first.len());
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{rest}", first.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_changed_came_or_went_differ() {
        let times = |files: &[(&str, u64)]| -> Times {
            let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            files.iter().map(|(name, seconds)| (PathBuf::from(name), at(*seconds))).collect()
        };
        let old = times(&[("same", 1), ("changed", 1), ("gone", 1)]);
        let new = times(&[("same", 1), ("changed", 2), ("new", 1)]);
        let found: Vec<String> =
            differing(&old, &new).iter().map(|path| path.display().to_string()).collect();
        assert_eq!(found, ["changed", "new", "gone"]);
    }
}
