//! The schemas: the part this simulator has, and the official one where it is at hand.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::OnceLock;

use apollo_compiler::Schema;
use apollo_compiler::collections::HashMap;
use apollo_compiler::schema::{Implementers, Name};
use apollo_compiler::validation::Valid;
use serde_json::Value;

/// The schema of the simulator and who implements its interfaces.
pub(crate) struct Own {
    pub(crate) schema: Valid<Schema>,
    pub(crate) implementers: HashMap<Name, Implementers>,
}

/// The schema of the simulator.
///
/// # Errors
/// It is not valid; a test would have said so.
pub(crate) fn own() -> Result<&'static Own, String> {
    static OWN: OnceLock<Result<Own, String>> = OnceLock::new();
    let parsed = OWN.get_or_init(|| {
        let schema = Schema::parse_and_validate(include_str!("schema.graphql"), "schema.graphql")
            .map_err(|invalid| invalid.errors.to_string())?;
        let implementers = schema.implementers_map();
        Ok(Own { schema, implementers })
    });
    parsed.as_ref().map_err(Clone::clone)
}

/// The official schema, if the descriptions are where `SYNCLINE_SPECS` says.
pub(crate) fn official() -> Option<&'static Valid<Schema>> {
    static OFFICIAL: OnceLock<Option<Valid<Schema>>> = OnceLock::new();
    OFFICIAL.get_or_init(read_official).as_ref()
}

/// The folder of official descriptions: `SYNCLINE_SPECS`, or `../shared/specs` beside the repository.
pub(crate) fn specs() -> PathBuf {
    std::env::var_os("SYNCLINE_SPECS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/specs")),
        PathBuf::from,
    )
}

fn read_official() -> Option<Valid<Schema>> {
    let file = std::fs::File::open(specs().join("shopify/admin_2026-10.json.gz")).ok()?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).ok()?;
    let description: Value = serde_json::from_str(&text).ok()?;
    let sdl = language(description.pointer("/data/__schema")?);
    let schema = Schema::parse(sdl, "official.graphql").ok()?;
    // It comes from the vendor: validating 3,500 types again would only cost time.
    Some(Valid::assume_valid(schema))
}

/// An introspection result as schema language. Descriptions are left out.
fn language(schema: &Value) -> String {
    let mut sdl = String::from("schema { query: QueryRoot mutation: Mutation }\n");
    for directive in list(schema, "directives") {
        let name = word(directive, "name");
        if matches!(name, "skip" | "include" | "deprecated" | "specifiedBy" | "oneOf") {
            continue;
        }
        let places: Vec<&str> = list(directive, "locations").iter().filter_map(Value::as_str).collect();
        _ = writeln!(
            sdl,
            "directive @{name}{} on {}",
            arguments(list(directive, "args")),
            places.join(" | ")
        );
    }
    for kind in list(schema, "types") {
        let name = word(kind, "name");
        if !name.starts_with("__") && !matches!(name, "String" | "Int" | "Float" | "Boolean" | "ID") {
            definition(&mut sdl, kind, name);
        }
    }
    sdl
}

fn definition(sdl: &mut String, kind: &Value, name: &str) {
    let names = |field: &str, by: &str| {
        list(kind, field).iter().map(|it| word(it, "name")).collect::<Vec<_>>().join(by)
    };
    match word(kind, "kind") {
        "SCALAR" => _ = writeln!(sdl, "scalar {name}"),
        "UNION" => _ = writeln!(sdl, "union {name} = {}", names("possibleTypes", " | ")),
        "ENUM" => _ = writeln!(sdl, "enum {name} {{ {} }}", names("enumValues", " ")),
        "INPUT_OBJECT" => {
            let one_of =
                if kind.get("isOneOf").and_then(Value::as_bool) == Some(true) { " @oneOf" } else { "" };
            let fields: Vec<String> = list(kind, "inputFields").iter().map(value).collect();
            let fields = fields.join("\n");
            _ = writeln!(sdl, "input {name}{one_of} {{\n{fields}\n}}");
        }
        keyword => {
            let keyword = if keyword == "INTERFACE" { "interface" } else { "type" };
            let interfaces = names("interfaces", " & ");
            let implements =
                if interfaces.is_empty() { String::new() } else { format!(" implements {interfaces}") };
            let mut fields = String::new();
            for field in list(kind, "fields") {
                let kind = reference(field.get("type").unwrap_or(&Value::Null));
                _ = writeln!(fields, "  {}{}: {kind}", word(field, "name"), arguments(list(field, "args")));
            }
            _ = writeln!(sdl, "{keyword} {name}{implements} {{\n{fields}}}");
        }
    }
}

fn list<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn word<'a>(of: &'a Value, name: &str) -> &'a str {
    of.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn arguments(args: &[Value]) -> String {
    if args.is_empty() {
        return String::new();
    }
    format!("({})", args.iter().map(value).collect::<Vec<_>>().join(", "))
}

fn value(field: &Value) -> String {
    let default =
        field.get("defaultValue").and_then(Value::as_str).map_or(String::new(), |text| format!(" = {text}"));
    format!("{}: {}{default}", word(field, "name"), reference(field.get("type").unwrap_or(&Value::Null)))
}

fn reference(kind: &Value) -> String {
    let inner = || reference(kind.get("ofType").unwrap_or(&Value::Null));
    match word(kind, "kind") {
        "NON_NULL" => format!("{}!", inner()),
        "LIST" => format!("[{}]", inner()),
        _ => word(kind, "name").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use apollo_compiler::schema::ExtendedType;

    use super::*;

    #[test]
    fn our_part_of_the_schema_is_valid() {
        own().unwrap();
    }

    #[test]
    fn our_part_of_the_schema_agrees_with_the_official_one() {
        let Some(official) = official() else {
            eprintln!("skipped: no official schema in {}", specs().display());
            return;
        };
        let own = own().unwrap();
        for (name, kind) in &own.schema.types {
            if kind.is_built_in() {
                continue;
            }
            let theirs = official.types.get(name).unwrap_or_else(|| panic!("{name} is not official"));
            match (kind, theirs) {
                (ExtendedType::Object(ours), ExtendedType::Object(theirs)) => {
                    for (field, ours) in &ours.fields {
                        let theirs = theirs.fields.get(field).unwrap_or_else(|| panic!("{name}.{field}"));
                        assert_eq!(ours.ty, theirs.ty, "{name}.{field}");
                        for argument in &ours.arguments {
                            let theirs = theirs
                                .argument_by_name(&argument.name)
                                .unwrap_or_else(|| panic!("{name}.{field}"));
                            assert_eq!(argument.ty, theirs.ty, "{name}.{field}({})", argument.name);
                        }
                    }
                }
                (ExtendedType::InputObject(ours), ExtendedType::InputObject(theirs)) => {
                    for (field, ours) in &ours.fields {
                        assert_eq!(
                            Some(&ours.ty),
                            theirs.fields.get(field).map(|it| &it.ty),
                            "{name}.{field}"
                        );
                    }
                }
                (ExtendedType::Enum(ours), ExtendedType::Enum(theirs)) => {
                    for value in ours.values.keys() {
                        assert!(theirs.values.contains_key(value), "{name} {value}");
                    }
                }
                _ => {}
            }
        }
    }
}
