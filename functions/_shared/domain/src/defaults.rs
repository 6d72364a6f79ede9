//! How records of two platforms correspond where a sync does not say otherwise.

use crate::mapping::{FieldKind, Mapping, Rule, Transformation};
use crate::matching::{Likeness, MatchKey};
use crate::path::Path;
use crate::record::{Fields, Value};
use crate::words::{ItemType, Platform};

/// One line of a default mapping: where from, where to, how compared.
type Line = (&'static str, &'static str, FieldKind);

const PRODUCT: &[Line] = &[
    ("handle", "itemId", FieldKind::Exact),
    ("title", "displayName", FieldKind::Text),
    ("descriptionHtml", "storeDetailedDescription", FieldKind::Text),
    ("vendor", "manufacturer", FieldKind::Text),
    ("productType", "category", FieldKind::Text),
    ("tags", "tags", FieldKind::Set),
    ("images", "images", FieldKind::Exact),
    ("options", "options", FieldKind::Exact),
    ("variants[].sku", "children[].itemId", FieldKind::Exact),
    ("variants[].barcode", "children[].upcCode", FieldKind::Exact),
    ("variants[].price", "children[].price", FieldKind::Number),
    ("variants[].compareAtPrice", "children[].compareAtPrice", FieldKind::Number),
    ("variants[].options", "children[].options", FieldKind::Exact),
    ("variants[].prices", "children[].prices", FieldKind::Number),
];

const INVENTORY: &[Line] = &[("quantities", "quantities", FieldKind::Number)];

const ORDER: &[Line] = &[
    ("name", "otherRefNum", FieldKind::Text),
    ("email", "email", FieldKind::Text),
    ("currency", "currency", FieldKind::Exact),
    ("note", "memo", FieldKind::Text),
    ("lines[].sku", "lines[].itemId", FieldKind::Exact),
    ("lines[].title", "lines[].description", FieldKind::Text),
    ("lines[].quantity", "lines[].quantity", FieldKind::Number),
    ("lines[].price", "lines[].rate", FieldKind::Number),
    ("shippingAddress.name", "shippingAddress.addressee", FieldKind::Text),
    ("shippingAddress.address1", "shippingAddress.addr1", FieldKind::Text),
    ("shippingAddress.address2", "shippingAddress.addr2", FieldKind::Text),
    ("shippingAddress.city", "shippingAddress.city", FieldKind::Text),
    ("shippingAddress.zip", "shippingAddress.zip", FieldKind::Text),
    ("shippingAddress.province", "shippingAddress.state", FieldKind::Text),
    ("shippingAddress.country", "shippingAddress.country", FieldKind::Exact),
    ("shippingAddress.phone", "shippingAddress.phone", FieldKind::Text),
];

/// The default mapping between two platforms; `None` where there is none.
pub fn mapping(item_type: ItemType, source: Platform, target: Platform) -> Option<Mapping> {
    let lines = match item_type {
        ItemType::Product => PRODUCT,
        ItemType::Inventory => INVENTORY,
        ItemType::Order => ORDER,
        ItemType::Customer => return None,
    };
    let turned = match (source, target) {
        (Platform::Shopify, Platform::Netsuite) => false,
        (Platform::Netsuite, Platform::Shopify) => true,
        _ => return None,
    };
    let mut rules: Vec<Rule> = lines.iter().filter_map(|line| rule(*line, turned)).collect();
    if item_type == ItemType::Product {
        rules.extend(status(turned));
    }
    Some(Mapping::new(rules))
}

fn rule((shopify, netsuite, kind): Line, turned: bool) -> Option<Rule> {
    let (shopify, netsuite): (Path, Path) = (shopify.parse().ok()?, netsuite.parse().ok()?);
    // The SKU tells the variants of a product apart. Lines of an order may repeat one.
    let key = shopify.to_string() == "variants[].sku";
    let (source, target) = if turned { (netsuite, shopify) } else { (shopify, netsuite) };
    Some(Rule { kind, key, ..Rule::copy(source, target) })
}

/// Shopify knows four states, NetSuite two. Draft and archived are inactive; inactive comes back as archived.
fn status(turned: bool) -> Option<Rule> {
    let text = |word: &str| Value::String(word.to_owned());
    let states = [("ACTIVE", false), ("UNLISTED", false), ("DRAFT", true), ("ARCHIVED", true)];
    let inactive = states.into_iter().map(|(word, inactive)| (text(word), inactive.into())).collect();
    let states = vec![(false.into(), text("ACTIVE")), (true.into(), text("ARCHIVED"))];
    let (inactive, states) = (Transformation::lookup(inactive), Transformation::lookup(states));
    let (source, target, there, back) = if turned {
        ("isInactive", "status", states, inactive)
    } else {
        ("status", "isInactive", inactive, states)
    };
    let rule = Rule::copy(source.parse().ok()?, target.parse().ok()?);
    Some(Rule { transformation: Some(there), reverse: Some(back), ..rule })
}

/// Whether a record that the target does not have is made there. Stock, for one, belongs to an item that must exist.
pub const fn creates(item_type: ItemType) -> bool {
    !matches!(item_type, ItemType::Inventory)
}

/// The field by which records of a platform are recognised; `None` for tables, whose columns their owner names.
const fn key(item_type: ItemType, platform: Platform) -> Option<&'static str> {
    match (platform, item_type) {
        (Platform::Supabase, _) => None,
        (_, ItemType::Customer) => Some("email"),
        (Platform::Netsuite, ItemType::Product | ItemType::Inventory) => Some("itemId"),
        (Platform::Netsuite, ItemType::Order) => Some("otherRefNum"),
        (_, ItemType::Product) => Some("handle"),
        (_, ItemType::Inventory) => Some("sku"),
        (_, ItemType::Order) => Some("name"),
    }
}

/// The default key by which records of two platforms find each other for the first time. A table is taken to have a
/// column of the other side's name.
pub fn match_keys(item_type: ItemType, source: Platform, target: Platform) -> Vec<MatchKey> {
    let (of_source, of_target) = (key(item_type, source), key(item_type, target));
    let between_tables = if matches!(item_type, ItemType::Customer) { "email" } else { "sku" };
    let source = of_source.or(of_target).unwrap_or(between_tables);
    let target = of_target.unwrap_or(source);
    let paths = source.parse().ok().zip(target.parse().ok());
    // Platforms keep addresses in small letters, or as they were typed.
    let compare =
        if matches!(item_type, ItemType::Customer) { Likeness::IgnoreCase } else { Likeness::Exact };
    paths.map(|(source, target)| MatchKey { source, target, compare }).into_iter().collect()
}

/// What a list of items shows of a record: its name, SKU, price and state.
pub fn metadata(record: &Fields) -> Fields {
    let pick = |paths: &[&str]| {
        let found = paths.iter().find_map(|path| path.parse::<Path>().ok()?.first(record).cloned());
        found.filter(|value| !value.is_null())
    };
    let lines = [
        ("name", pick(&["title", "displayName", "name", "otherRefNum"])),
        ("sku", pick(&["variants[0].sku", "children[0].itemId", "sku", "itemId"])),
        ("price", pick(&["variants[0].price", "children[0].price", "total"])),
        ("status", pick(&["status", "isInactive", "financialStatus"])),
    ];
    lines.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_item_type_maps_there_and_back() {
        for item_type in [ItemType::Product, ItemType::Inventory, ItemType::Order] {
            let there = mapping(item_type, Platform::Shopify, Platform::Netsuite).unwrap();
            let back = mapping(item_type, Platform::Netsuite, Platform::Shopify).unwrap();
            assert_eq!(there.targets().len(), back.targets().len());
        }
        assert_eq!(mapping(ItemType::Product, Platform::Shopify, Platform::Shopify), None);
    }

    #[test]
    fn a_product_comes_back_as_it_went() {
        let product = json!({
            "title": "Chair", "handle": "chair", "descriptionHtml": "<p>é</p>", "status": "ACTIVE", "vendor": "V",
            "productType": "T", "tags": ["a"], "images": [{"url": "u", "alt": null}],
            "options": [{"name": "Size", "values": ["M"]}],
            "variants": [{"sku": "C-1", "barcode": "1", "price": "1.10", "compareAtPrice": null,
                          "options": {"Size": "M"}, "prices": {"EUR": "1.00"}}],
        });
        let there = mapping(ItemType::Product, Platform::Shopify, Platform::Netsuite).unwrap();
        let back = mapping(ItemType::Product, Platform::Netsuite, Platform::Shopify).unwrap();
        let item = there.apply(product.as_object().unwrap()).unwrap();
        assert_eq!(item["children"][0]["itemId"], "C-1");
        assert_eq!(item["isInactive"], false);
        assert_eq!(Value::Object(back.apply(&item).unwrap()), product);
    }

    #[test]
    fn prices_and_tags_are_compared_by_what_they_mean() {
        for (source, target) in
            [(Platform::Shopify, Platform::Netsuite), (Platform::Netsuite, Platform::Shopify)]
        {
            let mapping = mapping(ItemType::Product, source, target).unwrap();
            let kind = |name: &str| {
                let rule =
                    mapping.rules().iter().find(|rule| rule.target.to_string().ends_with(name)).unwrap();
                (rule.kind, rule.key)
            };
            assert_eq!(kind("].price"), (FieldKind::Number, false));
            assert_eq!(kind("tags"), (FieldKind::Set, false));
            assert_eq!(
                kind(if target == Platform::Shopify { "].sku" } else { "].itemId" }),
                (FieldKind::Exact, true)
            );
        }
    }

    #[test]
    fn a_state_comes_back_by_either_mapping() {
        let there = mapping(ItemType::Product, Platform::Shopify, Platform::Netsuite).unwrap();
        let back = mapping(ItemType::Product, Platform::Netsuite, Platform::Shopify).unwrap();
        let fields = |value: Value| value.as_object().unwrap().clone();
        for (inactive, status) in [(false, "ACTIVE"), (true, "ARCHIVED")] {
            let (item, product) =
                (fields(json!({"isInactive": inactive})), fields(json!({"status": status})));
            for (mapping, given, expected) in [
                (&there, &product, &item),
                (&there.turned(), &item, &product),
                (&back, &item, &product),
                (&back.turned(), &product, &item),
            ] {
                assert_eq!(mapping.apply(given).as_ref(), Ok(expected));
            }
        }
    }

    #[test]
    fn everything_but_stock_is_made_where_it_is_not() {
        assert!(!creates(ItemType::Inventory));
        assert!([ItemType::Product, ItemType::Order, ItemType::Customer].into_iter().all(creates));
    }

    #[test]
    fn the_list_shows_name_sku_and_price() {
        let product =
            json!({"title": "Chair", "variants": [{"sku": "C-1", "price": "1.10"}], "status": "ACTIVE"});
        let shown = metadata(product.as_object().unwrap());
        assert_eq!(
            Value::Object(shown),
            json!({"name": "Chair", "sku": "C-1", "price": "1.10", "status": "ACTIVE"})
        );
    }
}
