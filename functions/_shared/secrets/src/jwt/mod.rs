//! A caller's access token: who it says the caller is, once it is certain that Supabase Auth says so.
//!
//! Stricter than the usual reader: algorithms come from an allow-list and must fit the key, `exp` is required, the
//! issuer is pinned, and nothing in the token's header is trusted to say where its key is. What Supabase Auth issues is
//! described in <https://supabase.com/docs/guides/auth/jwt-fields>.

mod claims;
mod keys;
mod refusal;
#[cfg(test)]
mod tests;

pub use claims::Claims;
pub use keys::PublicKeys;
pub use refusal::Refusal;

use crate::{Error, Result, Secret, strict};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};

/// Longer tokens are not read at all.
const LONGEST: usize = 8 * 1024;
/// Seconds by which clocks may differ, at both ends; the same as PostgREST.
const LEEWAY: i64 = 30;
/// RFC 7518, section 3.2: a key as long as the hash, at least.
const SHORTEST_SECRET: usize = 32;
/// What a user's token is for, and what its bearer is.
const AUTHENTICATED: &str = "authenticated";
/// The issuer of the legacy keys that are tokens.
const LEGACY_ISSUER: &str = "supabase";

/// What tokens are checked against.
#[derive(Default)]
pub struct Settings {
    /// The project's legacy secret for HS256, at least 32 bytes; `None` where only signing keys are used.
    pub hs256_secret: Option<Secret>,
    /// Public keys for ES256 and RS256.
    pub keys: PublicKeys,
    /// The issuer, to the letter: `https://<project>.supabase.co/auth/v1`.
    pub issuer: String,
    /// Whether [`Verifier::verify_service_role`] accepts anything. Off unless an operator says so.
    pub legacy_service_role: bool,
}

/// Checks tokens.
pub struct Verifier {
    secret: Option<DecodingKey>,
    keys: PublicKeys,
    issuer: String,
    legacy_service_role: bool,
}

impl Verifier {
    /// A verifier with these settings. [`Error::Setting`] when the issuer is empty, the secret too short, or there
    /// is neither a secret nor a key.
    pub fn new(settings: Settings) -> Result<Self> {
        let fault = |text: &str| Error::Setting(text.to_owned());
        if settings.issuer.is_empty() {
            return Err(fault("the issuer of access tokens is not set"));
        }
        let secret = match &settings.hs256_secret {
            Some(secret) if secret.expose().len() < SHORTEST_SECRET => {
                return Err(fault("the secret of access tokens is shorter than 32 bytes"));
            }
            Some(secret) => Some(DecodingKey::from_secret(secret.expose())),
            None => None,
        };
        Ok(Self {
            secret,
            keys: settings.keys,
            issuer: settings.issuer,
            legacy_service_role: settings.legacy_service_role,
        })
    }

    /// Checks a user's token: who is it?
    ///
    /// The user must be `authenticated`: the tokens that are keys (`anon`, `service_role`) are no users.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, Refusal> {
        let parts = Parts::split(token)?;
        self.check_signature(&parts)?;
        let (payload, raw) = parts.payload()?;
        claims::user(&payload, raw, &self.issuer, now)
    }

    /// Checks a legacy `service_role` key: HS256, issued by `supabase`, without a subject. Always refused unless
    /// [`Settings::legacy_service_role`] is on.
    pub fn verify_service_role(&self, token: &str, now: DateTime<Utc>) -> Result<(), Refusal> {
        if !self.legacy_service_role {
            return Err(Refusal::Role);
        }
        let parts = Parts::split(token)?;
        if parts.algorithm != Algorithm::HS256 {
            return Err(Refusal::Algorithm);
        }
        self.check_signature(&parts)?;
        let (payload, _) = parts.payload()?;
        claims::service_role(&payload, LEGACY_ISSUER, now)
    }

    fn check_signature(&self, parts: &Parts<'_>) -> Result<(), Refusal> {
        let key = match parts.algorithm {
            // A key id on an HS256 token names the legacy secret by a name we are not told (hosted projects set one),
            // so it is not looked up; but a token that names a public key must be signed with that key.
            Algorithm::HS256 => match &parts.key_id {
                Some(id) if self.keys.has(id) => return Err(Refusal::Algorithm),
                _ => self.secret.as_ref().ok_or(Refusal::Algorithm)?,
            },
            algorithm => {
                let id = parts.key_id.as_deref().ok_or(Refusal::KeyMissing)?;
                self.keys.find(id, algorithm)?
            }
        };
        match jsonwebtoken::crypto::verify(parts.signature, parts.signed.as_bytes(), key, parts.algorithm) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(Refusal::Signature),
        }
    }
}

/// A token taken apart; nothing of it is believed yet.
struct Parts<'a> {
    algorithm: Algorithm,
    key_id: Option<String>,
    signed: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    fn split(token: &'a str) -> Result<Self, Refusal> {
        if token.len() > LONGEST {
            return Err(Refusal::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(Refusal::Malformed)?;
        if payload.contains('.') || [header, payload, signature].contains(&"") {
            return Err(Refusal::Malformed);
        }
        let (header, _) = object(header)?;
        Ok(Self { algorithm: algorithm(&header)?, key_id: key_id(&header)?, signed, payload, signature })
    }

    /// The claims, and their text as it was signed.
    fn payload(&self) -> Result<(Map<String, Value>, String), Refusal> {
        object(self.payload)
    }
}

fn object(part: &str) -> Result<(Map<String, Value>, String), Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed)?;
    let value = strict::parse(&bytes).map_err(|_| Refusal::Malformed)?;
    // The claims are handed to Postgres as they are, and Postgres stores no U+0000.
    if strict::find_nul(&value).is_some() {
        return Err(Refusal::Malformed);
    }
    let text = String::from_utf8(bytes).map_err(|_| Refusal::Malformed)?;
    match value {
        Value::Object(fields) => Ok((fields, text)),
        _ => Err(Refusal::Malformed),
    }
}

/// The algorithm, out of the three that Supabase Auth signs with. `jku`, `jwk`, `x5u` and `x5c` are never looked at;
/// `crit` would demand that something is understood, and nothing is.
fn algorithm(header: &Map<String, Value>) -> Result<Algorithm, Refusal> {
    if ["crit", "b64", "enc", "zip"].iter().any(|name| header.contains_key(*name)) {
        return Err(Refusal::Header);
    }
    match header.get("typ") {
        None => {}
        Some(Value::String(kind)) if kind.eq_ignore_ascii_case("JWT") => {}
        Some(_) => return Err(Refusal::Header),
    }
    match header.get("alg").and_then(Value::as_str) {
        Some("HS256") => Ok(Algorithm::HS256),
        Some("ES256") => Ok(Algorithm::ES256),
        Some("RS256") => Ok(Algorithm::RS256),
        _ => Err(Refusal::Algorithm),
    }
}

fn key_id(header: &Map<String, Value>) -> Result<Option<String>, Refusal> {
    match header.get("kid") {
        None => Ok(None),
        Some(Value::String(id)) if keys::is_key_id(id) => Ok(Some(id.clone())),
        Some(_) => Err(Refusal::Header),
    }
}
