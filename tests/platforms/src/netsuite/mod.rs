//! A NetSuite account: the record API, SuiteQL, asynchronous batches and both kinds of authentication.

mod api;
mod auth;
mod filter;
mod functions;
mod handle;
mod intake;
mod jobs;
mod ledger;
mod metadata;
mod problem;
mod records;
mod rewrite;
mod rows;
mod seed;
mod show;
mod suiteql;
mod tables;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::json;

pub use auth::Tba;
pub use handle::NetsuiteHandle;

use crate::account::Platform;
use crate::clock::Clock;
use crate::web::{Reply, Request};
use problem::Problem;

/// Requests side by side in an account of the Standard tier.
const CONCURRENCY: u64 = 5;

/// One account.
#[derive(Debug)]
pub(crate) struct Books {
    ledger: ledger::Ledger,
    auth: auth::Auth,
    jobs: jobs::Jobs,
    suiteql: suiteql::Suiteql,
    zone: Tz,
    concurrency: u64,
}

impl Books {
    pub(crate) fn new(account: &str, seed: u64, clock: Clock) -> Self {
        Self {
            ledger: ledger::Ledger::new(clock),
            auth: auth::Auth::new(account, seed),
            jobs: jobs::Jobs::default(),
            suiteql: suiteql::Suiteql::new(Tz::UTC),
            zone: Tz::UTC,
            concurrency: CONCURRENCY,
        }
    }

    fn route(&mut self, request: &Request) -> Result<Reply, Problem> {
        let path = request.path.as_str();
        if path == auth::TOKEN_PATH {
            if request.method != http::Method::POST {
                return Err(Problem::new(405, "METHOD_NOT_ALLOWED", "The method is not allowed."));
            }
            return Ok(self.auth.token(request, self.ledger.clock.now()));
        }
        if let Some(refusal) = self.auth.refuse(request, self.ledger.clock.now()) {
            return Ok(refusal);
        }
        if let Some(rest) = path.strip_prefix("/services/rest/record/v1/") {
            return api::answer(self, request, rest);
        }
        if let Some(rest) = path.strip_prefix("/services/rest/async/v1/job/") {
            if request.method != http::Method::GET {
                return Err(Problem::new(405, "METHOD_NOT_ALLOWED", "The method is not allowed."));
            }
            return self.jobs.show(&request.base, rest).map(|shown| Reply::json(200, &shown));
        }
        match (request.method.as_str(), path) {
            ("POST", "/services/rest/query/v1/suiteql") => self.suiteql.answer(&mut self.ledger, request),
            ("GET", "/services/rest/system/v1/serverTime") => {
                let now = self.ledger.clock.now().to_rfc3339_opts(SecondsFormat::Millis, true);
                Ok(Reply::json(200, &json!({ "serverTime": now })))
            }
            ("GET", "/services/rest/system/v1/governanceLimits") => Ok(Reply::json(
                200,
                &json!({
                    "accountConcurrencyLimit": self.concurrency,
                    "accountUnallocatedConcurrencyLimit": self.concurrency,
                    "integrationConcurrencyLimit": 0,
                }),
            )),
            _ => Err(Problem::new(404, "NOT_FOUND", "The requested resource does not exist.")),
        }
    }
}

impl Platform for Books {
    fn answer(&mut self, request: &Request) -> Reply {
        let reply = self.route(request).unwrap_or_else(|problem| problem.reply());
        let effects = std::mem::take(&mut self.ledger.effects);
        reply.with_effects(effects)
    }

    fn admit(&mut self, under_way: u64) -> Option<Reply> {
        (under_way > self.concurrency).then(|| {
            let detail = "The maximum number of concurrent requests has been exceeded. Reduce the number of parallel requests.";
            Problem::new(429, "CONCURRENCY_LIMIT_EXCEEDED", detail).reply()
        })
    }

    /// SuiteQL reads the records themselves; there is no index that could be late.
    fn delay_index(&mut self, _seconds: i64) {}
}

/// A time as the record API writes it.
fn zulu(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
