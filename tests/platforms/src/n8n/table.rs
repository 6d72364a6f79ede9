//! A data table: its columns and its rows.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::problem::Problem;
use super::stamp;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    String,
    Number,
    Boolean,
    Date,
}

impl Kind {
    pub(crate) fn of(word: &str) -> Option<Self> {
        match word {
            "string" => Some(Self::String),
            "number" => Some(Self::Number),
            "boolean" => Some(Self::Boolean),
            "date" => Some(Self::Date),
            _ => None,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
        }
    }

    /// The value as the table keeps it, if it is of this kind.
    fn kept(self, value: &Value) -> Option<Value> {
        match self {
            _ if value.is_null() => Some(Value::Null),
            Self::String => value.is_string().then(|| value.clone()),
            Self::Number => value.is_number().then(|| value.clone()),
            Self::Boolean => value.is_boolean().then(|| value.clone()),
            Self::Date => {
                let time = DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
                Some(stamp(time.with_timezone(&Utc)).into())
            }
        }
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) id: u64,
    pub(crate) created: DateTime<Utc>,
    pub(crate) updated: DateTime<Utc>,
    /// Values by columns; null where nothing was ever written.
    pub(crate) values: Map<String, Value>,
}

impl Row {
    pub(crate) fn shown(&self) -> Value {
        let mut shown = self.values.clone();
        shown.insert("id".to_owned(), self.id.into());
        shown.insert("createdAt".to_owned(), stamp(self.created).into());
        shown.insert("updatedAt".to_owned(), stamp(self.updated).into());
        shown.into()
    }

    /// What a column of it holds.
    pub(crate) fn value(&self, column: &str) -> Value {
        match column {
            "id" => self.id.into(),
            "createdAt" => stamp(self.created).into(),
            "updatedAt" => stamp(self.updated).into(),
            _ => self.values.get(column).cloned().unwrap_or_default(),
        }
    }
}

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) created: DateTime<Utc>,
    pub(crate) updated: DateTime<Utc>,
    pub(crate) rows: BTreeMap<u64, Row>,
    last: u64,
}

impl Table {
    pub(crate) fn new(id: String, name: &str, columns: Vec<Column>, now: DateTime<Utc>) -> Self {
        let name = name.to_owned();
        Self { id, name, columns, created: now, updated: now, rows: BTreeMap::new(), last: 0 }
    }

    pub(crate) fn shown(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "projectId": "personal", "columns": self.shown_columns(),
            "createdAt": stamp(self.created), "updatedAt": stamp(self.updated),
        })
    }

    pub(crate) fn shown_columns(&self) -> Value {
        let shown = |(index, column): (usize, &Column)| {
            json!({
                "id": column.id, "dataTableId": self.id, "name": column.name, "type": column.kind.word(),
                "index": index,
            })
        };
        self.columns.iter().enumerate().map(shown).collect()
    }

    /// The kind of a column, those of every table included.
    pub(crate) fn kind(&self, name: &str) -> Result<Kind, Problem> {
        match name {
            "id" => Ok(Kind::Number),
            "createdAt" | "updatedAt" => Ok(Kind::Date),
            _ => {
                let column = self.columns.iter().find(|column| column.name == name);
                column.map(|column| column.kind).ok_or_else(|| unknown(name))
            }
        }
    }

    /// The values as the table keeps them, if every one is of a column and of its kind.
    pub(crate) fn checked(&self, given: &Value) -> Result<Map<String, Value>, Problem> {
        let given = given.as_object().ok_or_else(|| Problem::bad("request/body/data must be object"))?;
        let mut kept = Map::new();
        for (name, value) in given {
            let column = self.columns.iter().find(|column| column.name == *name);
            let kind = column.ok_or_else(|| unknown(name))?.kind;
            let value = kind.kept(value).ok_or_else(|| {
                let word = kind.word();
                Problem::bad(format!("value '{value}' does not match column type '{word}'"))
            })?;
            kept.insert(name.clone(), value);
        }
        Ok(kept)
    }

    /// Adds a row with values that were checked.
    pub(crate) fn add(&mut self, given: Map<String, Value>, now: DateTime<Utc>) -> Row {
        self.last += 1;
        let mut values: Map<String, Value> =
            self.columns.iter().map(|column| (column.name.clone(), Value::Null)).collect();
        values.extend(given);
        let row = Row { id: self.last, created: now, updated: now, values };
        self.rows.insert(row.id, row.clone());
        row
    }

    /// Writes values that were checked into a row.
    pub(crate) fn write(&mut self, id: u64, given: &Map<String, Value>, now: DateTime<Utc>) -> Option<Row> {
        let row = self.rows.get_mut(&id)?;
        row.values.extend(given.clone());
        row.updated = now;
        Some(row.clone())
    }
}

fn unknown(name: &str) -> Problem {
    Problem::bad(format!("unknown column name '{name}'"))
}

/// Which of two values comes first. Nothing comes before everything.
pub(crate) fn ordered(one: &Value, other: &Value) -> Ordering {
    let number = |value: &Value| value.as_f64();
    match (one, other) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::String(one), Value::String(other)) => one.cmp(other),
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        _ => number(one).partial_cmp(&number(other)).unwrap_or(Ordering::Equal),
    }
}
