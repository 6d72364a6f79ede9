//! One part of an export: rows as a text, and the manifest that says what they are.

use chrono::{DateTime, Utc};
use csv::{Terminator, Writer, WriterBuilder};
use edge::Problem;
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;
use store::reports::Exported;

/// The columns of an export, in their order.
pub(crate) const COLUMNS: [&str; 24] = [
    "id",
    "executionId",
    "registryId",
    "workflowId",
    "integrationId",
    "n8nWorkflowId",
    "workflowName",
    "provider",
    "workflowType",
    "status",
    "n8nStatus",
    "mode",
    "startTime",
    "endTime",
    "durationMs",
    "resourcesCreated",
    "resourcesUpdated",
    "resourcesFailed",
    "errorMessage",
    "errorNode",
    "retryOf",
    "retrySuccessId",
    "triggeredBy",
    "triggerWay",
];
/// A part ends when its text is as long as this, however few its rows are.
const FULL: usize = 8 << 20;

/// Says what a part is, and lets everybody check that it is whole and unchanged.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    /// `csv` or `ndjson`.
    pub(crate) format: &'static str,
    /// The columns, in their order.
    pub(crate) columns: [&'static str; 24],
    /// When the period begins.
    pub(crate) from: DateTime<Utc>,
    /// When it ends.
    pub(crate) to: DateTime<Utc>,
    /// The rows of this part.
    pub(crate) rows: usize,
    /// The SHA-256 of this part: of the whole body in CSV, of all lines before the manifest's in NDJSON.
    pub(crate) sha256: String,
    /// Where the next part begins; `null`: this is the last one.
    pub(crate) next_cursor: Option<String>,
    /// When this part was made.
    pub(crate) generated_at: DateTime<Utc>,
}

/// A part while it is written.
pub(crate) struct Part {
    lines: Lines,
    rows: usize,
}

enum Lines {
    /// Comma-separated (RFC 4180), with a line of names first.
    Csv(Box<Writer<Vec<u8>>>),
    /// A JSON object per line.
    Ndjson(Vec<u8>),
}

impl Part {
    /// An empty part in CSV.
    pub(crate) fn csv() -> Result<Self, Problem> {
        let mut lines = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
        lines.write_record(COLUMNS).map_err(|error| unwritable(&error))?;
        Ok(Self { lines: Lines::Csv(Box::new(lines)), rows: 0 })
    }

    /// An empty part in NDJSON.
    pub(crate) const fn ndjson() -> Self {
        Self { lines: Lines::Ndjson(Vec::new()), rows: 0 }
    }

    /// Writes one row.
    pub(crate) fn push(&mut self, row: &Exported) -> Result<(), Problem> {
        match &mut self.lines {
            Lines::Csv(lines) => {
                let row = serde_json::to_value(row).map_err(|error| unwritable(&error))?;
                let cells = COLUMNS.iter().map(|column| cell(row.get(column)));
                lines.write_record(cells).map_err(|error| unwritable(&error))?;
            }
            Lines::Ndjson(lines) => {
                serde_json::to_writer(&mut *lines, row).map_err(|error| unwritable(&error))?;
                lines.push(b'\n');
            }
        }
        self.rows = self.rows.saturating_add(1);
        Ok(())
    }

    /// How many rows it has.
    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    /// Whether its text is long enough.
    pub(crate) fn is_full(&self) -> bool {
        let length = match &self.lines {
            Lines::Csv(lines) => lines.get_ref().len(),
            Lines::Ndjson(lines) => lines.len(),
        };
        length >= FULL
    }

    /// Its text.
    pub(crate) fn into_text(self) -> Result<Vec<u8>, Problem> {
        match self.lines {
            Lines::Csv(lines) => lines.into_inner().map_err(|error| unwritable(&error)),
            Lines::Ndjson(lines) => Ok(lines),
        }
    }
}

fn unwritable(error: &dyn std::fmt::Display) -> Problem {
    Problem::internal(format!("an export: {error}"))
}

/// A value as a cell: nothing for `null`, and a text that no spreadsheet takes for a formula.
fn cell(value: Option<&Value>) -> Vec<u8> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) => harmless(text).into_owned().into_bytes(),
        Some(other) => other.to_string().into_bytes(),
    }
}

/// Spreadsheets carry out what begins like this (<https://owasp.org/www-community/attacks/CSV_Injection>): an apostrophe
/// before it makes it a text.
fn harmless(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(name: &str) -> Exported {
        let id = "11111111-1111-4111-8111-111111111111";
        let row = json!({
            "id": id, "execution_id": "7", "registry_id": id, "workflow_id": null, "integration_id": id,
            "n8n_workflow_id": "w", "workflow_name": name, "provider": "aws", "workflow_type": null,
            "status": "success", "n8n_status": "success", "mode": null, "start_time": "2026-03-10T00:00:00Z",
            "end_time": null, "duration_ms": 5, "resources_created": 1, "resources_updated": 0,
            "resources_failed": 0, "error_message": null, "error_node": null, "retry_of": null,
            "retry_success_id": null, "triggered_by": null, "trigger_way": null,
        });
        serde_json::from_value(row).unwrap()
    }

    fn text(mut part: Part, rows: &[Exported]) -> String {
        for row in rows {
            part.push(row).unwrap();
        }
        assert_eq!((part.rows(), part.is_full()), (rows.len(), false));
        String::from_utf8(part.into_text().unwrap()).unwrap()
    }

    #[test]
    fn the_columns_are_the_fields_of_a_row_in_both_formats() {
        let line = text(Part::ndjson(), &[row("a")]);
        let mut rest = line.as_str();
        for column in COLUMNS {
            let name = format!("\"{column}\":");
            rest = rest.split_once(&name).unwrap_or_else(|| panic!("{name} in this order: {line}")).1;
        }
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value.as_object().unwrap().len(), COLUMNS.len());
    }

    #[test]
    fn csv_has_its_names_first_and_quotes_what_needs_it() {
        let csv = text(Part::csv().unwrap(), &[row("a, \"b\"\nc")]);
        let id = "11111111-1111-4111-8111-111111111111";
        let expected = format!(
            "{}\r\n{id},7,{id},,{id},w,\"a, \"\"b\"\"\nc\",aws,,success,success,,2026-03-10T00:00:00Z,,5,1,0,0,,,,,,\r\n",
            COLUMNS.join(",")
        );
        assert_eq!(csv, expected);
    }

    #[test]
    fn an_empty_part_has_no_rows() {
        assert_eq!(text(Part::csv().unwrap(), &[]), format!("{}\r\n", COLUMNS.join(",")));
        assert_eq!(text(Part::ndjson(), &[]), "");
    }

    #[test]
    fn no_cell_begins_like_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"] {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        for text in ["", "a=b", "1-1", "'=1", " =1"] {
            assert_eq!(harmless(text), text);
        }
        assert_eq!(cell(Some(&json!(-5))), b"-5", "a number is no text");
    }
}
