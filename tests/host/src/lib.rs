//! Stands in for production where production cannot be installed: a local host for Spin components, and a Postgres with
//! the roles and schemas of Supabase. For development and tests only.
//!
//! [`Host`] runs the components of a `spin.toml` in this process, [`Process`] in a process of its own that can be killed
//! (or in a real `spin up`, with `SYNCLINE_HOST=spin`). [`Cluster`] is the Postgres. `README.md` lists what differs from
//! a real Spin.

pub mod allow;
mod app;
mod bindings;
pub mod build;
pub mod cluster;
mod host;
pub mod logs;
pub mod manifest;
pub mod migrate;
mod outbound;
mod postgres;
mod process;
pub mod routes;
pub mod scheduler;
mod serve;
pub mod stand_in;
pub mod variables;
mod wasm;

pub use cluster::Cluster;
pub use host::{Host, HostConfig};
pub use logs::{LogLine, Logs, Source};
pub use process::Process;
pub use wasm::Reuse;

/// Whether `SYNCLINE_HOST=spin` asks for a real Spin instead of the host in this crate.
pub fn real_spin() -> bool {
    std::env::var("SYNCLINE_HOST").is_ok_and(|value| value == "spin")
}
