//! Keys that seal what is stored, and the form of what is sealed.

use crate::{Error, Result, Secret, strict};
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

const VERSION: &str = "v1";
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;

/// Where a sealed value belongs. It opens nowhere else: a value copied to another row, column or owner is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding<'a> {
    /// The table.
    pub table: &'a str,
    /// The column.
    pub column: &'a str,
    /// The row's key.
    pub row: &'a str,
    /// The user or organisation it belongs to.
    pub owner: &'a str,
}

impl Binding<'_> {
    /// `table|column|row|owner|v1`. A bar within a part would let two bindings look alike, so it is refused.
    fn associated_data(&self) -> Option<Vec<u8>> {
        let parts = [self.table, self.column, self.row, self.owner, VERSION];
        parts.iter().all(|part| !part.is_empty() && !part.contains('|')).then(|| parts.join("|").into_bytes())
    }
}

/// The keys that seal: one that is used for new values, and older ones that still open theirs.
///
/// AES-256-GCM with a nonce given by the caller, 12 bytes from the host's random source. One key is good for 2^32
/// values with random nonces (NIST SP 800-38D, section 8.3).
#[derive(Clone)]
pub struct KeyRing {
    active: String,
    keys: BTreeMap<String, Zeroizing<[u8; KEY_BYTES]>>,
}

impl KeyRing {
    /// Reads the ring from its variable: `{"active": "k1", "keys": {"k1": "<base64 of 32 bytes>", …}}`.
    ///
    /// [`Error::Setting`] when it is missing, malformed, has a key that is not 32 bytes or stands there twice, or
    /// names an active key that is not in it. The message never shows a key.
    pub fn parse(setting: &str) -> Result<Self> {
        let fault = |defect: &str| Error::Setting(format!("the key ring {defect}"));
        if setting.trim().is_empty() {
            return Err(fault("is missing"));
        }
        let value = strict::parse(setting.as_bytes()).map_err(|error| {
            fault(if error.is_duplicate() { "has a key id twice" } else { "is not JSON" })
        })?;
        let active =
            value.get("active").and_then(|id| id.as_str()).ok_or_else(|| fault("names no active key"))?;
        let entries =
            value.get("keys").and_then(|keys| keys.as_object()).ok_or_else(|| fault("has no keys"))?;
        let mut keys = BTreeMap::new();
        for (id, encoded) in entries {
            if !is_key_id(id) {
                return Err(fault("has a key id that is not 1 to 32 letters, digits, `_` or `-`"));
            }
            let text = encoded.as_str().ok_or_else(|| fault("has a key that is not text"))?;
            let bytes = Zeroizing::new(
                STANDARD
                    .decode(text.trim())
                    .map_err(|_| fault(&format!("has a key `{id}` that is not base64")))?,
            );
            let key = <[u8; KEY_BYTES]>::try_from(bytes.as_slice())
                .map_err(|_| fault(&format!("has a key `{id}` that is not 32 bytes long")))?;
            if keys.values().any(|other: &Zeroizing<[u8; KEY_BYTES]>| **other == key) {
                return Err(fault(&format!("has a key `{id}` that equals another one")));
            }
            keys.insert(id.clone(), Zeroizing::new(key));
        }
        if !keys.contains_key(active) {
            return Err(fault("names an active key that it does not have"));
        }
        Ok(Self { active: active.to_owned(), keys })
    }

    /// Seals a value with the active key: `v1.<key id>.<nonce>.<ciphertext and tag>`, base64url without padding.
    ///
    /// The nonce must never be used twice with one key: 12 random bytes, drawn for this value. [`Error::Mismatch`] when a part of the
    /// binding is empty or contains `|`.
    pub fn seal(&self, binding: &Binding<'_>, plaintext: &[u8], nonce: [u8; NONCE_BYTES]) -> Result<String> {
        let aad = binding
            .associated_data()
            .ok_or(Error::Mismatch("a part of the binding is empty or has a bar"))?;
        let key = self.keys.get(&self.active).ok_or(Error::Sealed)?;
        let cipher = Aes256Gcm::new(&(**key).into());
        let sealed = cipher
            .encrypt(&Nonce::from(nonce), Payload { msg: plaintext, aad: &aad })
            .map_err(|_| Error::Mismatch("the value is too long to be sealed"))?;
        Ok(format!(
            "{VERSION}.{}.{}.{}",
            self.active,
            URL_SAFE_NO_PAD.encode(nonce),
            URL_SAFE_NO_PAD.encode(sealed)
        ))
    }

    /// Opens a sealed value at the place it was sealed for. [`Error::Sealed`] for every reason why it does not open.
    pub fn open(&self, binding: &Binding<'_>, sealed: &str) -> Result<Secret> {
        self.opened(binding, sealed).ok_or(Error::Sealed)
    }

    /// Whether this value is sealed with the active key; if not, it should be sealed anew.
    pub fn is_current(&self, sealed: &str) -> bool {
        let mut parts = sealed.split('.');
        parts.next() == Some(VERSION) && parts.next() == Some(self.active.as_str())
    }

    /// The id of the key that new values are sealed with.
    pub fn active(&self) -> &str {
        &self.active
    }

    fn opened(&self, binding: &Binding<'_>, sealed: &str) -> Option<Secret> {
        let mut parts = sealed.split('.');
        let (version, id, nonce, body) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if version != VERSION || parts.next().is_some() {
            return None;
        }
        let key = self.keys.get(id)?;
        let nonce = <[u8; NONCE_BYTES]>::try_from(URL_SAFE_NO_PAD.decode(nonce).ok()?).ok()?;
        let body = URL_SAFE_NO_PAD.decode(body).ok()?;
        let aad = binding.associated_data()?;
        let cipher = Aes256Gcm::new(&(**key).into());
        cipher.decrypt(&Nonce::from(nonce), Payload { msg: &body, aad: &aad }).ok().map(Secret::new)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("active", &self.active)
            .field("ids", &self.keys.keys())
            .finish_non_exhaustive()
    }
}

fn is_key_id(id: &str) -> bool {
    (1..=32).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const PLACE: Binding<'_> = Binding { table: "credentials", column: "sealed", row: "row-1", owner: "ana" };

    fn key(fill: u8) -> String {
        STANDARD.encode([fill; KEY_BYTES])
    }

    fn ring(active: &str, keys: &[(&str, u8)]) -> KeyRing {
        let keys: BTreeMap<_, _> = keys.iter().map(|(id, fill)| (*id, key(*fill))).collect();
        KeyRing::parse(&json!({ "active": active, "keys": keys }).to_string()).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_at_its_place() {
        let ring = ring("k1", &[("k1", 1)]);
        let sealed = ring.seal(&PLACE, b"shpat_secret", [7; 12]).unwrap();
        assert!(sealed.starts_with("v1.k1.BwcHBwcHBwcHBwcH."), "{sealed}");
        assert_eq!(ring.open(&PLACE, &sealed).unwrap().expose(), b"shpat_secret");
    }

    #[test]
    fn it_opens_at_no_other_place() {
        let ring = ring("k1", &[("k1", 1)]);
        let sealed = ring.seal(&PLACE, b"secret", [7; 12]).unwrap();
        for place in [
            Binding { table: "other", ..PLACE },
            Binding { column: "other", ..PLACE },
            Binding { row: "row-2", ..PLACE },
            Binding { owner: "ben", ..PLACE },
            Binding { row: "row-1|ana", owner: "x", ..PLACE },
        ] {
            assert_eq!(ring.open(&place, &sealed).unwrap_err(), Error::Sealed);
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        let ring = ring("k1", &[("k1", 1)]);
        let sealed = ring.seal(&PLACE, b"secret", [7; 12]).unwrap();
        for position in 0..sealed.len() {
            assert!(ring.open(&PLACE, &sealed[..position]).is_err(), "cut at {position}");
            for bit in 0..8 {
                let mut bytes = sealed.clone().into_bytes();
                bytes[position] ^= 1 << bit;
                if let Ok(changed) = String::from_utf8(bytes) {
                    assert!(ring.open(&PLACE, &changed).is_err(), "bit {bit} of {position}");
                }
            }
        }
        assert!(ring.open(&PLACE, "").is_err());
        assert!(ring.open(&PLACE, &format!("{sealed}.x")).is_err());
    }

    #[test]
    fn an_older_key_still_opens_and_its_values_are_known_as_old() {
        let before = ring("k1", &[("k1", 1)]);
        let after = ring("k2", &[("k1", 1), ("k2", 2)]);
        let sealed = before.seal(&PLACE, b"secret", [7; 12]).unwrap();
        assert_eq!(after.open(&PLACE, &sealed).unwrap().expose(), b"secret");
        assert!(before.is_current(&sealed) && !after.is_current(&sealed));
        assert_eq!(ring("k2", &[("k2", 2)]).open(&PLACE, &sealed).unwrap_err(), Error::Sealed);
    }

    #[test]
    fn a_broken_ring_is_refused_without_showing_a_key() {
        let long = STANDARD.encode([5; 33]);
        for (setting, word) in [
            (String::new(), "missing"),
            ("{".to_owned(), "not JSON"),
            (json!({ "keys": { "k1": key(1) } }).to_string(), "no active key"),
            (json!({ "active": "k1" }).to_string(), "no keys"),
            (json!({ "active": "k2", "keys": { "k1": key(1) } }).to_string(), "does not have"),
            (json!({ "active": "k1", "keys": { "k1": "c2hvcnQ=" } }).to_string(), "not 32 bytes"),
            (json!({ "active": "k1", "keys": { "k1": long } }).to_string(), "not 32 bytes"),
            (json!({ "active": "k1", "keys": { "k1": "%%%" } }).to_string(), "not base64"),
            (json!({ "active": "k1", "keys": { "k1": 5 } }).to_string(), "not text"),
            (json!({ "active": "k.1", "keys": { "k.1": key(1) } }).to_string(), "key id"),
            (json!({ "active": "k1", "keys": { "k1": key(1), "k2": key(1) } }).to_string(), "equals another"),
            (format!(r#"{{"active":"k1","keys":{{"k1":"{}","k1":"{}"}}}}"#, key(1), key(2)), "twice"),
        ] {
            let error = KeyRing::parse(&setting).unwrap_err().to_string();
            assert!(error.contains(word), "{error} should say {word}");
            assert!(!error.contains(&key(1)) && !error.contains(&long));
        }
    }

    #[test]
    fn nothing_shows_a_key_or_a_secret() {
        let ring = ring("k1", &[("k1", 0x61)]);
        assert_eq!(format!("{ring:?}"), r#"KeyRing { active: "k1", ids: ["k1"], .. }"#);
        assert_eq!(format!("{:?}", Secret::new("shpat_secret")), "Secret(…)");
    }
}
