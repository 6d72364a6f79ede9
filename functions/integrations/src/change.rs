//! What callers may set of an account.

use domain::auth::CredentialKind;
use domain::{Fields, IntegrationId, Platform, UserId, Value};
use edge::Problem;
use engine::Settings;
use schemars::JsonSchema;
use serde::Deserialize;
use store::integrations::{Integration, IntegrationChange, NewIntegration, Status};

/// A new account.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct New {
    /// What to call it, 1 to 200 characters, unique for the user.
    pub name: String,
    /// Which platform it is on.
    pub platform: Platform,
    /// Its address: `https://acme.myshopify.com`, `https://1234567.suitetalk.api.netsuite.com`. Own tables have one of
    /// their own, `supabase://tables`, and need not say it.
    #[serde(default)]
    pub base_url: String,
    /// Its settings (`connectors/README.md`).
    #[serde(default)]
    pub config: Fields,
    /// Its credential: `kind` and that kind's fields. It is sealed at once and never shown again. Own tables need none.
    #[serde(default)]
    pub credential: Fields,
    /// Requests per minute; what the platform allows when absent.
    #[serde(default)]
    pub rate_per_minute: Option<i64>,
    /// Requests per hour; what the platform allows when absent.
    #[serde(default)]
    pub rate_per_hour: Option<i64>,
    /// How often a request is tried again, 0 to 10; 3 when absent.
    #[serde(default)]
    pub max_retries: Option<u32>,
}

/// A change of an account. What is absent stays; another address needs the credential again.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Change {
    /// The account, where the path does not name it.
    pub id: Option<IntegrationId>,
    /// What to call it.
    pub name: Option<String>,
    /// Its address.
    pub base_url: Option<String>,
    /// All of its settings.
    pub config: Option<Fields>,
    /// A new credential.
    pub credential: Option<Fields>,
    /// `active` or `inactive`.
    pub status: Option<Status>,
    /// Requests per minute.
    pub rate_per_minute: Option<i64>,
    /// Requests per hour.
    pub rate_per_hour: Option<i64>,
    /// How often a request is tried again, 0 to 10.
    pub max_retries: Option<u32>,
}

impl New {
    pub(crate) fn checked(self, settings: &Settings, owner: UserId) -> Result<NewIntegration, Problem> {
        check_name(&self.name)?;
        check_limits(self.rate_per_minute, self.rate_per_hour, self.max_retries)?;
        let id = engine::new_integration_id();
        let base_url = engine::check_base_url(settings, self.platform, &self.base_url)?;
        let mut credential = self.credential;
        if self.platform == Platform::Supabase {
            credential.entry("kind").or_insert_with(|| "none".into());
        }
        let (credential_kind, sealed) = seal(settings, self.platform, (id, owner), credential)?;
        let (per_minute, per_hour) = engine::default_rates(self.platform);
        Ok(NewIntegration {
            id,
            org_id: None,
            name: self.name.trim().to_owned(),
            platform: self.platform,
            base_url,
            config: self.config,
            credential_kind,
            sealed,
            rate_per_minute: self.rate_per_minute.or(Some(per_minute)),
            rate_per_hour: self.rate_per_hour.or(Some(per_hour)),
            max_retries: self.max_retries,
        })
    }
}

impl Change {
    pub(crate) fn checked(
        self,
        settings: &Settings,
        old: &Integration,
    ) -> Result<IntegrationChange, Problem> {
        self.name.as_deref().map_or(Ok(()), check_name)?;
        check_limits(self.rate_per_minute, self.rate_per_hour, self.max_retries)?;
        if self.status == Some(Status::Error) {
            return Err(Problem::invalid("/status", "This is active or inactive; only a test says error."));
        }
        let base_url =
            self.base_url.map(|url| engine::check_base_url(settings, old.platform, &url)).transpose()?;
        if self.credential.is_none() && base_url.as_ref().is_some_and(|url| *url != old.base_url) {
            let detail = "Another address needs the credential again: it must not go to a place its owner did not name.";
            return Err(Problem::invalid("/credential", detail));
        }
        let sealed = self
            .credential
            .map(|entered| seal(settings, old.platform, (old.id, old.user_id), entered))
            .transpose()?;
        let (credential_kind, sealed) = sealed.unzip();
        Ok(IntegrationChange {
            id: old.id,
            name: self.name.map(|name| name.trim().to_owned()),
            base_url,
            config: self.config,
            credential_kind,
            sealed,
            status: self.status,
            rate_per_minute: self.rate_per_minute,
            rate_per_hour: self.rate_per_hour,
            max_retries: self.max_retries,
        })
    }
}

/// Takes the kind off what was entered, checks the rest, and seals it.
fn seal(
    settings: &Settings,
    platform: Platform,
    place: (IntegrationId, UserId),
    mut entered: Fields,
) -> Result<(CredentialKind, String), Problem> {
    let kind = entered
        .remove("kind")
        .ok_or_else(|| Problem::invalid("/credential/kind", "Say which kind it is."))?;
    let kind: CredentialKind = serde_json::from_value(kind)
        .map_err(|_| Problem::invalid("/credential/kind", "There is no such kind of credential."))?;
    let sealed = engine::seal_credential(settings, platform, place, kind, &Value::Object(entered))?;
    Ok((kind, sealed))
}

fn check_name(name: &str) -> Result<(), Problem> {
    if (1..=200).contains(&name.trim().chars().count()) {
        Ok(())
    } else {
        Err(Problem::invalid("/name", "A name has 1 to 200 characters."))
    }
}

fn check_limits(per_minute: Option<i64>, per_hour: Option<i64>, retries: Option<u32>) -> Result<(), Problem> {
    if per_minute.is_some_and(|rate| !(1..=100_000).contains(&rate)) {
        return Err(Problem::invalid("/ratePerMinute", "This is a number from 1 to 100,000."));
    }
    if per_hour.is_some_and(|rate| !(1..=1_000_000).contains(&rate)) {
        return Err(Problem::invalid("/ratePerHour", "This is a number from 1 to 1,000,000."));
    }
    if retries.is_some_and(|retries| retries > 10) {
        return Err(Problem::invalid("/maxRetries", "This is a number from 0 to 10."));
    }
    Ok(())
}
