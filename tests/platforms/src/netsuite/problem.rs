//! How NetSuite says no.

use serde_json::{Value, json};

use crate::web::Reply;

/// An error with NetSuite's code and, where it has one, the path of the field.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) detail: String,
    pub(crate) path: Option<String>,
}

impl Problem {
    pub(crate) fn new(status: u16, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), path: None }
    }

    /// The content is wrong at this path.
    pub(crate) fn content(path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..Self::new(400, "INVALID_CONTENT", detail) }
    }

    /// The record is not what NetSuite's rules want.
    pub(crate) fn user(detail: impl Into<String>) -> Self {
        Self::new(400, "USER_ERROR", detail)
    }

    /// There is no such record.
    pub(crate) fn missing() -> Self {
        Self::new(
            404,
            "NONEXISTENT_ID",
            "The record instance does not exist. Provide a valid record instance ID.",
        )
    }

    /// The body of the error.
    pub(crate) fn body(&self) -> Value {
        let title = match self.status {
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            415 => "Unsupported Media Type",
            429 => "Too Many Requests",
            _ => "Internal Server Error",
        };
        let mut detail = json!({ "detail": self.detail, "o:errorCode": self.code });
        if let (Some(path), Some(detail)) = (&self.path, detail.as_object_mut()) {
            detail.insert("o:errorPath".to_owned(), json!(path));
        }
        json!({
            "type": "https://www.rfc-editor.org/rfc/rfc9110.html#section-15",
            "title": title,
            "status": self.status,
            "o:errorDetails": [detail],
        })
    }

    pub(crate) fn reply(&self) -> Reply {
        let body = self.body().to_string();
        Reply::text(self.status, "application/vnd.oracle.resource+json; type=error; charset=UTF-8", body)
    }
}
