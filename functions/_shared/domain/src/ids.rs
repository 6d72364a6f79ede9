//! Identities of our own rows. A platform's own id is a `String`, because only the platform knows its form.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new identity from 16 random bytes (version 4).
            pub fn from_random(bytes: [u8; 16]) -> Self {
                Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

id! {
    /// A user of the Supabase project (`auth.users`).
    UserId
}
id! {
    /// A user's workflow (`mvp_workflows`).
    WorkflowId
}
id! {
    /// A watched workflow of an n8n server (`workflow_registry`).
    RegistryId
}
id! {
    /// An execution of a watched workflow (`workflow_executions`).
    ExecutionId
}
id! {
    /// An organisation that users belong to.
    OrgId
}
id! {
    /// A connected account on one platform (`integrations`).
    IntegrationId
}
id! {
    /// A row of `sync_list`: one item that is kept in sync.
    ItemId
}
id! {
    /// A sync: which two sides, which objects, by which rules (`sync_configs`).
    ConfigId
}
id! {
    /// A record that waits for a person (`data_sync_conflicts`).
    ConflictId
}
id! {
    /// A record that is gone on one side (`sync_deletes`).
    DeleteId
}
id! {
    /// A record that fails (`sync_issues`).
    IssueId
}
id! {
    /// What a sync would do (`plans`).
    PlanId
}
id! {
    /// A saved search (`saved_search_patterns`).
    PatternId
}
id! {
    /// One execution of a sync (`sync_runs`).
    RunId
}
id! {
    /// A row of the queue (`sync.sync_queue`).
    JobId
}
