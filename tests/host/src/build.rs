//! Builds the components, by the same command that a deployment uses.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The target that Spin runs.
const TARGET: &str = "wasm32-wasip2";

/// Builds every folder of `functions/` whose name does not begin with `_`, with the Cargo profile `quick` or `release`,
/// and returns the folder with the `.wasm` files (for [`crate::HostConfig::artifacts`]).
///
/// Only what has changed is compiled. The build has its own target folder, so that it does not wait for the lock of the
/// Cargo that runs the tests. Quiet unless it fails; a missing target is installed, and said so.
///
/// # Errors
/// When the compiler fails (its messages are in the error), or there is nothing to build.
pub fn build_components(profile: &str) -> Result<PathBuf> {
    build_components_into(profile, &workspace_root()?.join("target/components"))
}

/// The same in another target folder: an empty one compiles everything.
///
/// # Errors
/// As [`build_components`].
pub fn build_components_into(profile: &str, target: &Path) -> Result<PathBuf> {
    let root = workspace_root()?;
    ensure_target(&root)?;
    let components = components(&root)?;
    if components.is_empty() {
        bail!("no component in {}", root.join("functions").display());
    }
    let mut cargo = Command::new(cargo());
    cargo.current_dir(&root).args(["build", "--quiet", "--target", TARGET, "--profile", profile]);
    cargo.arg("--target-dir").arg(target);
    for name in &components {
        cargo.args(["--package", name]);
    }
    // Cargo hands its own settings to what it runs; the inner build must not take them over.
    cargo.env_remove("CARGO_ENCODED_RUSTFLAGS").env_remove("RUSTFLAGS").env_remove("CARGO_BUILD_TARGET");
    let done = cargo.stdin(Stdio::null()).output().context("cannot run cargo")?;
    if !done.status.success() {
        bail!("the components cannot be built:\n{}", String::from_utf8_lossy(&done.stderr));
    }
    let folder = match profile {
        "dev" => "debug",
        other => other,
    };
    Ok(target.join(TARGET).join(folder))
}

/// The names of the components: the folders of `functions/` that are crates and no shared room.
///
/// # Errors
/// When the folder cannot be read.
pub fn components(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("functions");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('_') && entry.path().join("Cargo.toml").is_file() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// The folder of the workspace: two above this crate.
///
/// # Errors
/// When the sources have been moved away since the build.
pub fn workspace_root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.join("../..").canonicalize().context("the sources of this crate are gone")
}

fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// Installs the standard library of the target when it is missing: the toolchain file names it, but automatic
/// installation may be switched off.
fn ensure_target(root: &Path) -> Result<()> {
    let found = Command::new("rustc").current_dir(root).args(["--print", "sysroot"]).output();
    let sysroot = found.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned()).unwrap_or_default();
    if !sysroot.is_empty() && Path::new(&sysroot).join("lib/rustlib").join(TARGET).is_dir() {
        return Ok(());
    }
    eprintln!("installing the Rust target {TARGET} …");
    let done = Command::new("rustup")
        .current_dir(root)
        .args(["target", "add", TARGET])
        .status()
        .context("the Rust target wasm32-wasip2 is missing, and there is no rustup to install it with")?;
    if done.success() { Ok(()) } else { bail!("`rustup target add {TARGET}` failed") }
}
