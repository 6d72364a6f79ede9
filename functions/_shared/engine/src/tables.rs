//! Questions about the user's own tables: answered by our database, not sent anywhere.

use connectors::{Error, ErrorKind, Reply, Request};
use domain::{Fault, IntegrationId, Value};
use http::HeaderValue;
use http::header::DATE;
use store::Db;
use store::tables::{self, Listed};

/// Carries a question of the connector to the database, and its answer back as a reply.
///
/// What the tables refuse is part of the answer, for the connector to read. A database that is away or busy is a platform
/// that is away.
pub(crate) async fn exchange(db: &Db, account: IntegrationId, request: &Request) -> Result<Reply, Error> {
    let asked: Value =
        serde_json::from_slice(request.body()).map_err(|error| Error::unexpected(error.to_string()))?;
    let answer = match request.uri().path() {
        "/list" => return listed(tables::list(db, account, &asked).await),
        "/find" => tables::find(db, account, &asked).await,
        "/write" => tables::write(db, account, &asked).await,
        "/delete" => tables::delete(db, account, &asked).await,
        "/describe" => tables::describe(db, account, &asked).await,
        path => return Err(Error::unexpected(format!("there is no question {path} about tables"))),
    };
    answer.map(|answer| Reply::new(answer.to_string().into_bytes())).map_err(|error| failure(&error))
}

/// A page tells the database's time, as platforms do in the headers of their replies.
fn listed(answer: Result<Listed, store::Error>) -> Result<Reply, Error> {
    let Listed { page, now } = answer.map_err(|error| failure(&error))?;
    let mut reply = Reply::new(page.to_string().into_bytes());
    let date =
        HeaderValue::try_from(now.to_rfc2822()).map_err(|error| Error::unexpected(error.to_string()))?;
    reply.headers_mut().insert(DATE, date);
    Ok(reply)
}

fn failure(error: &store::Error) -> Error {
    let kind = match error {
        store::Error::Unreachable(_) | store::Error::Busy { .. } => ErrorKind::Unavailable,
        _ => ErrorKind::Unexpected,
    };
    Error::new(kind, error.detail()).with_retry_after(error.retry_after())
}
