//! A component reaches only the hosts it needs: senders those of the connectors, all others the database at most.

use super::source::Source;
use super::{assert_tidy, routes, structure, tree};
use anyhow::{Result, ensure};
use std::collections::BTreeSet;

/// Our database.
const POSTGRES: &str = "postgres://{{ database_host }}";
/// Where the keys of users' tokens are fetched.
const AUTH: &str = "https://{{ auth_host }}";
/// Simulated platforms, and a local issuer of tokens.
const DEVELOPMENT: &str = "http://{{ development_host }}";
/// What the engine has for everybody and what sends nothing. Whoever names anything else of it is a sender.
const SENDS_NOTHING: &[&str] = &[
    "check_base_url",
    "default_rates",
    "new_integration_id",
    "receive_webhook",
    "replay",
    "seal_credential",
    "Again",
    "Deadline",
    "Error",
    "Result",
    "Settings",
    "Standing",
    "WebhookError",
    "check_definition",
    "random",
];
/// What the engine asks n8n servers, and nobody else.
const ASKS_N8N: &[&str] = &[
    "Cleanup",
    "Part",
    "Read",
    "Removal",
    "Wanted",
    "Way",
    "clean_up",
    "deploy",
    "read_n8n",
    "read_servers",
    "read_workflow",
    "trigger",
];
/// Where n8n servers are.
const N8N: &str = "https://{{ n8n_host }}";

/// What a function's own source says about its rights.
#[expect(clippy::struct_excessive_bools, reason = "seven independent rights, each granted or not")]
pub(super) struct Rights {
    /// It calls what sends requests to platforms.
    pub(super) sender: bool,
    /// It calls what sends requests to n8n servers.
    pub(super) n8n: bool,
    /// Users may call it, so that tokens are checked.
    pub(super) users: bool,
    /// Holders of a secret key may call it.
    pub(super) secrets: bool,
    /// It asks the database.
    pub(super) database: bool,
    /// It reads the engine's settings.
    pub(super) settings: bool,
    /// It has platforms tell us by themselves.
    pub(super) subscriber: bool,
}

impl Rights {
    pub(super) fn of(function: &str) -> Result<Self> {
        let mut rights = Self {
            sender: false,
            n8n: false,
            users: false,
            secrets: false,
            database: false,
            settings: false,
            subscriber: false,
        };
        for file in tree::files_in(&format!("functions/{function}/src/"), ".rs")? {
            let source = Source::rust(&file)?;
            let either = !source.find("Door::UserOrSecret").is_empty();
            rights.users |= either || !source.find("Door::User").is_empty();
            rights.secrets |= either || !source.find("Door::Secret").is_empty();
            rights.secrets |= !source.find("is_secret").is_empty();
            rights.settings |= !source.find("Settings::read").is_empty();
            let names = names_of_the_engine(&source);
            let asks_n8n = |name: &String| ASKS_N8N.contains(&name.as_str());
            rights.n8n |= names.iter().any(asks_n8n);
            rights.sender |=
                names.iter().any(|name| !asks_n8n(name) && !SENDS_NOTHING.contains(&name.as_str()));
            rights.subscriber |= names.contains("subscribe");
        }
        let knows =
            structure::function_knows(function, "store")? || structure::function_knows(function, "engine")?;
        rights.database = knows || rights.users || rights.secrets;
        Ok(rights)
    }
}

/// What a file names of the engine: `engine::drain`, `use engine::{Settings, drain}`.
fn names_of_the_engine(source: &Source) -> BTreeSet<String> {
    const ENGINE: &str = "engine::";
    let mut names = BTreeSet::new();
    for at in source.find(ENGINE) {
        let rest = source.code.get(at.saturating_add(ENGINE.len())..).unwrap_or_default();
        let list =
            rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map_or(rest, |(list, _)| list);
        let one_by_one = rest.starts_with('{');
        let words =
            list.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_' || letter == '*'));
        let words = words.filter(|word| !word.is_empty()).map(str::to_owned);
        names.extend(words.take(if one_by_one { usize::MAX } else { 1 }));
    }
    names
}

/// The union of what the connectors declare: the literals in each `fn hosts`, or in the constant it names.
fn connector_hosts() -> Result<BTreeSet<String>> {
    let files = tree::files_in("functions/_shared/connectors/src/", ".rs")?;
    let sources: Vec<Source> = files.iter().map(|path| Source::rust(path)).collect::<Result<_>>()?;
    let mut hosts = BTreeSet::new();
    for source in &sources {
        for at in source.find("fn hosts") {
            let rest = source.code.get(at..).unwrap_or_default();
            let body = rest.find(['{', ';']).and_then(|open| at.checked_add(open)).unwrap_or(at);
            if source.code.get(body..).is_some_and(|body| body.starts_with(';')) {
                continue; // The trait's own declaration.
            }
            let end = source.closing(body, b'{', b'}').unwrap_or(body);
            let mut own: BTreeSet<String> = source.literals_between(body, end).map(str::to_owned).collect();
            let text = source.code.get(body..end).unwrap_or_default();
            let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
            for constant in words
                .filter(|word| word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
            {
                own.extend(constant_literals(&sources, &source.path, constant));
            }
            // One that says outright that it has none asks our own database.
            ensure!(
                !own.is_empty() || text.contains("&[]"),
                "{}: no host found; write them as literals there, or in one constant",
                source.place(at)
            );
            hosts.extend(own);
        }
    }
    ensure!(!hosts.is_empty(), "no connector declares a host");
    Ok(hosts)
}

/// The literals of a constant that is declared in the same folder.
fn constant_literals(sources: &[Source], path: &str, constant: &str) -> Vec<String> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| source.path.starts_with(folder)) {
        for at in source.find(&format!("const {constant}:")) {
            let end = source.code.get(at..).and_then(|rest| at.checked_add(rest.find(';')?)).unwrap_or(at);
            found.extend(source.literals_between(at, end).map(str::to_owned));
        }
    }
    found
}

#[test]
fn a_component_reaches_only_the_hosts_it_needs() -> Result<()> {
    let platforms = connector_hosts()?;
    let functions = tree::functions()?;
    let mut findings = Vec::new();
    for component in routes::components()?.iter().filter(|component| functions.contains(&component.name)) {
        let rights = Rights::of(&component.name)?;
        let mut needed = BTreeSet::new();
        if rights.database {
            needed.insert(POSTGRES);
        }
        if rights.users {
            needed.insert(AUTH);
        }
        if rights.sender {
            needed.insert(DEVELOPMENT);
            needed.extend(platforms.iter().map(String::as_str));
        }
        if rights.n8n {
            needed.insert(DEVELOPMENT);
            needed.insert(N8N);
        }
        let listed: BTreeSet<&str> = component.hosts.iter().map(String::as_str).collect();
        for host in needed.difference(&listed) {
            findings
                .push(format!("spin.toml: {} needs \"{host}\" in allowed_outbound_hosts", component.name));
        }
        // The issuer of users' tokens is a simulator too, in development.
        let spare = |host: &&&str| !(rights.users && **host == DEVELOPMENT);
        for host in listed.difference(&needed).filter(spare) {
            findings.push(format!("spin.toml: {} has no need of \"{host}\"", component.name));
        }
    }
    assert_tidy("allowed_outbound_hosts are the least a component needs.", &findings);
    Ok(())
}
