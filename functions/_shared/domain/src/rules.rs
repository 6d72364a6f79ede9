//! The rules of a sync as its configuration writes them.

use crate::decide::{Flow, Rules, Strategy};
use crate::defaults;
use crate::deletes::{DeletePolicy, Guard};
use crate::mapping::{Mapping, written};
use crate::matching::{MAX_KEYS, MatchKey};
use crate::record::{Fields, Value};
use crate::schedule::Window;
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
    #[serde(default, alias = "fieldMappings")]
    mapping: Value,
    #[serde(default)]
    transformations: Value,
    #[serde(default, alias = "syncDirection")]
    direction: Flow,
    #[serde(default, alias = "conflictResolution")]
    strategy: Strategy,
    #[serde(default)]
    field_strategies: BTreeMap<String, Strategy>,
    on_first_sync: Option<Strategy>,
    fallback: Option<Strategy>,
    match_keys: Option<Vec<MatchKey>>,
    #[serde(default)]
    deletes: DeletePolicy,
    #[serde(default)]
    delete_guard: Guard,
    /// Only in these hours, when people work.
    #[serde(default)]
    business_hours: Option<Window>,
    /// Only in these hours, when nobody minds the load.
    #[serde(default)]
    off_peak: Option<Window>,
    /// Whether the inputs of every decision are kept.
    #[serde(default)]
    record: bool,
}

/// Everything that a configuration says about records.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// How fields flow.
    pub rules: Rules,
    /// How records recognise each other when they meet for the first time.
    pub match_keys: Vec<MatchKey>,
    /// What a delete means for the other side.
    pub deletes: DeletePolicy,
    /// How many may be deleted without a question.
    pub delete_guard: Guard,
    /// Scheduled runs begin only while all of these are open, by the clock of the sync's time zone.
    pub windows: Vec<Window>,
    /// Whether the inputs of every decision are kept, also of those that change nothing.
    pub record: bool,
}

/// Reads the rules of a sync between these platforms.
pub fn read(
    written: &Fields,
    item_type: ItemType,
    source: Platform,
    target: Platform,
) -> Result<Rules, BadRules> {
    Ok(read_all(written, item_type, source, target)?.rules)
}

/// Reads everything that a configuration says about the records of a sync between these platforms.
pub fn read_all(
    written: &Fields,
    item_type: ItemType,
    source: Platform,
    target: Platform,
) -> Result<Config, BadRules> {
    let written: Written = serde_json::from_value(Value::Object(written.clone()))
        .map_err(|error| BadRules(error.to_string()))?;
    let mapping = match &written.mapping {
        Value::Null => default_mapping(&written.transformations, item_type, source, target)?,
        mapping => {
            written::read(mapping, &written.transformations).map_err(|error| BadRules(error.to_string()))?
        }
    };
    let match_keys = written.match_keys.unwrap_or_else(|| defaults::match_keys(item_type, source, target));
    if match_keys.len() > MAX_KEYS {
        return Err(BadRules(format!("more than {MAX_KEYS} match keys")));
    }
    Ok(Config {
        rules: Rules {
            mapping,
            flow: written.direction,
            strategy: written.strategy,
            field_strategies: written.field_strategies,
            on_first_sync: written.on_first_sync.unwrap_or(written.strategy),
            fallback: written.fallback.unwrap_or(Strategy::Manual),
        },
        match_keys,
        deletes: written.deletes,
        delete_guard: written.delete_guard,
        windows: written.business_hours.into_iter().chain(written.off_peak).collect(),
        record: written.record,
    })
}

/// The default mapping, with the transformations that the configuration adds to it.
fn default_mapping(
    transformations: &Value,
    item_type: ItemType,
    source: Platform,
    target: Platform,
) -> Result<Mapping, BadRules> {
    let mapping = defaults::mapping(item_type, source, target).ok_or_else(|| {
        BadRules(format!("there is no default mapping of {item_type} from {source} to {target}"))
    })?;
    written::extend(mapping, transformations).map_err(|error| BadRules(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read_json(written: &Value) -> Result<Rules, BadRules> {
        read(written.as_object().unwrap(), ItemType::Product, Platform::Shopify, Platform::Netsuite)
    }

    #[test]
    fn both_spellings_of_a_configuration_are_read() {
        let ours = read_json(
            &json!({"mapping": [{"source": "a", "target": "b", "transformation": {"validate": "email"}}],
            "direction": "two_way", "strategy": "merge", "fallback": "last_write_wins"}),
        );
        let theirs = read_json(&json!({"fieldMappings": {"a": "b"}, "syncDirection": "bidirectional",
            "transformations": [{"field": "a", "operation": "validate", "rule": "email"}],
            "conflictResolution": "merge", "fallback": "last_write_wins"}));
        assert_eq!(ours, theirs);
        assert_eq!(ours.unwrap().flow, Flow::TwoWay);
    }

    #[test]
    fn what_is_not_said_is_as_the_defaults_have_it() {
        let rules = read_json(
            &json!({"transformations": [{"field": "title", "operation": "format", "rule": "trim"}]}),
        )
        .unwrap();
        assert_eq!(
            (rules.strategy, rules.on_first_sync, rules.fallback),
            (Strategy::SourceWins, Strategy::SourceWins, Strategy::Manual)
        );
        assert_eq!(rules.flow, Flow::OneWay);
        let titled = rules.mapping.apply(json!({"title": " x "}).as_object().unwrap()).unwrap();
        assert_eq!(titled["displayName"], "x");
    }

    #[test]
    fn match_keys_and_deletes_are_part_of_a_configuration() {
        let read = |written: &Value| {
            read_all(written.as_object().unwrap(), ItemType::Product, Platform::Shopify, Platform::Netsuite)
                .unwrap()
        };
        let config =
            read(&json!({"matchKeys": [{"source": "email", "target": "mail", "compare": "ignore_case"}],
            "deletes": "archive", "deleteGuard": {"percent": 1}}));
        assert_eq!((config.match_keys.len(), config.deletes), (1, DeletePolicy::Archive));
        assert_eq!(config.delete_guard, Guard { records: 20, percent: 1 });
        let plain = read(&json!({}));
        assert_eq!(plain.match_keys[0].target.to_string(), "itemId");
        assert_eq!(plain.deletes, DeletePolicy::Ignore);
    }

    #[test]
    fn hours_and_recording_are_part_of_a_configuration() {
        let written = json!({"businessHours": {"days": ["mon", "fri"], "from": "09:00", "to": "17:00"},
            "offPeak": {"from": "12:00", "to": "13:00"}, "record": true});
        let config =
            read_all(written.as_object().unwrap(), ItemType::Product, Platform::Shopify, Platform::Netsuite)
                .unwrap();
        assert_eq!((config.windows.len(), config.record), (2, true));
        assert!(read_json(&json!({"offPeak": {"from": "25:00", "to": "13:00"}})).is_err());
    }

    #[test]
    fn every_example_of_the_page_about_rules_is_read() {
        let page = include_str!("../../../../docs/rules.md");
        let examples: Vec<&str> =
            page.split("```json").skip(1).filter_map(|part| part.split("```").next()).collect();
        assert!(examples.len() >= 2);
        for example in examples {
            let written: Value = serde_json::from_str(example).unwrap();
            let read = read_all(
                written.as_object().unwrap(),
                ItemType::Product,
                Platform::Shopify,
                Platform::Netsuite,
            );
            assert!(read.is_ok(), "{example}: {read:?}");
        }
    }

    #[test]
    fn eight_match_keys_are_taken_and_no_more() {
        let keys = |count| vec![json!({"source": "email", "target": "mail"}); count];
        assert!(read_json(&json!({"matchKeys": keys(8)})).is_ok());
        assert!(
            read_json(&json!({"matchKeys": keys(9)})).is_err()
                && read_json(&json!({"matchKeys": keys(30)})).is_err()
        );
    }

    #[test]
    fn a_configuration_that_cannot_be_followed_says_why() {
        for written in [
            json!({"strategy": "coin"}),
            json!({"mapping": 5}),
            json!({"colour": 1}),
            json!({"direction": "up"}),
        ] {
            assert!(read_json(&written).is_err(), "{written}");
        }
    }
}
