//! Why the engine could not do its work.

use crate::wire::Failure;
use connectors::ErrorKind;
use domain::{Code, Fault};
use std::time::Duration;

/// What the engine answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the engine could not do its work at all. What goes wrong with single records is part of a run's result instead.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A credential cannot be opened or used.
    #[error(transparent)]
    Secrets(#[from] secrets::Error),
    /// A platform, asked on behalf of the caller.
    #[error(transparent)]
    Platform(#[from] connectors::Error),
    /// A sync whose rules cannot be read.
    #[error(transparent)]
    Rules(#[from] domain::rules::BadRules),
    /// An address that we do not call.
    #[error("this address cannot be used: {0}")]
    Address(String),
    /// A variable of the deployment is missing or wrong.
    #[error("the deployment is not set up: {0}")]
    Settings(String),
    /// A search that this platform cannot be asked.
    #[error("this platform cannot be searched like that: {0}")]
    Filter(String),
    /// An account that must not be used now.
    #[error("{0}")]
    NotInUse(&'static str),
    /// Why a platform cannot tell us by itself, what to do about it, and the field of the request that it lies in.
    #[error("{why}")]
    Unheard {
        /// A JSON pointer; empty where it lies in none.
        pointer: String,
        /// In whole sentences.
        why: String,
    },
    /// It cannot be done as things stand; the sentence says what to change.
    #[error("{0}")]
    Conflict(String),
    /// The integration has no credential.
    #[error("the integration has no credential that its platform takes")]
    NoCredential,
}

impl Error {
    pub(crate) fn unheard(pointer: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Unheard { pointer: pointer.into(), why: why.into() }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Platform(error) => Self::Platform(error),
            Failure::Store(error) => Self::Store(error),
            Failure::Later(wait) => {
                let late = connectors::Error::new(ErrorKind::RateLimited, "the platform asks to wait");
                Self::Platform(late.with_retry_after(Some(wait)))
            }
        }
    }
}

impl Fault for Error {
    fn code(&self) -> Code {
        match self {
            Self::Store(error) => error.code(),
            Self::Secrets(error) => error.code(),
            Self::Settings(_) => Code::Unavailable,
            Self::Conflict(_) => Code::Conflict,
            Self::Platform(error) => match error.kind {
                ErrorKind::RateLimited => Code::RateLimited,
                ErrorKind::Unavailable => Code::PlatformUnavailable,
                _ => Code::PlatformRejected,
            },
            Self::Rules(_)
            | Self::Address(_)
            | Self::Filter(_)
            | Self::NotInUse(_)
            | Self::Unheard { .. }
            | Self::NoCredential => Code::Invalid,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Store(error) => error.detail(),
            Self::Secrets(error) => error.detail(),
            Self::Settings(_) => {
                "The deployment is not set up completely; its log says what is missing.".to_owned()
            }
            other => other.to_string(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Store(error) => error.retry_after(),
            Self::Platform(error) => error
                .retry_after
                .or_else(|| error.kind.retry_class().is_temporary().then_some(Duration::from_secs(30))),
            _ => None,
        }
    }

    fn fields(&self) -> Vec<(String, String, String)> {
        match self {
            Self::Store(error) => error.fields(),
            Self::Secrets(error) => error
                .fields()
                .into_iter()
                .map(|(pointer, code, detail)| (format!("/credential{pointer}"), code, detail))
                .collect(),
            Self::Address(why) => vec![("/baseUrl".to_owned(), "invalid".to_owned(), why.clone())],
            Self::Filter(why) => vec![("/filterConfig".to_owned(), "invalid".to_owned(), why.clone())],
            Self::Unheard { pointer, why } => vec![(pointer.clone(), "invalid".to_owned(), why.clone())],
            Self::NoCredential => {
                let detail = "This platform does not take a credential of this kind.".to_owned();
                vec![("/credential/kind".to_owned(), "invalid".to_owned(), detail)]
            }
            _ => Vec::new(),
        }
    }

    fn log(&self) -> String {
        match self {
            Self::Store(error) => error.log(),
            other => other.to_string(),
        }
    }
}
