//! What a request costs, as Shopify counts it before running it.
//!
//! Scalars cost nothing, objects 1, mutations 10 (<https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits>).
//! Of connections the manual says only that their size counts; Shopify's own figures come out as two points and each
//! record's cost times ⌊2 ln size⌋ (`product { variants(first: 250) { nodes { inventoryItem { id } } } }` costs 25,
//! <https://community.shopify.dev/t/23101>). `nodes(ids:)` and aliases are counted in full.

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
