//! One request over the network, within its time and size.

use bytes::Bytes;
use connectors::{Error, ErrorKind, Reply, Request};
use futures::StreamExt;
use futures::future::{Either, select};
use http::HeaderValue;
use http::header::{ACCEPT, CONTENT_LENGTH, USER_AGENT};
use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::http::{FullBody, send};
use std::pin::pin;
use std::time::Duration;

/// The most we read of one reply.
const REPLY_CAP: usize = 10 * 1024 * 1024;
/// The code of a reply that is larger than that, which is ours and no vendor's.
pub(crate) const TOO_LARGE: &str = "too_large";
/// How we introduce ourselves.
const NAME: &str = concat!("syncline/", env!("CARGO_PKG_VERSION"));

/// Sends a signed request and reads the whole reply. Redirects are not followed: they would carry the credential along.
pub(crate) async fn exchange(request: Request, timeout: Duration) -> Result<Reply, Error> {
    let sending = pin!(send_and_read(request));
    let timer = pin!(spin_sdk::time::sleep(timeout));
    match select(sending, timer).await {
        Either::Left((reply, _)) => reply,
        Either::Right(_) => Err(unavailable(format!("no answer within {} s", timeout.as_secs().max(1)))),
    }
}

async fn send_and_read(request: Request) -> Result<Reply, Error> {
    let (mut parts, body) = request.into_parts();
    // Without a length the host would send chunks, which some vendors refuse.
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    parts.headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(NAME));
    parts.headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));
    let request = http::Request::from_parts(parts, FullBody::new(Bytes::from(body)));
    let reply = send(request)
        .await
        .map_err(|error| unavailable(format!("the platform cannot be reached ({error})")))?;
    let (parts, body) = reply.into_parts();
    let mut stream = body.stream();
    let mut read = Vec::new();
    while let Some(part) = stream.next().await {
        let part = part.map_err(|error| unavailable(format!("the answer broke off ({error})")))?;
        if read.len().saturating_add(part.len()) > REPLY_CAP {
            return Err(Error::unexpected("the answer is larger than 10 MiB").with_code(TOO_LARGE));
        }
        read.extend_from_slice(&part);
    }
    if announced(&parts).is_some_and(|length| length != read.len()) {
        return Err(unavailable("the answer is shorter than announced"));
    }
    let mut reply = http::Response::new(read);
    *reply.status_mut() = parts.status;
    *reply.headers_mut() = parts.headers;
    Ok(reply)
}

fn announced(parts: &http::response::Parts) -> Option<usize> {
    parts.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn unavailable(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unavailable, message)
}
