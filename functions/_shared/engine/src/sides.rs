//! One sync at work: both lines, and the rules between them.

use crate::lookups::Lookups;
use crate::wire::Wire;
use domain::Record;
use domain::decide::{Flow, Rules};
use domain::defaults;
use domain::deletes::{DeletePolicy, Guard};
use domain::matching::MatchKey;
use domain::rules::{self, Config};
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use store::Db;
use store::runs::{Child, Direction, SideName};

/// Of a record that only the target had, and that the source turns out to have too.
pub(crate) const MET: &str = "met";

/// One sync at work: both lines, and the rules between them.
pub(crate) struct Sides<'a> {
    pub(crate) db: &'a Db,
    pub(crate) child: &'a Child,
    pub(crate) rules: Rules,
    /// How records recognise each other when they meet for the first time.
    pub(crate) match_keys: Vec<MatchKey>,
    /// What a delete on one side means for the other.
    pub(crate) deletes: DeletePolicy,
    pub(crate) delete_guard: Guard,
    /// Whether the inputs of every decision are kept.
    pub(crate) record: bool,
    /// Links to other kinds of item, as far as they were asked for.
    pub(crate) lookups: Lookups,
    pub(crate) source: &'a Wire<'a>,
    pub(crate) target: &'a Wire<'a>,
    pub(crate) lease_seconds: i32,
    /// Whether the target has what our external key needs there.
    pub(crate) prepared: Cell<bool>,
    /// Only what was planned is done: by the record's id at the source, the fingerprint of what was decided.
    pub(crate) plan: Option<&'a BTreeMap<String, String>>,
    /// The rules of the sync itself, where this is the sync seen from its other side.
    pub(crate) straight: Option<Rules>,
}

impl<'a> Sides<'a> {
    /// A sync with its rules.
    pub(crate) fn new(
        db: &'a Db,
        child: &'a Child,
        source: &'a Wire<'a>,
        target: &'a Wire<'a>,
        lease_seconds: i32,
    ) -> crate::Result<Self> {
        let (from, to) = (child.source.platform, child.target.platform);
        let Config { mut rules, match_keys, deletes, delete_guard, record, .. } =
            rules::read_all(&child.rules, child.item_type, from, to)?;
        if child.direction == Direction::Bidirectional {
            rules.flow = Flow::TwoWay;
        }
        let prepared = Cell::new(false);
        Ok(Self {
            db,
            child,
            rules,
            match_keys,
            deletes,
            delete_guard,
            record,
            lookups: Lookups::default(),
            source,
            target,
            lease_seconds,
            prepared,
            plan: None,
            straight: None,
        })
    }

    /// The same sync seen from its target: for records that only the target has.
    pub(crate) fn turned(&self) -> Self {
        Self {
            db: self.db,
            child: self.child,
            rules: self.rules.turned(),
            deletes: self.deletes,
            record: self.record,
            lookups: self.lookups.turned(),
            delete_guard: self.delete_guard,
            match_keys: self.match_keys.iter().map(MatchKey::turned).collect(),
            source: self.target,
            target: self.source,
            lease_seconds: self.lease_seconds,
            prepared: Cell::new(false),
            plan: self.plan,
            straight: Some(self.rules.clone()),
        }
    }

    /// The name in the ledger of a record that was read at this source.
    pub(crate) fn name_of(&self, source_id: &str) -> String {
        if self.straight.is_some() { format!("target:{source_id}") } else { source_id.to_owned() }
    }

    /// Whether a record that the target does not have is made there.
    pub(crate) const fn creates(&self) -> bool {
        defaults::creates(self.child.item_type)
    }

    /// The line to a side, as the sync is written.
    pub(crate) const fn line(&self, side: SideName) -> &'a Wire<'a> {
        match side {
            SideName::Source => self.source,
            SideName::Target => self.target,
        }
    }

    /// Whether changes of the target go to the source.
    pub(crate) fn goes_both_ways(&self) -> bool {
        self.rules.flow == Flow::TwoWay
    }
}

/// Records at hand already, by their ids; others are read.
#[derive(Default)]
pub(crate) struct Known {
    /// Of the source: a page of its listing.
    pub(crate) sources: HashMap<String, Record>,
    /// Of the target, in the same way.
    pub(crate) targets: HashMap<String, Record>,
}

impl Known {
    pub(crate) fn is_empty(&self) -> bool {
        self.sources.is_empty() && self.targets.is_empty()
    }
}
