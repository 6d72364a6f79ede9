//! A component gets the variables that it reads, and no other: what it does not have it cannot leak.

use super::outbound::Rights;
use super::source::Source;
use super::{assert_tidy, routes, tree};
use anyhow::Result;
use std::collections::BTreeSet;

/// Who reads a variable.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// `edge::serve`, for every function.
    Everybody,
    /// `store`, for whoever asks the database.
    Database,
    /// `edge`, where users may call.
    Users,
    /// `edge`, where holders of a secret key may call.
    Secrets,
    /// `edge`, wherever a token may come in.
    Callers,
    /// `engine::Settings::read`.
    Engine,
    /// `engine`, for whoever has platforms tell us by themselves.
    Subscribers,
    /// Nobody: only the host, for outbound permissions.
    Host,
}

/// Every variable of spin.toml, and who reads it. A new one gets its line here.
const VARIABLES: &[(&str, Reader)] = &[
    ("allow_legacy_service_role", Reader::Secrets),
    ("allowed_origins", Reader::Everybody),
    ("auth_host", Reader::Host),
    ("call_timeout_seconds", Reader::Engine),
    ("database_host", Reader::Host),
    ("database_url", Reader::Database),
    ("deadline_seconds", Reader::Everybody),
    ("development_host", Reader::Engine),
    ("encryption_keys", Reader::Engine),
    ("jwks", Reader::Users),
    ("jwks_url", Reader::Users),
    ("jwt_issuer", Reader::Users),
    ("jwt_secret", Reader::Callers),
    ("lease_seconds", Reader::Engine),
    ("max_body_bytes", Reader::Everybody),
    ("n8n_host", Reader::Engine),
    ("public_url", Reader::Subscribers),
    ("secret_keys", Reader::Secrets),
];

/// The variables that the sources read: the literals among the arguments of `variables::get`, and of every function that
/// hands a parameter of its own on to it, within its crate.
fn read_by_the_sources() -> Result<BTreeSet<String>> {
    let files = tree::files_in("functions/", ".rs")?;
    let sources: Vec<Source> = files.iter().map(|path| Source::rust(path)).collect::<Result<_>>()?;
    let mut read = BTreeSet::new();
    let crates: BTreeSet<&str> =
        sources.iter().filter_map(|source| source.path.split_inclusive("/src/").next()).collect();
    for folder in crates {
        let own: Vec<&Source> = sources.iter().filter(|source| source.path.starts_with(folder)).collect();
        let mut readers = vec!["variables::get".to_owned()];
        let mut next = 0_usize;
        while let Some(reader) = readers.get(next).cloned() {
            next = next.saturating_add(1);
            for source in &own {
                for name in calls(source, &reader, &mut read) {
                    if !readers.contains(&name) {
                        readers.push(name);
                    }
                }
            }
        }
    }
    Ok(read)
}

/// Collects the literals given to a function; answers with the functions that give it something else.
fn calls(source: &Source, reader: &str, read: &mut BTreeSet<String>) -> Vec<String> {
    let call = format!("{reader}(");
    let mut others = Vec::new();
    for at in source.find(&call) {
        let before = source.code.get(..at).unwrap_or_default();
        if before.ends_with("fn ") {
            continue; // Here it is declared.
        }
        let end = source.closing(at, b'(', b')').unwrap_or(at);
        let names: Vec<&str> = source.literals_between(at, end).filter(|text| is_name(text)).collect();
        if names.is_empty() {
            let around = before.rsplit_once("fn ").map_or("", |(_, rest)| rest);
            let word = around.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')).next();
            others.extend(word.filter(|word| !word.is_empty()).map(str::to_owned));
        }
        read.extend(names.into_iter().map(str::to_owned));
    }
    others
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[test]
fn every_variable_is_declared_known_and_read() -> Result<()> {
    let manifest = tree::table("spin.toml")?;
    let declared = manifest.get("variables").and_then(toml::Value::as_table).cloned().unwrap_or_default();
    let read = read_by_the_sources()?;
    let mut findings = Vec::new();
    for (name, settings) in &declared {
        let required = settings.get("required").and_then(toml::Value::as_bool) == Some(true);
        if !required && settings.get("default").is_none() {
            findings.push(format!(
                "spin.toml: {name} needs a default, or required = true; else it blocks every outbound call"
            ));
        }
        if !VARIABLES.iter().any(|(known, _)| known == name) {
            findings.push(format!(
                "spin.toml: {name} is new; say in VARIABLES of tests/tidy/variables.rs who reads it"
            ));
        }
    }
    for (name, reader) in VARIABLES {
        if !declared.contains_key(*name) {
            findings.push(format!("VARIABLES: {name} is not declared in spin.toml any more"));
        }
        if (*reader == Reader::Host) == read.contains(*name) {
            findings.push(format!(
                "VARIABLES: {name}: {}",
                if read.contains(*name) { "somebody reads it" } else { "nobody reads it" }
            ));
        }
    }
    for name in read.iter().filter(|name| !declared.contains_key(*name)) {
        findings.push(format!("spin.toml: {name} is read, declare it in [variables]"));
    }
    assert_tidy("What is declared is what is read.", &findings);
    Ok(())
}

#[test]
fn a_component_is_given_what_it_reads_and_nothing_else() -> Result<()> {
    let functions = tree::functions()?;
    let mut findings = Vec::new();
    for component in routes::components()?.iter().filter(|component| functions.contains(&component.name)) {
        let rights = Rights::of(&component.name)?;
        let needs = |reader: Reader| match reader {
            Reader::Everybody => true,
            Reader::Database => rights.database,
            Reader::Users => rights.users,
            Reader::Secrets => rights.secrets,
            Reader::Callers => rights.users || rights.secrets,
            Reader::Engine => rights.settings,
            Reader::Subscribers => rights.subscriber,
            Reader::Host => false,
        };
        for (name, template) in &component.variables {
            if *template != format!("{{{{ {name} }}}}") {
                findings.push(format!("spin.toml: {}: write {name} = \"{{{{ {name} }}}}\"", component.name));
            }
            if VARIABLES.iter().any(|(known, reader)| known == name && !needs(*reader)) {
                findings.push(format!("spin.toml: {} does not read {name}; take it away", component.name));
            }
        }
        for (name, _) in VARIABLES.iter().filter(|(_, reader)| needs(*reader)) {
            if !component.variables.iter().any(|(listed, _)| listed == name) {
                findings.push(format!(
                    "spin.toml: {} reads {name}; add {name} = \"{{{{ {name} }}}}\"",
                    component.name
                ));
            }
        }
    }
    assert_tidy("variables are the least a component needs.", &findings);
    Ok(())
}
