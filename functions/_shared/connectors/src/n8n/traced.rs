//! What n8n's OpenTelemetry export tells: one span for each execution that ended.
//!
//! Only the fields that are used are described; their numbers are those of the protocol
//! (<https://github.com/open-telemetry/opentelemetry-proto>), and everything else is passed over.

use super::executions::{Execution, Failure, shortened};
use crate::{Error, Result};
use chrono::{DateTime, Utc};
use domain::{ExecutionStatus, ExecutionWord};
use prost::Message;

/// The name of the span of an execution.
const SPAN: &str = "workflow.execute";

#[derive(Clone, PartialEq, Message)]
pub(super) struct Export {
    #[prost(message, repeated, tag = "1")]
    pub(super) resource_spans: Vec<ResourceSpans>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ResourceSpans {
    #[prost(message, repeated, tag = "2")]
    pub(super) scope_spans: Vec<ScopeSpans>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ScopeSpans {
    #[prost(message, repeated, tag = "2")]
    pub(super) spans: Vec<Span>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Span {
    #[prost(string, tag = "5")]
    pub(super) name: String,
    #[prost(fixed64, tag = "7")]
    pub(super) start_time_unix_nano: u64,
    #[prost(fixed64, tag = "8")]
    pub(super) end_time_unix_nano: u64,
    #[prost(message, repeated, tag = "9")]
    pub(super) attributes: Vec<Attribute>,
    #[prost(message, repeated, tag = "11")]
    pub(super) events: Vec<SpanEvent>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SpanEvent {
    #[prost(message, repeated, tag = "3")]
    pub(super) attributes: Vec<Attribute>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Attribute {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(message, optional, tag = "2")]
    pub(super) value: Option<AnyValue>,
}

/// Of the kinds of value, those that n8n uses for what we read.
#[derive(Clone, PartialEq, Message)]
pub(super) struct AnyValue {
    #[prost(string, optional, tag = "1")]
    pub(super) text: Option<String>,
    #[prost(int64, optional, tag = "3")]
    pub(super) integer: Option<i64>,
}

/// What n8n's OpenTelemetry export tells, as protobuf over HTTP. Spans that are no executions are passed over, and so is
/// one that does not say which execution it is.
pub fn traced(body: &[u8]) -> Result<Vec<Execution>> {
    let export = Export::decode(body)
        .map_err(|_| Error::unexpected("what the OpenTelemetry export sent cannot be read"))?;
    let scopes = export.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    let spans = scopes.flat_map(|scope| &scope.spans).filter(|span| span.name == SPAN);
    Ok(spans.filter_map(execution).collect())
}

fn execution(span: &Span) -> Option<Execution> {
    let value = |key: &str| value(&span.attributes, key);
    let id = value("n8n.execution.id")?.parse().ok()?;
    let word = value("n8n.execution.status").and_then(|word| ExecutionWord::from_word(&word));
    let word = word.unwrap_or(ExecutionWord::Unknown);
    let has_ended = word.status() != ExecutionStatus::Running;
    Some(Execution {
        id,
        workflow_id: value("n8n.workflow.id"),
        word,
        mode: value("n8n.execution.mode"),
        started_at: time(span.start_time_unix_nano),
        stopped_at: time(span.end_time_unix_nano).filter(|_| has_ended),
        wait_till: None,
        retry_of: value("n8n.execution.retry_of").and_then(|id| id.parse().ok()),
        retry_success_id: None,
        error: error(span),
    })
}

/// The exception's message, which stands among the span's events. The node is not told.
fn error(span: &Span) -> Option<Failure> {
    const MESSAGE: &str = "exception.message";
    let events = span.events.iter().map(|event| &event.attributes);
    let mut places = events.chain([&span.attributes]);
    let message = places.find_map(|attributes| value(attributes, MESSAGE))?;
    Some(Failure { message: shortened(&message), node: None })
}

fn value(attributes: &[Attribute], key: &str) -> Option<String> {
    let value = attributes.iter().find(|attribute| attribute.key == key)?.value.as_ref()?;
    value
        .text
        .clone()
        .or_else(|| value.integer.map(|integer| integer.to_string()))
        .filter(|text| !text.is_empty())
}

/// Nanoseconds since 1970, to the millisecond, as n8n itself shows times.
fn time(nanoseconds: u64) -> Option<DateTime<Utc>> {
    let milliseconds = i64::try_from(nanoseconds / 1_000_000).ok()?;
    DateTime::from_timestamp_millis(milliseconds).filter(|_| nanoseconds > 0)
}
