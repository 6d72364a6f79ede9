//! Products and orders as tests speak of them, put into the shop and read back.

use serde_json::json;

use super::records::{Media, Metafield, Order, OrderLine, Product, ProductOption};
use super::state::{State, handle_of};
use super::{orders, products, variants};
use crate::product;

/// The metafield that prices in further currencies stand in.
const PRICES: (&str, &str) = ("syncline", "prices");

/// Puts a product in as if the merchant had made it. Answers its id.
pub(crate) fn add(state: &mut State, wanted: product::Product) -> u64 {
    let key = wanted.key.clone();
    let id = state.known_as.get(&key).copied();
    let made = make(state, wanted, id);
    let id = made.id;
    state.put_product(made);
    state.known_as.insert(key, id);
    id
}

fn make(state: &mut State, wanted: product::Product, known: Option<u64>) -> Product {
    let wanted = wanted.complete();
    let old = known.and_then(|id| state.products.get(&id).cloned()).unwrap_or_default();
    let id = known.unwrap_or_else(|| state.id());
    let handle = if wanted.handle.is_empty() { handle_of(&wanted.title) } else { handle_of(&wanted.handle) };
    let created_at = if known.is_some() { old.created_at } else { state.clock.second() };
    let options = wanted.options.iter().map(|choice| option(state, choice)).collect();
    let tags: Vec<serde_json::Value> = wanted.tags.iter().map(|tag| json!(tag)).collect();
    Product {
        id,
        title: wanted.title.trim().to_owned(),
        description_html: wanted.description_html.trim().to_owned(),
        handle: state.free_handle(&handle, Some(id)),
        status: wanted.status.clone(),
        vendor: if wanted.vendor.is_empty() { state.name.clone() } else { wanted.vendor.clone() },
        product_type: wanted.category.clone(),
        tags: products::normal_tags(&tags),
        media: wanted.images.iter().map(|image| picture(state, image)).collect(),
        options,
        variants: wanted.variants.iter().map(|it| variant(state, it, &old)).collect(),
        metafields: old.metafields.clone(),
        created_at,
        ..Product::default()
    }
}

fn option(state: &mut State, choice: &product::Choice) -> ProductOption {
    let id = state.id();
    let values = choice.values.iter().map(|value| (state.id(), value.clone())).collect();
    ProductOption { id, name: choice.name.clone(), values }
}

fn picture(state: &mut State, image: &product::Image) -> Media {
    Media { id: state.id(), url: image.url.clone(), alt: image.alt.clone() }
}

fn variant(state: &mut State, wanted: &product::Variant, product: &Product) -> super::records::Variant {
    let decimals = state.decimals();
    let same =
        product.variants.iter().find(|known| known.sku.as_deref() == Some(wanted.sku.as_str())).cloned();
    let mut made = same.clone().unwrap_or_else(|| variants::fresh(state));
    made.sku = (!wanted.sku.is_empty()).then(|| wanted.sku.clone());
    made.barcode.clone_from(&wanted.barcode);
    made.price = crate::money::normal(&wanted.price, decimals).unwrap_or_else(|| "0.00".to_owned());
    made.compare_at_price =
        wanted.compare_at_price.as_ref().and_then(|price| crate::money::normal(price, decimals));
    made.options.clone_from(&wanted.options);
    made.tracked = true;
    for (location, count) in &wanted.stock {
        let id = state.location_named(location).unwrap_or_else(|| state.add_location(location));
        if made.stock.insert(id, *count) != Some(*count) {
            made.stock_updated_at.insert(id, state.clock.second());
        }
    }
    if !wanted.prices.is_empty() {
        let now = state.clock.second();
        let value = json!(wanted.prices).to_string();
        let metafield =
            Metafield { id: state.id(), kind: "json".to_owned(), value, created_at: now, updated_at: now };
        made.metafields.insert((PRICES.0.to_owned(), PRICES.1.to_owned()), metafield);
    }
    variants::touch(state, &mut made, same.as_ref());
    made
}

/// A product as tests speak of it. Its key is what tests call it, else its metafield `syncline.key`, else its handle.
pub(crate) fn view(state: &State, it: &Product) -> product::Product {
    let called = state.known_as.iter().find(|(_, id)| **id == it.id).map(|(key, _)| key.clone());
    let external =
        it.metafields.get(&("syncline".to_owned(), "key".to_owned())).map(|held| held.value.clone());
    product::Product {
        key: called.or(external).unwrap_or_else(|| it.handle.clone()),
        title: it.title.clone(),
        description_html: it.description_html.clone(),
        handle: it.handle.clone(),
        status: it.status.clone(),
        vendor: it.vendor.clone(),
        category: it.product_type.clone(),
        tags: it.tags.clone(),
        images: it
            .media
            .iter()
            .map(|media| product::Image { url: media.url.clone(), alt: media.alt.clone() })
            .collect(),
        options: it
            .options
            .iter()
            .map(|option| product::Choice {
                name: option.name.clone(),
                values: option.values.iter().map(|(_, value)| value.clone()).collect(),
            })
            .collect(),
        variants: it.variants.iter().map(|variant| variant_view(state, variant)).collect(),
    }
}

fn variant_view(state: &State, it: &super::records::Variant) -> product::Variant {
    let prices = it.metafields.get(&(PRICES.0.to_owned(), PRICES.1.to_owned()));
    product::Variant {
        sku: it.sku.clone().unwrap_or_default(),
        barcode: it.barcode.clone(),
        price: it.price.clone(),
        compare_at_price: it.compare_at_price.clone(),
        options: it.options.clone(),
        prices: prices.and_then(|held| serde_json::from_str(&held.value).ok()).unwrap_or_default(),
        stock: it
            .stock
            .iter()
            .filter_map(|(id, count)| Some((state.location(*id)?.name.clone(), *count)))
            .collect(),
    }
}

/// The product a test means: by what it is called, id, `syncline.key`, handle, SKU or title.
pub(crate) fn find(state: &State, key: &str) -> Option<u64> {
    let by_id = || super::parse_gid(key).map(|(_, id, _)| id).filter(|id| state.products.contains_key(id));
    let by_sku = || {
        let exact = |id: &u64| state.variant(*id).is_some_and(|(_, it)| it.sku.as_deref() == Some(key));
        state.variants_by_sku(key).into_iter().find(exact).and_then(|id| state.variants.get(&id).copied())
    };
    let by_title = || state.products.values().find(|product| product.title == key).map(|product| product.id);
    state
        .known_as
        .get(key)
        .copied()
        .or_else(by_id)
        .or_else(|| state.by_unique("PRODUCT", "syncline", "key", key))
        .or_else(|| state.handles.get(key).copied())
        .or_else(by_sku)
        .or_else(by_title)
}

/// Puts an order in as if a buyer had placed it.
pub(crate) fn add_order(state: &mut State, wanted: &product::Order) -> u64 {
    let number = state.next_order;
    state.next_order += 1;
    let currency = if wanted.currency.is_empty() { state.currency.clone() } else { wanted.currency.clone() };
    let decimals = crate::money::decimals(&currency);
    let now = state.clock.second();
    let lines = wanted.lines.iter().map(|line| order_line(state, line, decimals)).collect();
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let order = Order {
        id: state.id(),
        number,
        name: text(&wanted.key).unwrap_or_else(|| format!("#{number}")),
        email: text(&wanted.email),
        phone: None,
        note: text(&wanted.note),
        po_number: None,
        source: (None, Some("web".to_owned())),
        currency,
        tags: wanted.tags.clone(),
        attributes: Vec::new(),
        financial_status: "PAID".to_owned(),
        fulfillment_status: "UNFULFILLED".to_owned(),
        lines,
        shipping_address: (!wanted.address.city.is_empty()).then(|| address(state, &wanted.address)),
        metafields: std::collections::BTreeMap::new(),
        test: false,
        processed_at: now,
        created_at: now,
        updated_at: now,
    };
    let id = order.id;
    orders::put(state, order, "ORDERS_CREATE");
    id
}

/// Changes an order as the merchant does.
pub(crate) fn edit_order(
    state: &mut State,
    mut order: Order,
    change: impl FnOnce(&mut product::Order),
) -> bool {
    let before = order_view(&order);
    let mut wanted = before.clone();
    change(&mut wanted);
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    order.note = text(&wanted.note);
    order.email = text(&wanted.email);
    if wanted.lines != before.lines {
        let decimals = crate::money::decimals(&order.currency);
        order.lines = wanted.lines.iter().map(|line| order_line(state, line, decimals)).collect();
    }
    if wanted.address != before.address {
        order.shipping_address = Some(address(state, &wanted.address));
    }
    orders::put(state, order, "ORDERS_UPDATED");
    true
}

fn order_line(state: &mut State, line: &product::Line, decimals: usize) -> OrderLine {
    let variant = find(state, &line.sku).and_then(|id| {
        let product = state.products.get(&id)?;
        product
            .variants
            .iter()
            .find(|variant| variant.sku.as_deref() == Some(line.sku.as_str()))
            .map(|it| (it.id, it.title()))
    });
    OrderLine {
        id: state.id(),
        variant: variant.as_ref().map(|(id, _)| *id),
        sku: Some(line.sku.clone()),
        title: line.title.clone(),
        variant_title: variant.map(|(_, title)| title),
        vendor: None,
        quantity: line.quantity,
        price: crate::money::normal(&line.price, decimals).unwrap_or_default(),
    }
}

fn address(state: &mut State, it: &product::Address) -> serde_json::Value {
    let (first, last) = it.name.split_once(' ').unwrap_or((&it.name, ""));
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "id": super::gid("MailingAddress", state.id()),
        "firstName": text(first),
        "lastName": text(last),
        "name": text(&it.name),
        "address1": text(&it.address1),
        "address2": text(&it.address2),
        "city": text(&it.city),
        "zip": text(&it.zip),
        "province": text(&it.province),
        "country": text(&it.country),
        "countryCodeV2": text(&it.country),
        "phone": text(&it.phone),
    })
}

/// An order as tests speak of it.
pub(crate) fn order_view(it: &Order) -> product::Order {
    let part = |name: &str| {
        let value = it.shipping_address.as_ref().and_then(|address| address.get(name));
        value.and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    };
    product::Order {
        key: it.name.clone(),
        email: it.email.clone().unwrap_or_default(),
        currency: it.currency.clone(),
        note: it.note.clone().unwrap_or_default(),
        tags: it.tags.clone(),
        lines: it
            .lines
            .iter()
            .map(|line| product::Line {
                sku: line.sku.clone().unwrap_or_default(),
                title: line.title.clone(),
                quantity: line.quantity,
                price: line.price.clone(),
            })
            .collect(),
        address: product::Address {
            name: part("name"),
            address1: part("address1"),
            address2: part("address2"),
            city: part("city"),
            zip: part("zip"),
            province: part("province"),
            country: part("countryCodeV2"),
            phone: part("phone"),
        },
    }
}
