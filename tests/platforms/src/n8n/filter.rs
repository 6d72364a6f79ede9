//! Filters of rows, with what the database behind them makes of times.

use std::cmp::Ordering;

use serde_json::Value;

use super::problem::Problem;
use super::table::{Kind, Row, Table, ordered};
use super::workflow::text;
use super::workflows::like;

/// One condition on one column.
#[derive(Debug, Clone)]
struct Condition {
    column: String,
    kind: Kind,
    relation: Relation,
    value: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Eq,
    Neq,
    Like,
    Ilike,
    Gt,
    Gte,
    Lt,
    Lte,
}

impl Relation {
    fn of(word: &str) -> Option<Self> {
        match word {
            "eq" => Some(Self::Eq),
            "neq" => Some(Self::Neq),
            "like" => Some(Self::Like),
            "ilike" => Some(Self::Ilike),
            "gt" => Some(Self::Gt),
            "gte" => Some(Self::Gte),
            "lt" => Some(Self::Lt),
            "lte" => Some(Self::Lte),
            _ => None,
        }
    }
}

impl Condition {
    /// Whether a row meets it. On times it does not work, which nothing says: none is equal or later, all are earlier.
    fn holds(&self, row: &Row) -> bool {
        let given = row.value(&self.column);
        if self.kind == Kind::Date && !self.value.is_null() {
            return matches!(self.relation, Relation::Neq | Relation::Lt | Relation::Lte) && !given.is_null();
        }
        let (given_text, pattern) =
            (given.as_str().unwrap_or_default(), self.value.as_str().unwrap_or_default());
        let order = ordered(&given, &self.value);
        let both = !given.is_null() && !self.value.is_null();
        match self.relation {
            Relation::Eq => order == Ordering::Equal,
            Relation::Neq => order != Ordering::Equal,
            Relation::Like | Relation::Ilike => like(given_text, pattern),
            Relation::Gt => both && order == Ordering::Greater,
            Relation::Gte => both && order != Ordering::Less,
            Relation::Lt => both && order == Ordering::Less,
            Relation::Lte => both && order != Ordering::Greater,
        }
    }
}

/// Conditions of which all must hold, or one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    conditions: Vec<Condition>,
    any: bool,
}

impl Filter {
    /// A filter as the API takes it.
    pub(crate) fn of(table: &Table, given: &Value) -> Result<Self, Problem> {
        let wrong = |why: &str| Problem::bad(format!("Invalid filter: {why}"));
        let any = match given.get("type").map(|kind| kind.as_str().unwrap_or_default()) {
            None | Some("and") => false,
            Some("or") => true,
            Some(_) => return Err(wrong("type must be 'and' or 'or'")),
        };
        let list =
            given.get("filters").and_then(Value::as_array).ok_or_else(|| wrong("filters is required"))?;
        let condition = |given: &Value| {
            let column = text(given, "columnName").to_owned();
            let relation =
                Relation::of(text(given, "condition")).ok_or_else(|| wrong("unknown condition"))?;
            let value = given.get("value").cloned().ok_or_else(|| wrong("value is required"))?;
            Ok(Condition { kind: table.kind(&column)?, column, relation, value })
        };
        let conditions = list.iter().map(condition).collect::<Result<_, Problem>>()?;
        Ok(Self { conditions, any })
    }

    /// The filter of a request that must have one, with a condition in it.
    pub(crate) fn required(table: &Table, given: Option<&Value>) -> Result<Self, Problem> {
        let missing = || Problem::bad("request must have required property 'filter'");
        let filter = Self::of(table, given.ok_or_else(missing)?)?;
        if filter.conditions.is_empty() {
            return Err(Problem::bad("Invalid filter: at least one condition is required"));
        }
        Ok(filter)
    }

    /// Whether a row is meant. Without conditions every one is.
    pub(crate) fn holds(&self, row: &Row) -> bool {
        let mut conditions = self.conditions.iter();
        if self.any && !self.conditions.is_empty() {
            conditions.any(|condition| condition.holds(row))
        } else {
            conditions.all(|condition| condition.holds(row))
        }
    }

    /// The ids of the rows that are meant.
    pub(crate) fn ids(&self, table: &Table) -> Vec<u64> {
        table.rows.values().filter(|row| self.holds(row)).map(|row| row.id).collect()
    }
}
