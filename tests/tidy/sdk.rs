//! Who may name what of `spin_sdk`. Cargo cannot tell incoming from outgoing HTTP, so this does.

use super::source::Source;
use super::{assert_tidy, tree};
use anyhow::Result;

/// All that a function needs of it.
const OF_A_FUNCTION: &[&str] = &[
    "spin_sdk::http::Request",
    "spin_sdk::http::IntoResponse",
    "spin_sdk::http_service",
    "spin_sdk::http_service::http_service",
];
/// What sends a request out, or hands one on.
const SENDS: &[&str] = &["send", "get", "post", "put", "patch", "delete", "next", "IntoRequest"];
/// Who may: the engine to platforms, `edge` for the keys that sign tokens.
const SENDERS: &[&str] = &["functions/_shared/engine/src/", "functions/_shared/edge/src/host.rs"];
/// What belongs to a request that comes in.
const RECEIVES: &[&str] = &["Request", "IncomingMessage", "FromRequest", "IntoResponse", "Json"];
/// Whose it is, beside the functions'.
const RECEIVERS: &[&str] = &["functions/_shared/edge/src/"];

/// A path of `spin_sdk` that a file names, and where.
pub(super) struct Named {
    pub(super) path: String,
    pub(super) at: usize,
}

/// Every path of `spin_sdk` in a file, those of `use` trees written out: `use spin_sdk::http::{Request, send as s}`
/// names `spin_sdk::http::Request` and `spin_sdk::http::send`.
pub(super) fn named(source: &Source) -> Vec<Named> {
    let mut found = Vec::new();
    for at in source.find("spin_sdk") {
        let rest = source.code.get(at..).unwrap_or_default();
        let length = tree_length(rest);
        let mut paths = Vec::new();
        expand("", rest.get(..length).unwrap_or_default(), &mut paths);
        found.extend(paths.into_iter().map(|path| Named { path, at }));
    }
    found
}

/// How far a path goes: over names, `::`, `*`, and whole braces right behind `::`.
fn tree_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut before = "";
    for (at, letter) in text.char_indices() {
        let opens = letter == '{' && before.ends_with("::");
        if depth == 0 && !(opens || letter.is_alphanumeric() || matches!(letter, '_' | ':' | '*')) {
            return at;
        }
        match letter {
            '{' => depth = depth.saturating_add(1),
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at.saturating_add(1);
                }
            }
            _ => {}
        }
        before = text.get(..at.saturating_add(letter.len_utf8())).unwrap_or_default();
    }
    text.len()
}

fn expand(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let tree = tree.trim();
    let Some((head, rest)) = tree.split_once('{') else {
        let name = tree.split_once(" as ").map_or(tree, |(name, _)| name).trim().trim_end_matches("::self");
        if !name.is_empty() {
            let path = format!("{prefix}{name}");
            paths.push(path.trim_end_matches("::self").trim_end_matches(':').to_owned());
        }
        return;
    };
    let inner = rest.trim_end().strip_suffix('}').unwrap_or(rest);
    let prefix = format!("{prefix}{}", head.trim());
    let mut depth = 0_usize;
    let mut start = 0_usize;
    for (at, letter) in inner.char_indices().chain([(inner.len(), ',')]) {
        match letter {
            '{' => depth = depth.saturating_add(1),
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                expand(&prefix, inner.get(start..at).unwrap_or_default(), paths);
                start = at.saturating_add(1);
            }
            _ => {}
        }
    }
}

/// The Rust files of the functions and rooms.
fn sources() -> Result<Vec<Source>> {
    tree::files_in("functions/", ".rs")?.iter().map(|path| Source::rust(path)).collect()
}

fn is_function(path: &str) -> bool {
    path.starts_with("functions/") && !path.starts_with("functions/_")
}

/// Whether a path of the HTTP module is one of these, or takes all of them at once.
fn is_one(path: &str, names: &[&str]) -> bool {
    let Some(rest) = path.strip_prefix("spin_sdk::") else { return true };
    match rest.strip_prefix("http") {
        Some("" | "::*") => true,
        Some(name) => name.strip_prefix("::").is_some_and(|name| {
            let first = name.split("::").next().unwrap_or(name);
            names.contains(&first)
        }),
        None => rest == "*" || rest.starts_with("wasip3::http") && !rest.contains("RequestOptions"),
    }
}

#[test]
fn a_function_names_only_request_into_response_and_http_service() -> Result<()> {
    let mut findings = Vec::new();
    for source in sources()?.iter().filter(|source| is_function(&source.path)) {
        for named in named(source).iter().filter(|named| !OF_A_FUNCTION.contains(&named.path.as_str())) {
            findings.push(format!(
                "{}: {}; what it does belongs to edge, store or engine",
                source.place(named.at),
                named.path
            ));
        }
    }
    assert_tidy("Of spin_sdk a function names Request, IntoResponse and http_service.", &findings);
    Ok(())
}

#[test]
fn only_the_engine_and_the_key_cache_send_requests() -> Result<()> {
    let mut findings = Vec::new();
    for source in
        sources()?.iter().filter(|source| !SENDERS.iter().any(|place| source.path.starts_with(place)))
    {
        let own = |path: &str| OF_A_FUNCTION.contains(&path);
        for named in named(source).iter().filter(|named| is_one(&named.path, SENDS) && !own(&named.path)) {
            findings.push(format!(
                "{}: {}; sending is the engine's, import names one by one",
                source.place(named.at),
                named.path
            ));
        }
    }
    assert_tidy("Only the engine sends requests, and edge for the keys of tokens.", &findings);
    Ok(())
}

#[test]
fn only_edge_and_the_functions_know_incoming_requests() -> Result<()> {
    let mut findings = Vec::new();
    let knows = |path: &str| is_function(path) || RECEIVERS.iter().any(|place| path.starts_with(place));
    for source in sources()?.iter().filter(|source| !knows(&source.path)) {
        for named in named(source).iter().filter(|named| is_one(&named.path, RECEIVES)) {
            findings.push(format!(
                "{}: {}; what comes in is edge's, import names one by one",
                source.place(named.at),
                named.path
            ));
        }
    }
    assert_tidy("Only edge and the functions know incoming requests.", &findings);
    Ok(())
}

#[test]
fn a_use_tree_is_written_out_name_by_name() {
    let mut paths = Vec::new();
    let text = "spin_sdk::{http::{self, body::IncomingBodyExt, send as ship}, http_service};";
    expand("", text.get(..tree_length(text)).unwrap_or_default(), &mut paths);
    assert_eq!(
        paths,
        [
            "spin_sdk::http",
            "spin_sdk::http::body::IncomingBodyExt",
            "spin_sdk::http::send",
            "spin_sdk::http_service"
        ]
    );
    assert!(
        is_one("spin_sdk::http::send", SENDS) && is_one("spin_sdk::*", SENDS) && is_one("spin_sdk", SENDS)
    );
    assert!(!is_one("spin_sdk::http::FullBody", SENDS) && !is_one("spin_sdk::http_service", SENDS));
}
