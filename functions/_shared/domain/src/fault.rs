//! What went wrong, in the two voices that every room's error has: one for the caller, one for the log.

use std::time::Duration;

/// The closed list of problem codes that a caller can meet. `edge` gives each its status and its page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The body is not JSON.
    BadRequest,
    /// No credential, or one that does not hold.
    Unauthorized,
    /// Known, but not allowed.
    Forbidden,
    /// There is none, or the caller may not see it.
    NotFound,
    /// The function has no such method.
    MethodNotAllowed,
    /// Not in this state: a named constraint, a lost lease, a key used for something else.
    Conflict,
    /// An `If-Match` that no longer holds.
    PreconditionFailed,
    /// The body is over the cap.
    TooLarge,
    /// The body is of a type we do not read.
    UnsupportedMediaType,
    /// A field is wrong or unknown.
    Invalid,
    /// Too many requests, ours or the platform's.
    RateLimited,
    /// The platform refused.
    PlatformRejected,
    /// The platform is away.
    PlatformUnavailable,
    /// We are: the database is away, or the deadline is near.
    Unavailable,
    /// A defect of ours.
    Internal,
}

impl Code {
    /// Every code there is.
    pub const ALL: &'static [Self] = &[
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::PreconditionFailed,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::Invalid,
        Self::RateLimited,
        Self::PlatformRejected,
        Self::PlatformUnavailable,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The stable word that callers match on.
    pub const fn word(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Conflict => "conflict",
            Self::PreconditionFailed => "precondition_failed",
            Self::TooLarge => "too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::Invalid => "invalid",
            Self::RateLimited => "rate_limited",
            Self::PlatformRejected => "platform_rejected",
            Self::PlatformUnavailable => "platform_unavailable",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }
}

/// A failure that can be told to a caller and to the log. Every room's error is one.
pub trait Fault {
    /// Which kind of problem the caller sees.
    fn code(&self) -> Code;

    /// One or two sentences for the caller: what is wrong and what to do. Never a secret, never a cause.
    fn detail(&self) -> String;

    /// How long the caller should wait before trying again, where that is known.
    fn retry_after(&self) -> Option<Duration> {
        None
    }

    /// Which fields are wrong, as (JSON pointer, code, detail).
    fn fields(&self) -> Vec<(String, String, String)> {
        Vec::new()
    }

    /// The cause, for the log only. Never a secret either.
    fn log(&self) -> String;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_fault_that_says_nothing_of_it_blames_no_field_and_asks_for_no_patience() {
        struct Plain;
        impl Fault for Plain {
            fn code(&self) -> Code {
                Code::Internal
            }
            fn detail(&self) -> String {
                String::new()
            }
            fn log(&self) -> String {
                String::new()
            }
        }
        assert!(Plain.fields().is_empty());
        assert_eq!(Plain.retry_after(), None);
    }

    #[test]
    fn every_code_has_a_word_of_its_own() {
        let words: BTreeSet<&str> = Code::ALL.iter().map(|code| code.word()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        let plain = |word: &&str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        assert!(words.iter().all(plain));
    }
}
