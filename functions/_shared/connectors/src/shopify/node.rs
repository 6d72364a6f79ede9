//! Records whose lists are longer than one reply: reading what is left, until each record is whole.

use super::cost;
use super::failure;
use super::graphql::{Shop, numbered, repeat};
use super::replies::{Connection, PageInfo};
use crate::{Error, Result, Step, read};
use domain::{Fields, Record, Value};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

/// More rounds than any record can need: 2,048 variants come in 41 parts.
const MOST_ROUNDS: u32 = 200;

/// A kind of record that is read in parts.
pub(super) trait Node: DeserializeOwned + Clone + Send + Sync + 'static {
    /// The document that reads what is left, with the fragments it needs.
    fn rest_document() -> String;
    /// The most that one alias of that document costs.
    const REST_COST: u32;
    /// How many aliases of it fit into one request.
    const REST_AT_ONCE: usize;

    /// Its id.
    fn id(&self) -> &str;
    /// The variables for reading on; `None` when the record is whole.
    fn missing(&self) -> Option<Vec<(&'static str, Value)>>;
    /// Adds what was read.
    fn append(&mut self, more: &Value) -> Result<()>;
    /// Variables that the document needs once.
    fn shared(shop: &Shop) -> Fields;
}

/// A node that is a record of ours.
pub(super) trait Recorded: Node {
    /// The neutral record.
    fn into_record(self) -> Result<Record>;
}

/// What happens with the whole records.
pub(super) type Then<N, T> = Arc<dyn Fn(Vec<N>) -> Result<Step<T>> + Send + Sync>;

/// Reads on until every record is whole, then goes on. One that disappears meanwhile is left out.
pub(super) fn complete<N: Node, T: 'static>(
    shop: &Shop,
    nodes: Vec<N>,
    then: &Then<N, T>,
) -> Result<Step<T>> {
    rounds(shop, nodes, then, 0)
}

fn rounds<N: Node, T: 'static>(shop: &Shop, nodes: Vec<N>, then: &Then<N, T>, round: u32) -> Result<Step<T>> {
    let mut positions = Vec::new();
    let mut variables = Vec::new();
    for (position, node) in nodes.iter().enumerate() {
        if variables.len() == N::REST_AT_ONCE {
            break;
        }
        if let Some(mut missing) = node.missing() {
            missing.push(("id", Value::String(node.id().to_owned())));
            positions.push(position);
            variables.push(missing);
        }
    }
    if positions.is_empty() {
        return then(nodes);
    }
    // Each round brings every record in it further or fails, so that only a lying platform gets here.
    if round >= MOST_ROUNDS.saturating_mul(u32::try_from(nodes.len()).unwrap_or(u32::MAX)) {
        return Err(Error::unexpected("Shopify's lists do not come to an end"));
    }
    let count = positions.len();
    let mut all = N::shared(shop);
    all.extend(numbered(variables));
    let document = repeat(&N::rest_document(), count);
    let cost = cost::times(count, N::REST_COST);
    let (again, then) = (shop.clone(), Arc::clone(then));
    let exchange = shop.ask(&document, all, cost, move |reply| {
        let mut nodes: Vec<Option<N>> = nodes.iter().cloned().map(Some).collect();
        for (more, position) in failure::each(reply, count)?.into_iter().zip(&positions) {
            let more = more?;
            let Some(place) = nodes.get_mut(*position) else { continue };
            if more.is_null() {
                *place = None;
            } else if let Some(node) = place {
                node.append(&more)?;
            }
        }
        rounds(&again, nodes.into_iter().flatten().collect(), &then, round.saturating_add(1))
    })?;
    Ok(Step::Next { exchange, after: Duration::ZERO })
}

/// The nodes of an answer to `nodes(ids:)`. What does not exist is null; what is of another kind has no fields.
pub(super) fn existing<N: Node>(values: &[Value]) -> Result<Vec<N>> {
    values
        .iter()
        .filter(|value| !value.is_null() && value.as_object().is_none_or(|fields| !fields.is_empty()))
        .map(read::part)
        .collect()
}

/// Where a list goes on; `None` at its end.
pub(super) fn next_cursor(page: &PageInfo) -> Result<Option<&str>> {
    match (page.has_next_page, page.end_cursor.as_deref()) {
        (false, _) => Ok(None),
        (true, Some(cursor)) => Ok(Some(cursor)),
        (true, None) => Err(Error::unexpected("Shopify has more to show but does not say where")),
    }
}

/// Adds a further part to a list. A part that ends where the list ended before would be read for ever.
pub(super) fn extend<T>(list: &mut Connection<T>, more: Connection<T>) -> Result<()> {
    let next = next_cursor(&more.page_info)?;
    if next.is_some() && (next == list.page_info.end_cursor.as_deref() || more.nodes.is_empty()) {
        return Err(Error::unexpected("Shopify shows the same page twice"));
    }
    list.nodes.extend(more.nodes);
    list.page_info = more.page_info;
    Ok(())
}

/// The cursor behind which to read on, as a variable.
pub(super) fn cursor(page: &PageInfo) -> Value {
    page.end_cursor.clone().map_or(Value::Null, Value::String)
}

/// A text that may be absent.
pub(super) fn text(value: Option<String>) -> Value {
    value.map_or(Value::Null, Value::String)
}

/// An amount, which the neutral record holds as text.
pub(super) fn amount(value: &Value) -> Result<Value> {
    match value {
        Value::Null => Ok(Value::Null),
        other => read::money(other)
            .map(Value::String)
            .ok_or_else(|| Error::unexpected("Shopify's answer holds an amount that is none")),
    }
}

/// A count, which the neutral record holds as a number.
pub(super) fn count(value: &Value) -> Result<Value> {
    read::integer(value)
        .map(Value::from)
        .ok_or_else(|| Error::unexpected("Shopify's answer holds a count that is no whole number"))
}
