//! The files of the project: what is committed, and what could be.

use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The root of the project: above this crate, or where `SYNCLINE_ROOT` points.
pub(super) fn root() -> PathBuf {
    if let Some(root) = env::var_os("SYNCLINE_ROOT") {
        return root.into();
    }
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}

/// The text of a file, named from the root.
pub(super) fn read(path: &str) -> Result<String> {
    fs::read_to_string(root().join(path)).with_context(|| format!("{path} cannot be read"))
}

/// A TOML file, named from the root.
pub(super) fn table(path: &str) -> Result<toml::Table> {
    read(path)?.parse().with_context(|| format!("{path} is no TOML"))
}

/// Every file that git has or would take, named from the root, in order.
pub(super) fn files() -> Result<Vec<String>> {
    // The checkout of a build machine often belongs to another user; we only read names.
    let output = Command::new("git")
        .args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .context("git is needed: the rules hold for the files that it knows")?;
    ensure!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
    let mut files: Vec<String> = names.split_terminator('\0').map(str::to_owned).collect();
    files.retain(|file| root().join(file).is_file());
    files.sort();
    files.dedup();
    ensure!(!files.is_empty(), "git knows no file under {}", root().display());
    Ok(files)
}

/// The files below a folder (`functions/_shared/`) whose names end so (`.rs`).
pub(super) fn files_in(folder: &str, end: &str) -> Result<Vec<String>> {
    Ok(files()?.into_iter().filter(|file| file.starts_with(folder) && file.ends_with(end)).collect())
}

/// The names of the functions: the folders of `functions/` that are no rooms.
pub(super) fn functions() -> Result<Vec<String>> {
    Ok(folders("functions/")?.into_iter().filter(|name| !name.starts_with('_')).collect())
}

/// The rooms: the folders of `functions/_shared/`.
pub(super) fn rooms() -> Result<Vec<String>> {
    folders("functions/_shared/")
}

fn folders(parent: &str) -> Result<Vec<String>> {
    let mut names: Vec<String> = files()?
        .iter()
        .filter_map(|file| file.strip_prefix(parent)?.split_once('/'))
        .map(|(folder, _)| folder.to_owned())
        .collect();
    names.dedup();
    Ok(names)
}
