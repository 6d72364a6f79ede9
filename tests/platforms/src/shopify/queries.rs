//! The fields of `QueryRoot`: single records by id, and lists that are searched, sorted and paged.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::out::{Kind, Out};
use super::page::{Paging, Place};
use super::product_list::{matching_products, products};
use super::records::Order;
use super::resolve::Scene;
use super::search::{Search, Term, text_matches, time};
use super::state::State;
use super::variant_list::{items, matching_variants, variants};
use super::{gid, numeric, parse_gid, stamp};

type Arguments = Map<String, Value>;

/// One field of the query root.
pub(crate) fn resolve(scene: &Scene<'_>, field: &str, arguments: &Arguments) -> Result<Out, String> {
    let state = &**scene.state.borrow();
    let one = |kind: &str, make: fn(u64) -> Kind| {
        Out::maybe(numeric(arguments, "id", kind).map(make).filter(|kind| exists(state, *kind)))
    };
    Ok(match field {
        "shop" => Out::Ref(Kind::Shop),
        "currentAppInstallation" => installation(scene),
        "product" => one("Product", Kind::Product),
        "productVariant" => one("ProductVariant", Kind::Variant),
        "inventoryItem" => one("InventoryItem", Kind::Item),
        "location" => one("Location", Kind::Location),
        "order" => one("Order", Kind::Order),
        "webhookSubscription" => one("WebhookSubscription", Kind::Subscription),
        "node" | "inventoryLevel" => Out::maybe(text(arguments, "id").and_then(|id| by_gid(state, id))),
        "nodes" => {
            let ids = arguments.get("ids").and_then(Value::as_array).cloned().unwrap_or_default();
            Out::List(ids.iter().map(|id| Out::maybe(id.as_str().and_then(|id| by_gid(state, id)))).collect())
        }
        "productByIdentifier" => {
            let identifier = arguments.get("identifier").cloned().unwrap_or_default();
            Out::maybe(super::products::identified(state, &identifier)?.map(Kind::Product))
        }
        "orderByIdentifier" => {
            let identifier =
                arguments.get("identifier").and_then(Value::as_object).cloned().unwrap_or_default();
            let id = numeric(&identifier, "id", "Order").or_else(|| order_by_custom_id(state, &identifier));
            Out::maybe(id.map(Kind::Order).filter(|kind| exists(state, *kind)))
        }
        "productOperation" => super::products::operation(state, text(arguments, "id").unwrap_or_default()),
        "products" => products(state, arguments)?,
        "productVariants" => variants(state, arguments)?,
        "inventoryItems" => items(state, arguments)?,
        "orders" => orders(state, arguments)?,
        "locations" => locations(state, arguments)?,
        "metafieldDefinitions" => definitions(state, arguments)?,
        "webhookSubscriptions" => subscriptions(state, arguments)?,
        "events" => events(state, arguments)?,
        "productsCount" => count(matching_products(state, &search(arguments)).len()),
        "productVariantsCount" => count(matching_variants(state, &search(arguments)).len()),
        "ordersCount" => {
            let search = search(arguments);
            count(state.orders.values().filter(|order| order_matches(state, order, &search)).count())
        }
        _ => Out::NULL,
    })
}

pub(crate) fn text<'a>(arguments: &'a Arguments, name: &str) -> Option<&'a str> {
    arguments.get(name).and_then(Value::as_str)
}

pub(crate) fn search(arguments: &Arguments) -> Search {
    Search::parse(text(arguments, "query").unwrap_or_default())
}

fn count(number: usize) -> Out {
    json!({ "count": number.min(10_000), "precision": if number > 10_000 { "AT_LEAST" } else { "EXACT" } })
        .into()
}

fn exists(state: &State, kind: Kind) -> bool {
    match kind {
        Kind::Product(id) => state.products.contains_key(&id),
        Kind::Variant(id) => state.variants.contains_key(&id),
        Kind::Item(id) => state.items.contains_key(&id),
        Kind::Level(item, location) => {
            state.item(item).is_some_and(|(_, it)| it.stock.contains_key(&location))
        }
        Kind::Location(id) => state.location(id).is_some(),
        Kind::Order(id) => state.orders.contains_key(&id),
        Kind::Definition(id) => state.definitions.iter().any(|known| known.id == id),
        Kind::Subscription(id) => state.subscriptions.iter().any(|known| known.id == id),
        Kind::Query | Kind::Mutation | Kind::Shop => true,
    }
}

/// The record a global id names; null when it is gone.
pub(crate) fn by_gid(state: &State, id: &str) -> Option<Kind> {
    let (kind, number, rest) = parse_gid(id)?;
    let kind = match kind {
        "Product" => Kind::Product(number),
        "ProductVariant" => Kind::Variant(number),
        "InventoryItem" => Kind::Item(number),
        "InventoryLevel" => Kind::Level(rest.strip_prefix("?inventory_item_id=")?.parse().ok()?, number),
        "Location" => Kind::Location(number),
        "Order" => Kind::Order(number),
        "MetafieldDefinition" => Kind::Definition(number),
        "WebhookSubscription" => Kind::Subscription(number),
        "Shop" => Kind::Shop,
        _ => return None,
    };
    exists(state, kind).then_some(kind)
}

fn installation(scene: &Scene<'_>) -> Out {
    let scopes = scene
        .scopes
        .iter()
        .map(|handle| json!({ "handle": handle, "description": handle.replace('_', " ") }));
    json!({
        "id": gid("AppInstallation", 1),
        "accessScopes": scopes.collect::<Vec<Value>>(),
        "app": { "id": gid("App", 1), "title": "Syncline", "handle": "syncline" },
    })
    .into()
}

fn order_by_custom_id(state: &State, identifier: &Arguments) -> Option<u64> {
    let wanted = identifier.get("customId")?;
    let part = |name: &str| wanted.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let namespace =
        wanted.get("namespace").and_then(Value::as_str).unwrap_or(super::APP_NAMESPACE).to_owned();
    state.by_unique("ORDER", &namespace, &part("key"), &part("value"))
}

fn order_matches(state: &State, order: &Order, search: &Search) -> bool {
    let Some(updated_at) = state.indexed(order.id, order.updated_at) else {
        return *search == Search::All(Vec::new());
    };
    search.matches(&|term: &Term| {
        let value = term.value.as_str();
        match term.field.as_deref() {
            Some("updated_at") => compare_time(term, updated_at),
            Some("created_at") => compare_time(term, order.created_at),
            Some("processed_at") => compare_time(term, order.processed_at),
            Some("id") => compare_number(term, &order.id),
            Some("name") => order.name.trim_start_matches('#') == value.trim_start_matches('#'),
            Some("email") => order.email.as_deref().is_some_and(|email| equal(email, value)),
            Some("financial_status") => equal(&order.financial_status, value),
            Some("fulfillment_status") => equal(&order.fulfillment_status, value),
            Some("tag") => order.tags.iter().any(|tag| equal(tag, value)),
            Some("source_identifier") => order.source.0.as_deref() == Some(value),
            Some("po_number") => order.po_number.as_deref() == Some(value),
            Some("sku") => {
                order.lines.iter().any(|line| text_matches(value, line.sku.as_deref().unwrap_or_default()))
            }
            None => {
                text_matches(value, &order.name)
                    || order.email.as_deref().is_some_and(|email| text_matches(value, email))
            }
            Some(field) => metafield_term(&order.metafields, field, value),
        }
    })
}

fn orders(state: &State, arguments: &Arguments) -> Result<Out, String> {
    let paging = Paging::read(arguments)?;
    let search = search(arguments);
    let sort = text(arguments, "sortKey").unwrap_or("PROCESSED_AT");
    let place = |order: &Order| -> Place {
        let value = match sort {
            "UPDATED_AT" => stamp(state.indexed(order.id, order.updated_at).unwrap_or(order.updated_at)),
            "CREATED_AT" => stamp(order.created_at),
            "PROCESSED_AT" => stamp(order.processed_at),
            "ORDER_NUMBER" => format!("{:020}", order.number),
            _ => String::new(),
        };
        (value, order.id)
    };
    let matching = state.orders.values().filter(|order| order_matches(state, order, &search));
    let mut found: Vec<_> = matching.map(|order| (place(order), Out::Ref(Kind::Order(order.id)))).collect();
    found.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(paging.of_sorted(found))
}

fn locations(state: &State, arguments: &Arguments) -> Result<Out, String> {
    let search = search(arguments);
    let all = arguments.get("includeInactive").and_then(Value::as_bool).unwrap_or_default();
    let shown = state.locations.iter().filter(|location| all || location.active);
    let matching = shown.filter(|location| {
        search.matches(&|term: &Term| match term.field.as_deref() {
            None | Some("name") => text_matches(&term.value, &location.name),
            Some("id") => compare_number(term, &location.id),
            Some(_) => true,
        })
    });
    let by_name = text(arguments, "sortKey") == Some("NAME");
    let place = |id: u64, name: &str| (if by_name { name.to_lowercase() } else { String::new() }, id);
    let mut found: Vec<_> =
        matching.map(|known| (place(known.id, &known.name), Out::Ref(Kind::Location(known.id)))).collect();
    found.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(Paging::read(arguments)?.of_sorted(found))
}

fn definitions(state: &State, arguments: &Arguments) -> Result<Out, String> {
    let wanted = |name: &str, actual: &str| text(arguments, name).is_none_or(|wanted| wanted == actual);
    let found = state.definitions.iter().filter(|it| {
        wanted("ownerType", &it.owner) && wanted("namespace", &it.namespace) && wanted("key", &it.key)
    });
    let found = found.map(|it| ((String::new(), it.id), Out::Ref(Kind::Definition(it.id)))).collect();
    Ok(Paging::read(arguments)?.of_sorted(found))
}

fn subscriptions(state: &State, arguments: &Arguments) -> Result<Out, String> {
    let topics = arguments.get("topics").and_then(Value::as_array);
    let found = state.subscriptions.iter().filter(|it| {
        topics.is_none_or(|topics| topics.iter().any(|topic| topic.as_str() == Some(it.topic.as_str())))
            && text(arguments, "uri").is_none_or(|uri| uri == it.uri)
    });
    let found = found.map(|it| ((String::new(), it.id), Out::Ref(Kind::Subscription(it.id)))).collect();
    Ok(Paging::read(arguments)?.of_sorted(found))
}

/// Deleted records are all this shop's `events` tell of.
fn events(state: &State, arguments: &Arguments) -> Result<Out, String> {
    let search = search(arguments);
    let found = state.destroyed.iter().filter(|event| {
        search.matches(&|term: &Term| match term.field.as_deref() {
            Some("action") => term.value == "destroy",
            Some("subject_type") => equal(event.kind, &term.value),
            Some("created_at") => compare_time(term, event.at),
            Some("id") => compare_number(term, &event.id),
            _ => true,
        })
    });
    let found = found.map(|event| {
        let node = Out::typed(
            "BasicEvent",
            [
                ("id", gid("BasicEvent", event.id).into()),
                ("action", "destroy".into()),
                ("createdAt", stamp(event.at).into()),
                ("message", format!("{} was deleted.", event.subject).into()),
                ("subjectId", event.subject.clone().into()),
                ("subjectType", event.kind.into()),
            ],
        );
        ((String::new(), event.id), node)
    });
    Ok(Paging::read(arguments)?.of_sorted(found.collect()))
}

pub(crate) fn metafield_term(
    metafields: &std::collections::BTreeMap<(String, String), super::records::Metafield>,
    field: &str,
    value: &str,
) -> bool {
    let Some((namespace, key)) = field.strip_prefix("metafields.").and_then(|rest| rest.split_once('.'))
    else {
        // An unknown field does not narrow the search; Shopify only warns.
        return true;
    };
    metafields.get(&(namespace.to_owned(), key.to_owned())).is_some_and(|held| held.value == value)
}

pub(crate) fn equal(left: &str, right: &str) -> bool {
    left.to_lowercase() == right.to_lowercase()
}

pub(crate) fn compare_time(term: &Term, actual: DateTime<Utc>) -> bool {
    time(&term.value).is_some_and(|wanted| term.comparison.holds(&actual, &wanted))
}

pub(crate) fn compare_number<T: PartialOrd + std::str::FromStr>(term: &Term, actual: &T) -> bool {
    term.value.parse().is_ok_and(|wanted: T| term.comparison.holds(actual, &wanted))
}

pub(crate) fn compare_money(term: &Term, actual: &str) -> bool {
    let minor = |amount: &str| crate::money::minor(amount, 6);
    minor(&term.value)
        .zip(minor(actual))
        .is_some_and(|(wanted, actual)| term.comparison.holds(&actual, &wanted))
}
