//! Everything that needs a world. One binary, because the local host in it takes long to link.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]
#![expect(unreachable_pub, reason = "one binary: everything is for its own modules")]

mod bad_input;
mod client;
mod counterparts;
mod delta_sync;
mod faults;
mod flows;
mod functions;
mod n8n_contract;
mod openapi;
mod requirements;
mod schema;
mod sync_configs;
mod tidy;
mod world;
