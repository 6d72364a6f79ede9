//! From bytes to a function's input, with a pointer to whatever is wrong.

use crate::query::Query;
use crate::{Defect, Problem};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use secrets::strict;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::{Path, Segment};

/// What came in, not yet typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    Query(Query),
    Body(Value),
}

impl Input {
    /// Nothing at all; the input of a function whose body is read by itself.
    pub(crate) fn none() -> Self {
        Self::Body(Value::Object(Map::new()))
    }

    /// As the function's own type. 422 with a pointer when it does not fit.
    pub(crate) fn into_typed<I: DeserializeOwned>(self) -> Result<I, Problem> {
        match self {
            Self::Query(query) => {
                if let Some(name) = query.find_nul() {
                    return Err(Problem::invalid(format!("/{}", escape(name)), NUL));
                }
                serde_path_to_error::deserialize(query)
                    .map_err(|error| misfit(error.path(), &error.inner().to_string()))
            }
            Self::Body(value) => {
                if let Some(pointer) = strict::find_nul(&value) {
                    return Err(Problem::invalid(pointer, NUL));
                }
                // Otherwise a list would be read as the fields in their order.
                if !value.is_object() {
                    return Err(Problem::invalid("", "Expected an object."));
                }
                serde_path_to_error::deserialize(value)
                    .map_err(|error| misfit(error.path(), &error.inner().to_string()))
            }
        }
    }
}

const NUL: &str = "This has the character U+0000, which cannot be stored.";

/// Reads a body. Clients call it JSON, plain text, bytes, or nothing at all; anything else is not read.
pub(crate) fn read_body(headers: &HeaderMap, body: &[u8]) -> Result<Value, Problem> {
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if text.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(Map::new()));
    }
    if !is_readable(headers) {
        return Err(Problem::unsupported_media_type());
    }
    strict::parse(text)
        .map_err(|error| Problem::bad_request(format!("The body is not JSON that we read: {error}.")))
}

fn is_readable(headers: &HeaderMap) -> bool {
    let encoded = headers
        .get(CONTENT_ENCODING)
        .is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"));
    let Some(value) = headers.get(CONTENT_TYPE) else { return !encoded };
    let Ok(value) = value.to_str() else { return false };
    let kind = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let known = matches!(
        kind.as_str(),
        "" | "application/json" | "text/plain" | "text/json" | "application/octet-stream"
    );
    !encoded && (known || (kind.starts_with("application/") && kind.ends_with("+json")))
}

/// What the library says about a value that does not fit, as a field's defect. Its words repeat the value; ours do not.
fn misfit(path: &Path, message: &str) -> Problem {
    let mut parts: Vec<String> = path
        .iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(index.to_string()),
            Segment::Map { key } => Some(escape(key)),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect();
    // The position is that of the value within our copy of it and helps nobody.
    let message = message.split(" at line ").next().unwrap_or(message);
    let named = |start: &str| message.strip_prefix(start).and_then(|rest| rest.split('`').next()).map(escape);
    let (code, detail) = if let Some(name) = named("unknown field `") {
        if parts.last() != Some(&name) {
            parts.push(name);
        }
        ("unknown", "There is no such field.".to_owned())
    } else if let Some(name) = named("missing field `") {
        parts.push(name);
        ("required", "This is required.".to_owned())
    } else if let Some((_, expected)) = message.rsplit_once("expected ") {
        ("invalid", format!("Expected {expected}."))
    } else {
        ("invalid", format!("This cannot be read: {message:.200}."))
    };
    let pointer = if parts.is_empty() { String::new() } else { format!("/{}", parts.join("/")) };
    Problem::fields(vec![Defect { pointer, code: code.to_owned(), detail }])
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Code, ItemType};
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Wanted {
        #[serde(default)]
        ids: Vec<u32>,
        item_type: Option<ItemType>,
        limit: Option<u16>,
        #[serde(default)]
        count: bool,
        inner: Option<Inner>,
        price: Option<serde_json::Number>,
        text: Option<String>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        list: Vec<u8>,
    }

    fn of_query(text: &str) -> Result<Wanted, Problem> {
        Input::Query(Query::parse(text)).into_typed()
    }

    fn of_body(text: &str) -> Result<Wanted, Problem> {
        Input::Body(read_body(&HeaderMap::new(), text.as_bytes())?).into_typed()
    }

    fn defect(result: Result<Wanted, Problem>) -> (String, String, String) {
        let problem = result.unwrap_err();
        assert_eq!(problem.code(), Code::Invalid);
        let body: Value = serde_json::from_slice(&problem.body("r")).unwrap();
        let text = |name: &str| body["errors"][0][name].as_str().unwrap().to_owned();
        (text("pointer"), text("code"), text("detail"))
    }

    #[test]
    fn a_query_becomes_the_input() {
        let wanted =
            of_query("ids=1,2&ids=3&itemType=order&limit=50&count&text=a%2Cb+c&forceFunctionRegion=x")
                .unwrap();
        assert_eq!(wanted.ids, [1, 2, 3]);
        assert_eq!(wanted.item_type, Some(ItemType::Order));
        assert_eq!(wanted.limit, Some(50));
        assert!(wanted.count);
        assert_eq!(wanted.text.as_deref(), Some("a,b c"));
    }

    #[test]
    fn an_empty_query_is_an_empty_input() {
        for text in ["", "&", "limit=&ids=&text=", "unknown=1"] {
            let wanted = of_query(text).unwrap();
            assert_eq!(
                (wanted.ids.len(), wanted.limit, wanted.count, wanted.text),
                (0, None, false, None),
                "{text}"
            );
        }
    }

    #[test]
    fn a_query_that_does_not_fit_is_pointed_at() {
        for (text, pointer) in [
            ("limit=many", "/limit"),
            ("limit=-1", "/limit"),
            ("limit=70000", "/limit"),
            ("limit=1&limit=2", "/limit"),
            ("ids=1,x", "/ids/1"),
            ("itemType=chair", "/itemType"),
            ("count=maybe", "/count"),
            ("text=a%00b", "/text"),
        ] {
            assert_eq!(defect(of_query(text)).0, pointer, "{text}");
        }
    }

    #[test]
    fn a_body_that_does_not_fit_is_pointed_at() {
        for (text, pointer, code) in [
            (r#"{"limit":"5"}"#, "/limit", "invalid"),
            (r#"{"limit":1e400}"#, "/limit", "invalid"),
            (r#"{"limit":-1}"#, "/limit", "invalid"),
            (r#"{"limit":1.5}"#, "/limit", "invalid"),
            (r#"{"ids":[1,2,"x"]}"#, "/ids/2", "invalid"),
            (r#"{"itemType":"chair"}"#, "/itemType", "invalid"),
            (r#"{"userId":"x"}"#, "/userId", "unknown"),
            (r#"{"a/b~c":"x"}"#, "/a~1b~0c", "unknown"),
            (r#"{"inner":{"list":[],"role":1}}"#, "/inner/role", "unknown"),
            (r#"{"inner":{}}"#, "/inner/list", "required"),
            (r#"{"inner":{"list":[1,300]}}"#, "/inner/list/1", "invalid"),
            (r#"{"text":"a\u0000b"}"#, "/text", "invalid"),
            ("[]", "", "invalid"),
            (r#""x""#, "", "invalid"),
            ("null", "", "invalid"),
        ] {
            let (found, word, _) = defect(of_body(text));
            assert_eq!((found.as_str(), word.as_str()), (pointer, code), "{text}");
        }
    }

    #[test]
    fn a_list_is_not_read_as_the_fields_in_their_order() {
        #[derive(Debug, Default, Deserialize)]
        #[serde(default)]
        struct Optional {
            _limit: u16,
        }
        for text in ["[]", "[5]", "5"] {
            let body = read_body(&HeaderMap::new(), text.as_bytes()).unwrap();
            assert_eq!(
                Input::Body(body).into_typed::<Optional>().unwrap_err().code(),
                Code::Invalid,
                "{text}"
            );
        }
    }

    #[test]
    fn no_message_repeats_what_was_sent() {
        let (_, _, detail) = defect(of_body(r#"{"limit":"canary, expected canary"}"#));
        assert!(!detail.contains("canary"), "{detail}");
        let (_, _, detail) = defect(of_body(r#"{"itemType":"canary"}"#));
        assert!(!detail.contains("canary"), "{detail}");
    }

    #[test]
    fn an_empty_body_is_an_empty_object() {
        for text in ["", " \n", "{}", "\u{feff}{}"] {
            assert!(of_body(text).unwrap().ids.is_empty());
        }
    }

    #[test]
    fn numbers_of_any_length_keep_their_text() {
        let wanted = of_body(r#"{"price":12345678901234567890123.10}"#).unwrap();
        assert_eq!(wanted.price.unwrap().to_string(), "12345678901234567890123.10");
    }

    #[test]
    fn what_is_no_json_is_a_bad_request() {
        let deep = "[".repeat(100_000);
        for text in ["{", "{}}", "{\"limit\":NaN}", r#"{"text":"\ud800"}"#, r#"{"limit":1,"limit":2}"#, &deep]
        {
            assert_eq!(of_body(text).unwrap_err().code(), Code::BadRequest, "{text:.20}");
        }
        let raw = read_body(&HeaderMap::new(), b"{\"text\":\"\xff\"}").unwrap_err();
        assert_eq!(raw.code(), Code::BadRequest);
    }

    #[test]
    fn a_body_is_read_under_every_name_that_clients_give_it() {
        let read = |kind: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, kind.parse().unwrap());
            read_body(&headers, b"{}")
        };
        for kind in [
            "application/json",
            "application/json; charset=utf-8",
            "Text/Plain;charset=UTF-8",
            "application/octet-stream",
            "application/merge-patch+json",
        ] {
            read(kind).unwrap();
        }
        for kind in
            ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/html", "image/png"]
        {
            assert_eq!(read(kind).unwrap_err().code(), Code::UnsupportedMediaType, "{kind}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, "gzip".parse().unwrap());
        assert_eq!(read_body(&headers, b"{}").unwrap_err().code(), Code::UnsupportedMediaType);
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_input_or_a_problem(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read_body(&HeaderMap::new(), &bytes).and_then(|value| Input::Body(value).into_typed::<Wanted>());
        }

        #[test]
        fn any_text_is_a_query_or_a_problem(text in ".{0,100}") {
            let _ = of_query(&text);
        }

        #[test]
        fn any_json_is_an_input_or_a_problem(text in r#"\{"(limit|ids|inner|text|count|price)":[\[\]{}",:0-9a-ceE.-]{0,20}\}"#) {
            let _ = of_body(&text);
        }
    }
}
