//! The account itself: tokens, a test of the connection, and the fields NetSuite has.

use super::failure;
use super::site::{Setup, Site};
use super::suiteql::{self, Rows, Statement, text};
use crate::{
    Account, Error, ErrorKind, Exchange, Result, SchemaField, SchemaObject, Step, TestReport, Token, read,
};
use chrono::{DateTime, TimeDelta, Utc};
use domain::auth::{CredentialKind, Scheme};
use domain::{ItemType, Value};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// NetSuite refuses signatures whose time is off by more than a few minutes; we say so well before.
const TOLERATED_SKEW: TimeDelta = TimeDelta::seconds(60);

#[derive(Deserialize)]
struct BoughtToken {
    access_token: String,
    /// A number, written as text.
    #[serde(default)]
    expires_in: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServerTime {
    server_time: String,
}

/// The request that buys an access token with a signed assertion; `secrets` fills in the form
/// (<https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_162686838198.html>).
pub(super) fn token(account: &Account) -> Result<Exchange<Token>> {
    if account.credential != CredentialKind::ClientAssertion {
        return Err(Error::unsupported("NetSuite issues tokens for assertions only"));
    }
    let address = super::site::of(account)?.address("/services/rest/auth/oauth2/v1/token");
    let request = http::Request::post(&address)
        .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(http::header::ACCEPT, "application/json")
        .body(Vec::new())
        .map_err(|error| Error::unexpected(error.to_string()))?;
    let scheme =
        Scheme::ClientAssertionForm { audience: address, scope: vec!["rest_webservices".to_owned()] };
    Ok(Exchange::new(request, scheme, |reply| {
        if matches!(reply.status().as_u16(), 400 | 401 | 403) {
            // `{"error": "invalid_grant"}`: the certificate, the client id, the role or the clock.
            let body: Value = serde_json::from_slice(reply.body()).unwrap_or_default();
            let why = body.get("error").and_then(Value::as_str).unwrap_or("refused");
            let message = format!("NetSuite does not accept the assertion ({})", read::excerpt(why));
            return Err(Error::new(ErrorKind::Unauthorized, message).with_code(read::excerpt(why)));
        }
        if let Some(error) = failure::of(reply) {
            return Err(error);
        }
        let BoughtToken { access_token, expires_in } = read::json(reply.body())?;
        if access_token.is_empty() {
            return Err(Error::unexpected("NetSuite answered with an empty access token"));
        }
        let expires_in =
            read::integer(&expires_in).and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(3_600);
        Ok(Token { access_token, expires_in })
    }))
}

/// Login and clock, then the right to query, then the zone that times come in.
pub(super) fn test(account: &Account, site: &Site) -> Result<Exchange<TestReport>> {
    let host = account.base_url.host_str().unwrap_or_default();
    let name = account.setting("account_id", host.split('.').next().unwrap_or_default()).to_owned();
    let again = Arc::clone(site);
    site.get("/services/rest/system/v1/serverTime", "application/json", move |reply| {
        let ServerTime { server_time } = read::json(reply.body())?;
        let server_time = read::time(&server_time)?;
        let warnings = skew(server_time, std::time::SystemTime::now().into()).into_iter().collect();
        let report = TestReport { account_name: name.clone(), warnings, ..TestReport::default() };
        probe(&again, report, server_time)
    })
}

/// What to say when our clock and NetSuite's differ.
fn skew(theirs: DateTime<Utc>, ours: DateTime<Utc>) -> Option<String> {
    let difference = ours.signed_duration_since(theirs);
    (difference.abs() > TOLERATED_SKEW).then(|| {
        let (seconds, way) = (
            difference.num_seconds().unsigned_abs(),
            if difference > TimeDelta::zero() { "ahead of" } else { "behind" },
        );
        format!(
            "our clock is {seconds} seconds {way} NetSuite's; beyond a few minutes it refuses every request"
        )
    })
}

fn probe(site: &Site, report: TestReport, server_time: DateTime<Utc>) -> Result<Step<TestReport>> {
    let statement = Statement::new(include_str!("probe.suiteql"));
    let request = suiteql::request(site, &statement, 1, 0)?;
    let again = Arc::clone(site);
    let exchange = site.ask(request, move |reply| {
        let mut report = report.clone();
        match failure::of(reply) {
            None => {
                let Rows { .. } = read::json(reply.body())?;
                zone(&again, report, server_time)
            }
            // The login worked a moment ago: what is missing is a permission of the role.
            Some(error) if error.kind == ErrorKind::Unauthorized => {
                report.missing_permissions = ["REST Web Services", "SuiteAnalytics Workbook", "Lists: Items"]
                    .map(str::to_owned)
                    .to_vec();
                Ok(Step::Done(report))
            }
            Some(error) => Err(error),
        }
    });
    Ok(Step::Next { exchange, after: Duration::ZERO })
}

/// Compares the zone that SuiteQL's times come in with the setting. A refusal of this query says nothing.
fn zone(site: &Site, report: TestReport, server_time: DateTime<Utc>) -> Result<Step<TestReport>> {
    let request = suiteql::request(site, &Statement::new(include_str!("now.suiteql")), 1, 0)?;
    let again = Arc::clone(site);
    let exchange = site.ask(request, move |reply| {
        let mut report = report.clone();
        if failure::of(reply).is_none()
            && let Ok(Rows { items, .. }) = read::json(reply.body())
            && let Some(now) = items.first().and_then(|row| text(row, "now"))
            && let Ok(now) = again.instant(&now)
        {
            report.warnings.extend(zone_warning(now, server_time));
        }
        Ok(Step::Done(report))
    });
    Ok(Step::Next { exchange, after: Duration::ZERO })
}

fn zone_warning(now: DateTime<Utc>, server_time: DateTime<Utc>) -> Option<String> {
    // Zones are whole quarters of an hour apart; the rest is the time that the two requests took.
    let seconds = now.signed_duration_since(server_time).num_seconds();
    let quarters = seconds.saturating_add(450).div_euclid(900);
    let minutes = quarters.saturating_mul(15);
    (minutes != 0).then(|| {
        format!("times of this account are {minutes} minutes off UTC by the setting `time_zone_offset_minutes`; correct it by that much")
    })
}

/// A neutral field: its path, its kind, whether it is written, whether a new record needs it, and NetSuite's field.
type Row = (&'static str, &'static str, bool, bool, &'static str);

const PRODUCT: [Row; 16] = [
    ("itemId", "text", true, true, "itemId"),
    ("displayName", "text", true, false, "displayName"),
    ("storeDetailedDescription", "text", true, false, "storeDetailedDescription"),
    ("isInactive", "boolean", true, false, "isInactive"),
    ("manufacturer", "text", true, false, "manufacturer"),
    ("category", "text", true, false, "{category}"),
    ("tags", "list", true, false, "{tags}"),
    ("images", "list", true, false, "{images}"),
    ("options", "list", true, false, "{options}"),
    ("children", "list", true, false, "parent"),
    ("children[].itemId", "text", true, true, "itemId"),
    ("children[].upcCode", "text", true, false, "upcCode"),
    ("children[].price", "money", true, false, "price"),
    ("children[].compareAtPrice", "money", true, false, "{compare_at_price}"),
    ("children[].options", "object", true, false, "{options}"),
    ("children[].prices", "object", true, false, "price"),
];

const INVENTORY: [Row; 2] =
    [("itemId", "text", false, false, "itemId"), ("quantities", "object", true, false, "locations")];

const ORDER: [Row; 13] = [
    ("otherRefNum", "text", true, false, "otherRefNum"),
    ("email", "text", true, false, "email"),
    ("currency", "text", true, false, "currency"),
    ("tranDate", "time", true, false, "tranDate"),
    ("memo", "text", true, false, "memo"),
    ("status", "text", false, false, "status"),
    ("total", "money", false, false, "total"),
    ("lines", "list", true, true, "item"),
    ("lines[].itemId", "text", true, true, "item"),
    ("lines[].description", "text", true, false, "item"),
    ("lines[].quantity", "number", true, true, "item"),
    ("lines[].rate", "money", true, false, "item"),
    ("shippingAddress", "object", true, false, "shippingAddress"),
];

/// The neutral fields, without those that this account's records do not have.
pub(super) fn schema(site: &Site) -> Result<Exchange<Vec<SchemaObject>>> {
    let again = Arc::clone(site);
    described(site, "inventoryItem", move |item| {
        let object = |item_type, rows: &[Row]| SchemaObject { item_type, fields: fields(&again, rows, item) };
        let found = vec![object(ItemType::Product, &PRODUCT), object(ItemType::Inventory, &INVENTORY)];
        let site = Arc::clone(&again);
        let exchange = described(&again, "salesOrder", move |order| {
            let mut found = found.clone();
            found.push(SchemaObject { item_type: ItemType::Order, fields: fields(&site, &ORDER, order) });
            Ok(Step::Done(found))
        })?;
        Ok(Step::Next { exchange, after: Duration::ZERO })
    })
}

/// A record as the metadata catalogue describes it
/// (<https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/chapter_1540810168.html>).
fn described(
    site: &Site,
    record: &str,
    then: impl Fn(&Value) -> Result<Step<Vec<SchemaObject>>> + Send + 'static,
) -> Result<Exchange<Vec<SchemaObject>>> {
    let path = format!("/services/rest/record/v1/metadata-catalog/{record}");
    site.get(&path, "application/schema+json", move |reply| {
        let described: Value = read::json(reply.body())?;
        match described.get("properties") {
            Some(properties) if properties.is_object() => then(properties),
            _ => Err(Error::unexpected("NetSuite's description of a record has no properties")),
        }
    })
}

fn fields(site: &Setup, rows: &[Row], properties: &Value) -> Vec<SchemaField> {
    let theirs = |field: &'static str| match field {
        "{category}" => site.custom.category.as_str(),
        "{tags}" => site.custom.tags.as_str(),
        "{images}" => site.custom.images.as_str(),
        "{options}" => site.custom.options.as_str(),
        "{compare_at_price}" => site.custom.compare_at_price.as_str(),
        other => other,
    };
    let has = |field: &str| {
        properties.as_object().is_some_and(|all| all.keys().any(|name| name.eq_ignore_ascii_case(field)))
    };
    rows.iter()
        .filter(|(.., field)| has(theirs(field)))
        .map(|(path, kind, writable, required, _)| SchemaField {
            path: (*path).to_owned(),
            kind: (*kind).to_owned(),
            writable: *writable,
            required: *required,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_told() {
        let theirs: DateTime<Utc> = "2026-11-20T10:00:00Z".parse().unwrap();
        assert_eq!(skew(theirs, theirs + TimeDelta::seconds(59)), None);
        assert!(skew(theirs, theirs + TimeDelta::seconds(90)).unwrap().contains("90 seconds ahead of"));
        assert!(skew(theirs, theirs - TimeDelta::seconds(90)).unwrap().contains("90 seconds behind"));
        assert_eq!(zone_warning(theirs, theirs + TimeDelta::minutes(5)), None);
        assert!(zone_warning(theirs + TimeDelta::seconds(32_399), theirs).unwrap().contains(" 540 minutes"));
        assert!(zone_warning(theirs - TimeDelta::hours(8), theirs).unwrap().contains("-480 minutes"));
    }
}
