//! One measured run, and the targets it is held against.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::sync::millis;

/// Which way the items go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the shop into the ERP.
    ToErp,
    /// From the ERP into the shop.
    ToShop,
}

/// So many items in one direction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) direction: Direction,
    pub(crate) items: usize,
}

/// What a run has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// Nothing is on the target yet.
    First,
    /// Nothing has changed since.
    Unchanged,
    /// One item of a hundred has changed, and at least one.
    Changed,
    /// Nothing has changed, but both sides are looked at.
    Full,
}

/// How often each statement, or each request, was sent.
pub(crate) type Names = BTreeMap<String, u64>;

/// The most memory that was held.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// By one instance of a component that syncs, since the start, in bytes.
    pub(crate) instance: u64,
    /// By the whole process in this run, in KiB; `None` where there is no `/proc`.
    pub(crate) process: Option<u64>,
}

/// One run from the call of `delta-sync` to its end.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) case: Case,
    pub(crate) pass: Pass,
    pub(crate) calls: u64,
    /// How many of the calls ran out of time before they could answer.
    pub(crate) cut: u64,
    /// Changes that reached the target, but that the run's ledger has as unchanged.
    pub(crate) uncounted: u64,
    pub(crate) took: Duration,
    /// The longest call.
    pub(crate) longest: Duration,
    pub(crate) memory: Memory,
    pub(crate) shop: u64,
    pub(crate) erp: u64,
    pub(crate) statements: u64,
    pub(crate) by_statement: Names,
    pub(crate) by_request: Names,
}

/// A target, and whether it was met.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Target {
    pub(crate) what: &'static str,
    pub(crate) value: f64,
    pub(crate) limit: f64,
}

impl Direction {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::ToErp => "shop to ERP",
            Self::ToShop => "ERP to shop",
        }
    }
}

impl Pass {
    pub(crate) const ALL: [Self; 4] = [Self::First, Self::Unchanged, Self::Changed, Self::Full];

    /// Those of the curve: what a tick does.
    pub(crate) const CURVE: [Self; 3] = [Self::First, Self::Unchanged, Self::Changed];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Unchanged => "unchanged",
            Self::Changed => "1 % changed",
            Self::Full => "full, unchanged",
        }
    }
}

impl Target {
    pub(crate) fn met(&self) -> bool {
        self.value <= self.limit
    }
}

impl Row {
    /// The targets that say something about a run of this size.
    pub(crate) fn targets(&self) -> Vec<Target> {
        let items = count(self.case.items);
        let mut targets = Vec::new();
        if self.case.items == 100 {
            targets.push(Target { what: "seconds", value: self.took.as_secs_f64(), limit: 1.0 });
        }
        let limit = 8.0 + 4.0 * (items / 1_000.0).ceil();
        targets.push(Target { what: "statements", value: whole(self.statements), limit });
        // What a run needs in any case, fewer items cannot share.
        if self.case.items >= 50 {
            let limit = (items / 50.0).floor();
            targets.push(Target { what: "shop requests", value: whole(self.shop), limit });
            targets.push(Target { what: "ERP requests", value: whole(self.erp), limit });
        }
        targets
    }

    /// Requests to both platforms for one item.
    pub(crate) fn per_item(&self) -> f64 {
        whole(self.shop.saturating_add(self.erp)) / count(self.case.items)
    }

    /// Microseconds for one item.
    pub(crate) fn micros_per_item(&self) -> f64 {
        self.took.as_secs_f64() * 1_000_000.0 / count(self.case.items)
    }

    /// Items in one second.
    pub(crate) fn per_second(&self) -> f64 {
        count(self.case.items) / self.took.as_secs_f64().max(f64::EPSILON)
    }

    pub(crate) fn json(&self) -> Value {
        let targets = self.targets().into_iter().map(|target| {
            json!({ "what": target.what, "value": target.value, "limit": target.limit, "met": target.met() })
        });
        json!({
            "direction": self.case.direction.word(), "items": self.case.items, "run": self.pass.word(),
            "calls": self.calls, "callsCutShort": self.cut, "changesUncounted": self.uncounted, "durationMs": millis(self.took), "itemsPerSecond": self.per_second(),
            "microsPerItem": self.micros_per_item(), "longestCallMs": millis(self.longest),
            "instanceMemoryBytes": self.memory.instance, "processMemoryKib": self.memory.process,
            "shopRequests": self.shop, "erpRequests": self.erp, "requestsPerItem": self.per_item(),
            "statements": self.statements, "targets": targets.collect::<Vec<Value>>(),
            "byStatement": self.by_statement, "byRequest": self.by_request,
        })
    }
}

fn count(items: usize) -> f64 {
    whole(u64::try_from(items).unwrap_or(u64::MAX))
}

#[expect(clippy::cast_precision_loss, reason = "what is counted here is far below 2^52")]
fn whole(number: u64) -> f64 {
    number as f64
}
