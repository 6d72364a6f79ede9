//! Everything around a request that is not in it: variables, time, chance, the network, the log.
//!
//! One trait, so that the whole way of a request is tested natively; in a component it is the host.

use crate::keys::KeyCache;
use crate::{Problem, idempotency::Ledger};
use chrono::{DateTime, Utc};
use std::time::Duration;

pub(crate) trait World {
    type Ledger: Ledger;

    /// The value of a variable; `None` when it is not set or empty. The error is a cause for the log.
    async fn variable(&self, name: &str) -> Result<Option<String>, String>;
    /// The body of this address, with status 200 and at most this many bytes. The error is a cause for the log.
    async fn fetch(&self, address: &str, most: usize) -> Result<Vec<u8>, String>;
    async fn sleep(&self, time: Duration);
    /// Where idempotency keys are kept. Opened only when one was sent.
    async fn ledger(&self) -> Result<Self::Ledger, Problem>;
    fn keys(&self) -> &KeyCache;
    fn now(&self) -> DateTime<Utc>;
    fn random(&self) -> [u8; 16];
    fn log(&self, line: &str);
}
