//! The world of a component: the Spin host.

use crate::Problem;
use crate::idempotency::{Begun, Entry, Ledger};
use crate::keys::KeyCache;
use crate::world::World;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http_body_util::{BodyExt, Empty};
use spin_sdk::variables;
use spin_sdk::wasip3::http::types::RequestOptions;
use spin_sdk::wasip3::http_compat::RequestOptionsExtension;
use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use store::idempotency as rows;
use uuid::Uuid;

/// The only static of the code base: public keys, at most sixteen, for at most ten minutes.
static KEYS: KeyCache = KeyCache::new();

pub(crate) struct Host;

impl World for Host {
    type Ledger = Rows;

    async fn variable(&self, name: &str) -> Result<Option<String>, String> {
        match variables::get(name).await {
            Ok(value) => Ok(Some(value).filter(|value| !value.trim().is_empty())),
            Err(variables::Error::Undefined(_)) => Ok(None),
            Err(error) => Err(format!("the variable {name}: {error}")),
        }
    }

    async fn fetch(&self, address: &str, most: usize) -> Result<Vec<u8>, String> {
        let mut request = http::Request::get(address)
            .header("accept", "application/json")
            .body(Empty::<Bytes>::new())
            .map_err(|error| error.to_string())?;
        let options = RequestOptions::new();
        // The caller of this races it against a timer as well; these end the host's own work.
        for limit in [RequestOptions::set_connect_timeout, RequestOptions::set_first_byte_timeout] {
            limit(&options, Some(FETCH_NANOSECONDS)).map_err(|error| format!("{error:?}"))?;
        }
        request.extensions_mut().insert(RequestOptionsExtension(options));
        let response = spin_sdk::http::send(request).await.map_err(|error| error.to_string())?;
        if response.status() != http::StatusCode::OK {
            return Err(format!("status {}", response.status()));
        }
        let mut body = response.into_body();
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|error| error.to_string())?.into_data() else { continue };
            if bytes.len().saturating_add(data.len()) > most {
                return Err(format!("more than {most} bytes"));
            }
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    }

    async fn sleep(&self, time: Duration) {
        spin_sdk::time::sleep(time).await;
    }

    async fn ledger(&self) -> Result<Rows, Problem> {
        Ok(Rows(store::Db::open().await?))
    }

    fn keys(&self) -> &KeyCache {
        &KEYS
    }

    fn now(&self) -> DateTime<Utc> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        DateTime::from_timestamp(seconds, since.subsec_nanos()).unwrap_or(DateTime::UNIX_EPOCH)
    }

    fn random(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        // Request ids only. A host without randomness gives them all the same id and stays usable.
        let _ = getrandom::fill(&mut bytes);
        bytes
    }

    fn log(&self, line: &str) {
        // A log that cannot be written must not end the request.
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}

const FETCH_NANOSECONDS: u64 = 3_000_000_000;

/// Idempotency keys in our Postgres.
pub(crate) struct Rows(store::Db);

impl Ledger for Rows {
    async fn begin(&self, entry: &Entry<'_>) -> Result<Begun, Problem> {
        Ok(match rows::begin(&self.0, &key(entry), entry.fingerprint, entry.lease_seconds).await? {
            rows::Begun::Fresh { attempt } => Begun::Fresh { attempt },
            rows::Begun::Running { retry_after_seconds } => Begun::Running { retry_after_seconds },
            rows::Begun::Mismatch => Begun::Mismatch,
            rows::Begun::Replay { status, body } => Begun::Replay { status, body },
        })
    }

    async fn finish(
        &self,
        entry: &Entry<'_>,
        attempt: Uuid,
        status: u16,
        body: &str,
    ) -> Result<bool, Problem> {
        Ok(rows::finish(&self.0, &key(entry), attempt, status, body).await?)
    }

    async fn forget(&self, entry: &Entry<'_>, attempt: Uuid) -> Result<bool, Problem> {
        Ok(rows::forget(&self.0, &key(entry), attempt).await?)
    }
}

fn key(entry: &Entry<'_>) -> rows::Key {
    rows::Key {
        scope: entry.scope.to_owned(),
        function: entry.function.to_owned(),
        key: entry.key.to_owned(),
    }
}
