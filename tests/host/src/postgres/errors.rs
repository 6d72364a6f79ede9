//! Errors of the client, in the words of the interface.

use tokio_postgres::error::DbError;

use crate::bindings::spin::postgres::postgres::{DbError as WitDbError, Error, QueryError};

/// A failed statement: structured when the server said why, else the client's text.
pub(crate) fn query_failed(error: &tokio_postgres::Error) -> Error {
    let as_text = format!("{error:?}");
    Error::QueryFailed(match error.as_db_error() {
        None => QueryError::Text(as_text),
        Some(server) => QueryError::DbError(WitDbError {
            as_text,
            severity: server.severity().to_owned(),
            code: server.code().code().to_owned(),
            message: server.message().to_owned(),
            detail: server.detail().map(str::to_owned),
            extras: extras(server),
        }),
    })
}

/// A row that could not be converted.
pub(crate) fn unreadable(error: &anyhow::Error) -> Error {
    Error::QueryFailed(QueryError::Text(chain(error)))
}

/// An error and its causes, as `anyhow` prints them for debugging but never with a stack trace: with `RUST_BACKTRACE` set
/// Spin puts that into what components see.
pub(crate) fn chain(error: &anyhow::Error) -> String {
    let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
    let listed = match causes.as_slice() {
        [] => return error.to_string(),
        [only] => format!("    {only}"),
        several => {
            let numbered = several.iter().enumerate().map(|(index, cause)| format!("    {index}: {cause}"));
            numbered.collect::<Vec<_>>().join("\n")
        }
    };
    format!("{error}\n\nCaused by:\n{listed}")
}

/// The fields of the server's message that have no place of their own.
fn extras(server: &DbError) -> Vec<(String, String)> {
    let fields = [
        ("column", server.column().map(str::to_owned)),
        ("constraint", server.constraint().map(str::to_owned)),
        ("routine", server.routine().map(str::to_owned)),
        ("hint", server.hint().map(str::to_owned)),
        ("table", server.table().map(str::to_owned)),
        ("datatype", server.datatype().map(str::to_owned)),
        ("schema", server.schema().map(str::to_owned)),
        ("file", server.file().map(str::to_owned)),
        ("line", server.line().map(|line| line.to_string())),
        ("where_", server.where_().map(str::to_owned)),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
