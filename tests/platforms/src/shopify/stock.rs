//! Inventory: absolute and relative quantities, with compare-and-swap and idempotency keys.

use serde_json::{Value, json};

use super::mutations::{Input, UserError, filled, object, objects, payload};
use super::out::{Kind, Out};
use super::state::State;
use super::{gid, numeric, stamp, variants};
use crate::journal::{Effect, Verb};

const NAME: &str = "inventoryAdjustmentGroup";
/// The quantity Shopify allows at most, either way.
const MOST: i64 = 1_000_000_000;
const REASONS: [&str; 14] = [
    "correction",
    "cycle_count_available",
    "damaged",
    "movement_canceled",
    "movement_created",
    "movement_received",
    "movement_updated",
    "other",
    "promotion",
    "quality_control",
    "received",
    "reservation_created",
    "restock",
    "shrinkage",
];

/// One change that was checked.
struct Change {
    item: u64,
    location: u64,
    from: i64,
    to: i64,
}

/// `inventorySetQuantities`: all of them or none.
///
/// <https://shopify.dev/docs/api/admin-graphql/latest/mutations/inventorySetQuantities>
pub(crate) fn set_quantities(state: &mut State, arguments: &Input, key: Option<&str>) -> Result<Out, String> {
    let target = |line: &Input, _: i64| line.get("quantity").and_then(Value::as_i64).unwrap_or_default();
    quantities(state, arguments, "quantities", key, &target)
}

/// `inventoryAdjustQuantities`: all of them or none.
pub(crate) fn adjust_quantities(
    state: &mut State,
    arguments: &Input,
    key: Option<&str>,
) -> Result<Out, String> {
    let target = |line: &Input, now: i64| {
        now.saturating_add(line.get("delta").and_then(Value::as_i64).unwrap_or_default())
    };
    quantities(state, arguments, "changes", key, &target)
}

fn quantities(
    state: &mut State,
    arguments: &Input,
    list: &str,
    key: Option<&str>,
    target: &dyn Fn(&Input, i64) -> i64,
) -> Result<Out, String> {
    let Some(key) = key else {
        return Err(
            "The @idempotent directive is required for this mutation but was not provided.".to_owned()
        );
    };
    if key.trim().is_empty() {
        return Err("The idempotency key cannot be blank.".to_owned());
    }
    let parameters = Value::Object(arguments.clone()).to_string();
    if let Some((known, answer)) = state.idempotent.get(key) {
        if *known == parameters {
            return Ok(answer.clone());
        }
        let message = "The idempotency key was used with other parameters";
        let error = UserError::new("input", "IDEMPOTENCY_KEY_PARAMETER_MISMATCH", message);
        return Ok(payload(NAME, Err(vec![error])));
    }
    let input = object(arguments, "input");
    let answer = match checked(state, &input, list, target) {
        Err(errors) => payload(NAME, Err(errors)),
        Ok(changes) => {
            apply(state, &changes);
            payload(NAME, Ok(group(state, &input, &changes)))
        }
    };
    // An answer that says what is wrong with the data is not kept: the next attempt is looked at afresh.
    if matches!(&answer, Out::Fields(fields) if !matches!(fields.entries.first(), Some((_, Out::Leaf(Value::Null)))))
    {
        state.idempotent.insert(key.to_owned(), (parameters, answer.clone()));
    }
    Ok(answer)
}

fn checked(
    state: &State,
    input: &Input,
    list: &str,
    target: &dyn Fn(&Input, i64) -> i64,
) -> Result<Vec<Change>, Vec<UserError>> {
    let mut errors = Vec::new();
    let name = filled(input, "name").unwrap_or_default();
    if !matches!(name.as_str(), "available" | "on_hand") {
        let code = if list == "changes" { "INVALID_QUANTITY_NAME" } else { "INVALID_NAME" };
        errors.push(UserError::new(
            "input.name",
            code,
            "The quantity name must be either 'available' or 'on_hand'.",
        ));
    }
    if !filled(input, "reason").is_some_and(|reason| REASONS.contains(&reason.as_str())) {
        errors.push(UserError::new("input.reason", "INVALID_REASON", "The specified reason is invalid."));
    }
    if filled(input, "referenceDocumentUri").is_some_and(|uri| !uri.contains("://")) {
        errors.push(UserError::new(
            "input.referenceDocumentUri",
            "INVALID_REFERENCE_DOCUMENT",
            "The reference document URI is invalid.",
        ));
    }
    let mut changes: Vec<Change> = Vec::new();
    for (at, line) in objects(input, list).unwrap_or_default().iter().enumerate() {
        let field = |name: &str| format!("input.{list}.{at}.{name}");
        let Some((_, variant)) =
            numeric(line, "inventoryItemId", "InventoryItem").and_then(|id| state.item(id))
        else {
            let message = "The specified inventory item could not be found.";
            errors.push(UserError::new(field("inventoryItemId"), "INVALID_INVENTORY_ITEM", message));
            continue;
        };
        let Some(location) = numeric(line, "locationId", "Location").and_then(|id| state.location(id)) else {
            let message = "The specified location could not be found.";
            errors.push(UserError::new(field("locationId"), "INVALID_LOCATION", message));
            continue;
        };
        let from = variant.stock.get(&location.id).copied().unwrap_or_default();
        let to = target(line, from);
        let expected = line.get("changeFromQuantity").and_then(Value::as_i64);
        if expected.is_some_and(|expected| expected != from) {
            let message = "The changeFromQuantity argument no longer matches the persisted quantity.";
            errors.push(UserError::new(field("changeFromQuantity"), "CHANGE_FROM_QUANTITY_STALE", message));
        }
        if to > MOST {
            errors.push(UserError::new(
                field("quantity"),
                "INVALID_QUANTITY_TOO_HIGH",
                "The quantity can't be higher than 1,000,000,000.",
            ));
        } else if to < -MOST {
            errors.push(UserError::new(
                field("quantity"),
                "INVALID_QUANTITY_TOO_LOW",
                "The quantity can't be lower than -1,000,000,000.",
            ));
        }
        if list == "quantities"
            && changes.iter().any(|known| (known.item, known.location) == (variant.item, location.id))
        {
            let message = "The combination of inventoryItemId and locationId must be unique.";
            errors.push(UserError::new(
                field("locationId"),
                "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR",
                message,
            ));
        }
        changes.push(Change { item: variant.item, location: location.id, from, to });
    }
    if errors.is_empty() { Ok(changes) } else { Err(errors) }
}

fn apply(state: &mut State, changes: &[Change]) {
    for change in changes {
        let id = gid("InventoryItem", change.item);
        state.effects.push(Effect::new(Verb::Updated, "inventoryLevel", id));
        if change.from != change.to {
            put(state, change.item, change.location, change.to);
        }
    }
}

/// Sets how many of an item are at a location. A change of stock counts as a change of the product
/// (`Product.updatedAt`: "the inventory adjustment is counted as an update").
pub(crate) fn put(state: &mut State, item: u64, location: u64, count: i64) {
    let Some(mut product) = state.items.get(&item).and_then(|id| state.products.get(id).cloned()) else {
        return;
    };
    let now = state.clock.second();
    let touches_item = state.stock_touches_item;
    if let Some(variant) = product.variants.iter_mut().find(|variant| variant.item == item) {
        variant.stock.insert(location, count);
        variant.stock_updated_at.insert(location, now);
        if touches_item {
            variant.item_updated_at = now;
        }
    }
    state.put_product(product);
    let body = json!({
        "inventory_item_id": item,
        "location_id": location,
        "available": count,
        "updated_at": stamp(now),
        "admin_graphql_api_id": format!("gid://shopify/InventoryLevel/{location}?inventory_item_id={item}"),
    });
    state.happened("INVENTORY_LEVELS_UPDATE", body);
}

fn group(state: &mut State, input: &Input, changes: &[Change]) -> Out {
    let name = filled(input, "name").unwrap_or_default();
    let moved = changes.iter().filter(|change| change.from != change.to);
    let listed = moved.map(|change| {
        Out::object([
            ("name", name.clone().into()),
            ("delta", (change.to - change.from).into()),
            ("quantityAfterChange", change.to.into()),
            ("item", Out::Ref(Kind::Item(change.item))),
            ("location", Out::Ref(Kind::Location(change.location))),
            ("ledgerDocumentUri", Out::NULL),
        ])
    });
    let listed: Vec<Out> = listed.collect();
    let id = state.id();
    Out::object([
        ("id", gid("InventoryAdjustmentGroup", id).into()),
        ("createdAt", stamp(state.clock.second()).into()),
        ("reason", filled(input, "reason").into()),
        ("referenceDocumentUri", filled(input, "referenceDocumentUri").into()),
        ("changes", Out::List(listed)),
    ])
}

/// `inventoryActivate`: an item can be stocked at a location.
pub(crate) fn activate(state: &mut State, arguments: &Input) -> Out {
    let item =
        numeric(arguments, "inventoryItemId", "InventoryItem").filter(|id| state.items.contains_key(id));
    let location = numeric(arguments, "locationId", "Location").filter(|id| state.location(*id).is_some());
    let (Some(item), Some(location)) = (item, location) else {
        let error = UserError::new("inventoryItemId", "", "The item or location could not be found.");
        return payload("inventoryLevel", Err(vec![error]));
    };
    let known = state.item(item).is_some_and(|(_, it)| it.stock.contains_key(&location));
    if !known {
        let count = arguments.get("available").or_else(|| arguments.get("onHand")).and_then(Value::as_i64);
        put(state, item, location, count.unwrap_or_default());
        state.effects.push(Effect::new(Verb::Created, "inventoryLevel", gid("InventoryItem", item)));
    }
    payload("inventoryLevel", Ok(Out::Ref(Kind::Level(item, location))))
}

/// `inventoryItemUpdate`.
pub(crate) fn update_item(state: &mut State, arguments: &Input) -> Result<Out, String> {
    let found = numeric(arguments, "id", "InventoryItem").and_then(|item| {
        Some((item, state.items.get(&item).and_then(|id| state.products.get(id).cloned())?))
    });
    let Some((item, mut product)) = found else {
        let error = UserError::new("id", "", "The inventory item could not be found.");
        return Ok(payload("inventoryItem", Err(vec![error])));
    };
    let input = object(arguments, "input");
    if let Some(variant) = product.variants.iter_mut().find(|variant| variant.item == item) {
        let old = variant.clone();
        if input.contains_key("sku") {
            variant.sku = filled(&input, "sku");
        }
        variants::apply_item(state, variant, &input)?;
        variants::touch(state, variant, Some(&old));
    }
    state.effects.push(Effect::new(Verb::Updated, "inventoryItem", gid("InventoryItem", item)));
    if state.products.get(&product.id).is_some_and(|old| *old != product) {
        state.put_product(product);
    }
    Ok(payload("inventoryItem", Ok(Out::Ref(Kind::Item(item)))))
}
