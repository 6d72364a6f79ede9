//! The brake on syncs that feed each other.
//!
//! Two syncs in a circle fall silent by themselves, because what comes back equals its base. Two that contradict each
//! other (one adds an exclamation mark, the other carries it back) would write for ever. Each link counts the looks in a
//! row that wrote something; one quiet look sets it back.

/// How many looks in a row may write before the link is held and its owner told.
pub const MAX_HOPS: u32 = 10;

/// The count of a link after another look at it.
#[must_use]
pub const fn after(hops: u32, wrote: bool) -> u32 {
    if wrote { hops.saturating_add(1) } else { 0 }
}

/// Whether the link has to be held.
pub const fn is_too_many(hops: u32) -> bool {
    hops >= MAX_HOPS
}
