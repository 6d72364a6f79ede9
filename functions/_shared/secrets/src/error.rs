//! What can go wrong with secrets, in words that show none.

use domain::{Code, Fault};

/// What this room answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One wrong field of a credential that a person typed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// JSON pointer within the credential: `/client_secret`.
    pub pointer: String,
    /// `required`, `unknown` or `invalid`.
    pub code: &'static str,
    /// What is wrong. Never the value.
    pub detail: String,
}

/// Why a secret could not be used. No variant holds a part of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A setting that holds keys is missing or cannot be used. The text names the setting and the defect.
    #[error("{0}")]
    Setting(String),
    /// A stored secret does not open: its key is gone, it was moved to another row, or it was changed.
    #[error("a stored secret does not open")]
    Sealed,
    /// A credential that a person typed in is wrong.
    #[error("the credential has {} wrong field(s)", .0.len())]
    Fields(Vec<FieldError>),
    /// The request asks for another kind of credential than there is, or for a token that was not given.
    #[error("the credential does not fit the request: {0}")]
    Mismatch(&'static str),
    /// A platform's message is not signed by a key we know.
    #[error("the signature does not hold: {0}")]
    Signature(&'static str),
}

impl Fault for Error {
    fn code(&self) -> Code {
        match self {
            Self::Setting(_) => Code::Unavailable,
            Self::Sealed | Self::Mismatch(_) => Code::Internal,
            Self::Fields(_) => Code::Invalid,
            Self::Signature(_) => Code::Unauthorized,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Setting(_) => "The service is not set up to do this. Its operator must look at the log.",
            Self::Sealed => "A stored credential does not open. Enter it again.",
            Self::Fields(_) => "The credential is not as it must be.",
            Self::Mismatch(_) => "The credential does not fit this request.",
            Self::Signature(_) => "The signature does not hold.",
        }
        .to_owned()
    }

    fn fields(&self) -> Vec<(String, String, String)> {
        match self {
            Self::Fields(fields) => fields
                .iter()
                .map(|field| (field.pointer.clone(), field.code.to_owned(), field.detail.clone()))
                .collect(),
            _ => Vec::new(),
        }
    }

    fn log(&self) -> String {
        self.to_string()
    }
}
