//! What an n8n server remembers.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde_json::Value;

use super::execution::{Execution, Plan};
use super::table::Table;
use super::tags::Tag;
use super::workflow::Workflow;
use crate::clock::Clock;
use crate::dice::Dice;
use crate::journal::{Effect, Verb};

/// How long it takes until what was published runs; what was unpublished stops after half of it.
const PUBLICATION: TimeDelta = TimeDelta::milliseconds(300);

/// Everything.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) dice: Dice,
    /// By their ids, which are random: the order of lists has nothing to do with time.
    pub(crate) workflows: BTreeMap<String, Workflow>,
    pub(crate) tags: BTreeMap<String, Tag>,
    pub(crate) executions: BTreeMap<u64, Execution>,
    pub(crate) tables: BTreeMap<String, Table>,
    /// How the runs of a workflow end, success where nothing is said.
    pub(crate) plans: HashMap<String, Plan>,
    /// What the last node of a workflow gives.
    pub(crate) outputs: HashMap<String, Value>,
    /// The header, and its value, that a workflow's webhook wants to see.
    pub(crate) guards: HashMap<String, (String, String)>,
    pub(crate) publication: TimeDelta,
    pub(crate) last_execution: u64,
    pub(crate) effects: Vec<Effect>,
}

impl State {
    pub(crate) fn new(seed: u64, clock: Clock) -> Self {
        Self {
            clock,
            dice: Dice::new(seed),
            workflows: BTreeMap::new(),
            tags: BTreeMap::new(),
            executions: BTreeMap::new(),
            tables: BTreeMap::new(),
            plans: HashMap::new(),
            outputs: HashMap::new(),
            guards: HashMap::new(),
            publication: PUBLICATION,
            last_execution: 0,
            effects: Vec::new(),
        }
    }

    /// The time now as records store it: whole milliseconds.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(3)
    }

    /// An id as workflows, tags and data tables have them.
    pub(crate) fn new_id(&mut self) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        (0..16).map(|_| char::from(self.dice.pick(LETTERS))).collect()
    }

    /// An id as versions and nodes have them.
    pub(crate) fn new_uuid(&mut self) -> String {
        let digits = self.dice.token(32);
        let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
        [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
    }

    /// Does what has become due: what was published begins to run, what was unpublished ends.
    pub(crate) fn settle(&mut self) {
        let now = self.clock.now();
        self.workflows.values_mut().for_each(|workflow| workflow.settle(now));
    }

    /// A workflow as the API shows it; null when there is none.
    pub(crate) fn shown(&self, id: &str) -> Value {
        self.workflows.get(id).map_or(Value::Null, |workflow| workflow.shown(self.tags.values()))
    }

    /// Forgets a workflow and its executions.
    pub(crate) fn forget(&mut self, id: &str) -> Option<Workflow> {
        self.executions.retain(|_, execution| execution.workflow != id);
        self.workflows.remove(id)
    }

    /// Writes into the journal what the API did to a workflow.
    pub(crate) fn tell(&mut self, verb: Verb, id: &str) {
        let name = self.workflows.get(id).map(|workflow| workflow.name.clone()).unwrap_or_default();
        self.effects.push(Effect::new(verb, "workflow", id).key("name", name));
    }
}
