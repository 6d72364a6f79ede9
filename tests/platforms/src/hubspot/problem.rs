//! How HubSpot says no.

use serde_json::{Value, json};

use crate::web::Reply;

/// An error with its category, and what it is about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    pub(crate) status: u16,
    pub(crate) category: &'static str,
    pub(crate) message: String,
    pub(crate) errors: Vec<Value>,
    /// What a batch's entry names: `ids`, `id`.
    pub(crate) context: Vec<(&'static str, Vec<String>)>,
    /// The limit that was met.
    pub(crate) policy: Option<&'static str>,
}

impl Problem {
    pub(crate) fn new(status: u16, category: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, category, message, errors: Vec::new(), context: Vec::new(), policy: None }
    }

    /// The content is wrong.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "VALIDATION_ERROR", message)
    }

    /// A property's value, or its name, is wrong.
    pub(crate) fn property(name: &str, code: &str, why: &str) -> Self {
        let list = json!([{
            "isValid": false, "message": why, "error": code, "name": name, "localizedErrorMessage": why,
        }]);
        let error = json!({ "message": why, "code": code, "context": { "propertyName": [name] } });
        Self { errors: vec![error], ..Self::invalid(format!("Property values were not valid: {list}")) }
    }

    /// There is a contact with this e-mail address.
    pub(crate) fn taken(id: u64) -> Self {
        let message = format!("Contact already exists. Existing ID: {id}");
        Self { context: vec![("id", vec![id.to_string()])], ..Self::new(409, "CONFLICT", message) }
    }

    /// There are no such contacts.
    pub(crate) fn missing(ids: Vec<String>) -> Self {
        let message =
            "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.";
        Self { context: vec![("ids", ids)], ..Self::new(404, "OBJECT_NOT_FOUND", message) }
    }

    /// There is nothing at this address, which is not answered by the API itself.
    pub(crate) fn no_address() -> Self {
        Self::new(404, "", "")
    }

    /// The token has not this scope.
    pub(crate) fn scope(scope: &str) -> Self {
        let message = "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: https://developers.hubspot.com/scopes.";
        let error = json!({
            "message": "One or more of the following scopes are required.",
            "context": { "requiredGranularScopes": [scope] },
        });
        Self { errors: vec![error], ..Self::new(403, "MISSING_SCOPES", message) }
    }

    /// Too many requests.
    pub(crate) fn throttled(policy: &'static str, name: &str) -> Self {
        let message = format!("You have reached your {name} limit.");
        Self { policy: Some(policy), ..Self::new(429, "RATE_LIMITS", message) }
    }

    pub(crate) fn reply(&self, correlation: &str) -> Reply {
        if self.category.is_empty() {
            let page = "<html><head><title>Error 404 Not Found</title></head><body><h2>HTTP ERROR 404</h2></body></html>";
            return Reply::text(self.status, "text/html;charset=iso-8859-1", page);
        }
        let mut body = json!({
            "status": "error", "message": self.message, "correlationId": uuid(correlation),
        });
        if let Some(body) = body.as_object_mut() {
            match self.policy {
                Some(policy) => {
                    body.insert("errorType".to_owned(), "RATE_LIMIT".into());
                    body.insert("policyName".to_owned(), policy.into());
                }
                None => drop(body.insert("category".to_owned(), self.category.into())),
            }
            if !self.errors.is_empty() {
                body.insert("errors".to_owned(), self.errors.clone().into());
            }
        }
        Reply::json(self.status, &body)
    }

    /// The entry among the errors of a batch.
    pub(crate) fn entry(&self, trace: Option<&str>) -> Value {
        let mut context = serde_json::Map::new();
        for (name, values) in &self.context {
            context.insert((*name).to_owned(), json!(values));
        }
        if let Some(trace) = trace {
            context.insert("objectWriteTraceId".to_owned(), json!([trace]));
        }
        json!({
            "status": "error", "category": self.category, "message": self.message, "context": context,
            "errors": self.errors, "links": {},
        })
    }
}

/// 32 digits written as an id.
fn uuid(digits: &str) -> String {
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
