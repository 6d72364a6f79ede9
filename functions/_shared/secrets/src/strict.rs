//! JSON that somebody else wrote, read so that no two readers can understand it differently.

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::collections::HashSet;
use std::fmt;

/// The key under which `serde_json` passes numbers of any precision to itself. A text that uses it as a name of its
/// own would be read as a number.
const NUMBER_KEY: &str = "$serde_json::private::Number";
const RESERVED: &[u8] = b"$serde_json::private::";

/// Why a text was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not UTF-8.
    #[error("the text is not UTF-8")]
    Encoding,
    /// It is not JSON, or nested deeper than 127 levels.
    #[error("the text is not JSON (line {line}, column {column})")]
    Syntax {
        /// Where, counted from 1.
        line: usize,
        /// Where, counted from 1.
        column: usize,
    },
    /// An object has the same name twice.
    #[error("an object has the same name twice (line {line}, column {column})")]
    Duplicate {
        /// Where, counted from 1.
        line: usize,
        /// Where, counted from 1.
        column: usize,
    },
    /// A name that JSON readers use among themselves.
    #[error("an object has a name that is reserved")]
    Reserved,
}

impl Error {
    /// Whether the defect is a name that stands twice.
    pub const fn is_duplicate(self) -> bool {
        matches!(self, Self::Duplicate { .. })
    }
}

/// Reads a JSON text. Refuses what is not UTF-8, a byte order mark, anything after the value, more than 127 levels,
/// and an object with the same name twice. Numbers keep their text.
pub fn parse(text: &[u8]) -> Result<Value, Error> {
    let text = std::str::from_utf8(text).map_err(|_| Error::Encoding)?;
    if text.as_bytes().windows(RESERVED.len()).any(|window| window == RESERVED) {
        return Err(Error::Reserved);
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let checked = Unique.deserialize(&mut reader).and_then(|()| reader.end());
    checked.map_err(|error| reason(&error))?;
    serde_json::from_str(text).map_err(|error| reason(&error))
}

/// Whether a text anywhere in the value, a name included, has the character U+0000, which Postgres cannot store.
/// The answer is the JSON pointer of the first one.
pub fn find_nul(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Array(values) => values
            .iter()
            .enumerate()
            .find_map(|(position, value)| find_nul(value).map(|rest| format!("/{position}{rest}"))),
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let rest = if name.contains('\0') { Some(String::new()) } else { find_nul(value) };
            rest.map(|rest| {
                format!("/{}{rest}", name.replace('~', "~0").replace('/', "~1").replace('\0', ""))
            })
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn reason(error: &serde_json::Error) -> Error {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    if text.starts_with(DUPLICATE) {
        Error::Duplicate { line, column }
    } else if text.starts_with(TAKEN) {
        Error::Reserved
    } else {
        Error::Syntax { line, column }
    }
}

const DUPLICATE: &str = "the same name twice";
const TAKEN: &str = "a reserved name";

/// Walks a value and keeps nothing but the names of the objects it is in.
#[derive(Clone, Copy)]
struct Unique;

impl<'de> DeserializeSeed<'de> for Unique {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        while values.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = fields.next_key_seed(Name)? {
            if !seen.insert(name) {
                return Err(serde::de::Error::custom(DUPLICATE));
            }
            fields.next_value_seed(self)?;
        }
        Ok(())
    }
}

/// A name of an object. A number of any precision comes along as an object whose one name is borrowed from the
/// reader itself; the same name written with escapes in the text is not borrowed, and refused.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<String, E> {
        Ok(name.to_owned())
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<String, E> {
        if name == NUMBER_KEY || name.as_bytes().starts_with(RESERVED) {
            return Err(E::custom(TAKEN));
        }
        Ok(name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn ordinary_json_is_read_with_its_numbers_as_they_stand() {
        let value =
            parse(br#" {"a": [1.10, 9007199254740993, 1e400, -0], "b": {"a": null}, "c": "caf\u00e9"} "#)
                .unwrap();
        assert_eq!(value.to_string(), r#"{"a":[1.10,9007199254740993,1e+400,-0],"b":{"a":null},"c":"café"}"#);
    }

    #[test]
    fn a_name_that_stands_twice_is_refused_at_every_depth() {
        for text in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"b":2,"a":3}}]"#, r#"{"a":1,"\u0061":2}"#] {
            assert!(parse(text.as_bytes()).unwrap_err().is_duplicate(), "{text}");
        }
        assert!(parse(br#"{"a":{"a":1},"b":[{"a":1},{"a":1}]}"#).is_ok());
    }

    #[test]
    fn what_is_not_json_is_refused() {
        let deep = "[".repeat(100_000);
        for text in [
            "",
            " ",
            "{",
            "{}{}",
            "{} x",
            "nul",
            "NaN",
            "'a'",
            "{\"a\":01}",
            "\u{feff}{}",
            r#""\ud800""#,
            &deep,
        ] {
            assert!(matches!(parse(text.as_bytes()), Err(Error::Syntax { .. })), "{text:.20}");
        }
        assert_eq!(parse(b"\"\xff\""), Err(Error::Encoding));
    }

    #[test]
    fn nobody_can_pass_an_object_for_a_number() {
        for text in [
            r#"{"$serde_json::private::Number":"1"}"#,
            r#"{"\u0024serde_json::private::Number":"1"}"#,
            r#"[{"$serde_json::private::RawValue":"1"}]"#,
        ] {
            assert_eq!(parse(text.as_bytes()), Err(Error::Reserved), "{text}");
        }
    }

    #[test]
    fn the_character_nul_is_found_with_its_pointer() {
        assert_eq!(find_nul(&json!({"a": ["x", {"b/c": "y\0"}]})).as_deref(), Some("/a/1/b~1c"));
        assert_eq!(find_nul(&json!({"a": {"n\0m": 1}})).as_deref(), Some("/a/nm"));
        assert_eq!(find_nul(&json!({"a": "\\u0000"})), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn what_is_read_equals_what_the_common_reader_reads(text in r#"[\[\]{}",:0-9a-c.eE+\-]{0,40}"#) {
            if let Ok(value) = parse(text.as_bytes()) {
                prop_assert_eq!(value, serde_json::from_str::<Value>(&text).unwrap());
            }
        }
    }
}
