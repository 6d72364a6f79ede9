//! Deciding again what a run has decided.

use crate::look::fingerprint;
use crate::lookups::{Lookups, Said};
use domain::decide::{Aids, Bases, Change, Decision, Rules, Situation, decide_with};
use domain::{Fields, Record, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is decided now on the same inputs.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Again {
    /// `create`, `update`, `unchanged`, `conflict`, `skip` or `fail`.
    pub action: &'static str,
    /// Whether it is what the run decided, to the value.
    pub same: bool,
    /// Field by field: both bases, both values, the rule, and which side would be written. Values about a person are
    /// masked.
    pub changes: Vec<Value>,
    /// Fields that are left for a person.
    pub conflicts: Vec<Value>,
    /// Why nothing would be written, where that is no success.
    pub message: Option<String>,
}

/// The inputs as a run records them.
#[derive(Deserialize)]
struct Recorded {
    source: Fields,
    source_at: Option<chrono::DateTime<chrono::Utc>>,
    target: Option<Fields>,
    target_at: Option<chrono::DateTime<chrono::Utc>>,
    base_source: Option<Fields>,
    base_target: Option<Fields>,
    only: Option<Vec<String>>,
    /// What the mapping asked about other kinds of item, and was told.
    #[serde(default)]
    links: Option<Vec<Said>>,
    decision: String,
}

/// Decides again on recorded inputs. `None` when they are none.
pub fn replay(rules: &Rules, inputs: &Value) -> Option<Again> {
    let recorded: Recorded = serde_json::from_value(inputs.clone()).ok()?;
    let record = |fields: Fields, modified_at| Record { fields, modified_at, ..Record::default() };
    let source = record(recorded.source, recorded.source_at);
    let target = recorded.target.map(|fields| record(fields, recorded.target_at));
    let bases = recorded.base_source.as_ref().zip(recorded.base_target.as_ref());
    let situation = Situation {
        source: &source,
        target: target.as_ref(),
        bases: bases.map(|(source, target)| Bases { source, target }),
        only: recorded.only.as_deref(),
    };
    let links = Lookups::of(recorded.links.unwrap_or_default());
    let aids = Aids { resolver: &links, resolution: None };
    let decision = decide_with(rules, &situation, aids).decision;
    let same = fingerprint(&decision) == recorded.decision;
    let shown =
        |changes: &[Change]| changes.iter().filter_map(|change| serde_json::to_value(change).ok()).collect();
    let (action, changes, conflicts, message) = match &decision {
        Decision::Create { .. } => ("create", Vec::new(), Vec::new(), None),
        Decision::Update { changes, conflicts, .. } => ("update", shown(changes), shown(conflicts), None),
        Decision::Unchanged { kept } => ("unchanged", shown(kept), Vec::new(), None),
        Decision::Conflict { conflicts } => ("conflict", Vec::new(), shown(conflicts), None),
        Decision::Filtered { violation } => ("skip", Vec::new(), Vec::new(), Some(violation.to_string())),
        Decision::Invalid { violations } => {
            let message = violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            ("fail", Vec::new(), Vec::new(), Some(message))
        }
    };
    Some(Again { action, same, changes, conflicts, message })
}
