//! The keys that let a system in (`apikey: sb_secret_…`).

use crate::{Error, Result, strict};
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

/// Shorter keys can be guessed.
const SHORTEST: usize = 24;

/// The configured secret keys. Holds only their hashes.
#[derive(Clone)]
pub struct ApiKeys(Vec<(String, [u8; 32])>);

impl ApiKeys {
    /// Reads the keys from their variable, `{"default": "sb_secret_…", "automations": "sb_secret_…"}`, the form of
    /// `SUPABASE_SECRET_KEYS` (<https://supabase.com/docs/guides/functions/secrets>).
    ///
    /// [`Error::Setting`] when it is no such object, or has a name or key twice, or a key of less than 24 characters.
    pub fn parse(setting: &str) -> Result<Self> {
        let fault = |defect: &str| Error::Setting(format!("the list of secret keys {defect}"));
        let value = strict::parse(setting.as_bytes())
            .map_err(|error| fault(if error.is_duplicate() { "has a name twice" } else { "is not JSON" }))?;
        let entries = value.as_object().ok_or_else(|| fault("is not an object of names and keys"))?;
        let mut keys: Vec<(String, [u8; 32])> = Vec::new();
        for (name, key) in entries {
            let key = key.as_str().ok_or_else(|| fault("has a key that is not text"))?;
            if name.is_empty() || name.len() > 64 || name.chars().any(char::is_control) {
                return Err(fault("has a name that is empty, too long or not printable"));
            }
            if key.len() < SHORTEST {
                return Err(fault("has a key of less than 24 characters"));
            }
            let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
            if keys.iter().any(|(_, other)| *other == hash) {
                return Err(fault("has a key under two names"));
            }
            keys.push((name.clone(), hash));
        }
        Ok(Self(keys))
    }

    /// The name of the key that was presented; `None` when it is none of ours.
    ///
    /// Hashes are compared, all of them, each in constant time: how long it takes says nothing about any key.
    pub fn find(&self, presented: &[u8]) -> Option<&str> {
        let hash: [u8; 32] = Sha256::digest(presented).into();
        let mut found = Choice::from(0);
        let mut position = 0_u64;
        for (here, (_, key)) in (0_u64..).zip(&self.0) {
            let same = key.ct_eq(&hash);
            position.conditional_assign(&here, same);
            found |= same;
        }
        if !bool::from(found) {
            return None;
        }
        self.0.get(usize::try_from(position).ok()?).map(|(name, _)| name.as_str())
    }

    /// Whether there is no key at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: &str = "sb_secret_0123456789abcdefghijkl";
    const OTHER: &str = "sb_secret_zyxwvutsrqponmlkjihgfe";

    fn keys() -> ApiKeys {
        ApiKeys::parse(&format!(r#"{{"default":"{DEFAULT}","automations":"{OTHER}"}}"#)).unwrap()
    }

    #[test]
    fn only_the_exact_key_is_known_and_by_its_name() {
        let keys = keys();
        assert_eq!(keys.find(DEFAULT.as_bytes()), Some("default"));
        assert_eq!(keys.find(OTHER.as_bytes()), Some("automations"));
        let longer = format!("{DEFAULT}x");
        let padded = format!("{DEFAULT} ");
        let upper = DEFAULT.to_uppercase();
        let huge = "x".repeat(1 << 20);
        for wrong in ["", "s", &DEFAULT[..DEFAULT.len() - 1], &longer, &padded, &upper, &huge] {
            assert_eq!(keys.find(wrong.as_bytes()), None);
        }
    }

    #[test]
    fn no_keys_know_nobody() {
        let none = ApiKeys::parse("{}").unwrap();
        assert!(none.is_empty());
        assert_eq!(none.find(b""), None);
        assert_eq!(none.find(DEFAULT.as_bytes()), None);
    }

    #[test]
    fn a_broken_list_is_refused_without_showing_a_key() {
        for setting in [
            "",
            "[]",
            r#""sb_secret_0123456789abcdefghijkl""#,
            r#"{"default":""}"#,
            r#"{"default":"short"}"#,
            r#"{"default":7}"#,
            &format!(r#"{{"":"{DEFAULT}"}}"#),
            &format!(r#"{{"a":"{DEFAULT}","b":"{DEFAULT}"}}"#),
            &format!(r#"{{"a":"{DEFAULT}","a":"{OTHER}"}}"#),
        ] {
            let error = ApiKeys::parse(setting).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("0123456789"), "{setting}");
        }
        assert_eq!(format!("{:?}", keys()), r#"["automations", "default"]"#);
    }
}
