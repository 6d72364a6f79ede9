//! What a sync *is*: records, mapping, decisions, back-off, and the words everybody shares.
//!
//! Nothing here does input or output, reads a clock or draws a random number: what such a function would need
//! comes in as a parameter. That is why every rule of a sync can be tested natively, with properties.

pub mod auth;
pub mod backoff;
pub mod canon;
pub mod cursor;
pub mod decide;
pub mod decimal;
pub mod defaults;
pub mod deletes;
pub mod difference;
pub mod expression;
pub mod fault;
pub mod hash;
pub mod hops;
pub mod ids;
pub mod kind;
pub mod mapping;
pub mod matching;
pub mod moment;
pub mod path;
pub mod record;
pub mod rules;
pub mod schedule;
pub mod schema;
#[cfg(test)]
mod testing;
pub mod words;

pub use fault::{Code, Fault};
pub use ids::{
    ConfigId, ConflictId, DeleteId, ExecutionId, IntegrationId, IssueId, ItemId, JobId, OrgId, PatternId,
    PlanId, RegistryId, RunId, UserId, WorkflowId,
};
pub use kind::{ErrorKind, RetryClass};
pub use record::{Fields, Record, Value};
pub use words::{
    Direction, ExecutionStatus, ExecutionWord, ItemType, Platform, Provider, RunStatus, SyncMode, SyncType,
    WorkflowType,
};
