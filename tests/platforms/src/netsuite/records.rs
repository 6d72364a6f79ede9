//! Creating, changing, deleting and showing records.

use serde_json::{Map, Value, json};

use super::intake::{self, Manner};
use super::ledger::{Ledger, Record, display_name, reference};
use super::metadata::{Type, is_item};
use super::problem::Problem;
use crate::journal::{Effect, Verb};

/// Makes a record. Answers its id.
///
/// # Errors
/// The content is wrong, or a record with this external id or name exists.
pub(crate) fn create(
    ledger: &mut Ledger,
    known: &'static Type,
    body: &Map<String, Value>,
    manner: &Manner,
) -> Result<u64, Problem> {
    writable(known)?;
    let now = ledger.clock.second();
    let mut record = Record {
        id: 0,
        kind: known.name,
        external_id: None,
        fields: Map::new(),
        lines: std::collections::BTreeMap::new(),
        created: now,
        modified: now,
    };
    intake::write(ledger, known, &mut record, body, manner)?;
    unique(ledger, &record)?;
    complete(ledger, &mut record)?;
    record.id = ledger.id(known.name);
    let id = record.id;
    ledger.effects.push(effect(Verb::Created, &record));
    apply_adjustment(ledger, &record);
    ledger.put(record);
    Ok(id)
}

/// Changes a record.
///
/// # Errors
/// There is no such record, or the content is wrong.
pub(crate) fn update(
    ledger: &mut Ledger,
    known: &'static Type,
    id: u64,
    body: &Map<String, Value>,
    manner: &Manner,
) -> Result<(), Problem> {
    writable(known)?;
    let mut record = ledger.record(known.name, id).cloned().ok_or_else(Problem::missing)?;
    let before = record.lines("inventory").len();
    intake::write(ledger, known, &mut record, body, manner)?;
    if known.name == "inventoryAdjustment" && record.lines("inventory").len() != before {
        return Err(Problem::user("The lines of a posted adjustment cannot be changed here."));
    }
    unique(ledger, &record)?;
    complete(ledger, &mut record)?;
    record.modified = ledger.clock.second();
    ledger.effects.push(effect(Verb::Updated, &record));
    ledger.put(record);
    Ok(())
}

/// Makes or changes the record with this external id. Answers its id.
///
/// # Errors
/// The content is wrong.
pub(crate) fn upsert(
    ledger: &mut Ledger,
    known: &'static Type,
    external: &str,
    body: &Map<String, Value>,
    manner: &Manner,
) -> Result<u64, Problem> {
    intake::external_id(&external.into())?;
    let mut body = body.clone();
    body.insert("externalId".to_owned(), external.into());
    match ledger.by_external(known.name, external) {
        Some(id) => update(ledger, known, id, &body, manner).map(|()| id),
        None => create(ledger, known, &body, manner),
    }
}

/// Deletes a record.
///
/// # Errors
/// There is none, or others depend on it.
pub(crate) fn delete(ledger: &mut Ledger, known: &'static Type, id: u64) -> Result<(), Problem> {
    writable(known)?;
    let record = ledger.record(known.name, id).cloned().ok_or_else(Problem::missing)?;
    if is_item(known.name) {
        let children = ledger.children.get(&id).is_some_and(|children| !children.is_empty());
        let used = ledger.of_kind("salesOrder").any(|order| {
            order.lines("item").iter().any(|line| line.get("item").and_then(reference) == Some(id))
        });
        if children || used {
            let detail = "This record cannot be deleted because it has dependent records.";
            return Err(Problem::user(detail));
        }
    }
    ledger.effects.push(effect(Verb::Deleted, &record));
    ledger.remove(known.name, id);
    Ok(())
}

fn writable(known: &Type) -> Result<(), Problem> {
    if known.writable {
        return Ok(());
    }
    Err(Problem::new(
        403,
        "INSUFFICIENT_PERMISSION",
        format!("Permission Violation: you need a higher level of the permission for {}.", known.name),
    ))
}

fn effect(verb: Verb, record: &Record) -> Effect {
    Effect::new(verb, record.kind, record.id.to_string())
        .key("externalId", record.external_id.clone().unwrap_or_default())
        .key("itemId", record.text("itemId"))
        .key("otherRefNum", record.text("otherRefNum"))
}

/// External ids are unique in their space, names among the children of one parent.
fn unique(ledger: &Ledger, record: &Record) -> Result<(), Problem> {
    if let Some(external) = &record.external_id
        && ledger.by_external(record.kind, external).is_some_and(|id| id != record.id)
    {
        return Err(Problem {
            path: Some("externalId".to_owned()),
            ..Problem::user("This record already exists.")
        });
    }
    if is_item(record.kind) {
        let name = (record.reference("parent"), record.text("itemId").to_lowercase());
        if ledger.by_name.get(&name).is_some_and(|id| *id != record.id) {
            let detail = "Uniqueness error: that record already exists. Choose another item name.";
            return Err(Problem { path: Some("itemId".to_owned()), ..Problem::user(detail) });
        }
        if record.reference("parent") == Some(record.id) && record.id != 0 {
            return Err(Problem::user("An item cannot be its own parent."));
        }
    }
    Ok(())
}

/// What the account fills in by itself.
fn complete(ledger: &mut Ledger, record: &mut Record) -> Result<(), Problem> {
    let today = ledger.clock.now().format("%Y-%m-%d").to_string();
    match record.kind {
        "salesOrder" => {
            if record.lines("item").is_empty() {
                return Err(Problem {
                    path: Some("item".to_owned()),
                    ..Problem::user("You must enter at least one line item for this transaction.")
                });
            }
            if !record.fields.contains_key("tranId") {
                record.fields.insert("tranId".to_owned(), ledger.number("SO").into());
            }
            record.fields.entry("tranDate").or_insert_with(|| today.into());
            record.fields.entry("currency").or_insert_with(|| json!({ "id": "1" }));
            record.fields.entry("orderStatus").or_insert_with(|| json!({ "id": "A" }));
            priced(ledger, record);
        }
        "inventoryAdjustment" => {
            if record.lines("inventory").is_empty() {
                return Err(Problem {
                    path: Some("inventory".to_owned()),
                    ..Problem::user("You must enter at least one line item for this transaction.")
                });
            }
            if !record.fields.contains_key("tranId") {
                record.fields.insert("tranId".to_owned(), ledger.number("INVADJ").into());
            }
            record.fields.entry("tranDate").or_insert_with(|| today.into());
        }
        "customer" => {
            if display_name(record).is_empty() {
                return Err(Problem::user("Please enter value(s) for: companyName"));
            }
        }
        _ => {
            record.fields.entry("isInactive").or_insert_with(|| false.into());
        }
    }
    Ok(())
}

/// Fills in the rates and amounts of an order's lines; a line without a rate takes the item's base price.
fn priced(ledger: &Ledger, record: &mut Record) {
    let Some(mut lines) = record.lines.remove("item") else { return };
    for line in &mut lines {
        let quantity =
            line.entry("quantity").or_insert_with(|| "1".into()).as_str().unwrap_or("1").to_owned();
        let item = line.get("item").and_then(reference).and_then(|id| ledger.item(id));
        if !line.contains_key("rate") {
            let price = item.and_then(base_price).unwrap_or_else(|| "0".to_owned());
            line.insert("rate".to_owned(), price.into());
        }
        if !line.contains_key("description")
            && let Some(text) = item.map(|item| item.text("salesDescription")).filter(|text| !text.is_empty())
        {
            line.insert("description".to_owned(), text.into());
        }
        let rate = line.get("rate").and_then(Value::as_str).unwrap_or_default();
        let product = crate::money::minor(rate, 3).unwrap_or_default()
            * crate::money::minor(&quantity, 3).unwrap_or_default();
        let amount = crate::money::bare(&crate::money::text(product / 1_000, 3));
        line.insert("amount".to_owned(), amount.into());
    }
    record.lines.insert("item", lines);
}

/// The base price of an item in the base currency.
pub(crate) fn base_price(item: &Record) -> Option<String> {
    let line = item.lines("price").iter().find(|line| {
        let is = |name: &str| line.get(name).and_then(reference) == Some(1);
        is("currencyPage") && is("priceLevel")
    })?;
    line.get("price").and_then(Value::as_str).map(str::to_owned)
}

/// The sum of an order's lines.
pub(crate) fn total(record: &Record) -> String {
    let amounts = record.lines("item").iter().filter_map(|line| line.get("amount").and_then(Value::as_str));
    let sum: i128 = amounts.filter_map(|amount| crate::money::minor(amount, 3)).sum();
    crate::money::bare(&crate::money::text(sum, 3))
}

/// Moves the stock that an adjustment says.
fn apply_adjustment(ledger: &mut Ledger, record: &Record) {
    if record.kind != "inventoryAdjustment" {
        return;
    }
    for line in record.lines("inventory") {
        let part = |name: &str| line.get(name).and_then(reference);
        let by = line.get("adjustQtyBy").and_then(Value::as_str).and_then(|by| crate::money::minor(by, 3));
        if let (Some(item), Some(location), Some(by)) = (part("item"), part("location"), by) {
            ledger.adjust(item, location, by);
        }
    }
}
