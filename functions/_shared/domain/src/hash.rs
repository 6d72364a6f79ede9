//! Fingerprints of content.

use crate::canon;
use crate::record::{Fields, Value};
use sha2::{Digest, Sha256};

/// The SHA-256 of the canonical form of these fields, as 64 hexadecimal digits.
///
/// Two records have the same hash exactly when [`canon::equal`] holds for their fields.
pub fn content(fields: &Fields) -> String {
    let mut text = String::new();
    canon::write_object(fields, &mut text);
    hex(&Sha256::digest(text.as_bytes()))
}

/// The SHA-256 of the canonical form of any value, as 64 hexadecimal digits.
pub fn value(value: &Value) -> String {
    let mut text = String::new();
    canon::write(value, &mut text);
    hex(&Sha256::digest(text.as_bytes()))
}

/// The SHA-256 of these bytes, as 64 hexadecimal digits.
pub fn bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn equal_content_has_one_fingerprint_and_other_content_another() {
        assert_eq!(value(&json!({"a": 1.0, "b": "x"})), value(&json!({"b": "x", "a": 1})));
        assert_ne!(value(&json!({"a": 1})), value(&json!({"a": "1"})));
        let fields = Fields::from_iter([("a".to_owned(), json!(1))]);
        assert_eq!(content(&fields), value(&json!({"a": 1})));
        assert_eq!(bytes(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
