//! The rules of a sync as its configuration writes them.

use crate::decide::{Rules, Strategy};
use crate::defaults;
use crate::mapping::{Mapping, Rule};
use crate::record::{Fields, Value};
use crate::words::{ItemType, Platform};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A configuration that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the sync's rules cannot be read: {0}")]
pub struct BadRules(String);

/// The written form. What is absent is as [`defaults`] has it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    mapping: Option<Vec<Rule>>,
    #[serde(default)]
    strategy: Strategy,
    #[serde(default)]
    field_strategies: BTreeMap<String, Strategy>,
    on_first_sync: Option<Strategy>,
}

/// Reads the rules of a sync between these platforms.
pub fn read(
    written: &Fields,
    item_type: ItemType,
    source: Platform,
    target: Platform,
) -> Result<Rules, BadRules> {
    let written: Written = serde_json::from_value(Value::Object(written.clone()))
        .map_err(|error| BadRules(error.to_string()))?;
    let mapping = match written.mapping {
        Some(rules) => Mapping::new(rules),
        None => defaults::mapping(item_type, source, target).ok_or_else(|| {
            BadRules(format!("there is no default mapping of {item_type} from {source} to {target}"))
        })?,
    };
    Ok(Rules {
        mapping,
        strategy: written.strategy,
        field_strategies: written.field_strategies,
        on_first_sync: written.on_first_sync.unwrap_or(written.strategy),
    })
}
