//! What n8n tells by itself, about one execution at a time.

use super::executions::Execution;
use super::replies::{RawExecution, RawTold, text};
use crate::{Error, Result};
use domain::ExecutionWord;

/// What n8n tells by itself: the body that an error workflow sends, or a callback at the end of a workflow:
/// `{"execution":{"id","status"?,"mode"?,"startedAt"?,"stoppedAt"?,"error"?:{"message"},"lastNodeExecuted"?},"workflow":{"id","name"}}`.
///
/// Without a status, an error means [`ExecutionWord::Error`], and nothing else means [`ExecutionWord::Unknown`]: that is
/// to be read from n8n. [`crate::ErrorKind::Unexpected`] where it is not said which execution it is.
pub fn told(body: &[u8]) -> Result<Execution> {
    // No word of the body stands in the error: it may hold anything.
    let unreadable = || Error::unexpected("n8n's message does not say which execution it is about");
    let told: RawTold = serde_json::from_slice(body).map_err(|_| unreadable())?;
    let raw: &RawExecution = told.execution.known().ok_or_else(unreadable)?;
    let mut execution = Execution::of(raw).map_err(|_| unreadable())?;
    if execution.workflow_id.is_none() {
        execution.workflow_id = told.workflow.known().and_then(|workflow| text(&workflow.id));
    }
    if raw.status.is_null() && execution.error.is_some() {
        execution.word = ExecutionWord::Error;
    }
    Ok(execution)
}
