//! `integration-test`: tests a connected account step by step and remembers the result.

use domain::IntegrationId;
use edge::describe::Operation;
use edge::{Call, Door, Problem};
use engine::Settings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Db;
use store::integrations::{self, Status};

/// Which account. It can also be named in the path.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// The account.
    pub integration_id: Option<IntegrationId>,
}

/// How the test went. It is also kept with the account.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// The account.
    pub integration_id: IntegrationId,
    /// Whether it can be used.
    pub ok: bool,
    /// How the account stands now.
    pub status: Status,
    /// What was tried, in order; the first that failed is the last.
    pub steps: Vec<Step>,
    /// The platform's interface that is spoken, as the vendor calls it; absent if the test did not come so far.
    pub api_name: Option<&'static str>,
    /// Its version.
    pub api_version: Option<String>,
    /// The account's own name, where the platform said it.
    pub account_name: Option<String>,
    /// The account's currency.
    pub currency: Option<String>,
    /// What a person should know although the test went well.
    pub warnings: Vec<String>,
}

/// One step of the test.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Step {
    /// `address`, `credential`, `connection` or `permissions`.
    pub step: &'static str,
    /// Whether it went well.
    pub ok: bool,
    /// What is wrong and what to do.
    pub detail: String,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).post(integration_test).answer().await
}

async fn integration_test(call: Call<Input>) -> Result<Output, Problem> {
    let user = call.caller.user()?;
    let named = call.path.first().map(|text| text.parse().map_err(|_| Problem::not_found())).transpose()?;
    let id = call.input.integration_id.or(named);
    let id = id.ok_or_else(|| Problem::invalid("/integrationId", "Name the account."))?;
    let db = Db::open().await?;
    let account = integrations::get(&db, &user.claims, id).await?.ok_or_else(Problem::not_found)?;
    let settings = Settings::read().await?;
    let deadline = engine::Deadline::at(call.deadline.at());
    let (probe, status) = engine::test_integration(&db, &settings, account.id, deadline).await?;
    let report = probe.report;
    let (api_name, api_version) = probe.api.map(|api| (api.name, api.version)).unzip();
    Ok(Output {
        integration_id: account.id,
        ok: probe.ok,
        status,
        steps: probe
            .steps
            .into_iter()
            .map(|one| Step { step: one.step, ok: one.ok, detail: one.detail })
            .collect(),
        api_name,
        api_version,
        account_name: report.as_ref().map(|report| report.account_name.clone()),
        currency: report.as_ref().and_then(|report| report.currency.clone()),
        warnings: report.map(|report| report.warnings).unwrap_or_default(),
    })
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::post(Door::User, integration_test)]
}
