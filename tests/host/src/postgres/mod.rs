//! `spin:postgres@4.2.0` with the same crates as Spin, and with its faults.
//!
//! What a component must not rely on shows here as it does there: a connection comes back to the next request without
//! a rollback, `timestamptz` cannot be read, parameters must have the exact type, JSON loses precision.

mod bind;
mod errors;
mod host;
mod json;
mod pool;
mod read;
mod transaction;

pub(crate) use pool::Pools;
#[expect(unreachable_pub, reason = "the generated bindings re-export them")]
pub use pool::{Builder, Connection};
