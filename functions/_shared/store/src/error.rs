//! What can go wrong with our Postgres, by what the caller can do about it.

use domain::{Code, Fault};
use spin_sdk::pg::{DbError, Error as PgFault, PgError, QueryError};
use std::time::Duration;

/// A result whose error is this room's.
pub type Result<T> = std::result::Result<T, Error>;

/// A failure of a statement.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database is away, or its address is not configured. The text is for the log.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// It is there, and too busy: a time-out, a lock, a conflict with another statement, no free connection.
    #[error("{statement}: the database is busy ({state})")]
    Busy {
        /// The statement's name.
        statement: &'static str,
        /// The SQLSTATE.
        state: String,
    },
    /// A row would have broken a rule of its table.
    #[error("{statement}: a row breaks {name} ({state})")]
    Constraint {
        /// The statement's name.
        statement: &'static str,
        /// The rule's name, a sentence with underscores.
        name: String,
        /// The SQLSTATE: 23505 is a duplicate, 23503 a row still or not yet there, 23514 a wrong value.
        state: String,
    },
    /// Row level security or a missing grant.
    #[error("{statement}: permission denied")]
    Denied {
        /// The statement's name.
        statement: &'static str,
    },
    /// What was named does not exist, or is not for the caller to see.
    #[error("{0}: no such row")]
    Missing(&'static str),
    /// The database refused, with a sentence for the caller: one of its own rules (SQLSTATE `PT` and an HTTP status).
    #[error("{statement}: refused: {detail}")]
    Refused {
        /// The statement's name.
        statement: &'static str,
        /// Which kind of problem it is.
        code: Code,
        /// For the caller.
        detail: String,
        /// The field it is about, as a JSON pointer; empty for none.
        pointer: String,
    },
    /// A defect: of the statement, its input or its answer. The text is for the log.
    #[error("{0}")]
    Statement(String),
}

/// The codes of `sync.refuse`: SQLSTATEs that the Data API turns into the HTTP status they end with.
const REFUSALS: &[(&str, Code)] = &[
    ("PT403", Code::Forbidden),
    ("PT404", Code::NotFound),
    ("PT409", Code::Conflict),
    ("PT412", Code::PreconditionFailed),
    ("PT422", Code::Invalid),
];

impl Error {
    pub(crate) fn from_pg(statement: &'static str, error: &PgFault) -> Self {
        match error {
            PgFault::PgError(PgError::ConnectionFailed(text) | PgError::Other(text)) => {
                Self::Unreachable(format!("{statement}: {text}"))
            }
            PgFault::PgError(PgError::QueryFailed(QueryError::DbError(error))) => {
                Self::from_db(statement, error)
            }
            // The host has no code for a connection that broke, only its driver's words.
            PgFault::PgError(PgError::QueryFailed(QueryError::Text(text)))
                if is_about_the_connection(text) =>
            {
                Self::Unreachable(format!("{statement}: {text}"))
            }
            error => Self::Statement(format!("{statement}: {error}")),
        }
    }

    fn from_db(statement: &'static str, error: &DbError) -> Self {
        let state = error.code.clone();
        let refusal = REFUSALS.iter().find(|(known, _)| *known == state);
        if let Some((_, code)) = refusal {
            let (detail, pointer) = (error.message.clone(), error.detail.clone().unwrap_or_default());
            return Self::Refused { statement, code: *code, detail, pointer };
        }
        match state.as_str() {
            "42501" => Self::Denied { statement },
            "57014" | "55P03" | "40001" | "40P01" | "53300" | "53400" => Self::Busy { statement, state },
            "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => {
                Self::Unreachable(format!("{statement}: {}", error.message))
            }
            _ if state.starts_with("08") => Self::Unreachable(format!("{statement}: {}", error.message)),
            _ if state.starts_with("23") => {
                let named = error.extras.iter().find(|(key, _)| key == "constraint");
                let name = named.map_or_else(|| "a_value_is_missing".to_owned(), |(_, name)| name.clone());
                Self::Constraint { statement, name, state }
            }
            _ => Self::Statement(format!("{statement}: {state}: {}", error.message)),
        }
    }

    /// Whether nothing was written, and the same statement may well succeed at once.
    pub(crate) fn was_rolled_back(&self) -> bool {
        match self {
            Self::Busy { state, .. } => matches!(state.as_str(), "40001" | "40P01"),
            // A job like it came to wait between our look and our write; now we see it.
            Self::Constraint { name, .. } => name == "sync_queue_waits_once",
            _ => false,
        }
    }
}

fn is_about_the_connection(text: &str) -> bool {
    [
        "connection closed",
        "connection reset",
        "broken pipe",
        "error communicating",
        "kind: closed",
        "kind: io",
    ]
    .iter()
    .any(|words| text.to_ascii_lowercase().contains(words))
}

impl Fault for Error {
    fn code(&self) -> Code {
        match self {
            Self::Unreachable(_) | Self::Busy { .. } => Code::Unavailable,
            Self::Constraint { state, .. } if state == "23514" || state == "23502" => Code::Invalid,
            Self::Constraint { .. } => Code::Conflict,
            Self::Denied { .. } => Code::Forbidden,
            Self::Missing(_) => Code::NotFound,
            Self::Refused { code, .. } => *code,
            Self::Statement(_) => Code::Internal,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Unreachable(_) => "The database cannot be reached. Try again shortly.".to_owned(),
            Self::Busy { .. } => "The database is busy. Try again shortly.".to_owned(),
            Self::Constraint { name, state, .. } => sentence(name, state),
            Self::Denied { .. } => "You may not do this.".to_owned(),
            Self::Missing(_) => "There is no such thing, or you may not see it.".to_owned(),
            Self::Refused { detail, .. } => detail.clone(),
            Self::Statement(_) => "Something went wrong on our side.".to_owned(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unreachable(_) => Some(Duration::from_secs(5)),
            Self::Busy { .. } => Some(Duration::from_secs(2)),
            _ => None,
        }
    }

    fn fields(&self) -> Vec<(String, String, String)> {
        match self {
            Self::Refused { code, detail, pointer, .. } if !pointer.is_empty() => {
                vec![(pointer.clone(), code.word().to_owned(), detail.clone())]
            }
            _ => Vec::new(),
        }
    }

    fn log(&self) -> String {
        self.to_string()
    }
}

/// The sentence that a constraint's name is, with what it means that it was broken.
fn sentence(name: &str, state: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    let rule: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    match state {
        "23505" => format!("There is one like it already. The rule is: {rule}."),
        "23503" => {
            format!("Something else still needs it, or it needs something that is not there ({name}).")
        }
        _ => format!("A value is not allowed. The rule is: {rule}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: &str, extras: &[(&str, &str)]) -> Error {
        let error = DbError {
            as_text: String::new(),
            severity: "ERROR".to_owned(),
            code: code.to_owned(),
            message: "There is no such sync.".to_owned(),
            detail: Some("/configId".to_owned()),
            extras: extras.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        };
        Error::from_pg("runs/open", &PgFault::PgError(PgError::QueryFailed(QueryError::DbError(error))))
    }

    #[test]
    fn our_own_refusals_keep_their_sentence_and_their_field() {
        let error = of("PT422", &[]);
        assert_eq!((error.code(), error.detail().as_str()), (Code::Invalid, "There is no such sync."));
        assert_eq!(error.fields().first().map(|field| field.0.as_str()), Some("/configId"));
    }

    #[test]
    fn a_constraint_is_a_sentence_for_the_caller() {
        let error = of("23514", &[("constraint", "priority_is_between_1_and_9")]);
        assert_eq!(error.code(), Code::Invalid);
        assert!(error.detail().contains("Priority is between 1 and 9."));
        assert_eq!(of("23505", &[("constraint", "items_are_listed_once")]).code(), Code::Conflict);
    }

    #[test]
    fn trouble_with_the_connection_asks_to_come_again() {
        for state in ["57P01", "08006", "57014", "40P01", "53300"] {
            let error = of(state, &[]);
            assert_eq!(error.code(), Code::Unavailable, "{state}");
            assert!(error.retry_after().is_some(), "{state}");
        }
        assert!(of("40P01", &[]).was_rolled_back());
        assert!(!of("57014", &[]).was_rolled_back());
    }

    #[test]
    fn a_defect_tells_the_caller_nothing_and_the_log_everything() {
        let error = of("42703", &[]);
        assert_eq!(error.code(), Code::Internal);
        assert!(!error.detail().contains("42703") && error.log().contains("42703"));
    }
}
