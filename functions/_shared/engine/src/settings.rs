//! What the deployment decides, read from the component's variables.

use crate::error::{Error, Result};
use crate::guard::Hosts;
use secrets::KeyRing;
use spin_sdk::variables;
use std::time::Duration;

/// What the deployment decides.
#[derive(Debug)]
pub struct Settings {
    /// Opens credentials.
    pub(crate) keys: KeyRing,
    /// The one plain-http address that may be called (`127.0.0.1:4100`): simulators, in development. Usually empty.
    pub(crate) development_host: String,
    /// Where n8n servers may be: one host with its port, or a pattern (`*.example.com`, `*`). Empty: nowhere.
    pub(crate) n8n_host: String,
    /// How long a claim on a run or job lasts without a sign of life, in seconds.
    pub(crate) lease_seconds: i32,
    /// How long one request to a platform may take.
    pub(crate) call_timeout: Duration,
}

/// A lease is given up after this many seconds, unless `lease_seconds` says otherwise.
const LEASE_SECONDS: i32 = 60;
/// A platform must answer within this time, unless `call_timeout_seconds` says otherwise.
const CALL_TIMEOUT_SECONDS: u64 = 10;

impl Settings {
    /// Reads `encryption_keys`, `development_host`, `n8n_host`, `lease_seconds` and `call_timeout_seconds`.
    pub async fn read() -> Result<Self> {
        let keys = text("encryption_keys").await;
        let keys =
            KeyRing::parse(&keys).map_err(|error| Error::Settings(format!("encryption_keys: {error}")))?;
        let lease = text("lease_seconds").await.parse().unwrap_or(LEASE_SECONDS);
        let timeout = text("call_timeout_seconds").await.parse().unwrap_or(CALL_TIMEOUT_SECONDS);
        Ok(Self {
            keys,
            development_host: text("development_host").await,
            n8n_host: text("n8n_host").await,
            lease_seconds: lease.clamp(1, 3600),
            call_timeout: Duration::from_secs(timeout.clamp(1, 600)),
        })
    }

    /// The hosts that the deployment names.
    pub(crate) fn hosts(&self) -> Hosts<'_> {
        Hosts { development: &self.development_host, n8n: &self.n8n_host }
    }

    /// Whether platforms are simulated here.
    pub(crate) const fn is_development(&self) -> bool {
        !self.development_host.is_empty()
    }
}

/// `public_url`: the address under which platforms reach this deployment. Empty where nobody said it.
pub(crate) async fn public_url() -> String {
    text("public_url").await
}

/// A variable's text; empty when the component does not have it.
async fn text(name: &str) -> String {
    variables::get(name).await.unwrap_or_default()
}
