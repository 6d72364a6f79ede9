//! `mapping-preview`: shows what a mapping makes of sample records, with what is wrong with them.

use domain::decide::Rules;
use domain::mapping::{Refused, Towards, Violation};
use domain::{ConfigId, Fields, ItemType, Platform, Record, Value, rules};
use edge::describe::Operation;
use edge::{Call, Door, Problem};
use engine::{Deadline, Fit, Lookups, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Db;
use store::configs::{self, Config};

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
    #[serde(default)]
    pub records: Vec<Fields>,
    /// With a sync, instead of records: so many of those that its source has now, 1 to 20.
    #[serde(default)]
    pub sample: Option<usize>,
}

/// What became of the records.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// One row for each, in the given order.
    pub data: Vec<Row>,
    /// With a sync: what does not fit its two sides, as their platforms describe themselves now.
    pub problems: Vec<Unfit>,
    /// Why a side could not be asked for that.
    pub unasked: Vec<String>,
}

/// Something about the mapping that does not fit.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Unfit {
    /// Where, as a JSON pointer into the rules.
    pub pointer: String,
    /// `unknown_field`, `not_writable`, `type_mismatch`, `required_not_mapped`, `mapped_twice` or `no_way_back`.
    pub code: &'static str,
    /// What is wrong.
    pub detail: String,
    /// Whether records cannot be synced because of it.
    pub fatal: bool,
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
    let Input { config_id, rules: written, item_type, source_platform, target_platform, records, sample } =
        call.input;
    check_size(config_id.is_some(), records.len(), sample)?;
    let deadline = Deadline::of_run(call.deadline.at());
    let mut sync = None;
    let (item_type, source, target, own) = if let Some(id) = config_id {
        let db = Db::open().await?;
        let found = configs::get(&db, &user.claims, id).await?.ok_or_else(Problem::not_found)?;
        let (rules, platforms) = (found.rules.clone(), (found.source_platform, found.target_platform));
        let item_type = found.item_type;
        sync = Some((db, found));
        (item_type, platforms.0, platforms.1, rules)
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
    let records = records.into_iter().map(|fields| Record { fields, ..Record::default() }).collect();
    let seen = match &sync {
        Some((db, sync)) => looked(db, sync, &rules, (records, sample), deadline).await?,
        None => Seen { records, fit: Fit::default(), links: Lookups::default() },
    };
    Ok(Output {
        data: seen.records.into_iter().map(|record| row(&rules, &seen.links, record)).collect(),
        problems: seen.fit.problems.into_iter().map(Unfit::from).collect(),
        unasked: seen.fit.unasked,
    })
}

/// What a preview is made of.
struct Seen {
    records: Vec<Record>,
    fit: Fit,
    links: Lookups,
}

/// Looks at a sync's two sides, and at records of its source where these are wanted.
async fn looked(
    db: &Db,
    sync: &Config,
    rules: &Rules,
    (mut records, sample): (Vec<Record>, Option<usize>),
    deadline: Deadline,
) -> Result<Seen, Problem> {
    let (settings, item_type) = (Settings::read().await?, sync.item_type);
    let accounts = (sync.source_integration_id, sync.target_integration_id);
    if let Some(count) = sample {
        records = engine::samples(db, &settings, accounts.0, item_type, count, deadline).await?;
    }
    let fit = engine::fit(db, &settings, accounts, (item_type, rules), deadline).await?;
    let links = engine::links_of(db, sync.id, &rules.mapping, &records).await?;
    Ok(Seen { records, fit, links })
}

fn row(rules: &Rules, links: &Lookups, record: Record) -> Row {
    let (output, violations) = match rules.mapping.map(&record, links, Towards::Target) {
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
}

fn check_size(has_sync: bool, records: usize, sample: Option<usize>) -> Result<(), Problem> {
    match sample {
        Some(_) if !has_sync => Err(Problem::invalid(
            "/sample",
            "Name the sync whose source the records come from by `configId`.",
        )),
        Some(_) if records > 0 => {
            Err(Problem::invalid("/sample", "Give records, or ask for some; not both."))
        }
        Some(count) if !(1..=20).contains(&count) => {
            Err(Problem::invalid("/sample", "Ask for 1 to 20 records."))
        }
        None if !(1..=100).contains(&records) => Err(Problem::invalid("/records", "Give 1 to 100 records.")),
        _ => Ok(()),
    }
}

impl From<domain::schema::Problem> for Unfit {
    fn from(problem: domain::schema::Problem) -> Self {
        Self { pointer: problem.pointer, code: problem.code, detail: problem.detail, fatal: problem.fatal }
    }
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
