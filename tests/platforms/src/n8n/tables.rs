//! Data tables: what there is and how it is made.

use serde_json::{Value, json};

use super::problem::Problem;
use super::routes::Call;
use super::state::State;
use super::table::{Column, Kind, Table};
use super::workflow::text;
use super::{Instance, page};
use crate::journal::{Effect, Verb};
use crate::web::Reply;

/// The table that the path names.
pub(crate) fn named<'a>(state: &'a State, call: &Call) -> Result<&'a Table, Problem> {
    let message = || Problem::new(404, format!("Data Table with ID {} not found", call.id()));
    state.tables.get(call.id()).ok_or_else(message)
}

pub(crate) fn list(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let tables: Vec<&Table> = instance.state.tables.values().collect();
    Ok(Reply::json(200, &page::paged(page::window(call.request)?, &tables, |table| table.shown())))
}

pub(crate) fn get(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    Ok(Reply::json(200, &named(&instance.state, call)?.shown()))
}

pub(crate) fn columns(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    Ok(Reply::json(200, &named(&instance.state, call)?.shown_columns()))
}

pub(crate) fn create(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let given = call.body.get("columns").and_then(Value::as_array);
    let given = given.ok_or_else(|| Problem::bad("request/body must have required property 'columns'"))?;
    let columns: Vec<(&str, &str)> =
        given.iter().map(|column| (text(column, "name"), text(column, "type"))).collect();
    let table = make(&mut instance.state, text(&call.body, "name"), &columns)?;
    tell(&mut instance.state, Verb::Created, &table);
    Ok(Reply::json(201, &table.shown()))
}

/// Makes a table. The vendor's page allows columns of JSON too; the server does not.
pub(crate) fn make(state: &mut State, name: &str, columns: &[(&str, &str)]) -> Result<Table, Problem> {
    free(state, name)?;
    let mut made: Vec<Column> = Vec::new();
    for (name, kind) in columns {
        let message =
            || Problem::bad("request/body/columns/0/type must be one of string, number, boolean, date");
        let kind = Kind::of(kind).ok_or_else(message)?;
        let is_taken =
            ["id", "createdAt", "updatedAt"].contains(name) || made.iter().any(|column| column.name == *name);
        if name.is_empty() || is_taken {
            return Err(Problem::bad(format!("Invalid column name '{name}'")));
        }
        made.push(Column { id: state.new_id(), name: (*name).to_owned(), kind });
    }
    let (id, now) = (state.new_id(), state.now());
    let table = Table::new(id, name, made, now);
    state.tables.insert(table.id.clone(), table.clone());
    Ok(table)
}

fn free(state: &State, name: &str) -> Result<(), Problem> {
    if name.is_empty() {
        return Err(Problem::bad("request/body must have required property 'name'"));
    }
    if state.tables.values().any(|table| table.name == name) {
        return Err(Problem::new(
            409,
            format!("Data table with name '{name}' already exists in this project"),
        ));
    }
    Ok(())
}

pub(crate) fn rename(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let state = &mut instance.state;
    named(state, call)?;
    let name = text(&call.body, "name");
    free(state, name)?;
    let now = state.now();
    let table = state.tables.get_mut(call.id()).ok_or_else(Problem::not_found)?;
    (table.name, table.updated) = (name.to_owned(), now);
    let table = table.clone();
    tell(state, Verb::Updated, &table);
    Ok(Reply::json(200, &table.shown()))
}

pub(crate) fn delete(instance: &mut Instance, call: &Call) -> Result<Reply, Problem> {
    let table = named(&instance.state, call)?.clone();
    instance.state.tables.remove(&table.id);
    tell(&mut instance.state, Verb::Deleted, &table);
    Ok(Reply::json(200, &json!({ "success": true })))
}

fn tell(state: &mut State, verb: Verb, table: &Table) {
    state.effects.push(Effect::new(verb, "dataTable", table.id.clone()).key("name", table.name.clone()));
}
