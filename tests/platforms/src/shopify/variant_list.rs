//! `productVariants` and `inventoryItems`: walked in the order of their ids, as they have no order by time of change.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::out::{Kind, Out};
use super::page::{Paging, Place};
use super::queries::{compare_number, compare_time, equal, metafield_term, search, text};
use super::records::{Product, Variant};
use super::search::{Search, Term, text_matches};
use super::state::State;

type Arguments = Map<String, Value>;

fn variant_candidates(state: &State, search: &Search) -> Option<BTreeSet<u64>> {
    if let Some(ids) = search.alternatives("id") {
        return Some(ids.iter().filter_map(|id| id.parse().ok()).collect());
    }
    if let Some(products) = search.alternatives("product_id") {
        let products = products.iter().filter_map(|id| state.products.get(&id.parse().ok()?));
        return Some(
            products.flat_map(|product| product.variants.iter().map(|variant| variant.id)).collect(),
        );
    }
    let skus = search.alternatives("sku").filter(|skus| skus.iter().all(|sku| !sku.ends_with('*')))?;
    Some(skus.iter().flat_map(|sku| state.variants_by_sku(sku)).collect())
}

fn variant_matches(product: &Product, variant: &Variant, search: &Search) -> bool {
    search.matches(&|term: &Term| {
        let value = term.value.as_str();
        match term.field.as_deref() {
            None => {
                text_matches(value, &product.title)
                    || text_matches(value, variant.sku.as_deref().unwrap_or_default())
            }
            Some("id") => compare_number(term, &variant.id),
            Some("product_id") => compare_number(term, &product.id),
            Some("sku") => text_matches(value, variant.sku.as_deref().unwrap_or_default()),
            Some("barcode") => variant.barcode.as_deref() == Some(value),
            Some("title") => text_matches(value, &variant.title()),
            Some("vendor") => equal(&product.vendor, value),
            Some("product_type") => equal(&product.product_type, value),
            Some("product_status") => equal(&product.status, value),
            Some("updated_at") => compare_time(term, variant.updated_at),
            Some(field) => metafield_term(&variant.metafields, field, value),
        }
    })
}

pub(crate) fn matching_variants(state: &State, search: &Search) -> Vec<u64> {
    let matching =
        |id: &u64| state.variant(*id).is_some_and(|(product, it)| variant_matches(product, it, search));
    match variant_candidates(state, search) {
        Some(ids) => ids.into_iter().filter(matching).collect(),
        None => state.variants.keys().copied().filter(matching).collect(),
    }
}

pub(crate) fn variants(state: &State, arguments: &Arguments) -> Result<Out, String> {
    let paging = Paging::read(arguments)?;
    let search = search(arguments);
    let sort = text(arguments, "sortKey").unwrap_or("ID");
    let place = |id: u64| -> Place {
        let value = match (sort, state.variant(id)) {
            ("SKU", Some((_, it))) => it.sku.clone().unwrap_or_default(),
            ("TITLE" | "NAME" | "FULL_TITLE", Some((product, it))) => {
                format!("{} {}", product.title, it.title())
            }
            ("INVENTORY_QUANTITY", Some((_, it))) => format!("{:020}", it.available()),
            _ => String::new(),
        };
        (value, id)
    };
    if sort == "ID" && variant_candidates(state, &search).is_none() {
        let matching =
            |id: &u64| state.variant(*id).is_some_and(|(product, it)| variant_matches(product, it, &search));
        let record = |id: u64| ((String::new(), id), Out::Ref(Kind::Variant(id)));
        return Ok(walk_ids(&state.variants, &paging, &matching, &record));
    }
    let mut found: Vec<_> = matching_variants(state, &search)
        .into_iter()
        .map(|id| (place(id), Out::Ref(Kind::Variant(id))))
        .collect();
    found.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(paging.of_sorted(found))
}

/// A page of records in the order of their ids, starting at the cursor.
fn walk_ids(
    ids: &std::collections::BTreeMap<u64, u64>,
    paging: &Paging,
    matching: &dyn Fn(&u64) -> bool,
    record: &dyn Fn(u64) -> (Place, Out),
) -> Out {
    let from = paging.cursor.as_ref().map(|(_, id)| *id);
    if paging.descending() {
        let ids = ids.range(..from.unwrap_or(u64::MAX)).rev().map(|(id, _)| *id);
        return paging.of_walk(ids.filter(matching).map(record));
    }
    let ids = ids.range(from.map_or(0, |id| id.saturating_add(1))..).map(|(id, _)| *id);
    paging.of_walk(ids.filter(matching).map(record))
}

pub(crate) fn items(state: &State, arguments: &Arguments) -> Result<Out, String> {
    let paging = Paging::read(arguments)?;
    let search = search(arguments);
    let item_matches = |it: &Variant| {
        search.matches(&|term: &Term| match term.field.as_deref() {
            Some("id") => compare_number(term, &it.item),
            Some("updated_at") => compare_time(term, it.item_updated_at),
            Some("created_at") => compare_time(term, it.created_at),
            None | Some("sku") => text_matches(&term.value, it.sku.as_deref().unwrap_or_default()),
            Some(_) => true,
        })
    };
    if let Some(skus) = search.alternatives("sku").filter(|skus| skus.iter().all(|sku| !sku.ends_with('*'))) {
        let variants: BTreeSet<u64> = skus.iter().flat_map(|sku| state.variants_by_sku(sku)).collect();
        let found = variants.iter().filter_map(|id| state.variant(*id)).filter(|(_, it)| item_matches(it));
        let mut found: Vec<_> =
            found.map(|(_, it)| ((String::new(), it.item), Out::Ref(Kind::Item(it.item)))).collect();
        found.sort_by(|left, right| left.0.cmp(&right.0));
        return Ok(paging.of_sorted(found));
    }
    let matching = |id: &u64| state.item(*id).is_some_and(|(_, it)| item_matches(it));
    let record = |id: u64| ((String::new(), id), Out::Ref(Kind::Item(id)));
    Ok(walk_ids(&state.items, &paging, &matching, &record))
}
