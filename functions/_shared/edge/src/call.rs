//! What a function is called with.

use crate::Problem;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::UserId;
use http::HeaderMap;
use serde::Deserialize;
use std::time::{Duration, Instant};
use store::Claims;

/// Who may call a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Anybody. A system with a key is recognised all the same ([`Caller::is_secret`]) and may see more.
    None,
    /// A signed-in user.
    User,
    /// A system with a secret key.
    Secret,
    /// Either.
    UserOrSecret,
    /// A platform whose signature the function itself checks, over [`Call::delivery`].
    Signature,
}

/// Who calls.
#[derive(Clone)]
pub enum Caller {
    /// Nobody we know.
    Anonymous,
    /// A signed-in user.
    User(User),
    /// A system.
    Secret {
        /// The name of its key.
        name: String,
    },
}

/// A signed-in user.
#[derive(Clone)]
pub struct User {
    /// The user.
    pub id: UserId,
    /// The verified claims, for statements that run as the user.
    pub claims: Claims,
    /// Whether the user signed in without an identity.
    pub is_anonymous: bool,
}

impl Caller {
    /// The user. [`Problem::forbidden`] when the caller is none.
    pub fn user(&self) -> Result<&User, Problem> {
        match self {
            Self::User(user) => Ok(user),
            Self::Anonymous | Self::Secret { .. } => Err(Problem::forbidden()),
        }
    }

    /// Whether a system with a key calls.
    pub const fn is_secret(&self) -> bool {
        matches!(self, Self::Secret { .. })
    }

    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::User(_) => "user",
            Self::Secret { .. } => "secret",
        }
    }

    /// Whose idempotency keys these are; nobody sees another's.
    pub(crate) fn scope(&self) -> Option<String> {
        match self {
            Self::Anonymous => None,
            Self::User(user) => Some(format!("user:{}", user.id)),
            Self::Secret { name } => Some(format!("key:{name}")),
        }
    }
}

/// One call of a function.
#[non_exhaustive]
pub struct Call<I> {
    /// Who calls; the door has been passed.
    pub caller: Caller,
    /// What was asked: the body, or the query of a `GET` or `DELETE`.
    pub input: I,
    /// The id of this request, in every answer and log line.
    pub request_id: String,
    /// When the request arrived.
    pub now: DateTime<Utc>,
    /// When the answer must be there. What cannot be finished before belongs into the queue.
    pub deadline: Deadline,
    /// What the caller would like.
    pub prefer: Prefer,
    /// The version the caller knows (`If-Match`), without quotes; `*` stands for any.
    pub if_match: Option<String>,
    /// The parts of the path that follow the function's name; elsewhere (`/api/…`) those that are ids.
    pub path: Vec<String>,
    /// The raw message, at the door [`Door::Signature`] only.
    pub delivery: Option<Delivery>,
}

impl<I> Call<I> {
    pub(crate) fn with_input<J>(self, input: J) -> (Call<J>, I) {
        let Self { caller, input: old, request_id, now, deadline, prefer, if_match, path, delivery } = self;
        (Call { caller, input, request_id, now, deadline, prefer, if_match, path, delivery }, old)
    }
}

/// A message as it came: a signature is over these very bytes.
pub struct Delivery {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// A point in monotonic time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(pub(crate) Instant);

impl Deadline {
    /// How much time is left; zero when none is.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// The same deadline, this much earlier: what must still be done after the work.
    #[must_use]
    pub fn less(self, reserve: Duration) -> Self {
        Self(self.0.checked_sub(reserve).unwrap_or(self.0))
    }

    /// The point itself.
    pub const fn at(self) -> Instant {
        self.0
    }
}

/// What the caller would like (RFC 7240).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Prefer {
    /// An answer at once (202), the work afterwards.
    pub respond_async: bool,
    /// An answer after this time at the latest.
    pub wait: Option<Duration>,
}

impl Prefer {
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let mut prefer = Self::default();
        let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
        for preference in values.flat_map(|value| value.split(',')) {
            let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "respond-async" => prefer.respond_async = true,
                "wait" => prefer.wait = value.trim().trim_matches('"').parse().ok().map(Duration::from_secs),
                _ => {}
            }
        }
        prefer
    }
}

/// The input of a function that needs none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefer(value: &str) -> Prefer {
        let mut headers = HeaderMap::new();
        headers.insert("prefer", value.parse().unwrap());
        Prefer::read(&headers)
    }

    #[test]
    fn preferences_are_read_and_others_passed_over() {
        assert_eq!(prefer("respond-async"), Prefer { respond_async: true, wait: None });
        let both = Prefer { respond_async: true, wait: Some(Duration::from_secs(10)) };
        assert_eq!(prefer("Respond-Async, wait=10, return=minimal"), both);
        assert_eq!(prefer("wait=soon"), Prefer::default());
        assert_eq!(prefer("wait=-1"), Prefer::default());
    }

    #[test]
    fn only_a_user_is_a_user() {
        assert!(Caller::Anonymous.user().is_err());
        assert!(Caller::Secret { name: "default".to_owned() }.user().is_err());
        assert_eq!(Caller::Secret { name: "default".to_owned() }.scope().as_deref(), Some("key:default"));
        assert_eq!(Caller::Anonymous.scope(), None);
    }

    #[test]
    fn a_deadline_never_has_less_than_no_time() {
        let deadline = Deadline(Instant::now());
        assert_eq!(deadline.remaining(), Duration::ZERO);
        assert!(deadline.less(Duration::from_secs(1)) <= deadline);
    }
}
