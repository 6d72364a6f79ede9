//! How a sync is done: the only room that knows a platform *and* our database.
//!
//! A run goes page by page through its records (`run`), each page chunk by chunk (`chunk`): read the source, read the
//! target where it is needed, decide, write down what will be created, write, read back, and record everything in one
//! statement. Between any two requests the process may die: what was not recorded is done again, and every write can
//! be repeated.

mod account;
mod budget;
mod changed;
mod chunk;
mod clock;
mod contact;
mod counterpart;
mod deletes;
mod drain;
mod error;
mod fit;
mod gather;
mod gone;
mod guard;
mod integration;
mod listed;
mod look;
mod lookups;
mod n8n;
mod outcome;
mod replay;
mod report;
mod run;
mod search;
mod send;
mod settings;
mod sides;
mod subscriptions;
mod sync;
mod tables;
mod trail;
mod turned;
mod webhook;
mod wire;
mod write;

pub use clock::Deadline;
pub use connectors::{Filter, Subscription};
pub use drain::{Drained, drain};
pub use error::{Error, Result};
pub use fit::{Fit, fit, fit_of, samples};
pub use integration::{
    Probe, ProbeStep, check_base_url, default_rates, new_integration_id, seal_credential, test_integration,
};
pub use look::{Applied, Estimate, Outlook, Planned, Which, apply, keep, look};
pub use lookups::{Lookups, links_of};
pub use n8n::{
    Cleanup, Deployed, Part, Read, Removal, Standing, Triggered, Wanted, Way, check_definition, clean_up,
    deploy, random, read_n8n, read_servers, read_workflow, trigger,
};
pub use replay::{Again, replay};
pub use report::{RecordError, RunReport};
pub use search::{Found, FoundRecord, Query, count, search};
pub use settings::Settings;
pub use subscriptions::{Ended, Hearing, Subscribed, subscribe, subscriptions, unsubscribe};
pub use sync::{Answer, Scheduled, UserResult, Wish, scheduled, sync_changed, sync_items, sync_records};
pub use webhook::{WebhookError, receive_webhook};
