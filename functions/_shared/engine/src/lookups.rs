//! Links to other kinds of item that mappings follow: an order's product, a contact's company.
//!
//! A mapping runs without waiting. So it is run once to hear what it asks, the answers are fetched in one statement, and
//! it is run again.

use crate::gather::Stop;
use crate::sides::Sides;
use domain::Value;
use domain::mapping::{Resolver, Towards};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use store::links::{self, Half};

/// How often new questions may follow from answers.
const ROUNDS: u32 = 3;
/// Questions of one statement.
const AT_ONCE: usize = 5_000;

/// What was asked and what is known, shared by both views of a sync.
#[derive(Default)]
pub(crate) struct Lookups {
    shared: Rc<Shared>,
    /// Whether this is the sync seen from its other side.
    turned: bool,
}

#[derive(Default)]
struct Shared {
    known: RefCell<HashMap<Half, Option<String>>>,
    asked: RefCell<HashSet<Half>>,
}

impl Lookups {
    /// The same knowledge, for the sync seen from its other side.
    pub(crate) fn turned(&self) -> Self {
        Self { shared: Rc::clone(&self.shared), turned: !self.turned }
    }

    /// Hears what `run` asks for, and fetches that, before it is run in earnest.
    pub(crate) async fn learn(sides: &Sides<'_>, run: impl Fn()) -> Result<(), Stop> {
        if !sides.rules.mapping.asks() {
            return Ok(());
        }
        let shared = &sides.lookups.shared;
        for _ in 0..ROUNDS {
            run();
            let asked: Vec<Half> = shared.asked.borrow_mut().drain().collect();
            if asked.is_empty() {
                return Ok(());
            }
            for part in asked.chunks(AT_ONCE) {
                let found =
                    links::resolve(sides.db, sides.child.config_id, part).await.map_err(Stop::Store)?;
                let mut known = shared.known.borrow_mut();
                known.extend(part.iter().map(|half| (half.clone(), None)));
                known.extend(found.into_iter().map(|(half, other)| (half, Some(other))));
            }
        }
        Ok(())
    }
}

impl Resolver for Lookups {
    fn linked(&self, object: &str, id: &Value, towards: Towards) -> Option<Value> {
        let text = match id {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        let to_target = (towards == Towards::Target) != self.turned;
        let half = Half { object: object.to_owned(), id: text, to_target };
        if let Some(answer) = self.shared.known.borrow().get(&half) {
            return answer.clone().map(Value::String);
        }
        self.shared.asked.borrow_mut().insert(half);
        None
    }

    fn unique(&self, _: &str, _: &Value) -> Option<bool> {
        None
    }
}
