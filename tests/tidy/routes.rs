//! Folder = crate = component = last part of the route = file: whoever knows one of a function's names knows them all.

use super::{assert_tidy, tree};
use anyhow::Result;

/// Functions that are not (only) found under their name: their route, and why.
const ELSEWHERE: &[(&str, &str, &str)] = &[("dashboard", "/...", "a page is opened at the root")];

/// One block `[component.…]` of spin.toml.
pub(super) struct Component {
    pub(super) name: String,
    pub(super) source: String,
    pub(super) hosts: Vec<String>,
    /// The variables it is given, and the template each is made from.
    pub(super) variables: Vec<(String, String)>,
}

/// The components of spin.toml.
pub(super) fn components() -> Result<Vec<Component>> {
    let manifest = tree::table("spin.toml")?;
    let components = manifest.get("component").and_then(toml::Value::as_table).cloned().unwrap_or_default();
    let text = |value: &toml::Value| value.as_str().unwrap_or_default().to_owned();
    let component = |(name, block): (String, toml::Value)| Component {
        name,
        source: block.get("source").map(text).unwrap_or_default(),
        hosts: block
            .get("allowed_outbound_hosts")
            .and_then(toml::Value::as_array)
            .map(|hosts| hosts.iter().map(text).collect())
            .unwrap_or_default(),
        variables: block
            .get("variables")
            .and_then(toml::Value::as_table)
            .map(|table| table.iter().map(|(name, template)| (name.clone(), text(template))).collect())
            .unwrap_or_default(),
    };
    Ok(components.into_iter().map(component).collect())
}

/// One `[[trigger.http]]` of spin.toml: its component, its route, and the comment right above it.
struct Trigger {
    component: String,
    route: String,
    comment: String,
}

/// The triggers in their order. Read line by line, because a parser forgets the comments.
fn triggers() -> Result<Vec<Trigger>> {
    let text = tree::read("spin.toml")?;
    let mut triggers: Vec<Trigger> = Vec::new();
    let mut comment: Vec<&str> = Vec::new();
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if let Some(words) = line.strip_prefix('#') {
            comment.push(words.trim());
            continue;
        }
        if line.starts_with('[') {
            inside = line == "[[trigger.http]]";
            if inside {
                triggers.push(Trigger {
                    component: String::new(),
                    route: String::new(),
                    comment: comment.join(" "),
                });
            }
        }
        comment.clear();
        let value = |key: &str| {
            Some(line.strip_prefix(key)?.trim_start().strip_prefix('=')?.trim().trim_matches('"'))
        };
        if let Some(trigger) = triggers.last_mut().filter(|_| inside) {
            if let Some(name) = value("component") {
                name.clone_into(&mut trigger.component);
            }
            if let Some(route) = value("route") {
                route.clone_into(&mut trigger.route);
            }
        }
    }
    triggers.retain(|trigger| !trigger.component.is_empty());
    Ok(triggers)
}

/// What the first paragraph of a crate says after its name , as a sentence of its own.
fn description(function: &str) -> Option<String> {
    let text = tree::read(&format!("functions/{function}/src/lib.rs")).unwrap_or_default();
    let doc: Vec<&str> = text
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect();
    let doc = doc.join(" ");
    let said = doc.strip_prefix(&format!("`{function}`: "))?;
    let mut letters = said.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect())
}

/// Whether a comment is the beginning of a description, in whole sentences.
fn opens(comment: &str, description: &str) -> bool {
    comment.ends_with('.')
        && description.strip_prefix(comment).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// The functions in the order of the map in functions/README.md, each with what its row says: the first cell names
/// the function, the last one describes it.
fn map() -> Result<Vec<(String, String)>> {
    let functions = tree::functions()?;
    let text = tree::read("functions/README.md")?;
    let mut map: Vec<(String, String)> = Vec::new();
    for row in text.lines().filter_map(|line| line.trim().strip_prefix('|')?.strip_suffix('|')) {
        let Some((first, rest)) = row.split_once('|') else { continue };
        let said = rest.rsplit('|').next().unwrap_or_default().trim();
        for name in first.split('`').skip(1).step_by(2).filter(|name| functions.iter().any(|it| it == name)) {
            if !map.iter().any(|(known, _)| known == name) {
                map.push((name.to_owned(), said.to_owned()));
            }
        }
    }
    Ok(map)
}

#[test]
fn every_folder_of_functions_is_a_crate_a_component_a_route_and_a_file_of_its_name() -> Result<()> {
    let functions = tree::functions()?;
    let components = components()?;
    let triggers = triggers()?;
    let mut findings = Vec::new();
    for name in &functions {
        let manifest = tree::table(&format!("functions/{name}/Cargo.toml")).unwrap_or_default();
        let package =
            manifest.get("package").and_then(|package| package.get("name")).and_then(toml::Value::as_str);
        if package != Some(name) {
            findings.push(format!("functions/{name}/Cargo.toml: give the package the name \"{name}\""));
        }
        let Some(component) = components.iter().find(|component| component.name == *name) else {
            findings.push(format!(
                "spin.toml: add [component.{name}] and its [[trigger.http]], or delete the folder"
            ));
            continue;
        };
        let file = format!("target/wasm32-wasip2/release/{}.wasm", name.replace('-', "_"));
        if component.source != file {
            findings.push(format!("spin.toml: [component.{name}] needs source = \"{file}\""));
        }
        let elsewhere = ELSEWHERE.iter().find(|(function, ..)| function == name).map(|(_, route, _)| *route);
        let own = elsewhere.map_or(format!("/functions/v1/{name}"), str::to_owned);
        let routes = triggers
            .iter()
            .filter(|trigger| trigger.component == *name)
            .map(|trigger| trigger.route.as_str());
        if !routes.clone().any(|route| {
            route.strip_prefix(&own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }) {
            findings.push(format!("spin.toml: {name} needs a [[trigger.http]] with route = \"{own}\""));
        }
    }
    for component in components.iter().filter(|component| !functions.contains(&component.name)) {
        findings.push(format!("spin.toml: [component.{0}] has no folder functions/{0}", component.name));
    }
    assert_tidy("A function has one name everywhere.", &findings);
    Ok(())
}

#[test]
fn the_blocks_stand_in_the_order_of_the_map() -> Result<()> {
    let map: Vec<String> = map()?.into_iter().map(|(name, _)| name).collect();
    let mut findings = Vec::new();
    for name in tree::functions()?.iter().filter(|name| !map.contains(name)) {
        findings.push(format!("functions/README.md: add a row for `{name}`"));
    }
    let mut blocks: Vec<String> = Vec::new();
    for trigger in triggers()?.into_iter().filter(|trigger| map.contains(&trigger.component)) {
        if !blocks.contains(&trigger.component) {
            blocks.push(trigger.component);
        }
    }
    let wanted = map.iter().filter(|name| blocks.contains(name));
    if let Some((block, wanted)) = blocks.iter().zip(wanted).find(|(block, wanted)| block != wanted) {
        findings.push(format!("spin.toml: {wanted} comes before {block}, as in functions/README.md"));
    }
    assert_tidy("spin.toml follows the map in functions/README.md.", &findings);
    Ok(())
}

#[test]
fn every_block_says_what_its_function_says_of_itself() -> Result<()> {
    let triggers = triggers()?;
    let map = map()?;
    let mut findings = Vec::new();
    for name in tree::functions()? {
        let Some(description) = description(&name) else {
            findings.push(format!("functions/{name}/src/lib.rs: begin with //! `{name}`: and what it does"));
            continue;
        };
        let block = triggers.iter().find(|trigger| trigger.component == name);
        if block.is_some_and(|block| !opens(&block.comment, &description)) {
            findings.push(format!("spin.toml: above the first trigger of {name} write # {description}"));
        }
        let row = map.iter().find(|(function, _)| *function == name);
        if row.is_some_and(|(_, said)| !opens(said, &description)) {
            findings.push(format!("functions/README.md: the row of {name} ends with {description}"));
        }
    }
    assert_tidy("A function is described in one way: in its crate, in spin.toml, in the map.", &findings);
    Ok(())
}
