//! The node that n8n's MCP server can start a workflow with, and what it has to be given (measured on 2.41.1).

use super::starting::rejected;
use crate::Result;
use domain::Value;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A node that n8n's MCP server can start a workflow with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// Its name.
    pub node: String,
    /// What it wants to be given.
    pub takes: Takes,
}

/// What a trigger wants to be given. n8n refuses what it does not want, and the absence of what it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Takes {
    /// A request, be it an empty one.
    Webhook,
    /// The fields of a form.
    Form,
    /// A message.
    Chat,
    /// Nothing: a schedule.
    Nothing,
}

impl Takes {
    /// By the kind of a node; `None` for all that n8n's MCP server does not start in production: what waits for events
    /// elsewhere, for a click in the editor, for another workflow.
    pub(super) fn of(kind: &str) -> Option<Self> {
        match kind {
            "n8n-nodes-base.webhook" => Some(Self::Webhook),
            "n8n-nodes-base.formTrigger" => Some(Self::Form),
            "@n8n/n8n-nodes-langchain.chatTrigger" => Some(Self::Chat),
            "n8n-nodes-base.scheduleTrigger" => Some(Self::Nothing),
            _ => None,
        }
    }

    /// Its stable name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Form => "form",
            Self::Chat => "chat",
            Self::Nothing => "nothing",
        }
    }

    /// By its stable name.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Webhook, Self::Form, Self::Chat, Self::Nothing].into_iter().find(|one| one.word() == word)
    }

    /// The `inputs` of MCP's `execute_workflow`; `None` where there must be none. A payload is an object, or null for an
    /// empty one. [`crate::ErrorKind::Rejected`] where the trigger can do nothing with it.
    pub(super) fn inputs(self, payload: &Value) -> Result<Option<Value>> {
        let empty = json!({});
        let fields = match payload {
            Value::Null => &empty,
            Value::Object(_) => payload,
            _ => return Err(rejected("what a workflow is started with must be an object".to_owned())),
        };
        let is_empty = fields.as_object().is_none_or(serde_json::Map::is_empty);
        match self {
            Self::Webhook => Ok(Some(json!({ "webhookData": { "method": "POST", "body": fields } }))),
            Self::Form => Ok(Some(json!({ "formData": fields }))),
            Self::Chat => match fields.get("chatInput") {
                Some(Value::String(message)) => Ok(Some(json!({ "chatInput": message }))),
                _ => Err(rejected("a chat is started with a message: {\"chatInput\": \"…\"}".to_owned())),
            },
            Self::Nothing if is_empty => Ok(None),
            Self::Nothing => {
                Err(rejected("the workflow's trigger takes nothing: start it without a payload".to_owned()))
            }
        }
    }
}
