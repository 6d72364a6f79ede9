//! The public keys of the token issuer.

use super::Refusal;
use crate::{Error, Result, strict};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

/// More keys than a project has at any time; the rest is not read.
const MOST: usize = 16;

/// Public keys by their id. Symmetric keys and those of other uses are left out when reading.
#[derive(Clone, Default)]
pub struct PublicKeys(Vec<(String, Algorithm, DecodingKey)>);

impl PublicKeys {
    /// Reads a JSON Web Key Set (RFC 7517), as `<project>/auth/v1/.well-known/jwks.json` answers it.
    ///
    /// Takes EC keys of the curve P-256 and RSA keys, with an id, for signatures, at most 16.
    /// [`Error::Setting`] when the text is no key set, or has an id twice.
    pub fn parse(text: &str) -> Result<Self> {
        let fault = |defect: &str| Error::Setting(format!("the set of public keys {defect}"));
        let value = strict::parse(text.as_bytes()).map_err(|_| fault("is not JSON"))?;
        // `SUPABASE_JWKS` is either the set or just its list.
        let list =
            value.get("keys").unwrap_or(&value).as_array().ok_or_else(|| fault("has no list of keys"))?;
        let mut keys: Vec<(String, Algorithm, DecodingKey)> = Vec::new();
        for key in list.iter().filter_map(read).take(MOST) {
            if keys.iter().any(|(id, _, _)| *id == key.0) {
                return Err(fault("has a key id twice"));
            }
            keys.push(key);
        }
        Ok(Self(keys))
    }

    /// Whether there is a key with this id.
    pub fn has(&self, id: &str) -> bool {
        self.0.iter().any(|(known, _, _)| known == id)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn find(&self, id: &str, algorithm: Algorithm) -> Result<&DecodingKey, Refusal> {
        match self.0.iter().find(|(known, _, _)| known == id) {
            None => Err(Refusal::UnknownKey),
            Some((_, of_key, _)) if *of_key != algorithm => Err(Refusal::Algorithm),
            Some((_, _, key)) => Ok(key),
        }
    }
}

/// Letters, digits and the other characters of base64, 1 to 128 of them: UUIDs and hashes.
pub(super) fn is_key_id(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte))
}

fn read(key: &Value) -> Option<(String, Algorithm, DecodingKey)> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let id = text("kid").filter(|id| is_key_id(id))?;
    if text("use").is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let (algorithm, key) = match (text("kty")?, text("crv"), text("alg").unwrap_or_default()) {
        ("EC", Some("P-256"), "ES256" | "") => {
            (Algorithm::ES256, DecodingKey::from_ec_components(text("x")?, text("y")?).ok()?)
        }
        ("RSA", _, "RS256" | "") => {
            (Algorithm::RS256, DecodingKey::from_rsa_components(text("n")?, text("e")?).ok()?)
        }
        _ => return None,
    };
    Some((id.to_owned(), algorithm, key))
}
