//! What people may set of a sync, checked before it is stored.

use crate::configs::{Config, ConfigChange, NewConfig};
use crate::{Claims, Db, Error, Result, integrations};
use chrono::Utc;
use domain::{Code, ConfigId, Fields, IntegrationId, ItemType, Platform, rules, schedule};
use schemars::JsonSchema;
use serde::Deserialize;

const DIRECTIONS: [&str; 2] = ["unidirectional", "bidirectional"];
const MODES: [&str; 2] = ["batch", "realtime"];

/// A new sync.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct New {
    /// What to call it, 1 to 200 characters.
    pub name: String,
    /// What kind of thing it syncs.
    pub item_type: ItemType,
    /// The account it reads.
    pub source_integration_id: IntegrationId,
    /// The account it writes.
    pub target_integration_id: IntegrationId,
    /// `unidirectional` (when absent) or `bidirectional`.
    #[serde(default)]
    pub direction: Option<String>,
    /// Whether it works; it does when absent.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// `batch` (when absent) or `realtime`.
    #[serde(default)]
    pub mode: Option<String>,
    /// Five cron fields; when absent it follows the sync list only.
    #[serde(default)]
    pub schedule: Option<String>,
    /// The time zone these are meant in, as `Europe/Berlin`; UTC when absent.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Mapping, conflict strategy and so on; the connectors' defaults when absent.
    #[serde(default)]
    pub rules: Fields,
}

/// A change of a sync. What is absent stays. `If-Match` refuses it when the sync changed since.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Change {
    /// The sync.
    pub id: ConfigId,
    /// What to call it.
    #[serde(default)]
    pub name: Option<String>,
    /// `unidirectional` or `bidirectional`.
    #[serde(default)]
    pub direction: Option<String>,
    /// Whether it works.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// `batch` or `realtime`.
    #[serde(default)]
    pub mode: Option<String>,
    /// Five cron fields; an empty text for none.
    #[serde(default)]
    pub schedule: Option<String>,
    /// The time zone these are meant in.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// All of the new rules.
    #[serde(default)]
    pub rules: Option<Fields>,
    /// A version whose rules shall hold again; they become a new version.
    #[serde(default)]
    pub restore: Option<i32>,
}

impl New {
    /// Checks it against its accounts and their kinds of item. [`Error::Refused`] says what is wrong.
    pub async fn checked(self, db: &Db, claims: &Claims) -> Result<NewConfig> {
        check_name(&self.name)?;
        check_words(self.direction.as_deref(), self.mode.as_deref())?;
        check_schedule(self.schedule.as_deref(), self.time_zone.as_deref().unwrap_or("UTC"))?;
        if self.source_integration_id == self.target_integration_id {
            return Err(wrong("/targetIntegrationId", "A sync has two different sides."));
        }
        let source = platform(db, claims, self.source_integration_id, "/sourceIntegrationId").await?;
        let target = platform(db, claims, self.target_integration_id, "/targetIntegrationId").await?;
        check_rules(&self.rules, self.item_type, source, target)?;
        Ok(NewConfig {
            org_id: None,
            name: self.name.trim().to_owned(),
            item_type: self.item_type,
            source_integration_id: self.source_integration_id,
            target_integration_id: self.target_integration_id,
            direction: self.direction,
            enabled: self.enabled,
            mode: self.mode,
            schedule: self.schedule.filter(|schedule| !schedule.is_empty()),
            time_zone: self.time_zone,
            rules: self.rules,
        })
    }
}

impl Change {
    /// Switches a sync on or off and changes nothing else.
    pub fn enabled(id: ConfigId, enabled: bool) -> Self {
        Self {
            id,
            enabled: Some(enabled),
            name: None,
            direction: None,
            mode: None,
            schedule: None,
            time_zone: None,
            rules: None,
            restore: None,
        }
    }

    /// Checks it against the sync as it is; `if_match` is the revision that the caller saw.
    pub fn checked(self, old: &Config, if_match: Option<&str>) -> Result<ConfigChange> {
        self.name.as_deref().map_or(Ok(()), check_name)?;
        check_words(self.direction.as_deref(), self.mode.as_deref())?;
        let schedule = self.schedule.as_deref().or(old.schedule.as_deref());
        check_schedule(schedule, self.time_zone.as_deref().unwrap_or(&old.time_zone))?;
        if self.rules.is_some() && self.restore.is_some() {
            return Err(wrong("/restore", "Either give rules, or bring back older ones."));
        }
        if let Some(rules) = &self.rules {
            check_rules(rules, old.item_type, old.source_platform, old.target_platform)?;
        }
        let expected = match if_match {
            None | Some("*") => None,
            Some(tag) => Some(tag.parse().map_err(|_| changed())?),
        };
        Ok(ConfigChange {
            id: old.id,
            expected,
            name: self.name.map(|name| name.trim().to_owned()),
            direction: self.direction,
            enabled: self.enabled,
            mode: self.mode,
            schedule: self.schedule,
            time_zone: self.time_zone,
            rules: self.rules,
            restore: self.restore,
        })
    }
}

fn check_name(name: &str) -> Result<()> {
    if (1..=200).contains(&name.trim().chars().count()) {
        Ok(())
    } else {
        Err(wrong("/name", "A name has 1 to 200 characters."))
    }
}

fn check_words(direction: Option<&str>, mode: Option<&str>) -> Result<()> {
    if direction.is_some_and(|direction| !DIRECTIONS.contains(&direction)) {
        return Err(wrong("/direction", "This is unidirectional or bidirectional."));
    }
    if mode.is_some_and(|mode| !MODES.contains(&mode)) {
        return Err(wrong("/mode", "This is batch or realtime."));
    }
    Ok(())
}

fn check_schedule(schedule: Option<&str>, time_zone: &str) -> Result<()> {
    // A schedule that is always due, so that the time zone is looked at even where there is none.
    let text = schedule.filter(|schedule| !schedule.is_empty()).unwrap_or("* * * * *");
    match schedule::due(Some(text), (time_zone, &[]), None, chrono::DateTime::<Utc>::UNIX_EPOCH) {
        Ok(_) => Ok(()),
        Err(error @ schedule::BadSchedule::TimeZone(_)) => Err(wrong("/timeZone", format!("{error}."))),
        Err(error) => Err(wrong("/schedule", format!("{error}."))),
    }
}

fn check_rules(rules: &Fields, item_type: ItemType, source: Platform, target: Platform) -> Result<()> {
    rules::read(rules, item_type, source, target)
        .map(|_| ())
        .map_err(|error| wrong("/rules", format!("{error}.")))
}

async fn platform(db: &Db, claims: &Claims, id: IntegrationId, pointer: &'static str) -> Result<Platform> {
    match integrations::get(db, claims, id).await? {
        Some(account) => Ok(account.platform),
        None => Err(wrong(pointer, "There is no such account.")),
    }
}

fn wrong(pointer: &str, detail: impl Into<String>) -> Error {
    refused(Code::Invalid, pointer, detail.into())
}

fn changed() -> Error {
    refused(Code::PreconditionFailed, "", "It was changed in the meantime. Read it again.".to_owned())
}

fn refused(code: Code, pointer: &str, detail: String) -> Error {
    Error::Refused { statement: "configs", code, detail, pointer: pointer.to_owned() }
}
