//! Our Postgres: one function per statement of `sql/`, nothing else.
//!
//! A statement is one unit of work: it takes one JSON text, reads, changes and answers one JSON text. There is no
//! `begin` anywhere: the host's connection pool does not roll back what a dead request left open.
//!
//! What a user asks for runs as that user (the functions that take [`Claims`]); what the system must do runs as the
//! functions' own role, with exactly the ids that the user's statement permitted.

mod db;
mod error;
mod page;

pub mod config_input;
pub mod configs;
pub mod conflicts;
pub mod credentials;
pub mod deletes;
pub mod executions;
pub mod health;
pub mod idempotency;
pub mod integrations;
pub mod issues;
pub mod links;
pub mod n8n;
pub mod patterns;
pub mod plans;
pub mod queue;
pub mod rates;
pub mod registry;
pub mod reports;
pub mod runs;
pub mod schedules;
pub mod sync_list;
pub mod tables;
pub mod webhooks;
pub mod workflows;

pub use db::{Claims, Db};
pub use error::{Error, Result};
pub use page::PageOf;
