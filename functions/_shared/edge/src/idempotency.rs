//! `Idempotency-Key`: the same request twice does its work once
//! (<https://www.ietf.org/archive/id/draft-ietf-httpapi-idempotency-key-header-07.html>).

use crate::Problem;
use crate::answer::Answer;
use crate::input::Input;
use crate::query::Query;
use domain::{canon, hash};
use http::{HeaderMap, Method};
use std::future::Future;
use std::time::Duration;
use uuid::Uuid;

/// A key in use: whose, for what, and of which request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) scope: &'a str,
    pub(crate) function: &'a str,
    pub(crate) key: &'a str,
    pub(crate) fingerprint: &'a str,
    pub(crate) lease_seconds: i32,
}

/// What is known about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Begun {
    /// Nobody has it; the attempt is to be shown when it ends.
    Fresh {
        attempt: Uuid,
    },
    Running {
        retry_after_seconds: u64,
    },
    Mismatch,
    Replay {
        status: u16,
        body: String,
    },
}

/// Where keys are kept.
pub(crate) trait Ledger {
    async fn begin(&self, entry: &Entry<'_>) -> Result<Begun, Problem>;
    /// Keeps the answer. `false`: the lease ran out and another request has the key now.
    async fn finish(
        &self,
        entry: &Entry<'_>,
        attempt: Uuid,
        status: u16,
        body: &str,
    ) -> Result<bool, Problem>;
    /// Frees the key. `false` as above.
    async fn forget(&self, entry: &Entry<'_>, attempt: Uuid) -> Result<bool, Problem>;
}

/// The key of a request that changes something; `None` when it has none or changes nothing.
///
/// 1 to 255 visible ASCII characters, as a structured field string (in quotes) or bare; otherwise 400.
pub(crate) fn key(method: &Method, headers: &HeaderMap) -> Result<Option<String>, Problem> {
    if !matches!(*method, Method::POST | Method::PUT | Method::PATCH | Method::DELETE) {
        return Ok(None);
    }
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else { return Ok(None) };
    let wrong =
        || Problem::bad_request("The Idempotency-Key must be one text of 1 to 255 visible ASCII characters.");
    let text = value.to_str().map_err(|_| wrong())?.trim();
    let key = match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => text.to_owned(),
    };
    let is_visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    if values.next().is_some() || !(1..=255).contains(&key.len()) || !is_visible {
        return Err(wrong());
    }
    Ok(Some(key))
}

/// The SHA-256 of what was asked: method, path, query and body, the body in its canonical form.
pub(crate) fn fingerprint(method: &Method, path: &str, query: &str, input: &Input) -> String {
    let mut text = format!("{method}\n{path}\n{query}\n");
    match input {
        Input::Body(value) => canon::write(value, &mut text),
        Input::Query(Query { .. }) => {}
    }
    hash::bytes(text.as_bytes())
}

/// Runs the work under a key, or answers from what an earlier request with it left.
///
/// Kept for the next time: whatever was done, and failures of unknown extent (500, 502). Not kept: refusals and
/// "come again" (4xx, 503), so that the same request may be tried again with the same key.
pub(crate) async fn once<L: Ledger>(
    ledger: &L,
    entry: &Entry<'_>,
    request_id: &str,
    work: impl Future<Output = Result<Answer, Problem>>,
) -> Result<Answer, Problem> {
    let attempt = match ledger.begin(entry).await? {
        Begun::Fresh { attempt } => attempt,
        Begun::Replay { status, body } => return Ok(Answer::replayed(status, body)),
        Begun::Mismatch => {
            return Err(Problem::invalid("", "This Idempotency-Key was used for another request."));
        }
        Begun::Running { retry_after_seconds } => {
            let wait = Duration::from_secs(retry_after_seconds.max(1));
            return Err(Problem::conflict("The first request with this Idempotency-Key is still at work.")
                .retry_after(wait));
        }
    };
    let answer = match work.await {
        Ok(answer) => answer,
        Err(problem) => Answer::of_problem(problem, request_id),
    };
    let text = std::str::from_utf8(&answer.body).ok().filter(|_| is_kept(answer.status));
    // The work is done: an answer that cannot be kept is still the answer. The key's lease ends by itself.
    let kept = match text {
        Some(body) => ledger.finish(entry, attempt, answer.status, body).await,
        None => ledger.forget(entry, attempt).await,
    };
    Ok(match kept {
        Ok(true) => answer,
        Ok(false) => {
            answer.noted("the idempotency key was taken over: the work took longer than its lease".to_owned())
        }
        Err(fault) => {
            answer.noted(format!("the idempotency key was not kept: {}", fault.cause().unwrap_or_default()))
        }
    })
}

const fn is_kept(status: u16) -> bool {
    matches!(status, 200..=299 | 500 | 502)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use serde_json::json;
    use std::cell::RefCell;

    fn read(method: &Method, values: &[&str]) -> Result<Option<String>, Problem> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("idempotency-key", value.parse().unwrap());
        }
        key(method, &headers)
    }

    #[test]
    fn a_key_is_read_bare_and_in_quotes() {
        for value in ["order-1", "\"order-1\"", " order-1 "] {
            assert_eq!(read(&Method::POST, &[value]).unwrap().as_deref(), Some("order-1"));
        }
        assert_eq!(read(&Method::POST, &[r#""a\"b""#]).unwrap().as_deref(), Some("a\"b"));
        assert_eq!(read(&Method::DELETE, &[&"k".repeat(255)]).unwrap().map(|key| key.len()), Some(255));
        assert_eq!(read(&Method::POST, &[]).unwrap(), None);
        assert_eq!(read(&Method::GET, &["order-1"]).unwrap(), None);
    }

    #[test]
    fn a_key_that_is_none_is_refused() {
        let long = "k".repeat(256);
        for values in [&[""][..], &["\"\""], &["two words"], &["a\tb"], &[long.as_str()], &["a", "b"]] {
            assert_eq!(read(&Method::POST, values).unwrap_err().status(), 400, "{values:?}");
        }
        let mut headers = HeaderMap::new();
        headers.insert("idempotency-key", http::HeaderValue::from_bytes(b"caf\xc3\xa9").unwrap());
        assert_eq!(key(&Method::POST, &headers).unwrap_err().status(), 400);
    }

    #[test]
    fn the_same_request_has_the_same_fingerprint_however_it_is_written() {
        let of = |method: &Method, path: &str, body| fingerprint(method, path, "", &Input::Body(body));
        let first = of(&Method::POST, "/a", json!({"a": 1, "b": [1.0]}));
        assert_eq!(first, of(&Method::POST, "/a", serde_json::from_str(r#"{"b":[1.00],"a":1}"#).unwrap()));
        for other in [
            of(&Method::PUT, "/a", json!({"a": 1, "b": [1.0]})),
            of(&Method::POST, "/b", json!({"a": 1, "b": [1.0]})),
            of(&Method::POST, "/a", json!({"a": 2, "b": [1.0]})),
        ] {
            assert_ne!(first, other);
        }
    }

    /// One key, as the rows of the table would keep it.
    #[derive(Default)]
    struct OneKey(RefCell<Option<Kept>>);

    type Kept = (String, Option<(u16, String)>);

    impl Ledger for OneKey {
        async fn begin(&self, entry: &Entry<'_>) -> Result<Begun, Problem> {
            let known = self.0.borrow().clone();
            Ok(match known {
                None => {
                    self.0.replace(Some((entry.fingerprint.to_owned(), None)));
                    Begun::Fresh { attempt: Uuid::nil() }
                }
                Some((fingerprint, _)) if fingerprint != entry.fingerprint => Begun::Mismatch,
                Some((_, None)) => Begun::Running { retry_after_seconds: 7 },
                Some((_, Some((status, body)))) => Begun::Replay { status, body },
            })
        }

        async fn finish(&self, entry: &Entry<'_>, _: Uuid, status: u16, body: &str) -> Result<bool, Problem> {
            self.0.replace(Some((entry.fingerprint.to_owned(), Some((status, body.to_owned())))));
            Ok(true)
        }

        async fn forget(&self, _: &Entry<'_>, _: Uuid) -> Result<bool, Problem> {
            self.0.replace(None);
            Ok(true)
        }
    }

    fn attempt(
        ledger: &OneKey,
        fingerprint: &str,
        outcome: Result<Answer, Problem>,
    ) -> Result<Answer, Problem> {
        let entry = Entry { scope: "user:1", function: "f", key: "k", fingerprint, lease_seconds: 30 };
        block_on(once(ledger, &entry, "r", async { outcome }))
    }

    fn done(body: &'static str) -> Answer {
        Answer::new(200, Some("application/json"), body)
    }

    #[test]
    fn the_second_request_gets_the_answer_of_the_first() {
        let ledger = OneKey::default();
        assert_eq!(attempt(&ledger, "a", Ok(done("1"))).unwrap().headers, []);
        let again = attempt(&ledger, "a", Ok(done("2"))).unwrap();
        assert_eq!((again.status, &again.body[..]), (200, &b"1"[..]));
        assert_eq!(again.headers, [("idempotent-replayed", "true".to_owned())]);
        assert_eq!(attempt(&ledger, "b", Ok(done("3"))).unwrap_err().status(), 422);
    }

    #[test]
    fn while_the_first_is_at_work_the_second_is_asked_to_wait() {
        let ledger = OneKey(RefCell::new(Some(("a".to_owned(), None))));
        let problem = attempt(&ledger, "a", Ok(done("2"))).unwrap_err();
        assert_eq!((problem.status(), problem.wait_seconds()), (409, Some(7)));
    }

    #[test]
    fn what_may_be_tried_again_is_not_kept_and_what_was_done_is() {
        let kept = |outcome: Result<Answer, Problem>| {
            let ledger = OneKey::default();
            attempt(&ledger, "a", outcome).unwrap();
            ledger.0.into_inner().is_some()
        };
        assert!(kept(Ok(done("1"))));
        assert!(kept(Err(Problem::internal("x"))));
        assert!(kept(Err(Problem::platform_rejected("x"))));
        for problem in
            [Problem::not_found(), Problem::forbidden(), Problem::unavailable("x"), Problem::conflict("x")]
        {
            assert!(!kept(Err(problem)));
        }
    }
}
