//! Kinds of failure on the other side, and what the engine does about each.

use serde::{Deserialize, Serialize};

/// What a platform's failure means for the caller. Each connector turns its vendor's errors into these, in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The platform has no such verb or object.
    Unsupported,
    /// The credential is wrong, expired or not allowed to do this.
    Unauthorized,
    /// Too many requests; wait.
    RateLimited,
    /// The platform refuses this record as it is.
    Rejected,
    /// The record changed under us; read again and decide again.
    Conflict,
    /// The record does not exist.
    NotFound,
    /// The platform is away or failed inside.
    Unavailable,
    /// The reply is not what the platform's documents say.
    Unexpected,
}

/// What the engine does with a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryClass {
    /// Try again, later each time.
    Transient,
    /// Wait, with the whole integration, not one job.
    Throttled,
    /// Pause the integration and tell its owner.
    Auth,
    /// This record will not be accepted; do not try again.
    Rejected,
    /// Read again and decide again.
    Conflict,
    /// A defect, ours or theirs; do not try again, tell somebody.
    Bug,
}

impl ErrorKind {
    /// The one table from a connector's failure to the engine's answer.
    pub const fn retry_class(self) -> RetryClass {
        match self {
            Self::Unavailable => RetryClass::Transient,
            Self::RateLimited => RetryClass::Throttled,
            Self::Unauthorized => RetryClass::Auth,
            Self::Rejected | Self::NotFound => RetryClass::Rejected,
            Self::Conflict => RetryClass::Conflict,
            Self::Unsupported | Self::Unexpected => RetryClass::Bug,
        }
    }
}

impl RetryClass {
    /// Whether the same request may succeed later without anybody's help.
    pub const fn is_temporary(self) -> bool {
        matches!(self, Self::Transient | Self::Throttled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_passes_by_itself_is_temporary() {
        for (kind, temporary) in [
            (ErrorKind::Unavailable, true),
            (ErrorKind::RateLimited, true),
            (ErrorKind::Unauthorized, false),
            (ErrorKind::Rejected, false),
            (ErrorKind::Conflict, false),
            (ErrorKind::Unexpected, false),
        ] {
            assert_eq!(kind.retry_class().is_temporary(), temporary, "{kind:?}");
        }
    }
}
