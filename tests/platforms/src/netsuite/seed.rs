//! Products and orders as tests speak of them, put into the account and read back.
//!
//! A product is a parent item with a child for each variant. What NetSuite has no field for stands in custom fields
//! as JSON text: `custitem_syncline_tags`, `custitem_syncline_images`, `custitem_syncline_options` on the parent and
//! `custitem_syncline_options` (name → value) and `custitem_syncline_compare_at_price` on the children; the category
//! in `custitem_syncline_category`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::ledger::{CURRENCIES, Ledger, Record, quantity_text, reference};
use super::records::{base_price, total};
use crate::money;
use crate::product::{Address, Choice, Image, Line, Order, Product, Variant};

const TAGS: &str = "custitem_syncline_tags";
const IMAGES: &str = "custitem_syncline_images";
const OPTIONS: &str = "custitem_syncline_options";
const CATEGORY: &str = "custitem_syncline_category";
const COMPARE_AT: &str = "custitem_syncline_compare_at_price";

fn text(value: &str) -> Value {
    let value = value.trim();
    if value.is_empty() { Value::Null } else { value.into() }
}

fn stated(fields: &Value) -> Map<String, Value> {
    let fields = fields.as_object().cloned().unwrap_or_default();
    fields.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

/// Puts a product in as if someone in the company had made it; one with the same key is replaced. Answers its id.
pub(crate) fn add(ledger: &mut Ledger, wanted: &Product) -> u64 {
    let wanted = wanted.clone().complete();
    let known = ledger.by_external("inventoryItem", &wanted.key);
    // One that an integration made has the integration's name for it, and keeps it.
    let name = known
        .and_then(|id| ledger.item(id))
        .map_or_else(|| wanted.key.clone(), |item| item.text("itemId").to_owned());
    let images: Vec<Value> =
        wanted.images.iter().map(|image| json!({ "url": image.url, "alt": image.alt })).collect();
    let options: Vec<Value> =
        wanted.options.iter().map(|it| json!({ "name": it.name, "values": it.values })).collect();
    let fields = stated(&json!({
        "itemId": name,
        "displayName": text(&wanted.title),
        "storeDetailedDescription": text(&wanted.description_html),
        "manufacturer": text(&wanted.vendor),
        "isInactive": wanted.status != "ACTIVE",
        CATEGORY: text(&wanted.category),
        TAGS: if wanted.tags.is_empty() { Value::Null } else { json!(wanted.tags).to_string().into() },
        IMAGES: if images.is_empty() { Value::Null } else { Value::Array(images).to_string().into() },
        OPTIONS: Value::Array(options).to_string(),
    }));
    let external = Some(wanted.key.clone());
    let parent = store(ledger, known, external, fields, Vec::new());
    let mut left: Vec<u64> =
        ledger.children.get(&parent).map(|ids| ids.iter().copied().collect()).unwrap_or_default();
    for variant in &wanted.variants {
        let id = child(ledger, parent, &wanted, variant);
        left.retain(|known| *known != id);
    }
    for gone in left {
        ledger.remove("inventoryItem", gone);
    }
    parent
}

fn child(ledger: &mut Ledger, parent: u64, product: &Product, variant: &Variant) -> u64 {
    let known = ledger.by_name.get(&(Some(parent), variant.sku.to_lowercase())).copied();
    let options: Map<String, Value> =
        variant.options.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let compare = variant.compare_at_price.as_deref().and_then(|price| money::normal(price, 2));
    let fields = stated(&json!({
        "itemId": variant.sku,
        "displayName": text(&product.title),
        "upcCode": variant.barcode,
        "parent": { "id": parent.to_string() },
        "isInactive": product.status != "ACTIVE",
        OPTIONS: Value::Object(options).to_string(),
        COMPARE_AT: compare,
    }));
    let mut prices = vec![price_line(1, &money::normal(&variant.price, 2).unwrap_or_default())];
    for (symbol, amount) in &variant.prices {
        if let (Some(currency), Some(amount)) =
            (ledger.currency_with(symbol), money::normal(amount, money::decimals(symbol)))
        {
            prices.push(price_line(currency, &amount));
        }
    }
    let external = known.and_then(|id| ledger.item(id)).and_then(|record| record.external_id.clone());
    let id = store(ledger, known, external, fields, prices);
    for (location, count) in &variant.stock {
        let place = ledger.location_named(location).unwrap_or_else(|| ledger.add_location(location));
        let difference = i128::from(*count) * 1_000 - ledger.on_hand(id, place);
        if difference != 0 {
            ledger.adjust(id, place, difference);
        }
    }
    id
}

fn price_line(currency: u64, amount: &str) -> Map<String, Value> {
    stated(&json!({
        "currencyPage": { "id": currency.to_string() },
        "priceLevel": { "id": "1" },
        "quantity": { "id": "0" },
        "price": money::bare(amount),
    }))
}

fn store(
    ledger: &mut Ledger,
    known: Option<u64>,
    external: Option<String>,
    fields: Map<String, Value>,
    prices: Vec<Map<String, Value>>,
) -> u64 {
    let now = ledger.clock.second();
    let old = known.and_then(|id| ledger.item(id)).cloned();
    let unchanged =
        old.as_ref().is_some_and(|old| old.fields == fields && old.lines("price") == prices.as_slice());
    let id = known.unwrap_or_else(|| ledger.id("inventoryItem"));
    if !unchanged {
        let created = old.map_or(now, |old| old.created);
        let lines = BTreeMap::from([("price", prices)]);
        let kind = "inventoryItem";
        ledger.put(Record { id, kind, external_id: external, fields, lines, created, modified: now });
    }
    id
}

/// The parent item a test means: by external id, internal id, item name, or the name of one of its children.
pub(crate) fn find(ledger: &Ledger, key: &str) -> Option<u64> {
    let parent_of = |id: u64| ledger.item(id).map(|record| record.reference("parent").unwrap_or(id));
    if let Some(id) = ledger.by_external("inventoryItem", key) {
        return parent_of(id);
    }
    if let Some(id) = ledger.by_name.get(&(None, key.to_lowercase())) {
        return Some(*id);
    }
    let named =
        ledger.by_name.iter().find(|((parent, name), _)| parent.is_some() && *name == key.to_lowercase());
    if let Some((_, id)) = named {
        return parent_of(*id);
    }
    let titled = ledger.of_kind("inventoryItem").find(|it| it.text("displayName") == key);
    titled
        .map(|record| record.id)
        .or_else(|| key.parse().ok().filter(|id| ledger.item(*id).is_some()))
        .and_then(parent_of)
}

/// A product as tests speak of it.
pub(crate) fn view(ledger: &Ledger, parent: &Record) -> Product {
    let parsed = |name: &str| serde_json::from_str::<Value>(parent.text(name)).unwrap_or_default();
    let strings = |value: &Value| -> Vec<String> {
        value
            .as_array()
            .map(|all| all.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            .unwrap_or_default()
    };
    let objects = |value: Value| value.as_array().cloned().unwrap_or_default();
    let part =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let inactive = parent.fields.get("isInactive").and_then(Value::as_bool).unwrap_or_default();
    let children = ledger.children.get(&parent.id).into_iter().flatten();
    Product {
        key: parent.external_id.clone().unwrap_or_else(|| parent.text("itemId").to_owned()),
        title: parent.text("displayName").to_owned(),
        description_html: parent.text("storeDetailedDescription").to_owned(),
        handle: String::new(),
        status: if inactive { "ARCHIVED" } else { "ACTIVE" }.to_owned(),
        vendor: parent.text("manufacturer").to_owned(),
        category: parent.text(CATEGORY).to_owned(),
        tags: strings(&parsed(TAGS)),
        images: objects(parsed(IMAGES))
            .iter()
            .map(|it| Image { url: part(it, "url"), alt: part(it, "alt") })
            .collect(),
        options: objects(parsed(OPTIONS))
            .iter()
            .map(|it| Choice {
                name: part(it, "name"),
                values: strings(it.get("values").unwrap_or(&Value::Null)),
            })
            .collect(),
        variants: children
            .filter_map(|id| ledger.item(*id))
            .map(|child| variant_view(ledger, child))
            .collect(),
    }
}

fn variant_view(ledger: &Ledger, child: &Record) -> Variant {
    let options: Map<String, Value> = serde_json::from_str(child.text(OPTIONS)).unwrap_or_default();
    let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let mut prices = BTreeMap::new();
    for line in child.lines("price") {
        let currency = line.get("currencyPage").and_then(reference).and_then(|id| usize::try_from(id).ok());
        let symbol =
            currency.and_then(|id| CURRENCIES.get(id.checked_sub(1)?)).map_or("EUR", |(symbol, _)| *symbol);
        let level = line.get("priceLevel").and_then(reference);
        if let Some(amount) =
            line.get("price").and_then(Value::as_str).filter(|_| symbol != "EUR" && level == Some(1))
        {
            let normal = money::normal(amount, money::decimals(symbol));
            prices.insert(symbol.to_owned(), normal.unwrap_or_else(|| amount.to_owned()));
        }
    }
    let places = ledger.stock.get(&child.id).into_iter().flatten();
    Variant {
        sku: child.text("itemId").to_owned(),
        barcode: filled(child.text("upcCode")),
        price: base_price(child).and_then(|price| money::normal(&price, 2)).unwrap_or_default(),
        compare_at_price: filled(child.text(COMPARE_AT)),
        options: options
            .into_iter()
            .map(|(name, value)| (name, value.as_str().unwrap_or_default().to_owned()))
            .collect(),
        prices,
        stock: places
            .filter_map(|(place, stock)| {
                let name = ledger.record("location", *place)?.text("name").to_owned();
                Some((name, i64::try_from(stock.on_hand / 1_000).ok()?))
            })
            .collect(),
    }
}

/// Puts a sales order in as if someone in the company had entered it. Answers its id.
pub(crate) fn add_order(ledger: &mut Ledger, wanted: &Order) -> u64 {
    let customer = ledger.of_kind("customer").map(|record| record.id).next().unwrap_or_default();
    let currency = ledger.currency_with(&wanted.currency).unwrap_or(1);
    let now = ledger.clock.second();
    let number = ledger.number("SO");
    let it = &wanted.address;
    let address = stated(&json!({
        "addressee": text(&it.name),
        "addr1": text(&it.address1),
        "addr2": text(&it.address2),
        "city": text(&it.city),
        "zip": text(&it.zip),
        "state": text(&it.province),
        "country": if it.country.is_empty() { Value::Null } else { json!({ "id": it.country }) },
        "addrPhone": text(&it.phone),
    }));
    let fields = stated(&json!({
        "tranId": number,
        "entity": { "id": customer.to_string() },
        "tranDate": now.format("%Y-%m-%d").to_string(),
        "otherRefNum": text(&wanted.key),
        "memo": text(&wanted.note),
        "email": text(&wanted.email),
        "currency": { "id": currency.to_string() },
        "orderStatus": { "id": "B" },
        "shippingAddress": if address.is_empty() { Value::Null } else { Value::Object(address) },
    }));
    let lines = wanted.lines.iter().enumerate().map(|(at, line)| order_line(ledger, at, line)).collect();
    let id = ledger.id("salesOrder");
    let lines = BTreeMap::from([("item", lines)]);
    ledger.put(Record {
        id,
        kind: "salesOrder",
        external_id: None,
        fields,
        lines,
        created: now,
        modified: now,
    });
    id
}

/// Changes a sales order as someone in the company does.
pub(crate) fn edit_order(ledger: &mut Ledger, mut record: Record, change: impl FnOnce(&mut Order)) -> bool {
    let before = order_view(ledger, &record);
    let mut wanted = before.clone();
    change(&mut wanted);
    for (name, value) in [("memo", &wanted.note), ("email", &wanted.email)] {
        record.fields.insert(name.to_owned(), text(value));
    }
    if wanted.lines != before.lines {
        let lines = wanted.lines.iter().enumerate().map(|(at, line)| order_line(ledger, at, line)).collect();
        record.lines.insert("item", lines);
    }
    record.modified = ledger.clock.second();
    ledger.put(record);
    true
}

fn order_line(ledger: &Ledger, at: usize, line: &Line) -> Map<String, Value> {
    let name = line.sku.to_lowercase();
    let item = ledger.by_name.iter().find(|((_, known), _)| *known == name).map(|(_, id)| *id);
    let amount = money::minor(&line.price, 3).unwrap_or_default() * i128::from(line.quantity);
    stated(&json!({
        "line": at + 1,
        "item": item.map(|id| json!({ "id": id.to_string() })),
        "quantity": line.quantity.to_string(),
        "rate": money::bare(&line.price),
        "amount": quantity_text(amount),
        "description": text(&line.title),
    }))
}

/// A sales order as tests speak of it.
pub(crate) fn order_view(ledger: &Ledger, it: &Record) -> Order {
    let address = it.fields.get("shippingAddress");
    let part = |name: &str| {
        address.and_then(|address| address.get(name)).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let currency = it
        .reference("currency")
        .and_then(|id| ledger.record("currency", id))
        .map_or("", |it| it.text("symbol"));
    let country = address.and_then(|address| address.get("country")).and_then(|country| country.get("id"));
    Order {
        key: it.text("otherRefNum").to_owned(),
        email: it.text("email").to_owned(),
        currency: currency.to_owned(),
        note: it.text("memo").to_owned(),
        tags: Vec::new(),
        lines: it
            .lines("item")
            .iter()
            .map(|line| {
                let field =
                    |name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                let item = line.get("item").and_then(reference).and_then(|id| ledger.item(id));
                Line {
                    sku: item.map_or_else(String::new, |item| item.text("itemId").to_owned()),
                    title: field("description"),
                    quantity: money::minor(&field("quantity"), 0)
                        .and_then(|it| i64::try_from(it).ok())
                        .unwrap_or_default(),
                    price: money::normal(&field("rate"), money::decimals(currency)).unwrap_or_default(),
                }
            })
            .collect(),
        address: Address {
            name: part("addressee"),
            address1: part("addr1"),
            address2: part("addr2"),
            city: part("city"),
            zip: part("zip"),
            province: part("state"),
            country: country.and_then(Value::as_str).unwrap_or_default().to_owned(),
            phone: part("addrPhone"),
        },
    }
}

/// The sum of an order, as text.
pub(crate) fn order_total(it: &Record) -> String {
    total(it)
}
