//! What a request costs, as Shopify counts it before running it.
//!
//! Scalars cost nothing, objects 1, mutations 10 (<https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits>).
//! Of connections the manual says only that their size counts; Shopify's own figures come out as two points and each
//! record's cost times ⌊2 ln size⌋ (`product { variants(first: 250) { nodes { inventoryItem { id } } } }` costs 25,
//! <https://community.shopify.dev/t/23101>). `nodes(ids:)` and aliases are counted in full.

use crate::{Gauge, Reply};
use serde::Deserialize;

/// The part of a reply that says how full the bucket is
/// (<https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits>).
#[derive(Deserialize)]
struct Costed {
    extensions: Extensions,
}

#[derive(Deserialize)]
struct Extensions {
    cost: Cost,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cost {
    throttle_status: Throttle,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Throttle {
    maximum_available: f64,
    currently_available: f64,
    restore_rate: f64,
}

/// How full the bucket is, as this reply says. A bucket that cannot hold anything, or never fills, is none.
pub(super) fn gauge(reply: &Reply) -> Option<Gauge> {
    let Costed { extensions: Extensions { cost: Cost { throttle_status: seen } } } =
        serde_json::from_slice(reply.body()).ok()?;
    let usable = seen.maximum_available >= 1.0 && seen.restore_rate > 0.0;
    let finite = [seen.maximum_available, seen.currently_available, seen.restore_rate];
    (usable && finite.iter().all(|number| number.is_finite())).then_some(Gauge {
        points: seen.currently_available,
        capacity: seen.maximum_available,
        per_second: seen.restore_rate,
    })
}

/// The most that one request may cost.
#[cfg(test)]
pub(super) const MOST: u32 = 1_000;

/// A mutation's own cost, and its list of errors.
pub(super) const MUTATION: u32 = 11;

/// A connection of up to this many records that cost `each`.
pub(super) const fn connection(first: u32, each: u32) -> u32 {
    2 + each * weight(first)
}

/// ⌊2 ln size⌋ for sizes of 2 to 250: the powers of √e between which the sizes lie.
const fn weight(first: u32) -> u32 {
    match first {
        0 => 0,
        1..=2 => 1,
        3..=4 => 2,
        5..=7 => 3,
        8..=12 => 4,
        13..=20 => 5,
        21..=33 => 6,
        34..=54 => 7,
        55..=90 => 8,
        91..=148 => 9,
        149..=244 => 10,
        _ => 11,
    }
}

/// So many times this cost.
pub(super) fn times(count: usize, each: u32) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX).saturating_mul(each)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gauge_of(text: &str) -> Option<Gauge> {
        gauge(&http::Response::new(text.as_bytes().to_vec()))
    }

    #[test]
    fn a_reply_says_how_full_the_bucket_is() {
        let text = r#"{"data":{"a":[1,{"b":2}]},"extensions":{"cost":{"requestedQueryCost":12,"actualQueryCost":9,
            "throttleStatus":{"maximumAvailable":2000.0,"currentlyAvailable":1991,"restoreRate":100.0}}}}"#;
        assert_eq!(gauge_of(text), Some(Gauge { points: 1991.0, capacity: 2000.0, per_second: 100.0 }));
    }

    #[test]
    fn a_reply_without_a_usable_bucket_says_nothing() {
        let bucket = |rate: &str| {
            format!(
                r#"{{"extensions":{{"cost":{{"throttleStatus":{{"maximumAvailable":2000,"currentlyAvailable":1,"restoreRate":{rate}}}}}}}}}"#
            )
        };
        assert!(gauge_of(&bucket("50")).is_some());
        for silent in [&bucket("0"), &bucket("null"), &bucket("\"fast\""), "{}", "[]", "<html>", ""] {
            assert_eq!(gauge_of(silent), None, "{silent}");
        }
    }

    #[test]
    fn a_connection_costs_what_shopify_says_it_costs() {
        assert_eq!(1 + connection(250, 2), 25);
        for first in 2..=250_u32 {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
            let exact = (2.0 * f64::from(first).ln()).floor() as u32;
            assert_eq!(weight(first), exact, "{first}");
        }
    }
}
