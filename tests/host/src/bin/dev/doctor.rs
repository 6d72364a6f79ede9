//! Says what is missing on this machine.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;
use host::Cluster;

/// Prints how each part is, and answers whether `cargo dev` can run.
///
/// # Errors
/// When the sources of this program are gone.
pub(crate) fn check() -> Result<bool> {
    let root = host::build::workspace_root()?;
    let target = target(&root);
    let rustup = says(&root, "rustup", "--version");
    let npm = says(&root, "npm", "--version");
    let postgres = postgres();
    let fixed_by_rustup = target.is_none() && rustup.is_some();

    show("Rust", says(&root, "rustc", "--version"), "install it with rustup: https://rustup.rs");
    let hint = if fixed_by_rustup { "`cargo dev` installs it" } else { "`rustup target add wasm32-wasip2`" };
    show("target wasm32-wasip2", target.clone(), hint);
    let hint = "install PostgreSQL 15 or newer, or npm, or set DATABASE_URL";
    let usable = postgres.is_ok();
    if let Err(error) = &postgres {
        println!("           {error:#}");
    }
    show("PostgreSQL", postgres.ok(), hint);
    show("npm", npm, "needed only where no PostgreSQL is installed");
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 3000)).is_ok().then(|| "free".to_owned());
    show("port 3000", free, "something else listens there: choose another with --port");
    Ok(usable && (target.is_some() || fixed_by_rustup))
}

fn show(what: &str, found: Option<String>, hint: &str) {
    match found {
        Some(found) => println!("ok       {what}: {found}"),
        None => println!("MISSING  {what}: {hint}"),
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

/// Starts a server as `cargo dev` would: a program that is there may still not run.
fn postgres() -> Result<String> {
    let cluster = Cluster::start(None)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = host::migrate::connect(&cluster.admin_url("postgres")).await?;
        Ok(format!("{} starts", client.query_one("show server_version", &[]).await?.try_get::<_, String>(0)?))
    })
}
