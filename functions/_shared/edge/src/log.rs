//! One line per request.

use crate::answer::Answer;
use serde::Serialize;
use std::time::Duration;

/// A cause may be as long as this; the whole line stays below 8 kB, escapes included.
const LONGEST_CAUSE: usize = 1000;

/// What is known about a request at its end. Nothing of what it carried: no token, no body, no query, no path.
#[derive(Serialize)]
pub(crate) struct Line<'a> {
    level: &'static str,
    message: &'static str,
    function: &'a str,
    caller: &'a str,
    method: String,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    duration_ms: u64,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

impl<'a> Line<'a> {
    pub(crate) fn new(
        function: &'a str,
        caller: &'a str,
        method: &str,
        answer: &Answer,
        duration: Duration,
        request_id: &'a str,
    ) -> Self {
        let level = match answer.status {
            // A defect of ours: somebody must look. Everything else of 5xx passes, or is the other side's.
            500 => "error",
            501.. => "warn",
            _ if answer.note.is_some() => "warn",
            _ => "info",
        };
        let cause = answer.problem.as_ref().and_then(|problem| problem.cause()).or(answer.note.as_deref());
        Self {
            level,
            message: "request",
            function,
            caller,
            method: printable(method, 16),
            status: answer.status,
            code: answer.problem.as_ref().map(|problem| problem.code().word()),
            duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            request_id,
            cause: cause.map(|cause| printable(cause, LONGEST_CAUSE)),
        }
    }

    pub(crate) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Without what a terminal or a log reader could take for something else: JSON itself escapes only some of it.
fn printable(text: &str, most: usize) -> String {
    let is_hidden = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
    };
    text.chars().take(most).map(|letter| if is_hidden(letter) { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Problem;
    use proptest::prelude::*;
    use serde_json::Value;

    fn line(cause: &str) -> String {
        let answer = Answer::of_problem(Problem::internal(cause), "req-1");
        Line::new("delta-sync", "user", "POST", &answer, Duration::from_millis(12), "req-1").text()
    }

    #[test]
    fn a_line_has_the_fields_that_are_searched_by() {
        let value: Value = serde_json::from_str(&line("the statement failed")).unwrap();
        assert_eq!(
            value,
            serde_json::json!({
                "level": "error", "message": "request", "function": "delta-sync", "caller": "user", "method": "POST",
                "status": 500, "code": "internal", "duration_ms": 12, "request_id": "req-1", "cause": "the statement failed"
            })
        );
    }

    proptest! {
        #[test]
        fn whatever_the_cause_it_is_one_short_line_of_json(cause in any::<String>(), times in 1usize..2000) {
            let line = line(&cause.repeat(times.min(20_000 / cause.len().max(1))));
            prop_assert!(serde_json::from_str::<Value>(&line).is_ok());
            prop_assert!(line.len() <= 8192);
            prop_assert!(!line.chars().any(char::is_control));
        }
    }
}
