//! Why a token was refused.

use domain::{Code, Fault};

/// Why a token was refused. The caller learns only whether a new token would help; the log learns the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// More than 8 kB.
    #[error("too long")]
    TooLong,
    /// Not three parts of base64url, two of them JSON objects.
    #[error("malformed")]
    Malformed,
    /// A header that demands something we do not do.
    #[error("header")]
    Header,
    /// An algorithm that is not allowed, or not for this key.
    #[error("algorithm")]
    Algorithm,
    /// No key id although the algorithm needs one.
    #[error("no key id")]
    KeyMissing,
    /// A key id that is not among ours. It may be a new key: fetch them again, but rarely.
    #[error("unknown key")]
    UnknownKey,
    /// Not signed with the key it names.
    #[error("signature")]
    Signature,
    /// A required claim is missing or of the wrong type.
    #[error("claim {0}")]
    Claim(&'static str),
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// Its time has not come.
    #[error("not yet valid")]
    NotYet,
    /// Issued by somebody else.
    #[error("issuer")]
    Issuer,
    /// Meant for somebody else.
    #[error("audience")]
    Audience,
    /// Not the role that is asked for.
    #[error("role")]
    Role,
}

impl Fault for Refusal {
    fn code(&self) -> Code {
        Code::Unauthorized
    }

    fn detail(&self) -> String {
        match self {
            Self::Expired => "The access token has expired.",
            _ => "The access token is not valid.",
        }
        .to_owned()
    }

    fn log(&self) -> String {
        format!("access token refused: {self}")
    }
}
