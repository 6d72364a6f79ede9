//! How many cases a property is tried with.

use proptest::test_runner::Config;

/// What `proptest` does when nobody asks for anything.
const UNASKED: u32 = 256;

/// So many cases, or as many as `PROPTEST_CASES` asks for (`proptest` reads it).
pub(crate) fn cases(usual: u32) -> Config {
    let asked = Config::default();
    let cases = if asked.cases == UNASKED { usual } else { asked.cases };
    Config { cases, failure_persistence: None, ..asked }
}
