//! Time and chance, read in one place and handed on as values.

use chrono::{DateTime, Utc};
use domain::RunId;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What it takes, on a busy machine, to record a thousand results and to lay a run aside.
const RECORDING: Duration = Duration::from_secs(2);

/// The time now, by this machine. Only for signatures and tokens: what is due is for the database's clock to say.
pub(crate) fn now() -> DateTime<Utc> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs())
        .ok()
        .and_then(|seconds| DateTime::from_timestamp(seconds, since.subsec_nanos()))
        .unwrap_or(DateTime::UNIX_EPOCH)
}

/// Until when a request may work.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    began: Instant,
    at: Instant,
}

impl Deadline {
    /// The deadline of a run that must be answered for by this time: what it found is recorded within the last moments, at
    /// most a quarter of the time.
    pub fn of_run(at: Instant) -> Self {
        let reserve = RECORDING.min(at.saturating_duration_since(Instant::now()) / 4);
        Self::at(at.checked_sub(reserve).unwrap_or(at))
    }

    /// The deadline at this point of monotonic time.
    pub fn at(at: Instant) -> Self {
        Self { began: Instant::now(), at }
    }

    /// What is left of it; nothing once it has passed.
    pub fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// How long ago the work began.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

/// Sixteen random bytes.
pub(crate) fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    // The host's generator does not fail; were it to, a repeated nonce is refused by the platform, not accepted.
    let _ = getrandom::fill(&mut bytes);
    bytes
}

/// A random number from 0 up to, not including, 1.
pub(crate) fn chance() -> f64 {
    let [a, b, c, d, ..] = random();
    f64::from(u32::from_le_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0)
}

/// A nonce for a signature: letters and digits.
pub(crate) fn nonce() -> String {
    RunId::from_random(random()).0.simple().to_string()
}
