//! Everything that needs a world. One binary, because the local host in it takes long to link.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]
#![expect(missing_docs, reason = "names of tests are sentences")]

mod bad_input;
mod client;
mod delta_sync;
mod faults;
mod openapi;
mod requirements;
mod schema;
mod tidy;
mod world;
