//! How records are shown.

use serde_json::{Map, Value, json};

use super::ledger::{Ledger, Record, quantity_text, reference};
use super::metadata::{Kind, Sublist, is_item, type_named};
use super::records::total;

/// How a record is shown.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lens {
    /// Up to the account: `http://…/netsuite/1234567`.
    pub(crate) base: String,
    /// Whether lines are shown and not only linked.
    pub(crate) expand: bool,
    /// Only these fields.
    pub(crate) fields: Option<Vec<String>>,
}

impl Lens {
    /// The address of a record.
    pub(crate) fn href(&self, kind: &str, id: impl std::fmt::Display) -> String {
        format!("{}/services/rest/record/v1/{kind}/{id}", self.base)
    }

    /// What is said of a record that was made or changed in a batch.
    pub(crate) fn made(&self, kind: &str, id: u64) -> Value {
        let href = self.href(kind, id);
        json!({ "links": [{ "rel": "self", "href": href }], "id": id.to_string(), "status": 204, "location": href })
    }

    fn links(&self, kind: &str, id: impl std::fmt::Display) -> Value {
        json!([{ "rel": "self", "href": self.href(kind, id) }])
    }
}

/// A record as the API shows it.
pub(crate) fn show(ledger: &Ledger, record: &Record, lens: &Lens) -> Value {
    let Some(known) = type_named(record.kind) else { return Value::Null };
    let mut shown = Map::new();
    for (name, value) in &record.fields {
        let kind = known.field(name).unwrap_or(Kind::Choice);
        shown.insert(
            name.clone(),
            if known.field(name).is_some() { outward(ledger, kind, value, lens) } else { value.clone() },
        );
    }
    shown.insert("createdDate".to_owned(), super::zulu(record.created).into());
    shown.insert("lastModifiedDate".to_owned(), super::zulu(record.modified).into());
    if let Some(external) = &record.external_id {
        shown.insert("externalId".to_owned(), external.clone().into());
    }
    match record.kind {
        "salesOrder" => {
            let total = number(&total(record));
            shown.insert("total".to_owned(), total.clone());
            shown.insert("subtotal".to_owned(), total);
            let status = record
                .fields
                .get("orderStatus")
                .and_then(|it| it.get("id"))
                .and_then(Value::as_str)
                .unwrap_or("A");
            shown.insert("status".to_owned(), json!({ "id": status, "refName": status_name(status) }));
        }
        kind if is_item(kind) => {
            let held: i128 =
                ledger.stock.get(&record.id).map_or(0, |places| places.values().map(|it| it.on_hand).sum());
            shown.insert("totalQuantityOnHand".to_owned(), number(&quantity_text(held)));
            shown
                .insert("itemType".to_owned(), json!({ "id": item_type(kind), "refName": "Inventory Item" }));
        }
        _ => {}
    }
    for sublist in known.sublists {
        shown.insert(sublist.name.to_owned(), show_lines(ledger, record, sublist, lens));
    }
    if let Some(fields) = &lens.fields {
        shown.retain(|name, _| fields.iter().any(|field| field == name));
    }
    shown.insert("links".to_owned(), lens.links(record.kind, record.id));
    shown.insert("id".to_owned(), record.id.to_string().into());
    Value::Object(shown)
}

/// The code of an item type in SuiteQL.
pub(crate) fn item_type(kind: &str) -> &'static str {
    if kind == "inventoryItem" { "InvtPart" } else { "NonInvtPart" }
}

/// The name of a sales order's status.
pub(crate) fn status_name(code: &str) -> &'static str {
    match code {
        "A" => "Pending Approval",
        "B" => "Pending Fulfillment",
        "C" => "Cancelled",
        "D" => "Partially Fulfilled",
        "E" => "Pending Billing/Partially Fulfilled",
        "F" => "Pending Billing",
        "G" => "Billed",
        _ => "Closed",
    }
}

fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

fn outward(ledger: &Ledger, kind: Kind, value: &Value, lens: &Lens) -> Value {
    match kind {
        Kind::Number => value.as_str().map_or_else(|| value.clone(), number),
        Kind::Record(target) => {
            let Some(id) = reference(value) else { return value.clone() };
            let name = ledger.name_of(target, id).unwrap_or_default();
            json!({ "links": lens.links(target, id), "id": id.to_string(), "refName": name })
        }
        Kind::Records(target) => {
            let items: Vec<Value> = value
                .get("items")
                .and_then(Value::as_array)
                .map(|items| {
                    items.iter().map(|item| outward(ledger, Kind::Record(target), item, lens)).collect()
                })
                .unwrap_or_default();
            json!({ "items": items, "count": items.len(), "hasMore": false, "totalResults": items.len() })
        }
        _ => value.clone(),
    }
}

/// The lines of a sublist, or the link to them.
pub(crate) fn show_lines(ledger: &Ledger, record: &Record, sublist: &'static Sublist, lens: &Lens) -> Value {
    let href = format!("{}/{}", lens.href(record.kind, record.id), sublist.name);
    let links = json!([{ "rel": "self", "href": href }]);
    if !lens.expand {
        return json!({ "links": links });
    }
    let items: Vec<Value> = if sublist.name == "locations" {
        location_lines(ledger, record, lens)
    } else {
        record.lines(sublist.name).iter().map(|line| show_line(ledger, sublist, line, lens)).collect()
    };
    let count = items.len();
    json!({ "links": links, "items": items, "count": count, "offset": 0, "totalResults": count, "hasMore": false })
}

fn show_line(ledger: &Ledger, sublist: &Sublist, line: &Map<String, Value>, lens: &Lens) -> Value {
    let mut shown = Map::new();
    for (name, value) in line {
        let kind = sublist.fields.iter().find(|(field, _)| field == name).map(|(_, kind)| *kind);
        shown.insert(
            name.clone(),
            kind.map_or_else(|| value.clone(), |kind| outward(ledger, kind, value, lens)),
        );
    }
    if sublist.name == "price" {
        let level =
            line.get("priceLevel").and_then(reference).and_then(|id| ledger.name_of("priceLevel", id));
        shown.insert("priceLevelName".to_owned(), level.into());
        let quantity =
            line.get("quantity").and_then(|it| it.get("id")).cloned().unwrap_or_else(|| "0".into());
        shown.insert("quantity".to_owned(), json!({ "value": quantity }));
    }
    Value::Object(shown)
}

fn location_lines(ledger: &Ledger, record: &Record, lens: &Lens) -> Vec<Value> {
    let line = |place: &Record| {
        let held = number(&quantity_text(ledger.on_hand(record.id, place.id)));
        json!({
            "links": [{ "rel": "self", "href": format!("{}/locations/{}", lens.href(record.kind, record.id), place.id) }],
            "locationId": place.id.to_string(),
            "location": { "id": place.id.to_string(), "refName": place.text("name") },
            "location_display": place.text("name"),
            "quantityOnHand": held,
            "quantityAvailable": held,
        })
    };
    ledger.of_kind("location").map(line).collect()
}
