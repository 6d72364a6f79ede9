//! The figures as text that Prometheus reads (`OpenMetrics`). Labels are platforms, kinds of item and words of closed lists: never an account, a user
//! or a record, so that the series stay few.

use std::collections::BTreeMap;
use std::fmt::Result;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use store::health::{Health, Metrics, RUN_SECONDS, RunTotals};

/// Everything there is to tell.
#[derive(Debug)]
pub(crate) struct Figures {
    /// How our own part is doing.
    pub(crate) health: Health,
    /// What syncs did.
    pub(crate) syncs: Metrics,
}

/// The labels of one series.
type Labels = Vec<(&'static str, String)>;
/// The series of one family; those with the same labels are added up.
type Series<T> = BTreeMap<Labels, T>;

/// How long runs took.
#[derive(Debug, Default)]
struct Durations {
    runs: u64,
    seconds: f64,
    within: [u64; RUN_SECONDS.len()],
}

impl Figures {
    /// The whole text.
    pub(crate) fn text(self) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        // Only the writer could fail, and a `String` does not.
        let _written = prometheus_client::encoding::text::encode(&mut text, &registry);
        text
    }
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result {
        self.syncs(&mut encoder)?;
        self.waiting(&mut encoder)?;
        self.clock(&mut encoder)
    }
}

impl Figures {
    fn syncs(&self, to: &mut DescriptorEncoder) -> Result {
        let totals = &self.syncs.totals;
        let runs = sums(totals, |run| {
            let labels = vec![("sync_type", run.sync_type.clone()), ("status", run.status.clone())];
            vec![(labels, run.runs)]
        });
        counters(to, "sync_runs", "Runs that have ended, by how they ended.", &runs)?;
        let records = sums(totals, |run| {
            outcomes(run).map(|(word, count)| (vec![("outcome", word.to_owned())], count)).to_vec()
        });
        counters(to, "sync_records", "Records of ended runs, by what became of them.", &records)?;
        let requests = sums(totals, |run| vec![(Vec::new(), run.platform_requests)]);
        counters(
            to,
            "sync_platform_requests",
            "Requests that ended runs have sent to platforms.",
            &requests,
        )?;
        durations(to, totals)?;
        let lags = self.syncs.lags.iter();
        let lags = lags.map(|lag| (between(&lag.source, &lag.target, &lag.item_type), lag.seconds)).collect();
        gauges(
            to,
            "sync_lag_seconds",
            "Time since the sync that lags most began a run that ended well.",
            &lags,
        )
    }

    fn waiting(&self, to: &mut DescriptorEncoder) -> Result {
        let health = &self.health;
        let queue =
            [("waiting", health.queue.waiting), ("leased", health.queue.leased), ("dead", health.queue.dead)];
        gauges(to, "sync_queue_jobs", "Jobs of the queue, up to 10,000 of each state.", &by("state", queue))?;
        let oldest = health.queue.oldest_due_seconds.unwrap_or(0);
        gauge(to, "sync_queue_oldest_due_seconds", "For how long the oldest due job has been due.", oldest)?;
        let runs = [("running", health.runs.running), ("stuck", health.runs.stuck)];
        gauges(
            to,
            "sync_open_runs",
            "Runs at work, and those among them without a sign of life.",
            &by("state", runs),
        )?;
        gauge(
            to,
            "sync_conflicts_open",
            "Conflicts that wait for a person, up to 10,000.",
            self.syncs.conflicts_open,
        )?;
        gauge(to, "sync_issues_open", "Records that fail, up to 10,000.", self.syncs.issues_open)
    }

    fn clock(&self, to: &mut DescriptorEncoder) -> Result {
        let health = &self.health;
        let accounts = [
            ("active", health.integrations.active),
            ("inactive", health.integrations.inactive),
            ("error", health.integrations.error),
        ];
        gauges(to, "sync_integrations", "Connected accounts, by their state.", &by("status", accounts))?;
        gauge(to, "sync_breakers_open", "Accounts whose platform only failed lately.", health.breakers_open)?;
        gauge(
            to,
            "sync_partitions_ahead",
            "Of the next three months, how many have a place for their events.",
            health.partitions_ahead,
        )?;
        let Some(tick) = health.last_tick_at.and_then(|tick| u64::try_from(tick.timestamp()).ok()) else {
            return Ok(());
        };
        gauge(to, "sync_last_tick_timestamp_seconds", "When scheduled-sync last ran.", tick)
    }
}

fn outcomes(run: &RunTotals) -> [(&'static str, u64); 8] {
    [
        ("created", run.created),
        ("updated", run.updated),
        ("unchanged", run.unchanged),
        ("skipped", run.skipped),
        ("deleted", run.deleted),
        ("failed", run.failed),
        ("conflicted", run.conflicted),
        ("held", run.held),
    ]
}

fn between(source: &str, target: &str, item_type: &str) -> Labels {
    vec![("source", source.to_owned()), ("target", target.to_owned()), ("item_type", item_type.to_owned())]
}

/// What `told` says of each group of runs, added up where labels are the same.
fn sums(totals: &[RunTotals], told: impl Fn(&RunTotals) -> Vec<(Labels, u64)>) -> Series<u64> {
    let mut series = Series::<u64>::new();
    for run in totals {
        for (more, count) in told(run) {
            let mut labels = between(&run.source, &run.target, &run.item_type);
            labels.extend(more);
            let sum = series.entry(labels).or_default();
            *sum = sum.saturating_add(count);
        }
    }
    series
}

/// Series that differ in one label.
fn by<const N: usize>(label: &'static str, values: [(&'static str, u64); N]) -> Series<u64> {
    values.into_iter().map(|(word, value)| (vec![(label, word.to_owned())], value)).collect()
}

fn counters(to: &mut DescriptorEncoder, name: &str, help: &str, series: &Series<u64>) -> Result {
    let mut family = to.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (labels, value) in series {
        family.encode_family(labels)?.encode_counter::<NoLabelSet, _, u64>(value, None)?;
    }
    Ok(())
}

fn gauges(to: &mut DescriptorEncoder, name: &str, help: &str, series: &Series<u64>) -> Result {
    let mut family = to.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (labels, value) in series {
        family.encode_family(labels)?.encode_gauge(&whole(*value))?;
    }
    Ok(())
}

fn gauge(to: &mut DescriptorEncoder, name: &str, help: &str, value: u64) -> Result {
    let mut one: MetricEncoder = to.encode_descriptor(name, help, None, MetricType::Gauge)?;
    one.encode_gauge(&whole(value))
}

/// A gauge may be negative, so it has a bit less; nothing here comes near.
fn whole(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn durations(to: &mut DescriptorEncoder, totals: &[RunTotals]) -> Result {
    let mut series = Series::<Durations>::new();
    for run in totals {
        let sum = series.entry(between(&run.source, &run.target, &run.item_type)).or_default();
        sum.runs = sum.runs.saturating_add(run.runs);
        sum.seconds += run.seconds;
        for (sum, count) in sum.within.iter_mut().zip(&run.within) {
            *sum = sum.saturating_add(*count);
        }
    }
    let mut family = to.encode_descriptor(
        "sync_run_duration_seconds",
        "How long runs took, from their beginning to their end.",
        None,
        MetricType::Histogram,
    )?;
    for (labels, told) in &series {
        let within = told.within.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
        let mut classes: Vec<(f64, u64)> = RUN_SECONDS.into_iter().zip(told.within).collect();
        classes.push((f64::INFINITY, told.runs.saturating_sub(within)));
        family.encode_family(labels)?.encode_histogram::<NoLabelSet>(
            told.seconds,
            told.runs,
            &classes,
            None,
        )?;
    }
    Ok(())
}
