//! One operation as an object of the description.

use super::schemas::{Sides, without_null};
use super::{Operation, Shown, common};
use crate::Door;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

impl Operation {
    /// The operation object. Its references still have the names that the function's own types have within it.
    pub(super) fn object(&self, function: &str, about: &str, sides: &mut Sides) -> Value {
        let answers = (self.answers)(&mut sides.written);
        let mut parameters = vec![common::parameter("RequestId")];
        parameters.extend(self.below.map(|(name, what)| common::path_parameter(name, what)));
        if self.takes_keys() {
            parameters.push(common::parameter("IdempotencyKey"));
        }
        if answers.iter().any(|shown| shown.status == 202) && answers.iter().any(|shown| shown.status == 200)
        {
            parameters.push(common::parameter("Prefer"));
        }
        let mut object = json!({
            "operationId": operation_id(self.method, function),
            "tags": [function],
            "summary": self.summary.unwrap_or(about),
            "description": self.who(),
            "security": self.security(),
            "responses": self.responses(&answers),
        });
        if self.has_body() {
            let schema = (self.body)(&mut sides.read).to_value();
            let is_needed = is_needed(&schema, sides);
            put(
                &mut object,
                "requestBody",
                json!({"required": is_needed, "content": {super::JSON: {"schema": schema}}}),
            );
        } else {
            parameters.extend(query_parameters(&(self.fields)(&mut sides.read).to_value()));
        }
        put(&mut object, "parameters", Value::Array(parameters));
        object
    }

    fn who(&self) -> &'static str {
        match self.door {
            Door::None if self.more_for_keys => "For anybody; with a secret key the answer says more.",
            Door::None => "For anybody.",
            Door::User => "For signed-in users.",
            Door::Secret => "For systems with a secret key.",
            Door::UserOrSecret => "For signed-in users, and for systems with a secret key.",
            Door::Signature => "For a platform, which signs what it sends.",
        }
    }

    fn security(&self) -> Value {
        match self.door {
            Door::None if self.more_for_keys => json!([{}, {"secretKey": []}]),
            Door::None | Door::Signature => json!([]),
            Door::User => json!([{"userToken": []}]),
            Door::Secret => json!([{"secretKey": []}]),
            Door::UserOrSecret => json!([{"userToken": []}, {"secretKey": []}]),
        }
    }

    fn responses(&self, answers: &[Shown]) -> Value {
        let mut by_status: BTreeMap<u16, Vec<&Shown>> = BTreeMap::new();
        for shown in answers {
            by_status.entry(shown.status).or_default().push(shown);
        }
        let mut responses = Map::new();
        for (status, shown) in by_status {
            responses.insert(status.to_string(), self.response(status, &shown));
        }
        let has_tags = answers.iter().any(|shown| shown.tagged);
        for status in common::statuses().into_keys().filter(|status| self.may_fail(*status, has_tags)) {
            responses.insert(status.to_string(), json!({"$ref": common::response(status)}));
        }
        Value::Object(responses)
    }

    fn response(&self, status: u16, answers: &[&Shown]) -> Value {
        let description = match status {
            201 => "It exists now.",
            202 => "Taken on; the work goes on after this answer.",
            204 => "Done, and nothing to say.",
            _ => "Done.",
        };
        let mut headers = vec!["X-Request-Id"];
        if self.takes_keys() {
            headers.push("Idempotent-Replayed");
        }
        if matches!(status, 201 | 202) {
            headers.push("Location");
        }
        if answers.iter().any(|shown| shown.tagged) {
            headers.push("ETag");
        }
        let mut response = json!({"description": description, "headers": common::headers(&headers)});
        let content = self.content(answers);
        if !content.is_empty() {
            put(&mut response, "content", Value::Object(content));
        }
        response
    }

    /// What the body may be, by content type: of a type in JSON, and a text of the function's own in its own types.
    fn content(&self, answers: &[&Shown]) -> Map<String, Value> {
        let mut by_media: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for shown in answers {
            let Some(schema) = shown.schema.clone().map(schemars::Schema::to_value) else { continue };
            for media in if shown.raw { self.media } else { &[super::JSON] } {
                let schemas = by_media.entry(media).or_default();
                if !schemas.contains(&schema) {
                    schemas.push(schema.clone());
                }
            }
        }
        let either = |schemas: Vec<Value>| match schemas.as_slice() {
            [only] => only.clone(),
            several => json!({"anyOf": several}),
        };
        let body =
            |(media, schemas): (&str, Vec<Value>)| (media.to_owned(), json!({"schema": either(schemas)}));
        by_media.into_iter().map(body).collect()
    }

    /// Whether a problem of this status can be met here.
    fn may_fail(&self, status: u16, has_tags: bool) -> bool {
        match status {
            // What nobody must sign in for reaches no platform either.
            401 => self.door != Door::None,
            // A message is not read before it is believed, and never needs an answer.
            403 | 502 => !matches!(self.door, Door::None | Door::Signature),
            409 => self.method != "get" && self.door != Door::Signature,
            412 => has_tags,
            413 => self.has_body(),
            415 => self.has_body() && self.door != Door::Signature,
            _ => true,
        }
    }
}

/// `postSyncList`: unique, because a function has a method once.
fn operation_id(method: &str, function: &str) -> String {
    let mut name = method.to_owned();
    name.push_str(&super::schemas::type_name(function));
    name
}

/// An empty body counts as an empty object, so a body is needed only where a field is.
fn is_needed(schema: &Value, sides: &Sides) -> bool {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
    let full = name.and_then(|name| sides.read.definitions().get(name)).unwrap_or(schema);
    full.get("required").and_then(Value::as_array).is_some_and(|fields| !fields.is_empty())
}

/// A parameter for each field, by name.
fn query_parameters(schema: &Value) -> Vec<Value> {
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let fields = schema.get("properties").and_then(Value::as_object);
    let sorted: BTreeMap<&String, &Value> = fields.into_iter().flatten().collect();
    let parameter = |(name, field): (&String, &Value)| {
        let mut field = without_null(field.clone());
        let description = field.as_object_mut().and_then(|field| field.remove("description"));
        let is_list = field.get("type").is_some_and(|kind| kind == "array");
        let mut parameter = json!({
            "name": name,
            "in": "query",
            "required": required.iter().any(|one| one == name),
            "description": description,
            "schema": field,
        });
        if is_list {
            put(&mut parameter, "style", json!("form"));
            put(&mut parameter, "explode", json!(false));
        }
        parameter
    };
    sorted.into_iter().map(parameter).collect()
}

fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use crate::describe::{Document, Operation};
    use crate::{Call, Door, Either, Problem, Raw};
    use schemars::JsonSchema;
    use serde::Deserialize;
    use serde_json::{Value, json};

    #[derive(Deserialize, JsonSchema)]
    struct Input {}

    async fn either(_: Call<Input>) -> Result<Either<u8, Raw>, Problem> {
        Ok(Either::Left(1))
    }

    #[test]
    fn a_type_is_described_in_json_and_a_text_in_its_own_types() {
        let operation = Operation::get(Door::None, either).media(&["text/csv", "application/x-ndjson"]);
        let document = Document::new("Test", "1", "").function("f", "Does it.", &[operation]);
        let document: Value = serde_json::from_str(&document.finish().unwrap()).unwrap();
        let content = &document["paths"]["/f"]["get"]["responses"]["200"]["content"];
        let types: Vec<&String> = content.as_object().unwrap().keys().collect();
        assert_eq!(types, ["application/json", "application/x-ndjson", "text/csv"]);
        assert_eq!(content["application/json"]["schema"]["type"], "integer");
        assert_eq!(content["text/csv"]["schema"], json!(true));
    }
}
