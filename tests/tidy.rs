//! The rules of the house that no compiler knows.
//!
//! Each rule is a test with a sentence as its name; what it says when it fails tells what to do. The rules read the
//! files of the working tree, so that they hold for what is about to be committed. A remark made twice in a review
//! belongs here.

mod functions;
mod migrations;
mod outbound;
mod problems;
mod routes;
mod sdk;
mod source;
mod statements;
mod structure;
mod tree;
mod variables;
mod wishes;
mod words;

use std::fmt::Write;

/// Fails with everything that was found, one finding a line, below the rule that it breaks.
#[track_caller]
fn assert_tidy(rule: &str, findings: &[String]) {
    let mut list = String::new();
    for finding in findings {
        let _ = write!(list, "\n  - {finding}");
    }
    assert!(findings.is_empty(), "{rule}{list}\n");
}
