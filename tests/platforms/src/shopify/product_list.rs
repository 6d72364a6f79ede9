//! `products`: searched, sorted and paged, through an index wherever one tells.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::out::{Kind, Out};
use super::page::{Paging, Place};
use super::queries::{compare_money, compare_number, compare_time, equal, metafield_term, search, text};
use super::records::{Product, Variant};
use super::search::{Comparison, Search, Term, text_matches, time};
use super::stamp;
use super::state::State;

type Arguments = Map<String, Value>;

pub(crate) fn products(state: &State, arguments: &Arguments) -> Result<Out, String> {
    let paging = Paging::read(arguments)?;
    let search = search(arguments);
    let sort = text(arguments, "sortKey").unwrap_or("ID");
    let record =
        |product: &Product| (product_place(state, product, sort), Out::Ref(Kind::Product(product.id)));
    if sort == "UPDATED_AT" && state.lags.is_empty() && product_candidates(state, &search).is_none() {
        return Ok(walk_by_update(state, &search, &paging));
    }
    if sort == "ID" && product_candidates(state, &search).is_none() {
        let matching = |product: &&Product| product_matches(state, product, &search);
        let from = paging.cursor.as_ref().map(|(_, id)| *id);
        return Ok(if paging.descending() {
            let end = from.unwrap_or(u64::MAX);
            paging.of_walk(state.products.range(..end).rev().map(|(_, it)| it).filter(matching).map(record))
        } else {
            let start = from.map_or(0, |id| id.saturating_add(1));
            paging.of_walk(state.products.range(start..).map(|(_, it)| it).filter(matching).map(record))
        });
    }
    let mut found: Vec<_> = matching_products(state, &search).into_iter().map(record).collect();
    found.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(paging.of_sorted(found))
}

/// The listing a delta asks for, straight from the index by time of change.
fn walk_by_update(state: &State, search: &Search, paging: &Paging) -> Out {
    let at = |place: &Place| time(&place.0).map(|time| (time, place.1));
    let mut low = (DateTime::<Utc>::MIN_UTC, 0);
    let mut high = (DateTime::<Utc>::MAX_UTC, u64::MAX);
    for term in search.required() {
        if let (Some("updated_at"), Some(bound)) = (term.field.as_deref(), time(&term.value)) {
            match term.comparison {
                Comparison::Greater | Comparison::GreaterOrEqual => low = low.max((bound, 0)),
                Comparison::Less | Comparison::LessOrEqual => high = high.min((bound, u64::MAX)),
                Comparison::Equal => {}
            }
        }
    }
    match (paging.cursor.as_ref().and_then(at), paging.descending()) {
        (Some(cursor), true) => high = high.min(cursor),
        (Some(cursor), false) => low = low.max(cursor),
        (None, _) => {}
    }
    if low > high {
        return paging.of_walk(std::iter::empty());
    }
    let record = |(_, id): &(DateTime<Utc>, u64)| {
        let product = state.products.get(id).filter(|product| product_matches(state, product, search))?;
        Some((product_place(state, product, "UPDATED_AT"), Out::Ref(Kind::Product(*id))))
    };
    let range = state.by_update.range(low..=high);
    if paging.descending() {
        paging.of_walk(range.rev().filter_map(record))
    } else {
        paging.of_walk(range.filter_map(record))
    }
}

/// The few products a search can mean, where an index tells: by id, handle, SKU or unique metafield.
fn product_candidates(state: &State, search: &Search) -> Option<BTreeSet<u64>> {
    if let Some(ids) = search.alternatives("id") {
        return Some(ids.iter().filter_map(|id| id.parse().ok()).collect());
    }
    if let Some(handles) = search.alternatives("handle") {
        return Some(handles.iter().filter_map(|handle| state.handles.get(*handle).copied()).collect());
    }
    if let Some(skus) = search.alternatives("sku").filter(|skus| skus.iter().all(|sku| !sku.ends_with('*'))) {
        let variants = skus.iter().flat_map(|sku| state.variants_by_sku(sku));
        return Some(variants.filter_map(|id| state.variants.get(&id).copied()).collect());
    }
    let definition = state.definitions.iter().filter(|known| known.unique && known.owner == "PRODUCT");
    definition.into_iter().find_map(|known| {
        let field = format!("metafields.{}.{}", known.namespace, known.key);
        let values = search.alternatives(&field)?;
        Some(
            values
                .iter()
                .filter_map(|value| state.by_unique("PRODUCT", &known.namespace, &known.key, value))
                .collect(),
        )
    })
}

pub(crate) fn matching_products<'s>(state: &'s State, search: &Search) -> Vec<&'s Product> {
    let matching = |product: &&Product| product_matches(state, product, search);
    match product_candidates(state, search) {
        Some(ids) => ids.iter().filter_map(|id| state.products.get(id)).filter(matching).collect(),
        None => state.products.values().filter(matching).collect(),
    }
}

fn product_place(state: &State, product: &Product, sort: &str) -> Place {
    let value = match sort {
        "UPDATED_AT" => stamp(state.indexed(product.id, product.updated_at).unwrap_or(product.updated_at)),
        "CREATED_AT" | "PUBLISHED_AT" => stamp(product.created_at),
        "TITLE" => product.title.to_lowercase(),
        "VENDOR" => product.vendor.to_lowercase(),
        "PRODUCT_TYPE" => product.product_type.to_lowercase(),
        "INVENTORY_TOTAL" => format!("{:020}", product.variants.iter().map(Variant::available).sum::<i64>()),
        _ => String::new(),
    };
    (value, product.id)
}

fn product_matches(state: &State, product: &Product, search: &Search) -> bool {
    let Some(updated_at) = state.indexed(product.id, product.updated_at) else {
        // The index does not have it yet: no search finds it, a listing without one does.
        return *search == Search::All(Vec::new());
    };
    search.matches(&|term: &Term| {
        let value = term.value.as_str();
        match term.field.as_deref() {
            None | Some("default") => {
                text_matches(value, &product.title) || text_matches(value, &product.vendor)
            }
            Some("updated_at") => compare_time(term, updated_at),
            Some("created_at" | "published_at") => compare_time(term, product.created_at),
            Some("id") => compare_number(term, &product.id),
            Some("handle") => product.handle == value,
            Some("title") => text_matches(value, &product.title),
            Some("vendor") => equal(&product.vendor, value),
            Some("product_type") => equal(&product.product_type, value),
            Some("status") => value.split(',').any(|status| equal(&product.status, status)),
            Some("tag") => product.tags.iter().any(|tag| equal(tag, value)),
            Some("tag_not") => !product.tags.iter().any(|tag| equal(tag, value)),
            Some("sku") => {
                product.variants.iter().any(|v| text_matches(value, v.sku.as_deref().unwrap_or_default()))
            }
            Some("barcode") => product.variants.iter().any(|v| v.barcode.as_deref() == Some(value)),
            Some("price") => product.variants.iter().any(|variant| compare_money(term, &variant.price)),
            Some("inventory_total") => {
                compare_number(term, &product.variants.iter().map(Variant::available).sum::<i64>())
            }
            Some(field) => metafield_term(&product.metafields, field, value),
        }
    })
}
