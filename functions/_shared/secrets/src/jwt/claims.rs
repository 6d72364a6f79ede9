//! What a token says, and whether that is enough.

use super::{AUTHENTICATED, LEEWAY, Refusal};
use chrono::{DateTime, Utc};
use domain::UserId;
use serde_json::{Map, Value};
use std::fmt;
use uuid::Uuid;

/// What a verified token says about its user.
#[derive(Clone, PartialEq, Eq)]
pub struct Claims {
    /// The user (`sub`).
    pub user_id: UserId,
    /// Always `authenticated`.
    pub role: String,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
    /// All claims, as they were signed: the JSON text that Postgres gets as `request.jwt.claims`.
    pub raw: String,
    /// The session, where the token names one.
    pub session_id: Option<String>,
    /// Whether the user signed in without an identity.
    pub is_anonymous: bool,
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("user_id", &self.user_id)
            .field("exp", &self.exp)
            .finish_non_exhaustive()
    }
}

pub(super) fn user(
    payload: &Map<String, Value>,
    raw: String,
    issuer: &str,
    now: DateTime<Utc>,
) -> Result<Claims, Refusal> {
    let exp = times(payload, now)?;
    if text(payload, "iss")? != issuer {
        return Err(Refusal::Issuer);
    }
    audience(payload.get("aud"))?;
    let role = text(payload, "role")?;
    if role != AUTHENTICATED {
        return Err(Refusal::Role);
    }
    let user_id = subject(text(payload, "sub")?).ok_or(Refusal::Claim("sub"))?;
    let session_id = match payload.get("session_id") {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) => Some(id.clone()),
        Some(_) => return Err(Refusal::Claim("session_id")),
    };
    let is_anonymous = match payload.get("is_anonymous") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(yes)) => *yes,
        Some(_) => return Err(Refusal::Claim("is_anonymous")),
    };
    Ok(Claims { user_id, role: role.to_owned(), exp, raw, session_id, is_anonymous })
}

pub(super) fn service_role(
    payload: &Map<String, Value>,
    issuer: &str,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    times(payload, now)?;
    if text(payload, "iss")? != issuer {
        return Err(Refusal::Issuer);
    }
    if text(payload, "role")? != "service_role" || payload.contains_key("sub") {
        return Err(Refusal::Role);
    }
    Ok(())
}

/// `exp` must be there; `nbf` and `iat` may. The answer is `exp`.
fn times(payload: &Map<String, Value>, now: DateTime<Utc>) -> Result<i64, Refusal> {
    let now = now.timestamp();
    let exp = time(payload, "exp")?.ok_or(Refusal::Claim("exp"))?;
    if now.saturating_sub(exp) > LEEWAY {
        return Err(Refusal::Expired);
    }
    for name in ["nbf", "iat"] {
        if time(payload, name)?.is_some_and(|start| start.saturating_sub(now) > LEEWAY) {
            return Err(Refusal::NotYet);
        }
    }
    Ok(exp)
}

/// A time in whole seconds since 1970, between the years 1970 and 9999; a fraction is dropped.
fn time(payload: &Map<String, Value>, name: &'static str) -> Result<Option<i64>, Refusal> {
    const YEAR_9999: i64 = 253_402_300_799;
    let Some(value) = payload.get(name) else { return Ok(None) };
    let Value::Number(number) = value else { return Err(Refusal::Claim(name)) };
    let text = number.to_string();
    let whole = text.split_once('.').map_or(text.as_str(), |(whole, _)| whole);
    let seconds = whole.parse::<i64>().map_err(|_| Refusal::Claim(name))?;
    let exponent = text.contains(['e', 'E']);
    if exponent || !(0..=YEAR_9999).contains(&seconds) {
        return Err(Refusal::Claim(name));
    }
    Ok(Some(seconds))
}

fn text<'a>(payload: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, Refusal> {
    payload.get(name).and_then(Value::as_str).ok_or(Refusal::Claim(name))
}

fn audience(value: Option<&Value>) -> Result<(), Refusal> {
    let named = match value {
        Some(Value::String(one)) => one == AUTHENTICATED,
        Some(Value::Array(many)) if many.iter().all(Value::is_string) => {
            many.iter().any(|one| one.as_str() == Some(AUTHENTICATED))
        }
        Some(_) => return Err(Refusal::Claim("aud")),
        None => false,
    };
    if named { Ok(()) } else { Err(Refusal::Audience) }
}

/// A user's id in its one usual form; the library would also read it in braces, as a URN, or without hyphens.
fn subject(text: &str) -> Option<UserId> {
    let id = Uuid::try_parse(text).ok().filter(|id| !id.is_nil())?;
    id.hyphenated().to_string().eq_ignore_ascii_case(text).then_some(UserId(id))
}
