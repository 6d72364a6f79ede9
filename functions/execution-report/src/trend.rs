//! What has changed since the period before.

use schemars::JsonSchema;
use serde::Serialize;
use store::reports::Figures;

/// How far the share of successes may move and still count as the same.
const SAME: f64 = 0.01;

/// What has changed since the period before. Shares are of that period's figure: 0.25 is a quarter more, -0.5 is half of it;
/// `null` where there was none.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Executions that began, as a share.
    pub executions: Option<f64>,
    /// Those that ended badly, as a share.
    pub failure: Option<f64>,
    /// Those that were started by hand, as a share.
    pub by_hand: Option<f64>,
    /// How long they took on average, as a share.
    pub average_ms: Option<f64>,
    /// How long 95 of 100 took at most, as a share.
    pub p95_ms: Option<f64>,
    /// The share of successes now less that of before: 0.1 is from 80 to 90 of 100.
    pub success_rate: Option<f64>,
    /// What the share of successes says in a word.
    pub trend: Trend,
}

/// Where the share of successes goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ExecutionTrend")]
pub enum Trend {
    /// It rose by more than one of 100.
    Better,
    /// It is about the same.
    Steady,
    /// It fell by more than one of 100.
    Worse,
    /// One of the periods has nothing to compare.
    Unknown,
}

impl Change {
    /// From the figures before to those now.
    pub(crate) fn between(before: &Figures, now: &Figures) -> Self {
        let success_rate =
            before.success_rate.zip(now.success_rate).map(|(before, now)| rounded(now - before));
        Self {
            executions: growth(number(before.executions), number(now.executions)),
            failure: growth(number(before.failure), number(now.failure)),
            by_hand: growth(number(before.by_hand), number(now.by_hand)),
            average_ms: grown(before.average_ms, now.average_ms),
            p95_ms: grown(before.p95_ms, now.p95_ms),
            success_rate,
            trend: Trend::of(success_rate),
        }
    }
}

impl Trend {
    fn of(success_rate: Option<f64>) -> Self {
        match success_rate {
            None => Self::Unknown,
            Some(change) if change > SAME => Self::Better,
            Some(change) if change < -SAME => Self::Worse,
            Some(_) => Self::Steady,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share of counts far below 2^53")]
fn number(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "a share of milliseconds far below 2^53")]
fn grown(before: Option<i64>, now: Option<i64>) -> Option<f64> {
    growth(before? as f64, now? as f64)
}

fn growth(before: f64, now: f64) -> Option<f64> {
    (before > 0.0).then(|| rounded((now - before) / before))
}

/// To four places, as the shares of the table are.
fn rounded(share: f64) -> f64 {
    (share * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(executions: u64, failure: u64, success_rate: Option<f64>) -> Figures {
        Figures { executions, failure, success_rate, ..Figures::default() }
    }

    #[test]
    fn growth_is_a_share_of_what_was_before() {
        let before = Figures { average_ms: Some(200), p95_ms: Some(300), ..figures(4, 2, Some(0.5)) };
        let now = Figures { average_ms: Some(100), p95_ms: Some(400), ..figures(5, 1, Some(0.8)) };
        let change = Change::between(&before, &now);
        assert_eq!((change.executions, change.failure), (Some(0.25), Some(-0.5)));
        assert_eq!((change.average_ms, change.p95_ms), (Some(-0.5), Some(0.3333)));
        assert_eq!((change.success_rate, change.trend), (Some(0.3), Trend::Better));
    }

    #[test]
    fn from_nothing_there_is_no_growth_and_no_trend() {
        let change = Change::between(&Figures::default(), &figures(5, 1, Some(0.8)));
        assert_eq!((change.executions, change.failure, change.average_ms), (None, None, None));
        assert_eq!((change.success_rate, change.trend), (None, Trend::Unknown));
    }

    #[test]
    fn one_of_a_hundred_is_no_trend() {
        let trend = |before, now| {
            let (before, now) = (figures(100, 0, Some(before)), figures(100, 0, Some(now)));
            Change::between(&before, &now).trend
        };
        assert_eq!((trend(0.8, 0.81), trend(0.81, 0.8)), (Trend::Steady, Trend::Steady));
        assert_eq!((trend(0.8, 0.82), trend(0.82, 0.8)), (Trend::Better, Trend::Worse));
    }
}
