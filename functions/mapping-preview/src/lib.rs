//! `mapping-preview`: shows what a mapping makes of sample records, with what is wrong with them.

use domain::mapping::{Nobody, Refused, Towards, Violation};
use domain::{ConfigId, Fields, ItemType, Platform, Record, Value, rules};
use edge::describe::Operation;
use edge::{Call, Door, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Db, configs};

/// A mapping, and records of the source's side.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// The rules of this sync, and its platforms.
    #[serde(default)]
    pub config_id: Option<ConfigId>,
    /// Rules instead of those of the sync: mapping, transformations and so on.
    #[serde(default)]
    pub rules: Option<Fields>,
    /// Without a sync: the kind of item.
    #[serde(default)]
    pub item_type: Option<ItemType>,
    /// Without a sync: the source's platform.
    #[serde(default)]
    pub source_platform: Option<Platform>,
    /// Without a sync: the target's platform.
    #[serde(default)]
    pub target_platform: Option<Platform>,
    /// The fields of up to 100 records.
    pub records: Vec<Fields>,
}

/// What became of the records.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// One row for each, in the given order.
    pub data: Vec<Row>,
}

/// One record.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Row {
    /// As it was given.
    pub input: Value,
    /// What would be written of it; `null` when it is refused or left out.
    pub output: Value,
    /// Whether it would be written.
    pub ok: bool,
    /// What is wrong with it, and what was let through, left out or replaced.
    pub violations: Vec<Wrong>,
}

/// One value that does not pass.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wrong {
    /// The field it comes from.
    pub source: String,
    /// The field it would go to.
    pub target: String,
    /// The rule that it breaks.
    pub rule: String,
    /// What is wrong.
    pub detail: String,
    /// The value; masked where it is about a person.
    pub value: Value,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).post(mapping_preview).answer().await
}

async fn mapping_preview(call: Call<Input>) -> Result<Output, Problem> {
    let user = call.caller.user()?;
    let Input { config_id, rules: written, item_type, source_platform, target_platform, records } =
        call.input;
    if !(1..=100).contains(&records.len()) {
        return Err(Problem::invalid("/records", "Give 1 to 100 records."));
    }
    let (item_type, source, target, own) = if let Some(id) = config_id {
        let db = Db::open().await?;
        let sync = configs::get(&db, &user.claims, id).await?.ok_or_else(Problem::not_found)?;
        (sync.item_type, sync.source_platform, sync.target_platform, sync.rules)
    } else {
        let missing =
            |pointer: &str| Problem::invalid(pointer, "This is required, or name a sync by `configId`.");
        (
            item_type.ok_or_else(|| missing("/itemType"))?,
            source_platform.ok_or_else(|| missing("/sourcePlatform"))?,
            target_platform.ok_or_else(|| missing("/targetPlatform"))?,
            Fields::new(),
        )
    };
    let rules = rules::read(&written.unwrap_or(own), item_type, source, target)
        .map_err(|error| Problem::invalid("/rules", format!("{error}.")))?;
    let row = |fields: Fields| {
        let record = Record { fields, ..Record::default() };
        let (output, violations) = match rules.mapping.map(&record, &Nobody, Towards::Target) {
            Ok(mapped) => (Some(mapped.fields), mapped.warnings),
            Err(Refused::Invalid(violations)) => (None, violations),
            Err(Refused::Filtered(violation)) => (None, vec![*violation]),
        };
        Row {
            input: Value::Object(record.fields),
            ok: output.is_some(),
            output: output.map_or(Value::Null, Value::Object),
            violations: violations.into_iter().map(Wrong::from).collect(),
        }
    };
    Ok(Output { data: records.into_iter().map(row).collect() })
}

impl From<Violation> for Wrong {
    fn from(violation: Violation) -> Self {
        Self {
            source: violation.origin,
            target: violation.target,
            rule: violation.rule,
            detail: violation.detail,
            value: violation.value.unwrap_or(Value::Null),
        }
    }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::post(Door::User, mapping_preview)]
}
