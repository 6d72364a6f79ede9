//! The public keys of the token issuer, fetched rarely.

use crate::Problem;
use crate::world::World;
use futures::future::{Either, select};
use secrets::jwt::PublicKeys;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use url::{Host, Url};

/// As long as Supabase's own caches keep them (<https://supabase.com/docs/guides/auth/signing-keys>).
const KEPT: Duration = Duration::from_mins(10);
/// A token with an unknown key id may be signed with a new key. So may ten thousand forged ones.
const REFETCH: Duration = Duration::from_mins(5);
/// How long an address that failed is left alone when we have no keys at all.
const FAILED: Duration = Duration::from_secs(5);
/// How long we wait for the address.
const PATIENCE: Duration = Duration::from_secs(3);
/// A key set of sixteen RSA keys is smaller.
const MOST_BYTES: usize = 64 * 1024;

/// Keys, and when they were fetched.
pub(crate) struct KeyCache(Mutex<State>);

struct State {
    keys: Option<(String, PublicKeys, Instant)>,
    asked: Option<Instant>,
    failed: Option<Instant>,
}

/// What to do about a key that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    Fetch,
    /// They were fetched a short while ago: the key is not known.
    Unknown,
    /// There are none, and the address failed just now.
    Wait,
}

impl KeyCache {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(State { keys: None, asked: None, failed: None }))
    }

    /// The keys that were fetched from this address, while they are fresh.
    pub(crate) fn fresh(&self, address: &str, now: Instant) -> Option<PublicKeys> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, keys, since) = state.keys.as_ref()?;
        (known == address && now.saturating_duration_since(*since) < KEPT).then(|| keys.clone())
    }

    fn plan(&self, address: &str, now: Instant) -> Plan {
        let is_cold = self.fresh(address, now).is_none();
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let within = |since: Option<Instant>, time| {
            since.is_some_and(|since| now.saturating_duration_since(since) < time)
        };
        if is_cold && within(state.failed, FAILED) {
            return Plan::Wait;
        }
        if !is_cold && within(state.asked, REFETCH) {
            return Plan::Unknown;
        }
        state.asked = Some(now);
        Plan::Fetch
    }

    fn keep(&self, address: &str, keys: PublicKeys, now: Instant) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.keys = Some((address.to_owned(), keys, now));
        state.failed = None;
    }

    fn fail(&self, now: Instant) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).failed = Some(now);
    }
}

/// The keys of this address because one is missing; `None` when there is nothing newer to be had.
///
/// 503 when there are no keys at all and none can be fetched.
pub(crate) async fn refetch<W: World>(
    world: &W,
    address: &str,
    now: Instant,
) -> Result<Option<PublicKeys>, Problem> {
    if !is_allowed(address) {
        return Err(Problem::unavailable(
            "the variable jwks_url must be an https address without credentials",
        ));
    }
    let cache = world.keys();
    match cache.plan(address, now) {
        Plan::Unknown => return Ok(None),
        Plan::Wait => return Err(Problem::unavailable("the public keys could not be fetched a moment ago")),
        Plan::Fetch => {}
    }
    let fetched = match select(pin!(world.fetch(address, MOST_BYTES)), pin!(world.sleep(PATIENCE))).await {
        Either::Left((fetched, _)) => fetched,
        Either::Right(_) => Err("no answer in time".to_owned()),
    };
    let keys = fetched.and_then(|bytes| {
        let text = String::from_utf8(bytes).map_err(|_| "the answer is not text".to_owned())?;
        PublicKeys::parse(&text).map_err(|error| error.to_string())
    });
    match keys {
        Ok(keys) => {
            cache.keep(address, keys.clone(), now);
            Ok(Some(keys))
        }
        Err(cause) => {
            cache.fail(now);
            if cache.fresh(address, now).is_some() {
                return Ok(None);
            }
            Err(Problem::unavailable(format!("the public keys cannot be fetched: {cause}")))
        }
    }
}

/// `https`, or `http` to this very machine.
fn is_allowed(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_here);
    is_safe && url.username().is_empty() && url.password().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "https://acme.supabase.co/auth/v1/.well-known/jwks.json";

    #[test]
    fn keys_are_fetched_once_then_at_most_every_five_minutes() {
        let cache = KeyCache::new();
        let start = Instant::now();
        assert_eq!(cache.plan(HERE, start), Plan::Fetch);
        cache.keep(HERE, PublicKeys::default(), start);
        let plans: Vec<Plan> =
            (0..10_000).map(|_| cache.plan(HERE, start + Duration::from_secs(299))).collect();
        assert!(plans.iter().all(|plan| *plan == Plan::Unknown));
        assert_eq!(cache.plan(HERE, start + REFETCH), Plan::Fetch);
        assert_eq!(cache.plan(HERE, start + REFETCH), Plan::Unknown);
    }

    #[test]
    fn keys_are_kept_for_ten_minutes_and_for_their_address() {
        let cache = KeyCache::new();
        let start = Instant::now();
        cache.keep(HERE, PublicKeys::default(), start);
        assert!(cache.fresh(HERE, start + Duration::from_secs(599)).is_some());
        assert!(cache.fresh(HERE, start + KEPT).is_none());
        assert!(cache.fresh("https://other.example/keys", start).is_none());
    }

    #[test]
    fn an_address_that_failed_is_left_alone_for_a_moment() {
        let cache = KeyCache::new();
        let start = Instant::now();
        assert_eq!(cache.plan(HERE, start), Plan::Fetch);
        cache.fail(start);
        assert_eq!(cache.plan(HERE, start + Duration::from_secs(4)), Plan::Wait);
        assert_eq!(cache.plan(HERE, start + FAILED), Plan::Fetch);
    }

    #[test]
    fn keys_come_over_https_or_from_this_machine() {
        for address in [HERE, "http://127.0.0.1:54321/auth/v1/jwks", "http://localhost/x", "http://[::1]/x"] {
            assert!(is_allowed(address), "{address}");
        }
        for address in [
            "http://acme.supabase.co/x",
            "http://localhost.evil.example",
            "ftp://localhost",
            "https://a:b@c.example",
            "x",
            "http://10.0.0.1/x",
        ] {
            assert!(!is_allowed(address), "{address}");
        }
    }
}
