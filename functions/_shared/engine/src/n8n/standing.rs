//! How fresh what we show of a server is.

use chrono::{DateTime, Utc};
use domain::IntegrationId;
use schemars::JsonSchema;
use serde::Serialize;
use store::workflows::{Freshness, Servers};

/// How an n8n server stands, and how old what is shown of it is.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "N8nStanding")]
pub struct Standing {
    /// The account.
    pub integration_id: IntegrationId,
    /// Whether it answered last. If not, everything shown is as it was then.
    pub available: bool,
    /// Why not.
    pub message: Option<String>,
    /// Since when.
    pub unavailable_since: Option<DateTime<Utc>>,
    /// When its workflows were read last.
    pub workflows_at: Option<DateTime<Utc>>,
    /// When its executions were read last, to the end.
    pub executions_at: Option<DateTime<Utc>>,
    /// How old its executions are, in seconds; `null` before they were first read.
    pub data_age_seconds: Option<u64>,
}

impl Standing {
    /// How these servers stand at this time.
    pub fn of(servers: Servers, now: DateTime<Utc>) -> Vec<Self> {
        servers.into_iter().map(|(id, freshness)| Self::one(id, freshness, now)).collect()
    }

    fn one(integration_id: IntegrationId, freshness: Freshness, now: DateTime<Utc>) -> Self {
        let Freshness { available, failure, failed_since, workflows_at, executions_at } = freshness;
        let age = executions_at.map(|at| now.signed_duration_since(at).num_seconds().max(0));
        Self {
            integration_id,
            available,
            message: failure.map(|failure| format!("n8n unavailable: {failure}")),
            unavailable_since: failed_since,
            workflows_at,
            executions_at,
            data_age_seconds: age.and_then(|age| u64::try_from(age).ok()),
        }
    }
}
