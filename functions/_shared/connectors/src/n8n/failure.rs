//! The one place that knows how n8n fails: by status with a message as JSON.
//!
//! What is no JSON comes from something else: from a proxy, or from a server that is starting, which answers every
//! address of its API with status 404 and a web page for some seconds. Such a 404 says nothing of what is there.

use crate::{Error, ErrorKind, Reply, read};
use domain::Value;

/// The code of a thing that is not there.
pub(super) const GONE: &str = "not_found";
/// The code of an address that this version of n8n does not have.
const NO_ADDRESS: &str = "no_address";

/// Why the exchange failed; `None` when it did not.
pub(super) fn of(reply: &Reply) -> Option<Error> {
    if reply.status().is_success() {
        return None;
    }
    let status = reply.status().as_u16();
    let told = said(reply);
    let error = match (status, told.as_deref()) {
        (401, _) => Error::new(ErrorKind::Unauthorized, "n8n does not accept the API key"),
        (413, _) => Error::new(ErrorKind::Rejected, "n8n takes no more than 16 MB at once"),
        (429, _) => Error::new(ErrorKind::RateLimited, "n8n asks to slow down"),
        (300..=399, _) => Error::unexpected(format!("n8n redirects elsewhere (status {status})")),
        (_, None) if is_page(reply) || status == 404 => starting(reply),
        (403, told) => forbidden(told),
        (404, Some("not found")) => {
            return Some(
                Error::unsupported("this version of n8n has no such function").with_code(NO_ADDRESS),
            );
        }
        (405, _) => {
            return Some(Error::unsupported("this version of n8n cannot do that").with_code(NO_ADDRESS));
        }
        (404, Some("Not Found")) => {
            return Some(Error::new(ErrorKind::NotFound, "n8n has no such thing").with_code(GONE));
        }
        (404, Some(told)) => Error::new(ErrorKind::NotFound, told),
        (415, _) => Error::unsupported("n8n does not read this type of content"),
        (409, told) => Error::new(ErrorKind::Conflict, told.unwrap_or("n8n is in a state that forbids it")),
        (_, told) => match (read::server_failure(reply, "n8n"), told) {
            (Some(error), Some(told)) => Error { message: format!("n8n failed inside: {told}"), ..error },
            (Some(error), None) => error,
            (None, Some(told)) => Error::new(ErrorKind::Rejected, told),
            (None, None) => {
                Error::new(ErrorKind::Rejected, format!("n8n refused the request (status {status})"))
            }
        },
    };
    Some(error.with_code(status.to_string()).with_retry_after(read::retry_after(reply)))
}

/// What n8n says for a person, shortened; `None` when it says nothing as JSON.
pub(super) fn said(reply: &Reply) -> Option<String> {
    let told: Value = serde_json::from_slice(reply.body()).ok()?;
    told.get("message").and_then(Value::as_str).map(read::excerpt)
}

/// Whether a web page stands where an answer should.
pub(super) fn is_page(reply: &Reply) -> bool {
    reply.body().iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<')
}

/// Whether what was asked for is not there, and n8n itself says so.
pub(super) fn is_gone(error: &Error) -> bool {
    error.kind == ErrorKind::NotFound && error.vendor_code.as_deref() == Some(GONE)
}

/// Whether this version of n8n does not have the address.
pub(super) fn is_unknown(error: &Error) -> bool {
    error.vendor_code.as_deref() == Some(NO_ADDRESS)
}

/// Whether the credential is good, but not for this.
pub(super) fn lacks_permission(error: &Error) -> bool {
    error.kind == ErrorKind::Unauthorized && error.vendor_code.as_deref() == Some("403")
}

/// The failure of a server that does not answer for itself yet.
pub(super) fn starting(reply: &Reply) -> Error {
    let status = reply.status().as_u16();
    let message = match status {
        404 | 503 => "n8n is starting, or something else answers at its address".to_owned(),
        _ => format!("something else answers in n8n's place (status {status})"),
    };
    let wait = read::retry_after(reply);
    Error::new(ErrorKind::Unavailable, message).with_code(status.to_string()).with_retry_after(wait)
}

fn forbidden(told: Option<&str>) -> Error {
    match told {
        Some(told) if told.contains("license") => {
            Error::unsupported("the licence of this n8n server does not include that")
        }
        _ => Error::new(ErrorKind::Unauthorized, "the API key lacks a scope that this needs"),
    }
}
