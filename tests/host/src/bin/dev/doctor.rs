//! Says what is missing on this machine.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;
use host::Cluster;

/// How a part of the machine is.
enum State {
    /// It is there.
    Good(String),
    /// It is not, and that does no harm for now.
    Note(String),
    /// It is not, and `cargo dev` cannot do without it.
    Missing(String),
}

/// Prints how each part is, and answers whether `cargo dev` can run.
///
/// # Errors
/// When the sources of this program are gone.
pub(crate) fn check() -> Result<bool> {
    let root = host::build::workspace_root()?;
    let rustup = says(&root, "rustup", "--version");
    let parts = [
        ("Rust", found(says(&root, "rustc", "--version"), "install it with rustup: https://rustup.rs")),
        ("cargo", found(says(&root, "cargo", "--version"), "it comes with Rust; put it on the PATH")),
        ("target wasm32-wasip2", wasm(&root, rustup.is_some())),
        ("target folder", writable(&root)),
        ("PostgreSQL", postgres()),
        ("port 3000", port()),
    ];
    let mut good = true;
    for (what, state) in parts {
        match state {
            State::Good(found) => println!("ok       {what}: {found}"),
            State::Note(why) => println!("note     {what}: {why}"),
            State::Missing(why) => {
                good = false;
                println!("MISSING  {what}: {why}");
            }
        }
    }
    Ok(good)
}

fn found(it: Option<String>, hint: &str) -> State {
    it.map_or_else(|| State::Missing(hint.to_owned()), State::Good)
}

fn wasm(root: &Path, rustup: bool) -> State {
    match target(root) {
        Some(folder) => State::Good(folder),
        None if rustup => State::Note("not there yet; `cargo dev` installs it with rustup".to_owned()),
        None => State::Missing("`rustup target add wasm32-wasip2`, or your system's package".to_owned()),
    }
}

/// Components, the server's data and compiled code all go there.
fn writable(root: &Path) -> State {
    let folder = root.join("target");
    let test = folder.join(format!("doctor-{}", std::process::id()));
    let made = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&test, ""));
    let _ = std::fs::remove_file(&test);
    match made {
        Ok(()) => State::Good("can be written to".to_owned()),
        Err(error) => State::Missing(format!("{} cannot be written to: {error}", folder.display())),
    }
}

fn port() -> State {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, 3000)) {
        Ok(_) => State::Good("free".to_owned()),
        Err(_) => State::Note("something else listens there: choose another with --port".to_owned()),
    }
}

/// The first line that a program prints.
fn says(root: &Path, program: &str, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).current_dir(root).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).lines().next()?.to_owned();
    output.status.success().then_some(text)
}

fn target(root: &Path) -> Option<String> {
    let sysroot = says(root, "rustc", "--print=sysroot")?;
    let folder = Path::new(&sysroot).join("lib/rustlib/wasm32-wasip2");
    folder.is_dir().then(|| folder.display().to_string())
}

/// Uses a server as `cargo dev` would: a program that is there may still not run.
fn postgres() -> State {
    let theirs = std::env::var("DATABASE_URL").is_ok_and(|address| !address.trim().is_empty());
    let version = Cluster::start(None).and_then(|cluster| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(cluster.check())
    });
    match (version, theirs) {
        (Ok(version), true) => State::Good(format!("{version} of DATABASE_URL answers")),
        (Ok(version), false) => State::Good(format!("{version} starts")),
        (Err(error), true) => State::Missing(format!("{error:#}")),
        (Err(error), false) => {
            State::Missing(format!("install PostgreSQL 15 or newer, or npm, or set DATABASE_URL ({error:#})"))
        }
    }
}
