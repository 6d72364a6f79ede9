//! What every simulated account has, whatever its platform: a journal, a fault plan, a clock and a latency.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::fault::Faults;
use crate::journal::{Effect, Entry, Journal, kept};
use crate::web::{Reply, Request};

/// A platform's side of a request.
pub(crate) trait Platform: Send {
    /// Does what is asked and answers.
    fn answer(&mut self, request: &Request) -> Reply;

    /// Takes note of a request, whatever becomes of it. `false` when nothing listens, so that the connection is cut.
    fn arrive(&mut self, _request: &Request) -> bool {
        true
    }

    /// Checks how many requests are under way, this one included; a reply refuses it.
    fn admit(&mut self, _under_way: u64) -> Option<Reply> {
        None
    }

    /// The answer that [`Reply::later`] promised; nothing as long as it is not there.
    fn resume(&mut self, _ticket: u64) -> Option<Reply> {
        None
    }

    /// Lets searches find changes only after so many seconds.
    fn delay_index(&mut self, seconds: i64);
}

/// One account of one platform.
#[derive(Debug)]
pub(crate) struct Account<P> {
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    platform: Mutex<P>,
    journal: Mutex<Journal>,
    requests: AtomicU64,
    under_way: AtomicU64,
    latency: AtomicU64,
}

impl<P: Platform> Account<P> {
    pub(crate) fn new(platform: P, seed: u64, clock: Clock) -> Self {
        Self {
            clock,
            faults: Faults::new(seed),
            platform: Mutex::new(platform),
            journal: Mutex::default(),
            requests: AtomicU64::new(0),
            under_way: AtomicU64::new(0),
            latency: AtomicU64::new(0),
        }
    }

    /// The platform's state, for the time of a borrow.
    pub(crate) fn platform(&self) -> MutexGuard<'_, P> {
        self.platform.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request in; dropping the visit counts it out.
    pub(crate) fn visit(&self) -> Visit<'_> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        Visit { under_way: &self.under_way, number: self.under_way.fetch_add(1, Ordering::AcqRel) + 1 }
    }

    pub(crate) fn latency(&self) -> Duration {
        Duration::from_micros(self.latency.load(Ordering::Relaxed))
    }

    pub(crate) fn set_latency(&self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.latency.store(micros, Ordering::Relaxed);
    }

    /// Writes a request and what became of it into the journal.
    pub(crate) fn record(
        &self,
        request: &Request,
        status: u16,
        effects: Vec<Effect>,
        faults: Vec<&'static str>,
    ) {
        let entry = Entry {
            at: self.clock.now(),
            method: request.method.to_string(),
            path: request.target(),
            body: kept(&request.body),
            body_length: request.body.len(),
            status,
            effects,
            faults,
        };
        self.journal().add(entry);
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn writes(&self) -> u64 {
        self.journal().writes()
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.journal().entries().to_vec()
    }

    pub(crate) fn creates(&self) -> BTreeMap<String, u64> {
        self.journal().creates().clone()
    }

    pub(crate) fn clear_journal(&self) {
        self.requests.store(0, Ordering::Relaxed);
        self.journal().clear();
    }
}

/// A request under way.
pub(crate) struct Visit<'a> {
    under_way: &'a AtomicU64,
    /// How many are under way, this one included.
    pub(crate) number: u64,
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.under_way.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The methods that every platform's handle has.
macro_rules! handle_methods {
    () => {
        /// Its base address, without a trailing slash.
        pub fn address(&self) -> &str {
            &self.address
        }

        /// What goes wrong, and when.
        pub fn faults(&self) -> &crate::Faults {
            &self.account.faults
        }

        /// Makes every request take at least this long.
        pub fn set_latency(&self, latency: std::time::Duration) {
            self.account.set_latency(latency);
        }

        /// How many requests came, refused and dropped ones included.
        pub fn requests(&self) -> u64 {
            self.account.requests()
        }

        /// How many records were created, updated or deleted through the API.
        pub fn writes(&self) -> u64 {
            self.account.writes()
        }

        /// Every request in the order of its arrival, with what it changed.
        pub fn journal(&self) -> Vec<crate::Entry> {
            self.account.entries()
        }

        /// Forgets the journal and its counts; records stay.
        pub fn clear_journal(&self) {
            self.account.clear_journal();
        }

        /// How many records were ever created through the API for each identifying value: `<kind> <name> <value>`,
        /// for example `product handle chair`. More than 1 is a duplicate (or a record made again after deletion).
        pub fn creates_per_key(&self) -> std::collections::BTreeMap<String, u64> {
            self.account.creates()
        }
    };
}
pub(crate) use handle_methods;
