//! This line's share of what the account may be asked: taken in growing portions, given back when it is not needed.

use connectors::Gauge;
use domain::IntegrationId;
use futures::lock::Mutex;
use std::cell::Cell;
use std::time::Duration;
use store::rates::{self, Admit, Breaker, Points, Report};
use store::{Db, Error};

/// The first portion, if no more is expected: a small run takes little away from others.
const FIRST: i64 = 32;
/// The largest portion that is asked for without being expected.
const LARGEST: i64 = 512;
/// How much larger each portion is than the one before.
const GROWTH: i64 = 4;

/// Requests granted to this line, and how they went.
pub(crate) struct Budget<'a> {
    db: &'a Db,
    integration_id: IntegrationId,
    /// One asks at a time; those who waited find what it got.
    asking: Mutex<()>,
    /// Requests that are granted and not made.
    requests: Cell<i64>,
    /// Points that are granted and not spent.
    points: Cell<i64>,
    /// Requests that are about to be made.
    expected: Cell<i64>,
    portion: Cell<i64>,
    sharers: Cell<usize>,
    seen: Cell<Option<Gauge>>,
    answered: Cell<i64>,
    failed: Cell<i64>,
    probing: Cell<bool>,
    /// The longest wait that the platform asked for.
    asked_to_wait: Cell<Option<Duration>>,
}

/// Whether a request may go.
pub(crate) enum Admitted {
    /// It may.
    Yes,
    /// Not before this long has passed.
    Wait(Duration),
    /// The platform only failed lately, and is left alone for this long.
    Shut(Duration),
}

fn add(cell: &Cell<i64>, count: i64) {
    cell.set(cell.get().saturating_add(count));
}

impl<'a> Budget<'a> {
    pub(crate) fn new(db: &'a Db, integration_id: IntegrationId) -> Self {
        Self {
            db,
            integration_id,
            asking: Mutex::new(()),
            requests: Cell::new(0),
            points: Cell::new(0),
            expected: Cell::new(0),
            portion: Cell::new(FIRST),
            sharers: Cell::new(1),
            seen: Cell::new(None),
            answered: Cell::new(0),
            failed: Cell::new(0),
            probing: Cell::new(false),
            asked_to_wait: Cell::new(None),
        }
    }

    /// Says that about so many requests will follow, so that they are asked for at once.
    pub(crate) fn expect(&self, requests: usize) {
        self.expected.set(i64::try_from(requests).unwrap_or(i64::MAX));
    }

    /// How many requests side by side are fair, of so many that the platform allows: the syncs that work with this
    /// account share them.
    pub(crate) fn width(&self, allowed: usize) -> usize {
        allowed.checked_div(self.sharers.get()).unwrap_or(allowed).max(1)
    }

    /// Takes one request of this cost; asks for a portion of them when there is none left.
    pub(crate) async fn take(&self, cost: u32) -> Result<Admitted, Error> {
        let cost = i64::from(cost);
        let _turn = self.asking.lock().await;
        if self.requests.get() < 1 || self.points.get() < cost {
            let portion = self.portion.get();
            let requests = self.expected.replace(0).max(portion);
            let seen = self.seen.get().map(points);
            let admit = Admit { integration_id: self.integration_id, requests, cost, seen };
            let answer = rates::admit(self.db, &admit).await?;
            self.seen.set(None);
            self.sharers.set(answer.sharers.max(1));
            if answer.granted < 1 {
                let wait = Duration::from_millis(answer.wait_ms);
                return Ok(match answer.breaker {
                    Breaker::Open => Admitted::Shut(wait),
                    Breaker::Closed | Breaker::Probe => Admitted::Wait(wait),
                });
            }
            self.probing.set(answer.breaker == Breaker::Probe);
            self.portion.set(portion.saturating_mul(GROWTH).min(LARGEST));
            add(&self.requests, answer.granted);
            add(&self.points, answer.granted.saturating_mul(cost));
        }
        add(&self.requests, -1);
        add(&self.points, cost.saturating_neg());
        Ok(Admitted::Yes)
    }

    /// The platform answered, whatever it said; what it said of its budget goes before what we counted.
    pub(crate) fn answered(&self, gauge: Option<Gauge>) {
        add(&self.answered, 1);
        if gauge.is_some() {
            self.seen.set(gauge);
        }
    }

    /// The platform did not answer, or with a failure of its own.
    pub(crate) fn failed(&self) {
        add(&self.failed, 1);
    }

    /// The platform asks everybody to wait.
    pub(crate) fn throttled(&self, wait: Option<Duration>) {
        self.asked_to_wait.set(self.asked_to_wait.get().max(wait));
    }

    /// Whether the platform has answered anything at all: then it is not away.
    pub(crate) fn is_alive(&self) -> bool {
        self.answered.get() > 0
    }

    /// What others should know of this line's requests so far, with what it gives back.
    fn report(&self, unused_requests: i64, unused_points: i64) -> Report {
        self.probing.set(false);
        let wait = self.asked_to_wait.take();
        Report {
            integration_id: self.integration_id,
            successes: self.answered.get(),
            failures: self.failed.replace(0),
            retry_after_ms: wait.and_then(|wait| i64::try_from(wait.as_millis()).ok()),
            unused_requests,
            unused_points: unused_points.max(0),
            seen: self.seen.take().map(points),
        }
    }

    fn is_noteworthy(&self) -> bool {
        self.failed.get() > 0 || self.probing.get() || self.asked_to_wait.get().is_some()
    }
}

/// Tells the shared breakers and budgets how it went, where others should know at once.
pub(crate) async fn settle(db: &Db, lines: &[&Budget<'_>]) -> Result<(), Error> {
    let reports = lines.iter().filter(|line| line.is_noteworthy()).map(|line| line.report(0, 0));
    tell(db, reports.collect()).await
}

/// Gives back what was not needed, with the platforms' own counts.
pub(crate) async fn give_back(db: &Db, lines: &[&Budget<'_>]) -> Result<(), Error> {
    let reports = lines.iter().filter_map(|line| {
        let (requests, points) = (line.requests.replace(0), line.points.replace(0));
        let is_news = requests > 0 || line.seen.get().is_some() || line.is_noteworthy();
        is_news.then(|| line.report(requests, points))
    });
    tell(db, reports.collect()).await
}

async fn tell(db: &Db, reports: Vec<Report>) -> Result<(), Error> {
    if reports.is_empty() {
        return Ok(());
    }
    rates::report(db, &reports).await.map(|_| ())
}

fn points(gauge: Gauge) -> Points {
    Points { points: gauge.points, capacity: gauge.capacity, per_second: gauge.per_second }
}
