//! Trying out a connected account, step by step, and sealing what its owner entered.

use crate::account;
use crate::clock::{self, Deadline};
use crate::error::{Error, Result};
use crate::guard;
use crate::settings::Settings;
use crate::wire::{Failure, Wire};
use connectors::{Api, TestReport};
use domain::auth::CredentialKind;
use domain::{IntegrationId, Platform, UserId, Value};
use secrets::Credential;
use serde::Serialize;
use serde_json::json;
use store::Db;
use store::credentials;
use store::integrations::{self, Side, Status, Tested};
use url::Url;

/// How a test went.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Probe {
    /// Whether the account can be used.
    pub ok: bool,
    /// What was tried, in order; the first that failed is the last.
    pub steps: Vec<ProbeStep>,
    /// What we speak with the platform.
    pub api: Option<Api>,
    /// What the platform said of the account.
    pub report: Option<TestReport>,
    /// Whether it failed for a reason that passes by itself, and says nothing about the credential.
    #[serde(skip)]
    temporary: bool,
}

/// One step of a test.
#[derive(Debug, Clone, Serialize)]
pub struct ProbeStep {
    /// `address`, `credential`, `connection` or `permissions`.
    pub step: &'static str,
    /// Whether it went well.
    pub ok: bool,
    /// What is wrong and what to do; empty when all is well.
    pub detail: String,
}

/// Tries out an account and remembers the result: a success makes an account in error active again.
///
/// [`store::Error::Missing`] when there is no such account. Whether the caller may see it, the function has asked before.
pub async fn test_integration(
    db: &Db,
    settings: &Settings,
    id: IntegrationId,
    deadline: Deadline,
) -> Result<(Probe, Status)> {
    let side = integrations::load_for_run(db, id).await?.ok_or(store::Error::Missing("integration"))?;
    let probe = probe(db, settings, &side, deadline).await?;
    let result = serde_json::to_value(&probe).unwrap_or(Value::Null);
    let ok = if probe.temporary { None } else { Some(probe.ok) };
    let status = integrations::record_test(db, &Tested { integration_id: id, ok, result: &result }).await?;
    Ok((probe, status.unwrap_or(side.status)))
}

/// Remembers that an account's credential was refused in the middle of a run: nothing more is sent with it until a test
/// succeeds or a new one is entered.
pub(crate) async fn refused(db: &Db, id: IntegrationId, why: &str) -> Result<()> {
    let mut probe = Probe::default();
    probe.note("connection", Err(why.to_owned()));
    let result = serde_json::to_value(&probe).unwrap_or(Value::Null);
    integrations::record_test(db, &Tested { integration_id: id, ok: Some(false), result: &result }).await?;
    Ok(())
}

/// Whether a run may use this account.
pub(crate) const fn in_use(side: &Side) -> Result<()> {
    match side.status {
        Status::Active => Ok(()),
        Status::Inactive => Err(Error::NotInUse("an account of this sync is switched off")),
        Status::Error => Err(Error::NotInUse(
            "the credential of an account of this sync was refused; test the account or enter a new one",
        )),
    }
}

async fn probe(db: &Db, settings: &Settings, side: &Side, deadline: Deadline) -> Result<Probe> {
    let mut probe = Probe::default();
    let address = Url::parse(&side.base_url).map_err(|error| Error::Address(error.to_string()));
    let checked = address.and_then(|url| guard::check(&url, connectors::of(side.platform), settings.hosts()));
    if !probe.note("address", checked.map_err(|error| error.to_string())) {
        return Ok(probe);
    }
    let Some(sealed) = credentials::load_one(db, side.integration_id).await? else {
        probe.note("credential", Err(Error::NoCredential.to_string()));
        return Ok(probe);
    };
    let wire = match Wire::open(db, settings, side, sealed, deadline) {
        Ok(wire) => wire,
        Err(error) => {
            probe.note("credential", Err(domain::Fault::detail(&error)));
            return Ok(probe);
        }
    };
    probe.note("credential", Ok(()));
    probe.api = Some(wire.connector.api(&wire.account));
    let tested = match wire.connector.test(&wire.account) {
        Ok(exchange) => wire.ask(exchange).await,
        Err(error) => Err(Failure::Platform(error)),
    };
    wire.give_back().await?;
    match tested {
        Ok(report) => {
            probe.note("connection", Ok(()));
            let missing = report.missing_permissions.join(", ");
            let permitted = if missing.is_empty() {
                Ok(())
            } else {
                Err(format!("these permissions are missing: {missing}"))
            };
            probe.ok = probe.note("permissions", permitted);
            probe.report = Some(report);
        }
        Err(Failure::Store(error)) => return Err(error.into()),
        Err(Failure::Platform(error)) => {
            probe.temporary = error.kind.retry_class().is_temporary();
            probe.note("connection", Err(error.message));
        }
        Err(Failure::Later(wait)) => {
            probe.temporary = true;
            let detail = format!("the platform asks to wait {} s; test again then", wait.as_secs().max(1));
            probe.note("connection", Err(detail));
        }
    }
    Ok(probe)
}

impl Probe {
    fn note(&mut self, step: &'static str, result: Result<(), String>) -> bool {
        let ok = result.is_ok();
        self.steps.push(ProbeStep { step, ok, detail: result.err().unwrap_or_default() });
        ok
    }
}

/// A new identity for an account.
pub fn new_integration_id() -> IntegrationId {
    IntegrationId::from_random(clock::random())
}

/// Checks what a user entered and seals it for this account and owner.
///
/// [`Error::Secrets`] with the wrong fields, or [`Error::NoCredential`] when the platform does not take this kind.
pub fn seal_credential(
    settings: &Settings,
    platform: Platform,
    (id, owner): (IntegrationId, UserId),
    kind: CredentialKind,
    entered: &Value,
) -> Result<String> {
    if !connectors::credential_kinds(platform).contains(&kind) {
        return Err(Error::NoCredential);
    }
    let checked = Credential::check(kind, entered).map_err(secrets::Error::Fields)?;
    account::seal_secret(settings, id, owner, json!(checked).to_string().as_bytes())
}

/// Checks an address that a user entered; answers it as it is stored, without a slash at its end. Own tables have one
/// address, which need not be entered.
pub fn check_base_url(settings: &Settings, platform: Platform, address: &str) -> Result<String> {
    let address =
        if platform == Platform::Supabase && address.is_empty() { connectors::TABLES } else { address };
    let url = Url::parse(address).map_err(|error| Error::Address(error.to_string()))?;
    guard::check(&url, connectors::of(platform), settings.hosts())?;
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// What an account's platform allows by its own documents, where the user sets no other limits: requests per minute and
/// per hour. Shopify counts cost points and NetSuite requests side by side, so these only bound a runaway.
pub const fn default_rates(platform: Platform) -> (i64, i64) {
    match platform {
        // A private app has 100 requests per 10 s (<https://developers.hubspot.com/docs/api/usage-details>).
        Platform::Hubspot => (600, 36_000),
        // The most that a server with one user's patience is asked; its own API counts nothing.
        Platform::N8n => (10, 600),
        Platform::Shopify | Platform::Netsuite | Platform::Supabase => (1_000, 60_000),
    }
}
