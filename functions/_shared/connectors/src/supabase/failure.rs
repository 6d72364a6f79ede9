//! The one place that knows how users' tables fail.
//!
//! The database answers with the SQLSTATE and its own words; ours say what that means for a record and what to do. The
//! details it may send are left out: they can hold values of rows.

use super::replies::{Refusal, Refused};
use crate::{Error, ErrorKind, Reply, Result, read};

/// Whether the whole question was refused.
pub(super) fn of(reply: &Reply) -> Result<()> {
    let Refused { error } = read::json(reply.body())?;
    error.map_or(Ok(()), |refusal| Err(whole(&refusal)))
}

/// A question that was refused whole: what is not permitted needs the project's owner, and no record will succeed before.
fn whole(refusal: &Refusal) -> Error {
    let error = record(refusal);
    let kind = match refusal.state.as_str() {
        "PT403" | "42501" => ErrorKind::Unauthorized,
        "PT404" => ErrorKind::Rejected,
        _ => error.kind,
    };
    Error { kind, ..error }
}

/// One record that was refused.
pub(super) fn record(refusal: &Refusal) -> Error {
    let kind = match refusal.state.as_str() {
        "PT404" => ErrorKind::NotFound,
        "PT409" => ErrorKind::Conflict,
        "55P03" => ErrorKind::Unavailable,
        _ => ErrorKind::Rejected,
    };
    Error::new(kind, words(refusal)).with_code(&*refusal.state)
}

fn words(refusal: &Refusal) -> String {
    let message = read::excerpt(&refusal.message);
    let rule = refusal.constraint.as_deref().unwrap_or("unnamed");
    let column = refusal.column.as_deref().unwrap_or("unnamed");
    match refusal.state.as_str() {
        // Our own functions say it readably, and a `grant` must be whole.
        state if state.starts_with("PT") => refusal.message.clone(),
        // `raise exception` of the table's own triggers: somebody wrote it to be read.
        "P0001" => message,
        "23505" => format!("The table has another row with this value already (the rule is {rule})."),
        "23503" => {
            format!(
                "The row refers to one that is not there, or others still refer to it (the rule is {rule})."
            )
        }
        "23502" => format!("The column {column} must have a value."),
        "23514" => format!("A value breaks the table's rule {rule}."),
        "42501" if message.contains("row-level security") => {
            "The table's policies do not let the account's owner write such a row.".to_owned()
        }
        "42501" => format!("The account's role lacks a right that the project's owner can grant: {message}."),
        "55P03" => "Somebody else holds the row; it is tried again later.".to_owned(),
        state if state.starts_with("22") => format!("A value does not fit its column: {message}."),
        state => format!("The table refuses it: {message} ({state})."),
    }
}
