//! The record API: paths, methods and headers.

use serde_json::{Map, Value, json};

use super::Books;
use super::intake::Manner;
use super::jobs::{Action, Batch};
use super::ledger::{Record, reference};
use super::metadata::{Kind, TYPES, Type, type_named};
use super::problem::Problem;
use super::records;
use super::show::{self, Lens};
use crate::web::{Reply, Request};

const COLLECTION: &str = "application/vnd.oracle.resource+json; type=collection; charset=UTF-8";
const SINGULAR: &str = "application/vnd.oracle.resource+json; type=singular; charset=UTF-8";

/// Answers a request below `/services/rest/record/v1/`.
///
/// # Errors
/// Whatever NetSuite would refuse.
pub(crate) fn answer(books: &mut Books, request: &Request, path: &str) -> Result<Reply, Problem> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if parts.first() == Some(&"metadata-catalog") {
        return catalogue(books, request, parts.get(1).copied());
    }
    let name = parts.first().copied().unwrap_or_default();
    let known = type_named(name)
        .ok_or_else(|| Problem::new(404, "NOT_FOUND", format!("Record type '{name}' does not exist.")))?;
    match (request.method.as_str(), parts.get(1..).unwrap_or_default()) {
        (_, []) if prefers(request, "respond-async") => asynchronous(books, request, known),
        ("GET", []) => list(books, request, known),
        ("POST", []) => {
            let id = records::create(&mut books.ledger, known, &body(request)?, &manner(request))?;
            Ok(written(request, known, id))
        }
        (_, []) => Err(Problem::new(405, "METHOD_NOT_ALLOWED", "The method is not allowed on a collection.")),
        (method, [id]) => one(books, request, known, method, &decoded(id)),
        (method, [id, sublist, rest @ ..]) => {
            let found = found(books, known, &decoded(id))?;
            lines(books, request, known, found, method, sublist, rest)
        }
    }
}

fn decoded(part: &str) -> String {
    url::form_urlencoded::parse(format!("x={}", part.replace('+', "%2B")).as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn prefers(request: &Request, what: &str) -> bool {
    request.header("prefer").split([',', ';']).any(|word| word.trim().eq_ignore_ascii_case(what))
}

fn manner(request: &Request) -> Manner {
    let validation = request.header("x-netsuite-propertynamevalidation");
    Manner {
        strict_names: validation.eq_ignore_ascii_case("error"),
        replace: request
            .query_value("replace")
            .map(|names| names.split(',').map(|name| name.trim().to_owned()).collect())
            .unwrap_or_default(),
    }
}

fn lens(request: &Request) -> Lens {
    Lens {
        base: request.base.clone(),
        expand: request.query_value("expandSubResources").is_some_and(|value| value == "true"),
        fields: request
            .query_value("fields")
            .map(|fields| fields.split(',').map(|it| it.trim().to_owned()).collect()),
    }
}

fn body(request: &Request) -> Result<Map<String, Value>, Problem> {
    let kind = request.header("content-type");
    if !(kind.starts_with("application/json") || kind.starts_with("application/vnd.oracle.resource+json")) {
        return Err(Problem::new(415, "UNSUPPORTED_MEDIA_TYPE", "The content type is not supported."));
    }
    if kind.contains("type=collection") {
        return Err(Problem::new(
            400,
            "INVALID_CONTENT",
            "A collection can only be sent with 'Prefer: respond-async'.",
        ));
    }
    serde_json::from_slice(&request.body).map_err(|_| {
        Problem::new(400, "INVALID_CONTENT", "Invalid content in the request body: not a JSON object.")
    })
}

/// No body, and the address of the record.
fn written(request: &Request, known: &Type, id: u64) -> Reply {
    Reply::empty(204).with("location", lens(request).href(known.name, id))
}

/// The id a path names: an internal one, or `eid:` and an external one.
fn found(books: &Books, known: &'static Type, id: &str) -> Result<u64, Problem> {
    let found = match id.strip_prefix("eid:") {
        Some(external) => books.ledger.by_external(known.name, external),
        None => id.parse().ok(),
    };
    found.filter(|id| books.ledger.record(known.name, *id).is_some()).ok_or_else(Problem::missing)
}

fn one(
    books: &mut Books,
    request: &Request,
    known: &'static Type,
    method: &str,
    id: &str,
) -> Result<Reply, Problem> {
    match method {
        "GET" => {
            let found = found(books, known, id)?;
            let record = books.ledger.record(known.name, found).ok_or_else(Problem::missing)?;
            let shown = show::show(&books.ledger, record, &lens(request));
            Ok(Reply::text(200, SINGULAR, shown.to_string()))
        }
        "PATCH" => {
            let found = found(books, known, id)?;
            records::update(&mut books.ledger, known, found, &body(request)?, &manner(request))?;
            Ok(written(request, known, found))
        }
        "PUT" => {
            let Some(external) = id.strip_prefix("eid:") else {
                let detail = "A record is upserted by its external ID: use eid:.";
                return Err(Problem::new(400, "INVALID_REQUEST", detail));
            };
            let made =
                records::upsert(&mut books.ledger, known, external, &body(request)?, &manner(request))?;
            Ok(written(request, known, made))
        }
        "DELETE" => {
            let found = found(books, known, id)?;
            records::delete(&mut books.ledger, known, found)?;
            Ok(Reply::empty(204))
        }
        _ => Err(Problem::new(405, "METHOD_NOT_ALLOWED", "The method is not allowed on a record.")),
    }
}

/// A sublist of a record, or one line of it by its keys: `price/currencypage=1,pricelevel=1,quantity=0`.
fn lines(
    books: &mut Books,
    request: &Request,
    known: &'static Type,
    id: u64,
    method: &str,
    name: &str,
    rest: &[&str],
) -> Result<Reply, Problem> {
    let sublist = known.sublist(name).ok_or_else(Problem::missing)?;
    let record = books.ledger.record(known.name, id).ok_or_else(Problem::missing)?;
    let expanded = Lens { expand: true, ..lens(request) };
    match (method, rest) {
        ("GET", []) => {
            let shown = show::show_lines(&books.ledger, record, sublist, &expanded);
            Ok(Reply::text(200, COLLECTION, shown.to_string()))
        }
        ("GET", [key]) => {
            let at =
                line_at(record, sublist.name, sublist.keys, &decoded(key)).ok_or_else(Problem::missing)?;
            let shown = show::show_lines(&books.ledger, record, sublist, &expanded);
            let line = shown.get("items").and_then(|items| items.get(at)).cloned().unwrap_or_default();
            Ok(Reply::text(200, SINGULAR, line.to_string()))
        }
        ("PATCH", [key]) => {
            let key = decoded(key);
            let mut line = body(request)?;
            for (name, value) in keys(sublist.keys, &key) {
                line.insert(name.to_owned(), json!({ "id": value }));
            }
            let mut body = Map::new();
            body.insert(sublist.name.to_owned(), json!({ "items": [line] }));
            records::update(&mut books.ledger, known, id, &body, &manner(request))?;
            Ok(written(request, known, id))
        }
        _ => Err(Problem::new(405, "METHOD_NOT_ALLOWED", "The method is not allowed on a sublist.")),
    }
}

fn keys<'a>(names: &[&'static str], key: &'a str) -> Vec<(&'static str, &'a str)> {
    key.split(',')
        .filter_map(|pair| pair.split_once('='))
        .filter_map(|(name, value)| {
            names
                .iter()
                .find(|known| known.eq_ignore_ascii_case(name.trim()))
                .map(|known| (*known, value.trim()))
        })
        .collect()
}

fn line_at(record: &Record, sublist: &str, names: &[&'static str], key: &str) -> Option<usize> {
    let wanted = keys(names, key);
    record.lines(sublist).iter().position(|line| {
        !wanted.is_empty()
            && wanted.iter().all(|(name, value)| {
                let held = line.get(*name);
                held.and_then(reference).is_some_and(|id| id.to_string() == *value)
                    || held.and_then(Value::as_i64).is_some_and(|number| number.to_string() == *value)
            })
    })
}

/// `Prefer: respond-async`: a batch, or a single record to be made later.
fn asynchronous(books: &mut Books, request: &Request, known: &'static Type) -> Result<Reply, Problem> {
    let action = match request.method.as_str() {
        "POST" => Action::Create,
        "PATCH" => Action::Update,
        "PUT" => Action::Upsert,
        "DELETE" => Action::Delete,
        _ => return Err(Problem::new(405, "METHOD_NOT_ALLOWED", "The method is not allowed here.")),
    };
    let collection = request.header("content-type").contains("type=collection");
    let items = match action {
        Action::Delete => {
            let ids = request.query_value("ids").unwrap_or_default();
            ids.split(',').map(|id| json!(id.trim())).filter(|id| *id != json!("")).collect()
        }
        _ if collection => items(request)?,
        Action::Create => {
            let content = body(request)?;
            books.jobs.take_key(request.header("x-netsuite-idempotency-key"))?;
            let made = records::create(&mut books.ledger, known, &content, &manner(request));
            let shown = made.map(|id| lens(request).made(known.name, id));
            let number = books.jobs.single(&books.ledger, shown);
            return Ok(accepted(request, number));
        }
        _ => {
            return Err(Problem::new(
                415,
                "UNSUPPORTED_MEDIA_TYPE",
                "A batch needs 'type=collection' in its content type.",
            ));
        }
    };
    let batch =
        Batch { known, action, items, manner: manner(request), lens: lens(request), refuse: &request.refuse };
    books.jobs.take_key(request.header("x-netsuite-idempotency-key"))?;
    let number = books.jobs.batch(&mut books.ledger, &batch)?;
    Ok(accepted(request, number))
}

fn items(request: &Request) -> Result<Vec<Value>, Problem> {
    let wrong = || Problem {
        path: Some("items".to_owned()),
        ..Problem::new(400, "INVALID_CONTENT", "The batch has no list of items.")
    };
    let body: Value = serde_json::from_slice(&request.body).map_err(|_| wrong())?;
    body.get("items").and_then(Value::as_array).cloned().ok_or_else(wrong)
}

fn accepted(request: &Request, number: u64) -> Reply {
    Reply::empty(202)
        .with("location", format!("{}/services/rest/async/v1/job/{number}", request.base))
        .with("preference-applied", "respond-async")
}

/// Ids and links of the records of a type; `q` knows texts, references and `lastModifiedDate`.
fn list(books: &Books, request: &Request, known: &'static Type) -> Result<Reply, Problem> {
    let query = request.query_value("q").unwrap_or_default();
    let conditions = super::filter::parse(&query)?;
    let number = |name: &str, default: usize| {
        request.query_value(name).map_or(Ok(default), |text| {
            text.parse().map_err(|_| {
                Problem::new(400, "INVALID_PARAMETER", format!("Invalid query parameter value for '{name}'."))
            })
        })
    };
    let (limit, offset) = (number("limit", 1_000)?, number("offset", 0)?);
    if !(1..=1_000).contains(&limit) || offset % limit != 0 {
        return Err(Problem::new(
            400,
            "INVALID_PARAMETER",
            "Invalid query parameter value for 'limit' or 'offset'.",
        ));
    }
    let matching: Vec<&Record> = books
        .ledger
        .of_kind(known.name)
        .filter(|record| super::filter::holds(&conditions, record, books.zone))
        .collect();
    let lens = lens(request);
    let items: Vec<Value> = matching
        .iter()
        .skip(offset)
        .take(limit)
        .map(|record| json!({ "links": [{ "rel": "self", "href": lens.href(known.name, record.id) }], "id": record.id.to_string() }))
        .collect();
    let count = items.len();
    let more = offset + count < matching.len();
    let href = |offset: usize| format!("{}{}?limit={limit}&offset={offset}", request.base, request.path);
    let mut links = vec![json!({ "rel": "self", "href": href(offset) })];
    if more {
        links.push(json!({ "rel": "next", "href": href(offset + limit) }));
    }
    let total = matching.len();
    let body = json!({ "links": links, "count": count, "hasMore": more, "items": items, "offset": offset, "totalResults": total });
    Ok(Reply::text(200, COLLECTION, body.to_string()))
}

/// The record types, and one of them as JSON schema or inside an OpenAPI document.
fn catalogue(books: &Books, request: &Request, name: Option<&str>) -> Result<Reply, Problem> {
    let base = format!("{}/services/rest/record/v1/metadata-catalog", request.base);
    let Some(name) = name else {
        let items: Vec<Value> = TYPES
            .iter()
            .map(|known| json!({ "name": known.name, "links": [{ "rel": "canonical", "href": format!("{base}/{}", known.name) }] }))
            .collect();
        return Ok(Reply::json(200, &json!({ "items": items })));
    };
    let known = type_named(name).ok_or_else(Problem::missing)?;
    let schema = described(books, known);
    if request.header("accept").contains("schema+json") {
        return Ok(Reply::text(200, "application/schema+json", schema.to_string()));
    }
    let document = json!({
        "openapi": "3.0.1",
        "info": { "title": "NetSuite REST Record API", "version": "v1" },
        "components": { "schemas": { known.name: schema } },
        "paths": {
            format!("/{}", known.name): { "get": {}, "post": {} },
            format!("/{}/{{id}}", known.name): { "get": {}, "patch": {}, "put": {}, "delete": {} },
        },
    });
    Ok(Reply::text(200, "application/swagger+json", document.to_string()))
}

fn described(books: &Books, known: &Type) -> Value {
    let mut properties = Map::new();
    for name in ["id", "externalId"] {
        properties.insert(name.to_owned(), json!({ "type": "string", "title": name, "nullable": true }));
    }
    for name in ["createdDate", "lastModifiedDate"] {
        properties.insert(
            name.to_owned(),
            json!({ "type": "string", "format": "date-time", "readOnly": true, "nullable": true }),
        );
    }
    for (name, kind) in known.fields {
        properties.insert((*name).to_owned(), property(name, *kind));
    }
    let customs = books.ledger.custom_fields.iter().filter(|name| name.starts_with(known.custom_prefix));
    for name in customs {
        properties.insert(
            name.clone(),
            json!({ "type": "string", "title": name, "nullable": true, "x-ns-custom-field": true }),
        );
    }
    for sublist in known.sublists {
        let lines: Map<String, Value> =
            sublist.fields.iter().map(|(name, kind)| ((*name).to_owned(), property(name, *kind))).collect();
        let items = json!({ "type": "array", "items": { "type": "object", "properties": lines } });
        properties
            .insert(sublist.name.to_owned(), json!({ "type": "object", "properties": { "items": items } }));
    }
    json!({ "type": "object", "properties": properties, "required": known.required })
}

fn property(name: &str, kind: Kind) -> Value {
    let (kind, format) = match kind {
        Kind::Text(_) | Kind::ReadOnly => ("string", None),
        Kind::Boolean => ("boolean", None),
        Kind::Integer => ("integer", Some("int64")),
        Kind::Number => ("number", Some("double")),
        Kind::Date => ("string", Some("date")),
        Kind::Record(_) | Kind::Choice | Kind::Records(_) | Kind::Address => ("object", None),
    };
    let mut described = json!({ "type": kind, "title": name, "nullable": true });
    if let (Some(format), Some(described)) = (format, described.as_object_mut()) {
        described.insert("format".to_owned(), format.into());
    }
    described
}
