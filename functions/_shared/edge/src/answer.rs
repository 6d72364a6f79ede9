//! What a function may answer, and what that is in HTTP.

use crate::Problem;
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

/// The work goes on: 202. If the output has a field `statusUrl`, that is also the `Location`.
pub struct Accepted<T>(pub T);

/// Something new exists: 201. If the output has a field `url`, that is also the `Location`.
pub struct Created<T>(pub T);

/// Done, and nothing to say: 204.
pub struct Empty;

/// The output with its version, which a later `If-Match` names: 200 with `ETag`.
pub struct Tagged<T> {
    /// The version, without quotes: letters, digits, `-`, `_`, `.`.
    pub version: String,
    /// The output.
    pub output: T,
}

/// A text that is no JSON of ours: metrics, an export, a description of the functions.
pub struct Raw {
    /// The status; 200 unless said otherwise.
    pub status: Option<u16>,
    /// The content type.
    pub content_type: &'static str,
    /// The text.
    pub body: Bytes,
    /// What else is said of it, by names in lower case.
    pub headers: Vec<(&'static str, String)>,
}

impl Raw {
    /// A text of this type, with status 200.
    pub fn new(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status: None, content_type, body: body.into(), headers: Vec::new() }
    }

    /// The same with one header more. Its name is in lower case; a value that fits no header is left out. Pages of other
    /// origins read it only if `cors` lists it.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// An answer before the headers that every answer has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) body: Bytes,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) problem: Option<Problem>,
    pub(crate) note: Option<String>,
}

impl Answer {
    /// The same answer with something that only the log should know.
    pub(crate) fn noted(mut self, note: String) -> Self {
        self.note = Some(note);
        self
    }

    pub(crate) fn new(status: u16, content_type: Option<&'static str>, body: impl Into<Bytes>) -> Self {
        Self { status, content_type, body: body.into(), headers: Vec::new(), problem: None, note: None }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn of_problem(problem: Problem, request_id: &str) -> Self {
        let mut answer = Self::new(problem.status(), Some(PROBLEM), problem.body(request_id));
        if let Some(seconds) = problem.wait_seconds() {
            answer = answer.with("retry-after", seconds.to_string());
        }
        if let Some(allow) = problem.allow() {
            answer = answer.with("allow", allow);
        }
        if problem.status() == 401 {
            answer = answer.with("www-authenticate", "Bearer");
        }
        answer.problem = Some(problem);
        answer
    }

    /// An answer that was given before, from its status and body.
    pub(crate) fn replayed(status: u16, body: String) -> Self {
        let content_type = match status {
            204 => None,
            400.. => Some(PROBLEM),
            _ => Some(JSON),
        };
        let location = location(status, &serde_json::from_str(&body).unwrap_or_default());
        let answer = Self::new(status, content_type, body).with("idempotent-replayed", "true");
        match location {
            Some(address) => answer.with("location", address),
            None => answer,
        }
    }
}

/// What a function may answer: anything that has a JSON form, or one of the wrappers of this module.
pub trait Output {
    /// Turns the output into an answer. [`Problem::internal`] when it has no JSON form.
    fn answer(self) -> Result<Answer, Problem>;
}

impl<T: Serialize> Output for T {
    fn answer(self) -> Result<Answer, Problem> {
        json(200, &self)
    }
}

impl<T: Serialize> Output for Accepted<T> {
    fn answer(self) -> Result<Answer, Problem> {
        json(202, &self.0)
    }
}

impl<T: Serialize> Output for Created<T> {
    fn answer(self) -> Result<Answer, Problem> {
        json(201, &self.0)
    }
}

impl Output for Empty {
    fn answer(self) -> Result<Answer, Problem> {
        Ok(Answer::new(204, None, Bytes::new()))
    }
}

impl<T: Serialize> Output for Tagged<T> {
    fn answer(self) -> Result<Answer, Problem> {
        Ok(json(200, &self.output)?.with("etag", format!("\"{}\"", self.version)))
    }
}

impl Output for Raw {
    fn answer(self) -> Result<Answer, Problem> {
        let answer = Answer::new(self.status.unwrap_or(200), Some(self.content_type), self.body);
        Ok(self.headers.into_iter().fold(answer, |answer, (name, value)| answer.with(name, value)))
    }
}

/// Either of two outputs: `Result<A, B>` would read like a failure.
pub enum Either<A, B> {
    /// One.
    Left(A),
    /// The other.
    Right(B),
}

impl<A: Output, B: Output> Output for Either<A, B> {
    fn answer(self) -> Result<Answer, Problem> {
        match self {
            Self::Left(output) => output.answer(),
            Self::Right(output) => output.answer(),
        }
    }
}

fn json(status: u16, output: &impl Serialize) -> Result<Answer, Problem> {
    let body = serde_json::to_vec(output)
        .map_err(|error| Problem::internal(format!("the output has no JSON form: {error}")))?;
    let address = match status {
        201 | 202 => location(status, &serde_json::from_slice(&body).unwrap_or_default()),
        _ => None,
    };
    let answer = Answer::new(status, Some(JSON), body);
    Ok(match address {
        Some(address) => answer.with("location", address),
        None => answer,
    })
}

fn location(status: u16, body: &Value) -> Option<String> {
    let field = match status {
        201 => "url",
        202 => "statusUrl",
        _ => return None,
    };
    body.get(field).and_then(Value::as_str).map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_output_has_its_status() {
        let status = |answer: Result<Answer, Problem>| answer.unwrap().status;
        assert_eq!(status(json!({"a": 1}).answer()), 200);
        assert_eq!(status(Accepted(json!({})).answer()), 202);
        assert_eq!(status(Created(json!({})).answer()), 201);
        assert_eq!(status(Empty.answer()), 204);
        assert_eq!(status(Raw::new("text/plain", "x").answer()), 200);
        assert_eq!(status(Raw { status: Some(503), ..Raw::new(JSON, "") }.answer()), 503);
        assert_eq!(status(Either::<Accepted<u8>, u8>::Right(1).answer()), 200);
    }

    #[test]
    fn work_that_goes_on_says_where_to_look_also_when_replayed() {
        let output = json!({"runId": "1", "statusUrl": "/functions/v1/sync-status?id=1"});
        let answer = Accepted(output.clone()).answer().unwrap();
        let expected = ("location", "/functions/v1/sync-status?id=1".to_owned());
        assert_eq!(answer.headers.first(), Some(&expected));
        let again = Answer::replayed(202, output.to_string());
        assert_eq!(again.headers, [("idempotent-replayed", "true".to_owned()), expected]);
        assert_eq!(again.content_type, Some("application/json"));
        assert_eq!(Answer::replayed(500, "{}".to_owned()).content_type, Some("application/problem+json"));
    }

    #[test]
    fn a_version_becomes_a_tag() {
        let answer = Tagged { version: "7".to_owned(), output: 1 }.answer().unwrap();
        assert_eq!(answer.headers, [("etag", "\"7\"".to_owned())]);
    }

    #[test]
    fn a_text_takes_its_headers_along() {
        let answer = Raw::new("text/csv", "a").with("x-export-manifest", "{}").answer().unwrap();
        assert_eq!(answer.headers, [("x-export-manifest", "{}".to_owned())]);
        assert_eq!((answer.content_type, answer.body.as_ref()), (Some("text/csv"), b"a".as_slice()));
    }

    #[test]
    fn a_refusal_says_how_to_sign_in_and_which_methods_there_are() {
        let answer = Answer::of_problem(Problem::unauthorized(), "r");
        assert_eq!(answer.headers, [("www-authenticate", "Bearer".to_owned())]);
        let answer = Answer::of_problem(Problem::method_not_allowed("GET, HEAD".to_owned()), "r");
        assert_eq!(answer.headers, [("allow", "GET, HEAD".to_owned())]);
    }
}
