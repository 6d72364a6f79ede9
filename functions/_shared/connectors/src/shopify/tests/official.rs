//! Every document against Shopify's own schema, and its cost against the one we say it has.

use super::{account, chair, data, find, get, list, strings, write};
use crate::shopify::{Shopify, cost};
use crate::testing::{Sent, fields, play_some};
use crate::{Connector, Key, Write};
use apollo_compiler::executable::{Field, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use domain::ItemType;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::PathBuf;

/// The official schema, or `None` where it is not at hand; in CI it has to be.
fn schema() -> Option<Valid<Schema>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let specs =
        std::env::var_os("SYNCLINE_SPECS").map_or_else(|| root.join("../shared/specs"), PathBuf::from);
    let path = specs.join("shopify/admin_2026-10.json.gz");
    let Ok(file) = std::fs::File::open(&path) else {
        assert!(std::env::var_os("CI").is_none(), "{} is missing", path.display());
        println!("skipped: {} is missing", path.display());
        return None;
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let introspection: Value = serde_json::from_str(&text).unwrap();
    let sdl = sdl(&introspection["data"]["__schema"]);
    Some(Schema::parse_and_validate(sdl, "admin.graphql").unwrap_or_else(|error| panic!("{}", error.errors)))
}

/// The schema language for what introspection says; descriptions are left out.
fn sdl(schema: &Value) -> String {
    let mut out = format!(
        "schema {{ query: {} mutation: {} }}\ndirective @idempotent(key: String!) on FIELD\n",
        text(&schema["queryType"]["name"]),
        text(&schema["mutationType"]["name"])
    );
    for kind in list_of(&schema["types"]) {
        let name = text(&kind["name"]);
        if name.starts_with("__") || ["String", "Int", "Float", "Boolean", "ID"].contains(&name) {
            continue;
        }
        let names = |list: &Value, joint: &str| {
            list_of(list).iter().map(|one| text(&one["name"])).collect::<Vec<_>>().join(joint)
        };
        let _ = match text(&kind["kind"]) {
            "SCALAR" => writeln!(out, "scalar {name}"),
            "ENUM" => writeln!(out, "enum {name} {{ {} }}", names(&kind["enumValues"], " ")),
            "UNION" => writeln!(out, "union {name} = {}", names(&kind["possibleTypes"], " | ")),
            "INPUT_OBJECT" => writeln!(out, "input {name} {{ {} }}", inputs(&kind["inputFields"])),
            word => {
                let keyword = if word == "OBJECT" { "type" } else { "interface" };
                let interfaces = names(&kind["interfaces"], " & ");
                let implements =
                    if interfaces.is_empty() { String::new() } else { format!("implements {interfaces}") };
                writeln!(out, "{keyword} {name} {implements} {{ {} }}", outputs(&kind["fields"]))
            }
        };
    }
    out
}

fn outputs(fields: &Value) -> String {
    let field = |field: &Value| {
        let arguments = inputs(&field["args"]);
        let arguments = if arguments.is_empty() { String::new() } else { format!("({arguments})") };
        format!("{}{arguments}: {}", text(&field["name"]), type_of(&field["type"]))
    };
    list_of(fields).iter().map(field).collect::<Vec<_>>().join("\n")
}

fn inputs(values: &Value) -> String {
    let input = |value: &Value| {
        let default =
            value["defaultValue"].as_str().map(|default| format!(" = {default}")).unwrap_or_default();
        format!("{}: {}{default}", text(&value["name"]), type_of(&value["type"]))
    };
    list_of(values).iter().map(input).collect::<Vec<_>>().join("\n")
}

fn type_of(kind: &Value) -> String {
    match text(&kind["kind"]) {
        "NON_NULL" => format!("{}!", type_of(&kind["ofType"])),
        "LIST" => format!("[{}]", type_of(&kind["ofType"])),
        _ => text(&kind["name"]).to_owned(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list_of(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Every kind of request that we send, each as large as it can be.
fn requests() -> Vec<Sent> {
    let many = |count: usize| -> Vec<String> { (0..count).map(|n| n.to_string()).collect() };
    let mut sent = Vec::new();
    let mut first = |mut more: Vec<Sent>| sent.append(&mut more);
    let nothing = || data(&json!({}));
    for item_type in [ItemType::Product, ItemType::Inventory, ItemType::Order] {
        let limits = Shopify.limits(item_type);
        first(play_some(list(item_type, Some("c")), &[nothing()]).0);
        first(
            play_some(Shopify.get_many(&account(), item_type, &many(limits.read)).unwrap(), &[nothing()]).0,
        );
        if item_type != ItemType::Inventory {
            let key = Key::External(many(limits.find));
            first(play_some(Shopify.find(&account(), item_type, &key).unwrap(), &[nothing()]).0);
        }
        if let Some(prepare) = Shopify.prepare(&account(), item_type).unwrap() {
            first(play_some(prepare, &[nothing()]).0);
        }
    }
    let ids: Vec<String> = many(100).iter().map(|id| format!("gid://shopify/Product/{id}")).collect();
    first(play_some(Shopify.get_many(&account(), ItemType::Product, &ids).unwrap(), &[nothing()]).0);
    first(play_some(find(ItemType::Product, "sku", &["A"]), &[nothing()]).0);
    first(play_some(Shopify.test(&account()).unwrap(), &[nothing()]).0);
    first(play_some(Shopify.schema(&account()).unwrap(), &[nothing()]).0);
    first(play_some(Shopify.delete_many(&account(), ItemType::Product, &many(10)).unwrap(), &[nothing()]).0);
    first(super::subscriptions::requests());
    first(reading_on());
    first(writing());
    sent
}

/// Replies that leave something out, so that it is read on.
fn reading_on() -> Vec<Sent> {
    let open = |list: &mut Value| list["pageInfo"] = json!({ "hasNextPage": true, "endCursor": "c" });
    let mut product = chair();
    open(&mut product["variants"]);
    open(&mut product["media"]);
    let item = json!({
        "id": "i", "updatedAt": "2026-11-20T10:00:00Z", "sku": null, "tracked": true,
        "inventoryLevels": { "nodes": [], "pageInfo": { "hasNextPage": true, "endCursor": "c" } },
    });
    let order = json!({
        "id": "o", "updatedAt": "2026-11-20T10:00:00Z", "name": "#1", "currencyCode": "CHF", "processedAt": "2026-11-20T10:00:00Z",
        "tags": [], "displayFulfillmentStatus": "UNFULFILLED", "totalPriceSet": { "shopMoney": { "amount": "1" } },
        "lineItems": { "nodes": [], "pageInfo": { "hasNextPage": true, "endCursor": "c" } },
    });
    let mut sent = Vec::new();
    for (item_type, node) in
        [(ItemType::Product, product), (ItemType::Inventory, item), (ItemType::Order, order)]
    {
        let nodes = vec![node; 12];
        sent.extend(
            play_some(get(item_type, &["x"]), &[data(&json!({ "nodes": nodes })), data(&json!({}))]).0,
        );
    }
    sent
}

fn writing() -> Vec<Sent> {
    let parts = json!({ "id": "p", "variants": chair()["variants"], "media": { "nodes": [], "pageInfo": { "hasNextPage": true, "endCursor": "c" } } });
    let whole = json!({ "id": "p", "variants": chair()["variants"], "media": { "nodes": [], "pageInfo": { "hasNextPage": false, "endCursor": null } } });
    let variant = json!({ "sku": "C-S", "options": {}, "prices": { "EUR": "1" } });
    let update = |content: Value| Write { id: Some("p".into()), fields: fields(content), ..Write::default() };
    let create =
        |content: Value| Write { external_key: "k".into(), fields: fields(content), ..Write::default() };
    let products = vec![update(json!({ "variants": [variant] })); 10];
    let orders = [
        vec![create(json!({ "lines": [{ "title": "x", "quantity": 1 }] })); 10],
        vec![update(json!({ "note": "n" })); 10],
    ]
    .concat();
    let stock = vec![update(json!({ "quantities": { "Main": 1 } })); 50];
    let locations = json!({ "page": { "nodes": [{ "id": "l", "name": "Main" }], "pageInfo": { "hasNextPage": false, "endCursor": null } } });
    let mut plain = chair();
    plain["variants"]["nodes"][0]["selectedOptions"] = json!([{ "name": "Title", "value": "Default Title" }]);
    let answers = |payload: &Value| -> Value {
        (0..20).map(|n| (format!("a_{n}"), payload.clone())).collect::<serde_json::Map<_, _>>().into()
    };
    let none = answers(&Value::Null);
    let written = answers(&json!({ "product": plain, "userErrors": [] }));
    let ordered = answers(&json!({ "order": null, "userErrors": [{ "message": "no" }] }));
    let nothing = data(&json!({}));
    [
        play_some(
            write(ItemType::Product, &products),
            &[data(&json!({ "nodes": [parts] })), nothing.clone()],
        )
        .0,
        play_some(
            write(ItemType::Product, &products),
            &[data(&json!({ "nodes": [whole] })), data(&written), nothing.clone()],
        )
        .0,
        play_some(write(ItemType::Order, &orders), &[data(&none), data(&ordered), nothing.clone()]).0,
        play_some(write(ItemType::Inventory, &stock), &[data(&locations), nothing]).0,
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn every_document_fits_the_official_schema_and_costs_what_we_say() {
    let Some(schema) = schema() else { return };
    let requests = requests();
    let mut names: Vec<String> = Vec::new();
    for sent in &requests {
        let document = ExecutableDocument::parse_and_validate(&schema, sent.query(), "query.graphql")
            .unwrap_or_else(|error| panic!("{}\n{}", error.errors, sent.query()));
        let operation = document.operations.get(None).unwrap();
        for variable in &operation.variables {
            let given = sent.variables().get(variable.name.as_str());
            assert!(given.is_some() || !variable.ty.is_non_null(), "${} is not given", variable.name);
        }
        let pricing = Pricing { schema: &schema, document: &document, variables: sent.variables() };
        let counted = pricing.selections(&operation.selection_set);
        let name = operation.name.as_ref().unwrap().to_string();
        assert!(counted <= sent.cost, "{name} costs {counted}, we say {}", sent.cost);
        assert!(sent.cost <= cost::MOST, "{name} costs {}", sent.cost);
        names.push(name);
    }
    names.sort();
    names.dedup();
    let expected = strings(&[
        "CreateOrders",
        "DefineMetafields",
        "DeleteProducts",
        "InventoryItems",
        "InventoryItemsById",
        "InventoryRest",
        "Locations",
        "OrderRest",
        "Orders",
        "OrdersById",
        "OrdersByKey",
        "ProductParts",
        "ProductPartsRest",
        "ProductRest",
        "Products",
        "ProductsById",
        "ProductsByKey",
        "Schema",
        "SetMetafields",
        "SetQuantities",
        "Shop",
        "SubscribeWebhooks",
        "UnsubscribeWebhooks",
        "UpdateOrders",
        "WebhookSubscriptions",
        "WriteProducts",
    ]);
    assert_eq!(names, expected, "every operation is checked");
}

struct Pricing<'a> {
    schema: &'a Schema,
    document: &'a ExecutableDocument,
    variables: &'a Value,
}

impl Pricing<'_> {
    fn selections(&self, set: &SelectionSet) -> u32 {
        let one = |selection: &Selection| match selection {
            Selection::Field(field) => self.field(field),
            Selection::InlineFragment(fragment) => self.selections(&fragment.selection_set),
            Selection::FragmentSpread(spread) => {
                self.selections(&self.document.fragments[&spread.fragment_name].selection_set)
            }
        };
        set.selections.iter().map(one).sum()
    }

    fn field(&self, field: &Field) -> u32 {
        let Some(ExtendedType::Object(_) | ExtendedType::Interface(_)) = field.inner_type_def(self.schema)
        else {
            return 0;
        };
        let below = self.selections(&field.selection_set);
        let kind = field.ty().inner_named_type();
        if field.name == "pageInfo" || kind.starts_with("__") {
            0
        } else if kind.ends_with("Connection") {
            cost::connection(self.number(field, "first"), below)
        } else if kind.ends_with("Payload") {
            10 + below
        } else if field.name == "nodes" && field.argument_by_name("ids").is_ok() {
            let count = u32::try_from(self.variables["ids"].as_array().map_or(0, Vec::len)).unwrap();
            count * (1 + below)
        } else {
            1 + below
        }
    }

    fn number(&self, field: &Field, name: &str) -> u32 {
        let value = field.argument_by_name(name).unwrap();
        let number = match value.as_variable() {
            Some(variable) => self.variables[variable.as_str()].as_u64(),
            None => value.to_i32().and_then(|number| u64::try_from(number).ok()),
        };
        u32::try_from(number.unwrap()).unwrap()
    }
}
