//! Definitions of properties, and their part of the API.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::problem::Problem;
use super::{Portal, one};
use crate::web::{Reply, Request};

/// Unique properties of one kind of object, besides those HubSpot defines.
const MOST_UNIQUE: usize = 10;

/// The stages of a contact, in their order.
pub(crate) const STAGES: [&str; 8] = [
    "subscriber",
    "lead",
    "marketingqualifiedlead",
    "salesqualifiedlead",
    "opportunity",
    "customer",
    "evangelist",
    "other",
];

/// A property of contacts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) label: String,
    /// `string`, `number`, `date`, `datetime`, `enumeration` or `bool`.
    pub(crate) kind: String,
    pub(crate) field: String,
    pub(crate) group: String,
    pub(crate) unique: bool,
    pub(crate) read_only: bool,
    pub(crate) by_hubspot: bool,
    pub(crate) options: Vec<String>,
}

impl Definition {
    fn own(name: &str, kind: &str, field: &str) -> Self {
        Self {
            name: name.to_owned(),
            label: name.to_owned(),
            kind: kind.to_owned(),
            field: field.to_owned(),
            group: "contactinformation".to_owned(),
            unique: false,
            read_only: false,
            by_hubspot: true,
            options: Vec::new(),
        }
    }

    /// A property that somebody in the company defined.
    pub(crate) fn custom(name: &str, kind: &str) -> Self {
        let field = match kind {
            "number" => "number",
            "date" | "datetime" => "date",
            "bool" => "booleancheckbox",
            "enumeration" => "select",
            _ => "text",
        };
        Self { by_hubspot: false, ..Self::own(name, kind, field) }
    }

    fn show(&self) -> Value {
        let option = |(order, value): (usize, &String)| json!({ "label": value, "value": value, "hidden": false, "displayOrder": order });
        json!({
            "name": self.name, "label": self.label, "type": self.kind, "fieldType": self.field,
            "groupName": self.group, "description": "", "displayOrder": -1, "hidden": false, "formField": !self.read_only,
            "options": self.options.iter().enumerate().map(option).collect::<Vec<_>>(),
            "hasUniqueValue": self.unique && !self.by_hubspot, "calculated": false, "externalOptions": false,
            "hubspotDefined": self.by_hubspot, "archived": false,
            "modificationMetadata": {
                "archivable": !self.by_hubspot, "readOnlyDefinition": self.by_hubspot,
                "readOnlyValue": self.read_only,
            },
        })
    }
}

/// What every account has from its beginning.
pub(crate) fn defined() -> BTreeMap<String, Definition> {
    let texts = [
        "email",
        "firstname",
        "lastname",
        "phone",
        "mobilephone",
        "company",
        "jobtitle",
        "city",
        "state",
        "country",
        "zip",
        "address",
        "website",
    ];
    let mut all: Vec<Definition> = texts.iter().map(|name| Definition::own(name, "string", "text")).collect();
    for definition in &mut all {
        definition.unique = definition.name == "email";
    }
    let options = STAGES.map(str::to_owned).to_vec();
    all.push(Definition { options, ..Definition::own("lifecyclestage", "enumeration", "radio") });
    for name in ["createdate", "lastmodifieddate"] {
        all.push(Definition { read_only: true, ..Definition::own(name, "datetime", "date") });
    }
    all.push(Definition { read_only: true, ..Definition::own("hs_object_id", "number", "number") });
    all.into_iter().map(|definition| (definition.name.clone(), definition)).collect()
}

/// Every definition.
#[expect(clippy::unnecessary_wraps, reason = "the form that all answers have")]
pub(crate) fn list(portal: &mut Portal, _: &Request, _: &Value) -> Result<Reply, Problem> {
    let results: Vec<Value> = portal.state.definitions.values().map(Definition::show).collect();
    Ok(Reply::json(200, &json!({ "results": results })))
}

/// One definition.
pub(crate) fn get(portal: &mut Portal, request: &Request, _: &Value) -> Result<Reply, Problem> {
    let name = request.path.rsplit_once('/').map_or("", |(_, name)| name);
    let definition = portal.state.definitions.get(name).ok_or_else(|| {
        Problem::new(404, "OBJECT_NOT_FOUND", format!("Property \"{name}\" does not exist"))
    })?;
    Ok(Reply::json(200, &definition.show()))
}

/// Defines a property.
pub(crate) fn create(portal: &mut Portal, _: &Request, body: &Value) -> Result<Reply, Problem> {
    let text = |name: &str| {
        let text = body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let message =
            format!("Invalid input JSON on line 1, column 1: Some required fields were not set: [{name}]");
        text.ok_or_else(|| Problem::invalid(message))
    };
    let (name, kind) = (text("name")?, text("type")?);
    let is_name = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_';
    if one(&format!("/{name}")).is_none() || !name.bytes().all(is_name) || name.len() > 100 {
        return Err(Problem::invalid(format!("Property name \"{name}\" is not valid")));
    }
    let kinds = ["string", "number", "date", "datetime", "enumeration", "bool", "phone_number"];
    if !kinds.contains(&kind) {
        return Err(Problem::invalid(format!("Property type \"{kind}\" is not valid")));
    }
    if text("groupName")? != "contactinformation" {
        return Err(Problem::invalid("Property group does not exist"));
    }
    if portal.state.definitions.contains_key(name) {
        let message = format!("A property named '{name}' already exists.");
        return Err(Problem::new(409, "OBJECT_ALREADY_EXISTS", message));
    }
    let unique = body.get("hasUniqueValue").and_then(Value::as_bool).unwrap_or_default();
    let others = portal.state.definitions.values().filter(|it| it.unique && !it.by_hubspot).count();
    if unique && others >= MOST_UNIQUE {
        return Err(Problem::invalid("The limit of 10 unique properties is reached"));
    }
    let definition = Definition {
        label: text("label")?.to_owned(),
        field: text("fieldType")?.to_owned(),
        unique,
        ..Definition::custom(name, kind)
    };
    let shown = definition.show();
    portal.state.definitions.insert(name.to_owned(), definition);
    Ok(Reply::json(201, &shown))
}
