//! What a caller is told when something did not work (RFC 9457).

use domain::{Code, Fault};
use schemars::JsonSchema;
use serde::Serialize;
use std::time::Duration;

/// Where each code is explained; the code follows.
pub const DOCUMENTATION: &str = "https://syncline.dev/problems#";

/// How long a caller should wait when nothing better is known.
const SOON: Duration = Duration::from_secs(5);

/// Something that did not work, in two voices: one for the caller, one for the log.
///
/// The codes are the closed list of [`Code`]; the status of each stands in one table here and nowhere else. The cause
/// goes to the log with the request's id and is never sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    code: Code,
    detail: String,
    errors: Vec<Defect>,
    retry_after: Option<Duration>,
    allow: Option<String>,
    cause: Option<String>,
}

/// One wrong field of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Defect {
    /// JSON pointer of the field (RFC 6901); empty for the whole input.
    pub pointer: String,
    /// `required`, `unknown`, `invalid`, or a room's own word.
    pub code: String,
    /// What is wrong with it.
    pub detail: String,
}

/// What a caller is told when something did not work (RFC 9457).
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct Body<'a> {
    /// Where the code is explained.
    #[serde(rename = "type")]
    kind: String,
    /// What the code means, in a few words.
    title: &'a str,
    /// The status of the answer.
    status: u16,
    /// What is wrong and what to do, for people.
    detail: &'a str,
    /// The id of the request.
    instance: &'a str,
    /// The stable word to match on.
    code: &'a str,
    /// The same as `detail`.
    message: &'a str,
    /// The id of the request, to be named when something is reported.
    request_id: &'a str,
    /// Which fields of the input are wrong, if that is what is wrong.
    #[serde(skip_serializing_if = "<[Defect]>::is_empty")]
    errors: &'a [Defect],
}

/// The one table of statuses and titles.
pub(crate) const fn face(code: Code) -> (u16, &'static str) {
    match code {
        Code::BadRequest => (400, "The request cannot be read"),
        Code::Unauthorized => (401, "Not signed in"),
        Code::Forbidden => (403, "Not allowed"),
        Code::NotFound => (404, "Not found"),
        Code::MethodNotAllowed => (405, "No such method"),
        Code::Conflict => (409, "Not in this state"),
        Code::PreconditionFailed => (412, "Changed in the meantime"),
        Code::TooLarge => (413, "Too large"),
        Code::UnsupportedMediaType => (415, "Not a type we read"),
        Code::Invalid => (422, "Fields are wrong"),
        Code::RateLimited => (429, "Too many requests"),
        Code::PlatformRejected => (502, "The platform refused"),
        Code::PlatformUnavailable | Code::Unavailable => (503, "Not available now"),
        Code::Internal => (500, "Internal error"),
    }
}

impl Problem {
    /// A problem of this code, in words for the caller.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), retry_after: None, allow: None, cause: None }
    }

    /// The request cannot be read.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, detail)
    }

    /// No credential, or one that does not hold.
    pub fn unauthorized() -> Self {
        Self::new(Code::Unauthorized, "Sign in: a valid access token or key is needed.")
    }

    /// Known, but not allowed.
    pub fn forbidden() -> Self {
        Self::new(Code::Forbidden, "This is not for this caller.")
    }

    /// There is none, or it is not for this caller to see: the answer is the same.
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "There is no such thing.")
    }

    /// Not possible in the present state.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(Code::Conflict, detail)
    }

    /// An `If-Match` that no longer holds.
    pub fn precondition_failed() -> Self {
        Self::new(Code::PreconditionFailed, "It was changed in the meantime. Read it again.")
    }

    /// One field is wrong; the pointer names it.
    pub fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::fields(vec![Defect {
            pointer: pointer.into(),
            code: "invalid".to_owned(),
            detail: detail.into(),
        }])
    }

    /// A mapping does not fit its two sides; the pointers begin at `prefix`.
    pub fn unfit<'a>(prefix: &str, problems: impl Iterator<Item = &'a domain::schema::Problem>) -> Self {
        let defect = |problem: &domain::schema::Problem| Defect {
            pointer: format!("{prefix}{}", problem.pointer),
            code: problem.code.to_owned(),
            detail: problem.detail.clone(),
        };
        Self::fields(problems.map(defect).collect())
    }

    /// Several fields are wrong.
    pub fn fields(errors: Vec<Defect>) -> Self {
        let detail = match errors.as_slice() {
            [only] if only.pointer.is_empty() => only.detail.clone(),
            [only] => format!("{}: {}", only.pointer, only.detail),
            many => format!("{} fields are wrong.", many.len()),
        };
        Self { errors, ..Self::new(Code::Invalid, detail) }
    }

    /// The caller asks too often.
    pub fn rate_limited(detail: impl Into<String>, wait: Duration) -> Self {
        Self::new(Code::RateLimited, detail).retry_after(wait)
    }

    /// The platform refused what was asked.
    pub fn platform_rejected(detail: impl Into<String>) -> Self {
        Self::new(Code::PlatformRejected, detail)
    }

    /// The platform is away.
    pub fn platform_unavailable(detail: impl Into<String>, wait: Duration) -> Self {
        Self::new(Code::PlatformUnavailable, detail).retry_after(wait)
    }

    /// We cannot serve now; why is for the log.
    pub fn unavailable(cause: impl Into<String>) -> Self {
        Self::new(Code::Unavailable, "The service cannot do this now. Try again soon.").because(cause)
    }

    /// A defect of ours; why is for the log.
    pub fn internal(cause: impl Into<String>) -> Self {
        Self::new(Code::Internal, INTERNAL).because(cause)
    }

    pub(crate) fn method_not_allowed(allow: String) -> Self {
        let problem = Self::new(Code::MethodNotAllowed, "There is no such method here.");
        Self { allow: Some(allow), ..problem }
    }

    pub(crate) fn too_large(most: usize) -> Self {
        Self::new(Code::TooLarge, format!("The body may have {most} bytes at most."))
    }

    pub(crate) fn unsupported_media_type() -> Self {
        Self::new(Code::UnsupportedMediaType, "Send the body as application/json, without content encoding.")
    }

    pub(crate) fn out_of_time() -> Self {
        let problem =
            Self::new(Code::Unavailable, "This took longer than its time budget. What was finished is kept.");
        problem.because("the deadline passed")
    }

    /// The same problem, and how long to wait before trying again.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// The same problem with a cause for the log. Never a secret, a body or a person's data.
    #[must_use]
    pub fn because(self, cause: impl Into<String>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }

    /// Which kind of problem it is.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The words for the caller.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) fn status(&self) -> u16 {
        face(self.code).0
    }

    pub(crate) fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    pub(crate) fn allow(&self) -> Option<&str> {
        self.allow.as_deref()
    }

    /// Whole seconds to wait, at least one; always there for 429 and 503.
    pub(crate) fn wait_seconds(&self) -> Option<u64> {
        let wait = match (self.retry_after, self.status()) {
            (Some(wait), _) => wait,
            (None, 429 | 503) => SOON,
            (None, _) => return None,
        };
        let whole = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
        Some(whole.max(1))
    }

    pub(crate) fn body(&self, request_id: &str) -> Vec<u8> {
        let (status, title) = face(self.code);
        let code = self.code.word();
        let body = Body {
            kind: format!("{DOCUMENTATION}{code}"),
            title,
            status,
            detail: &self.detail,
            instance: request_id,
            code,
            message: &self.detail,
            request_id,
            errors: &self.errors,
        };
        // Texts and numbers always have a JSON form.
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

const INTERNAL: &str = "Something went wrong on our side. Name this request's id when you report it.";

/// Every room's error becomes a problem: what the caller may know, and the cause for the log.
impl<E: Fault> From<E> for Problem {
    fn from(error: E) -> Self {
        let code = error.code();
        // What an internal error says about itself is for us, not for the caller.
        let detail = if code == Code::Internal { INTERNAL.to_owned() } else { error.detail() };
        let errors = error
            .fields()
            .into_iter()
            .map(|(pointer, code, detail)| Defect { pointer, code, detail })
            .collect();
        Self { code, detail, errors, retry_after: error.retry_after(), allow: None, cause: Some(error.log()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::collections::HashSet;

    fn body(problem: &Problem) -> Value {
        serde_json::from_slice(&problem.body("req-1")).unwrap()
    }

    #[test]
    fn every_code_has_a_status_of_failure_and_a_page_of_its_own() {
        let mut pages = HashSet::new();
        for code in Code::ALL {
            let body = body(&Problem::new(*code, "Why."));
            assert!(body["status"].as_u64().unwrap() >= 400);
            assert!(pages.insert(body["type"].as_str().unwrap().to_owned()));
        }
    }

    #[test]
    fn the_body_has_the_fields_that_callers_of_either_kind_read() {
        assert_eq!(
            body(&Problem::invalid("/limit", "Expected a number.")),
            json!({
                "type": "https://syncline.dev/problems#invalid", "title": "Fields are wrong", "status": 422,
                "detail": "/limit: Expected a number.", "instance": "req-1", "code": "invalid",
                "message": "/limit: Expected a number.", "request_id": "req-1",
                "errors": [{"pointer": "/limit", "code": "invalid", "detail": "Expected a number."}]
            })
        );
        assert!(body(&Problem::not_found()).get("errors").is_none());
    }

    struct Broken(Code);

    impl Fault for Broken {
        fn code(&self) -> Code {
            self.0
        }
        fn detail(&self) -> String {
            "column canary".to_owned()
        }
        fn log(&self) -> String {
            "canary in the log".to_owned()
        }
    }

    #[test]
    fn an_internal_cause_is_for_the_log_only() {
        for problem in [Problem::from(Broken(Code::Internal)), Problem::internal("canary")] {
            assert!(!body(&problem).to_string().contains("canary"));
            assert!(problem.cause().unwrap().contains("canary"));
        }
        assert_eq!(Problem::from(Broken(Code::Conflict)).detail(), "column canary");
    }

    #[test]
    fn a_wait_is_whole_seconds_and_never_none_where_the_caller_must_wait() {
        assert_eq!(Problem::rate_limited("x", Duration::from_millis(1200)).wait_seconds(), Some(2));
        assert_eq!(Problem::rate_limited("x", Duration::ZERO).wait_seconds(), Some(1));
        assert_eq!(Problem::unavailable("x").wait_seconds(), Some(5));
        assert_eq!(Problem::conflict("x").wait_seconds(), None);
        assert_eq!(Problem::conflict("x").retry_after(Duration::from_secs(3)).wait_seconds(), Some(3));
    }
}
