//! The test suite. It is all in `main.rs` and beside it; there is no library.
