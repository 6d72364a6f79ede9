//! A request and the only function that can read its reply.

use domain::ErrorKind;
use domain::auth::Scheme;
use std::fmt;
use std::time::Duration;

/// An unsigned request. The address is absolute; `content-length` is set by the sender.
pub type Request = http::Request<Vec<u8>>;

/// A whole reply, body read within the sender's cap.
pub type Reply = http::Response<Vec<u8>>;

/// What a connector answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a platform did not do what was asked, in words for the user and a kind for the engine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What the caller can do about it.
    pub kind: ErrorKind,
    /// The platform's own message, made readable; never holds a credential.
    pub message: String,
    /// The vendor's code, where it sent one (`THROTTLED`, `USER_ERROR`).
    pub vendor_code: Option<String>,
    /// How long the platform asked us to wait.
    pub retry_after: Option<Duration>,
}

impl Error {
    /// An error of this kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), vendor_code: None, retry_after: None }
    }

    /// The platform has no such verb.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    /// A search that cannot be asked of this platform. Nothing was sent.
    pub fn unfit_filter(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Rejected, message).with_code(Self::UNFIT_FILTER)
    }

    /// The code of [`Error::unfit_filter`], which is ours and no vendor's.
    pub const UNFIT_FILTER: &str = "unfit_filter";

    /// The reply is not what the vendor documents.
    pub fn unexpected(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unexpected, message)
    }

    /// The same error with the vendor's code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.vendor_code = Some(code.into());
        self
    }

    /// The same error with the wait the platform asked for.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }
}

/// What a reply leads to.
#[expect(clippy::large_enum_variant, reason = "one of these exists at a time, and only for a moment")]
pub enum Step<T> {
    /// The answer.
    Done(T),
    /// Another request is needed (the next page, the state of an asynchronous job), not before `after` has passed.
    Next {
        /// What to send.
        exchange: Exchange<T>,
        /// How long to wait first.
        after: Duration,
    },
}

type Read<T> = dyn Fn(&Reply) -> Result<Step<T>> + Send;

/// A request, how it is to be authenticated, and the only function that can read its reply.
///
/// Reading does not consume the exchange: an attempt that failed in between is repeated with the same request, signed anew.
pub struct Exchange<T> {
    /// The unsigned request.
    pub request: Request,
    /// How it is authenticated.
    pub scheme: Scheme,
    /// What it costs of the platform's budget, in the platform's own points (1 where requests are counted).
    pub cost: u32,
    read: Box<Read<T>>,
}

impl<T: 'static> Exchange<T> {
    /// An exchange whose reply is the answer.
    pub fn new(
        request: Request,
        scheme: Scheme,
        read: impl Fn(&Reply) -> Result<T> + Send + 'static,
    ) -> Self {
        Self::steps(request, scheme, move |reply| read(reply).map(Step::Done))
    }

    /// An exchange whose reply may call for another request.
    pub fn steps(
        request: Request,
        scheme: Scheme,
        read: impl Fn(&Reply) -> Result<Step<T>> + Send + 'static,
    ) -> Self {
        Self { request, scheme, cost: 1, read: Box::new(read) }
    }

    /// The same exchange with its cost in the platform's points.
    #[must_use]
    pub fn costing(mut self, points: u32) -> Self {
        self.cost = points;
        self
    }

    /// Reads a reply to this request.
    pub fn read(&self, reply: &Reply) -> Result<Step<T>> {
        (self.read)(reply)
    }
}

impl<T> fmt::Debug for Exchange<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("method", self.request.method())
            .field("uri", self.request.uri())
            .finish_non_exhaustive()
    }
}
