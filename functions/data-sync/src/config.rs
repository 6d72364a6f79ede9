//! Syncs as this address writes them.

use crate::{Input, Output};
use domain::{Fields, IntegrationId, ItemType, Platform, Value};
use edge::{Call, Problem};
use schemars::JsonSchema;
use serde::Deserialize;
use store::config_input::{Change, New};
use store::{Claims, Db, configs, integrations};

/// A sync, or what changes of one.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct NewConfig {
    /// What to call it.
    pub name: Option<String>,
    /// The kind of item; products when absent.
    pub entity_type: Option<ItemType>,
    /// The platform to read, where the caller has one active account on it.
    pub source_type: Option<Platform>,
    /// The account to read, instead.
    pub source_id: Option<IntegrationId>,
    /// The platform to write, where the caller has one active account on it.
    pub target_type: Option<Platform>,
    /// The account to write, instead.
    pub target_id: Option<IntegrationId>,
    /// Which field feeds which: `{"title": "displayName"}`, or a list of rules.
    pub mapping: Option<Value>,
    /// What becomes of values on the way: `[{"field": "email", "operation": "validate", "rule": "email"}]`.
    pub transformations: Option<Value>,
    /// `unidirectional` (when absent) or `bidirectional`.
    pub sync_direction: Option<String>,
    /// Who wins where both sides changed.
    pub conflict_resolution: Option<String>,
    /// Whether it is switched on; it is when absent.
    pub enabled: Option<bool>,
    /// Five cron fields.
    pub schedule: Option<String>,
    /// The time zone these are meant in.
    pub time_zone: Option<String>,
}

impl NewConfig {
    /// The rules that are given; `None` when none are.
    fn rules(&mut self) -> Option<Fields> {
        let strategy = self.conflict_resolution.take().map(Value::String);
        let written = [
            ("mapping", self.mapping.take()),
            ("transformations", self.transformations.take()),
            ("strategy", strategy),
        ];
        let rules: Fields =
            written.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        (!rules.is_empty()).then_some(rules)
    }
}

pub(crate) async fn create(db: &Db, call: Call<Input>) -> Result<Output, Problem> {
    let user = call.caller.user()?;
    let missing = || Problem::invalid("/config", "Describe the sync.");
    let mut config = call.input.config.ok_or_else(missing)?;
    let claims = &user.claims;
    let source = account(db, claims, (config.source_id, config.source_type), "/config/sourceType").await?;
    let target = account(db, claims, (config.target_id, config.target_type), "/config/targetType").await?;
    let item_type = config.entity_type.unwrap_or(ItemType::Product);
    let rules = config.rules().unwrap_or_default();
    let new = New {
        name: config.name.unwrap_or_else(|| format!("Sync of {item_type}")),
        item_type,
        source_integration_id: source,
        target_integration_id: target,
        direction: config.sync_direction,
        enabled: config.enabled,
        mode: None,
        schedule: config.schedule,
        time_zone: config.time_zone,
        rules,
    };
    let new = new.checked(db, claims).await?;
    let about = (new.item_type, new.direction.as_deref(), &new.rules);
    let deadline = engine::Deadline::of_run(call.deadline.at());
    let fit = engine::fit_of(db, &engine::Settings::read().await?, (source, target), about, deadline).await?;
    if fit.fatal().next().is_some() {
        return Err(Problem::unfit("/config", fit.fatal()));
    }
    let id = configs::create(db, claims, &new).await?;
    Ok(Output { config_id: Some(id.ok_or_else(Problem::forbidden)?), ..Output::default() })
}

pub(crate) async fn update(db: &Db, call: Call<Input>) -> Result<Output, Problem> {
    let user = call.caller.user()?;
    let id = call.input.config_id.ok_or_else(|| Problem::invalid("/configId", "Name the sync."))?;
    let mut config = call.input.config.unwrap_or_default();
    let fixed = [
        ("/config/entityType", config.entity_type.is_some()),
        ("/config/sourceType", config.source_type.is_some() || config.source_id.is_some()),
        ("/config/targetType", config.target_type.is_some() || config.target_id.is_some()),
    ];
    if let Some((pointer, _)) = fixed.into_iter().find(|(_, given)| *given) {
        return Err(Problem::invalid(pointer, "This stays what it is. Make another sync."));
    }
    let old = configs::get(db, &user.claims, id).await?.ok_or_else(Problem::not_found)?;
    let change = Change {
        id,
        rules: config.rules(),
        name: config.name,
        direction: config.sync_direction,
        enabled: config.enabled,
        mode: None,
        schedule: config.schedule,
        time_zone: config.time_zone,
        restore: None,
    };
    let change = change.checked(&old, call.if_match.as_deref())?;
    if !configs::update(db, &user.claims, &change).await? {
        return Err(Problem::forbidden());
    }
    Ok(Output { config_id: Some(id), ..Output::default() })
}

async fn account(
    db: &Db,
    claims: &Claims,
    (id, platform): (Option<IntegrationId>, Option<Platform>),
    pointer: &str,
) -> Result<IntegrationId, Problem> {
    if let Some(id) = id {
        return Ok(id);
    }
    let platform = platform.ok_or_else(|| Problem::invalid(pointer, "Name a platform or an account."))?;
    let only = integrations::only_active(db, claims, platform).await?;
    only.ok_or_else(|| {
        let detail = format!("Name the account: there is not exactly one active account on {platform}.");
        Problem::invalid(pointer, detail)
    })
}
