//! Shopify's search syntax (<https://shopify.dev/docs/api/usage/search-syntax>), the one place where values become part
//! of a text. Every value stands between double quotes, in which only `"` and `\` mean something.

use crate::{Error, Filter, ListQuery, Result};
use chrono::{DateTime, SecondsFormat, Utc};
use domain::canon;

/// A value between quotes. Control characters cannot be searched for and become spaces.
pub(super) fn quoted(value: &str) -> String {
    let mut out = String::with_capacity(value.len().saturating_add(2));
    out.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            control if control.is_control() => out.push(' '),
            plain => out.push(plain),
        }
    }
    out.push('"');
    out
}

/// Records that carry one of these values in this field. Shopify compares words, not whole values: check again.
pub(super) fn any_of(field: &'static str, values: &[String]) -> String {
    let terms: Vec<String> = values.iter().map(|value| format!("{field}:{}", quoted(value))).collect();
    terms.join(" OR ")
}

/// The search for a listing of products; `None` when nothing narrows it.
pub(super) fn products(query: &ListQuery) -> Result<Option<String>> {
    let Filter { status, price_min, price_max, category, updated_after: _, text } = &query.filter;
    let mut terms = changed_since(query);
    if !status.is_empty() {
        let words: Vec<String> = status.iter().map(|word| product_status(word)).collect::<Result<_>>()?;
        terms.push(format!("({})", words.join(" OR ")));
    }
    for (comparison, price) in [(">=", price_min), ("<=", price_max)] {
        if let Some(price) = price {
            terms.push(format!("price:{comparison}{}", amount(&price.to_string())?));
        }
    }
    if let Some(category) = category {
        terms.push(format!("product_type:{}", quoted(category)));
    }
    terms.extend(words(text.as_deref()));
    Ok(joined(&terms))
}

/// The search for a listing of orders; `None` when nothing narrows it.
pub(super) fn orders(query: &ListQuery) -> Result<Option<String>> {
    let Filter { status, price_min, price_max, category, updated_after: _, text } = &query.filter;
    if category.is_some() || price_min.is_some() || price_max.is_some() {
        return Err(Error::unfit_filter("Shopify's orders cannot be filtered by category or price"));
    }
    let mut terms = changed_since(query);
    if !status.is_empty() {
        let words: Vec<String> = status
            .iter()
            .map(|word| match word.to_ascii_lowercase().as_str() {
                known @ ("open" | "closed" | "cancelled") => Ok(format!("status:{known}")),
                _ => Err(unknown_status("open, closed, cancelled")),
            })
            .collect::<Result<_>>()?;
        terms.push(format!("({})", words.join(" OR ")));
    }
    terms.extend(words(text.as_deref()));
    Ok(joined(&terms))
}

/// The search for a listing of inventory items; `None` when nothing narrows it.
///
/// The time of change is left out on purpose: stock moves without touching the item's own time.
pub(super) fn inventory(query: &ListQuery) -> Result<Option<String>> {
    let Filter { status, price_min, price_max, category, updated_after: _, text } = &query.filter;
    if category.is_some() || price_min.is_some() || price_max.is_some() || !status.is_empty() {
        return Err(Error::unfit_filter("Shopify's inventory can be filtered by SKU only"));
    }
    Ok(text.as_deref().map(|text| format!("sku:{}", quoted(text))))
}

fn changed_since(query: &ListQuery) -> Vec<String> {
    let since = query.since.max(query.filter.updated_after);
    since.map(|time| format!("updated_at:>={}", quoted(&instant(time)))).into_iter().collect()
}

fn instant(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn product_status(word: &str) -> Result<String> {
    match word.to_ascii_lowercase().as_str() {
        known @ ("active" | "draft" | "archived" | "unlisted") => Ok(format!("status:{known}")),
        _ => Err(unknown_status("active, draft, archived, unlisted")),
    }
}

fn unknown_status(known: &str) -> Error {
    Error::unfit_filter(format!("status: Shopify knows {known}"))
}

/// A plain decimal number: digits and a point, so that nothing else can slip into the search.
fn amount(text: &str) -> Result<&str> {
    let plain =
        canon::number(text).is_some() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if plain { Ok(text) } else { Err(Error::unfit_filter("a price is written with digits and a point")) }
}

fn words(text: Option<&str>) -> impl Iterator<Item = String> {
    text.into_iter().flat_map(str::split_whitespace).map(quoted)
}

fn joined(terms: &[String]) -> Option<String> {
    (!terms.is_empty()).then(|| terms.join(" AND "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use domain::ItemType;
    use proptest::prelude::*;

    fn listing(filter: Filter) -> ListQuery {
        ListQuery { item_type: ItemType::Product, since: None, filter, page: None, limit: 10 }
    }

    /// Whether every quote that opens is closed, and nothing but ours stands outside of quotes.
    fn outside(search: &str) -> String {
        let (mut out, mut inside, mut escaped) = (String::new(), false, false);
        for character in search.chars() {
            match (inside, escaped, character) {
                (true, true, _) => escaped = false,
                (true, false, '\\') => escaped = true,
                (_, _, '"') => inside = !inside,
                (false, _, plain) => out.push(plain),
                (true, false, _) => {}
            }
        }
        assert!(!inside, "a quote is left open in {search}");
        out
    }

    #[test]
    fn hostile_values_stay_between_their_quotes() {
        for value in [
            r#"A" OR sku:*"#,
            r"back\slash",
            r#"\" OR title:x"#,
            "trailing\\",
            "new\nline OR vendor:x",
            "(a) OR (b)",
            "'single' AND -status:active",
            "",
        ] {
            assert_eq!(outside(&any_of("sku", &[value.to_owned()])), "sku:", "{value}");
        }
        assert_eq!(quoted(r#"5" \ pipe"#), r#""5\" \\ pipe""#);
    }

    #[test]
    fn a_filter_becomes_a_search() {
        let filter = Filter {
            status: vec!["active".into(), "DRAFT".into()],
            price_min: Some("9.50".parse().unwrap()),
            category: Some("Shoes: red".into()),
            text: Some("red  chair".into()),
            ..Filter::default()
        };
        let mut query = listing(filter);
        query.since = Some("2026-11-20T10:00:00Z".parse().unwrap());
        let expected = r#"updated_at:>="2026-11-20T10:00:00Z" AND (status:active OR status:draft) AND price:>=9.50 AND product_type:"Shoes: red" AND "red" AND "chair""#;
        assert_eq!(products(&query).unwrap().unwrap(), expected);
        assert_eq!(products(&listing(Filter::default())).unwrap(), None);
    }

    #[test]
    fn a_status_or_price_that_is_none_is_refused() {
        let status = listing(Filter { status: vec!["active OR vendor:x".into()], ..Filter::default() });
        assert_eq!(products(&status).unwrap_err().kind, ErrorKind::Rejected);
        let price = listing(Filter { price_max: Some("1e5".parse().unwrap()), ..Filter::default() });
        assert_eq!(products(&price).unwrap_err().kind, ErrorKind::Rejected);
    }

    proptest! {
        #[test]
        fn no_value_leaves_its_quotes(value in any::<String>()) {
            prop_assert_eq!(outside(&any_of("sku", &[value])), "sku:");
        }
    }
}
