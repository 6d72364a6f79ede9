//! Links to other kinds of item that mappings follow: an order's product, a contact's company.
//!
//! A mapping runs without waiting. So it is run once to hear what it asks, the answers are fetched in one statement, and
//! it is run again.

use crate::gather::Stop;
use crate::sides::Sides;
use domain::mapping::{Mapping, Resolver, Towards};
use domain::{ConfigId, Record, Value};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use store::Db;
use store::links::{self, Half};

/// How often new questions may follow from answers.
const ROUNDS: u32 = 3;
/// Questions of one statement.
const AT_ONCE: usize = 5_000;
/// Answers that a run keeps; what is asked again after that is fetched again.
const MOST: usize = 20_000;

/// What was asked and what is known, shared by both views of a sync.
#[derive(Debug, Default)]
pub struct Lookups {
    shared: Rc<Shared>,
    /// Whether this is the sync seen from its other side.
    turned: bool,
}

#[derive(Debug, Default)]
struct Shared {
    known: RefCell<HashMap<Half, Option<String>>>,
    asked: RefCell<HashSet<Half>>,
}

impl Lookups {
    /// What a question is about; `None` where the value is no id.
    fn half(&self, object: &str, id: &Value, towards: Towards) -> Option<Half> {
        let id = match id {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        let to_target = (towards == Towards::Target) != self.turned;
        Some(Half { object: object.to_owned(), id, to_target })
    }

    /// The same knowledge, for the sync seen from its other side.
    pub(crate) fn turned(&self) -> Self {
        Self { shared: Rc::clone(&self.shared), turned: !self.turned }
    }

    /// Knows what was known when a decision was made, and nothing else.
    pub(crate) fn of(said: Vec<Said>) -> Self {
        let lookups = Self::default();
        lookups.shared.known.borrow_mut().extend(said.into_iter().map(|said| (said.half, said.other)));
        lookups
    }

    /// Hears what `run` asks for, and fetches that, before it is run in earnest.
    pub(crate) async fn learn(sides: &Sides<'_>, run: impl Fn()) -> Result<(), Stop> {
        if !sides.rules.mapping.asks() {
            return Ok(());
        }
        if sides.lookups.shared.known.borrow().len() > MOST {
            sides.lookups.shared.known.borrow_mut().clear();
        }
        sides.lookups.fetch(sides.db, sides.child.config_id, run).await.map_err(Stop::Store)
    }

    async fn fetch(&self, db: &Db, config_id: ConfigId, run: impl Fn()) -> Result<(), store::Error> {
        for _ in 0..ROUNDS {
            run();
            let asked: Vec<Half> = self.shared.asked.borrow_mut().drain().collect();
            if asked.is_empty() {
                return Ok(());
            }
            for part in asked.chunks(AT_ONCE) {
                let found = links::resolve(db, config_id, part).await?;
                let mut known = self.shared.known.borrow_mut();
                known.extend(part.iter().map(|half| (half.clone(), None)));
                known.extend(found.into_iter().map(|(half, other)| (half, Some(other))));
            }
        }
        Ok(())
    }
}

/// What a sync's mapping of these records asks for, answered. Whether the caller may see the sync, the function has asked
/// before.
pub async fn links_of(
    db: &Db,
    config_id: ConfigId,
    mapping: &Mapping,
    records: &[Record],
) -> crate::Result<Lookups> {
    let lookups = Lookups::default();
    let ask = || records.iter().for_each(|one| drop(mapping.apply_with(&one.fields, &lookups)));
    lookups.fetch(db, config_id, ask).await?;
    Ok(lookups)
}

/// One answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Said {
    half: Half,
    other: Option<String>,
}

/// Passes questions on and remembers the answers: what a decision was made on.
pub(crate) struct Heard<'a> {
    lookups: &'a Lookups,
    said: RefCell<HashMap<Half, Option<String>>>,
}

impl<'a> Heard<'a> {
    pub(crate) fn of(lookups: &'a Lookups) -> Self {
        Self { lookups, said: RefCell::default() }
    }

    pub(crate) fn said(self) -> Vec<Said> {
        self.said.into_inner().into_iter().map(|(half, other)| Said { half, other }).collect()
    }
}

impl Resolver for Heard<'_> {
    fn linked(&self, object: &str, id: &Value, towards: Towards) -> Option<Value> {
        let answer = self.lookups.linked(object, id, towards);
        if let Some(half) = self.lookups.half(object, id, towards) {
            let other = answer.as_ref().and_then(Value::as_str).map(str::to_owned);
            self.said.borrow_mut().insert(half, other);
        }
        answer
    }
}

impl Resolver for Lookups {
    fn linked(&self, object: &str, id: &Value, towards: Towards) -> Option<Value> {
        let half = self.half(object, id, towards)?;
        if let Some(answer) = self.shared.known.borrow().get(&half) {
            return answer.clone().map(Value::String);
        }
        self.shared.asked.borrow_mut().insert(half);
        None
    }
}
