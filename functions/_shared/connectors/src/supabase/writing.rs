//! Writing rows, each with an outcome of its own.

use super::failure;
use super::reading::fits;
use super::replies::{One, Outcomes, Row};
use super::setup::Asked;
use crate::{Error, Exchange, Outcome, Reply, Result, Write, Written, read};
use domain::Value;
use serde_json::json;

/// Writes rows; the answer holds each as it is afterwards, whatever the table's triggers made of it.
pub(super) fn write(table: &Asked, writes: &[Write]) -> Result<Exchange<Vec<Outcome>>> {
    fits(writes.len())?;
    let asked: Vec<Value> = writes
        .iter()
        .map(|write| {
            json!({
                "id": write.id, "external_key": write.external_key, "fields": write.fields,
                "expected_version": write.expected_version,
            })
        })
        .collect();
    let count = writes.len();
    table.ask("write", json!({ "writes": asked }), move |reply| {
        let written = |one: One| match one {
            One { error: Some(refusal), .. } => Err(failure::record(&refusal)),
            One { id: Some(id), now, .. } => Ok(Written { id, now: now.map(Row::into) }),
            One { .. } => Err(Error::unexpected("the database does not say what became of this row")),
        };
        Ok(outcomes(reply, count)?.into_iter().map(written).collect())
    })
}

/// Deletes rows, or marks them deleted.
pub(super) fn delete(table: &Asked, ids: &[String]) -> Result<Exchange<Vec<Result<()>>>> {
    fits(ids.len())?;
    let count = ids.len();
    table.ask("delete", json!({ "ids": ids }), move |reply| {
        let gone = |one: One| one.error.map_or(Ok(()), |refusal| Err(failure::record(&refusal)));
        Ok(outcomes(reply, count)?.into_iter().map(gone).collect())
    })
}

/// One outcome per record, in their order.
fn outcomes(reply: &Reply, count: usize) -> Result<Vec<One>> {
    let Outcomes { outcomes } = read::json(reply.body())?;
    if outcomes.len() == count {
        Ok(outcomes)
    } else {
        Err(Error::unexpected("the database does not say what became of each row"))
    }
}
