//! Running components: the engine, compiled code, instances.

mod compile;
mod instance;
mod state;

pub(crate) use compile::{Cache, Stamp};
pub(crate) use instance::{Runner, handler};
pub(crate) use state::State;

/// How instances are used again, as `spin up` has it in flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reuse {
    /// Requests that one instance serves before it is thrown away (`--max-instance-reuse-count`).
    pub requests: usize,
    /// Requests that share one instance at a time (`--max-instance-concurrent-reuse-count`). A trap ends all of them.
    pub concurrent: usize,
    /// How long an instance waits for its next request (`--idle-instance-timeout`).
    pub idle: std::time::Duration,
}

impl Default for Reuse {
    /// Spin's defaults: 128 requests, 16 at a time, one second.
    fn default() -> Self {
        Self { requests: 128, concurrent: 16, idle: std::time::Duration::from_secs(1) }
    }
}
