//! Who may know whom, and that nobody keeps anything between requests.

use super::source::Source;
use super::{assert_tidy, tree};
use anyhow::Result;

/// The rooms, and the rooms each may know.
const ROOMS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("connectors", &["domain"]),
    ("secrets", &["domain"]),
    ("store", &["domain"]),
    ("engine", &["connectors", "domain", "secrets", "store"]),
    ("edge", &["domain", "secrets", "store"]),
];
/// The rooms that reach the host.
const ON_SPIN: &[&str] = &["store", "engine", "edge"];
/// What `domain` may stand on: crates without input, output, clock, randomness or threads.
const PURE: &[&str] = &[
    "cel",
    "chrono",
    "chrono-tz",
    "croner",
    "diffy",
    "regex-lite",
    "rust_decimal",
    "schemars",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
    "unicode-normalization",
    "uuid",
];
/// Clients, servers and run-times: in a component the host is all of them.
const FOREIGN: &[&str] =
    &["tokio", "reqwest", "ureq", "hyper", "tokio-postgres", "sqlx", "async-std", "wasmtime"];
/// The one place that keeps something: public keys, bounded.
const KEY_CACHE: &str = "functions/_shared/edge/src/host.rs";

/// What a crate depends on when it is built, whatever the target.
fn dependencies(folder: &str) -> Result<Vec<String>> {
    let manifest = tree::table(&format!("{folder}/Cargo.toml"))?;
    let names = |table: Option<&toml::Value>| -> Vec<String> {
        table.and_then(toml::Value::as_table).map(|table| table.keys().cloned().collect()).unwrap_or_default()
    };
    let mut all = names(manifest.get("dependencies"));
    all.extend(names(manifest.get("build-dependencies")));
    for target in
        manifest.get("target").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::values)
    {
        all.extend(names(target.get("dependencies")));
    }
    Ok(all)
}

/// Whether a function has this room at hand.
pub(super) fn function_knows(function: &str, room: &str) -> Result<bool> {
    Ok(dependencies(&format!("functions/{function}"))?.iter().any(|name| name == room))
}

#[test]
fn every_room_knows_only_the_rooms_below_it() -> Result<()> {
    let mut findings = Vec::new();
    for room in tree::rooms()? {
        let folder = format!("functions/_shared/{room}");
        let Some((_, below)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            findings.push(format!(
                "{folder}: a new room; decide in ROOMS whom it may know, or fold it into one of the six"
            ));
            continue;
        };
        for name in dependencies(&folder)? {
            let is_room = ROOMS.iter().any(|(room, _)| *room == name);
            if is_room && !below.contains(&name.as_str()) {
                findings.push(format!(
                    "{folder}/Cargo.toml: {room} must not know {name}; move what needs both to engine"
                ));
            }
            if name.starts_with("spin") && !ON_SPIN.contains(&room.as_str()) {
                findings.push(format!(
                    "{folder}/Cargo.toml: {room} does not reach the host; it is tested without one"
                ));
            }
        }
    }
    assert_tidy("Cargo enforces who may know what.", &findings);
    Ok(())
}

#[test]
fn the_domain_does_no_input_or_output() -> Result<()> {
    let mut findings = Vec::new();
    for name in dependencies("functions/_shared/domain")?.iter().filter(|name| !PURE.contains(&name.as_str()))
    {
        findings.push(format!(
            "functions/_shared/domain/Cargo.toml: {name}; pass in what it would fetch, or, when it only computes, add it to PURE"
        ));
    }
    for file in tree::files_in("functions/_shared/domain/src/", ".rs")? {
        let source = Source::rust(&file)?;
        for word in [
            "std::fs",
            "std::net",
            "std::env",
            "std::process",
            "std::thread",
            "Instant",
            "SystemTime",
            "Utc::now",
            "async fn",
        ] {
            findings.extend(
                source.find(word).iter().map(|at| format!("{}: `{word}`; pass it in", source.place(*at))),
            );
        }
    }
    assert_tidy("The domain does no I/O, reads no clock, draws no random number.", &findings);
    Ok(())
}

#[test]
fn no_component_brings_its_own_network() -> Result<()> {
    let mut folders: Vec<String> =
        tree::functions()?.iter().map(|name| format!("functions/{name}")).collect();
    folders.extend(tree::rooms()?.iter().map(|name| format!("functions/_shared/{name}")));
    let mut findings = Vec::new();
    for folder in folders {
        for name in dependencies(&folder)?.iter().filter(|name| FOREIGN.contains(&name.as_str())) {
            findings.push(format!("{folder}/Cargo.toml: {name}; in a component the host does this"));
        }
    }
    assert_tidy("The host is the network, the clock and the run-time of a component.", &findings);
    Ok(())
}

#[test]
fn nothing_is_kept_between_requests() -> Result<()> {
    let mut findings = Vec::new();
    for file in tree::files_in("functions/", ".rs")?.iter().filter(|file| *file != KEY_CACHE) {
        let source = Source::rust(file)?;
        for word in ["static", "thread_local!", "lazy_static!"] {
            findings.extend(source.find(word).iter().map(|at| {
                format!(
                    "{}: `{word}`; one instance serves many callers, use a `const` or pass it along",
                    source.place(*at)
                )
            }));
        }
    }
    assert_tidy("The only static is the cache of public keys in edge.", &findings);
    Ok(())
}
