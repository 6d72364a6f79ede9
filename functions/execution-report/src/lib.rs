//! `execution-report`: how executions of watched workflows went over a period, what fails and why, and the executions as an export.

mod export;
mod part;
mod period;
mod trend;

use chrono::{DateTime, Utc};
use domain::{Provider, WorkflowId, WorkflowType};
use edge::describe::Operation;
use edge::{Call, Door, Either, Problem, Raw};
use engine::Standing;
use export::{Export, Kind};
use period::Period;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Db;
use store::reports::{self, Figures, Filter, OfWorkflow, Pattern, Point, ReportQuery};
pub use trend::{Change, Trend};

/// Which executions, and how they are to be told of.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Query {
    /// When the period begins, such as `2026-03-01T00:00:00Z`; seven days before its end when absent.
    pub from: Option<DateTime<Utc>>,
    /// When it ends: what begins then is not in it. Now when absent. At most 366 days after `from`.
    pub to: Option<DateTime<Utc>>,
    /// Those of this workflow: its id in `workflows` or in `workflow-registry`.
    pub workflow_id: Option<WorkflowId>,
    /// Those of workflows that bring something in from there.
    pub provider: Option<Provider>,
    /// Those of workflows that bring in this.
    pub workflow_type: Option<WorkflowType>,
    /// The pieces of the series: `hour`, `day` or `week`; `day` when absent.
    pub bucket: Bucket,
    /// `json`, the report, when absent. `csv` and `ndjson` are the executions themselves, a row each, oldest first, in parts
    /// with a manifest: in the header `x-export-manifest`, or in the last line. In CSV a text that begins with
    /// `=`, `+`, `-`, `@`, a tab or a carriage return has an apostrophe before it, so that no spreadsheet carries it out.
    pub format: Format,
    /// Of an export: where the part before ended (`nextCursor` of its manifest). It holds the period; repeat what else was asked.
    pub cursor: Option<String>,
    /// Of an export: the most rows of a part, 1 to 10,000; 10,000 when absent. A part may have fewer and not be the last.
    pub limit: Option<usize>,
}

/// The pieces of a series.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ReportBucket")]
pub enum Bucket {
    /// Hours.
    Hour,
    /// Days of UTC.
    #[default]
    Day,
    /// Weeks of UTC, from Monday to Sunday.
    Week,
}

/// In which form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ReportFormat")]
pub enum Format {
    /// The report.
    #[default]
    Json,
    /// The executions, comma-separated.
    Csv,
    /// The executions, a JSON object per line.
    Ndjson,
}

/// How the executions of a period went.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// When the period begins.
    pub from: DateTime<Utc>,
    /// When it ends.
    pub to: DateTime<Utc>,
    /// All of its executions.
    pub totals: Figures,
    /// The period of the same length before it.
    pub previous: Previous,
    /// What has changed since then.
    pub change: Change,
    /// The pieces of the series.
    pub bucket: Bucket,
    /// Piece by piece, also those without executions.
    pub series: Vec<Point>,
    /// How many workflows had executions.
    pub workflow_count: u64,
    /// Up to a hundred of them, the lowest share of successes first.
    pub workflows: Vec<OfWorkflow>,
    /// Failures that are alike, up to twenty kinds, the most frequent first.
    pub failures: Vec<Pattern>,
    /// How the servers of these workflows stand, and how old what is told of them is.
    pub servers: Vec<Standing>,
    /// How old that is on average, in seconds; `null` before any of them was read.
    pub average_data_age_seconds: Option<u64>,
}

/// The period before.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Previous {
    /// When it begins.
    pub from: DateTime<Utc>,
    /// When it ends.
    pub to: DateTime<Utc>,
    /// All of its executions.
    pub totals: Figures,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).get(tell).answer().await
}

async fn tell(call: Call<Query>) -> Result<Either<Report, Raw>, Problem> {
    match call.input.format {
        Format::Json => report(call).await.map(Either::Left),
        Format::Csv => part(call, Kind::Csv).await.map(Either::Right),
        Format::Ndjson => part(call, Kind::Ndjson).await.map(Either::Right),
    }
}

async fn report(call: Call<Query>) -> Result<Report, Problem> {
    let user = call.caller.user()?;
    let query = call.input;
    if query.cursor.is_some() {
        return Err(Problem::invalid("/cursor", "A report has no parts; exports have."));
    }
    let period = Period::of(query.from, query.to, call.now)?;
    let asked = ReportQuery {
        before: period.before(),
        from: period.from,
        to: period.to,
        bucket: query.bucket.word(),
        filter: query.filter(),
    };
    let found = reports::report(&Db::open().await?, &user.claims, &asked).await?;
    let found = found.ok_or_else(Problem::not_found)?;
    let servers = Standing::of(found.servers, call.now);
    Ok(Report {
        from: period.from,
        to: period.to,
        change: Change::between(&found.previous, &found.totals),
        totals: found.totals,
        previous: Previous { from: asked.before, to: period.from, totals: found.previous },
        bucket: query.bucket,
        series: found.series,
        workflow_count: found.workflow_count,
        workflows: found.workflows,
        failures: found.failures,
        average_data_age_seconds: average(servers.iter().filter_map(|server| server.data_age_seconds)),
        servers,
    })
}

async fn part(call: Call<Query>, kind: Kind) -> Result<Raw, Problem> {
    let user = call.caller.user()?;
    let query = call.input;
    let rows = query.limit.unwrap_or(export::ROWS);
    if !(1..=export::ROWS).contains(&rows) {
        return Err(Problem::invalid("/limit", "This is a number from 1 to 10,000."));
    }
    let (period, after) = match query.cursor.as_deref() {
        Some(cursor) => export::read(cursor, call.now)?,
        None => (Period::of(query.from, query.to, call.now)?, None),
    };
    let export = Export { kind, period, filter: query.filter(), after, rows, now: call.now };
    export.part(&Db::open().await?, &user.claims, call.deadline).await
}

impl Query {
    const fn filter(&self) -> Filter {
        Filter { workflow: self.workflow_id, provider: self.provider, workflow_type: self.workflow_type }
    }
}

impl Bucket {
    const fn word(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
        }
    }
}

/// The average of some ages; `None` of none.
fn average(ages: impl Iterator<Item = u64>) -> Option<u64> {
    let (sum, count) =
        ages.fold((0_u64, 0_u64), |(sum, count), age| (sum.saturating_add(age), count.saturating_add(1)));
    sum.checked_div(count)
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::get(Door::User, tell).media(&["text/csv", "application/x-ndjson"])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_of_no_ages_is_none() {
        assert_eq!(average(std::iter::empty()), None);
        assert_eq!(average([60, 120, 180].into_iter()), Some(120));
    }

    #[test]
    fn the_words_of_buckets_are_those_of_the_query() {
        for bucket in [Bucket::Hour, Bucket::Day, Bucket::Week] {
            assert_eq!(serde_json::to_value(bucket).unwrap(), bucket.word());
        }
    }
}
