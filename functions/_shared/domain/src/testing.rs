//! How many cases a property is tried with.

use proptest::test_runner::Config;

/// What `proptest` does when nobody asks for anything.
const UNASKED: u32 = 256;

/// A die that falls the same way in every run. Each roll says how many sides it has.
pub(crate) fn dice() -> impl FnMut(usize) -> usize {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    move |sides| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let sides = u64::try_from(sides).unwrap();
        usize::try_from(state % sides).unwrap()
    }
}

/// So many cases, or as many as `PROPTEST_CASES` asks for (`proptest` reads it).
pub(crate) fn cases(usual: u32) -> Config {
    let asked = Config::default();
    let cases = if asked.cases == UNASKED { usual } else { asked.cases };
    Config { cases, failure_persistence: None, ..asked }
}
