//! How n8n says no: in JSON where the API answers, as a page where its web server does.

use serde_json::json;

use crate::web::Reply;

/// A refusal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    status: u16,
    message: String,
    /// Whether it comes as a page and not as JSON.
    page: bool,
}

impl Problem {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), page: false }
    }

    /// A page of the web server, which does not get as far as the API.
    pub(crate) fn page(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), page: true }
    }

    /// The request is wrong.
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    /// There is no such record.
    pub(crate) fn not_found() -> Self {
        Self::new(404, "Not Found")
    }

    /// There is no such workflow, in the words for who wants to change or publish it.
    pub(crate) fn no_workflow() -> Self {
        let message =
            "You do not have permission to update this workflow. Ask the owner to share it with you.";
        Self::new(404, message)
    }

    /// The API has no such path.
    pub(crate) fn no_path() -> Self {
        Self::new(404, "not found")
    }

    /// What the web server says about a path that nobody has claimed, as every one of the API while n8n starts.
    pub(crate) fn cannot(method: &str, path: &str) -> Self {
        Self::page(404, format!("Cannot {method} {path}"))
    }

    pub(crate) fn reply(&self) -> Reply {
        if !self.page {
            return Reply::json(self.status, &json!({ "message": self.message }));
        }
        let page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n\
             <body>\n<pre>{}</pre>\n</body>\n</html>\n",
            self.message
        );
        Reply::text(self.status, "text/html; charset=utf-8", page)
    }
}
