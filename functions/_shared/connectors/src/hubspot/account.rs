//! The account itself: a test of the connection, the property of our key, and the fields HubSpot has.

use super::contact::{FIELDS, MORE};
use super::failure;
use super::portal::{CONTACTS, PROPERTIES, Portal, Setup};
use super::replies::{Details, Properties, Property};
use crate::{Error, ErrorKind, Exchange, Reply, Result, SchemaField, SchemaObject, Step, TestReport, read};
use domain::{ItemType, Value};
use http::Method;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// The scopes we need
/// (<https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/scopes>).
const READ: &str = "crm.objects.contacts.read";
const WRITE: &str = "crm.objects.contacts.write";
/// Only to define the property of our key.
const DEFINE: &str = "crm.schemas.contacts.write";

/// Who the account is; then, request by request, what the credential may do. No probe changes anything: what writes is
/// sent without any content, which is refused as such, unless it is refused for lack of a permission.
pub(super) fn test(portal: &Portal) -> Result<Exchange<TestReport>> {
    let again = Arc::clone(portal);
    portal.get("/account-info/v3/details", move |reply| {
        let Details { portal_id, company_currency } = read::json(reply.body())?;
        let id = read::integer(&portal_id).ok_or_else(|| Error::unexpected("HubSpot does not say its id"))?;
        let report = TestReport {
            account_name: format!("HubSpot account {id}"),
            currency: company_currency,
            warnings: day_is_nearly_over(reply).into_iter().collect(),
            ..TestReport::default()
        };
        probe(&again, Probe::Read, report)
    })
}

/// What is looked at, in this order.
#[derive(Clone, Copy)]
enum Probe {
    Read,
    Write,
    Key,
    Define,
}

impl Probe {
    const fn scope(self) -> &'static str {
        match self {
            Self::Read | Self::Key => READ,
            Self::Write => WRITE,
            Self::Define => DEFINE,
        }
    }

    fn request(self, portal: &Setup) -> Result<crate::Request> {
        let none = Value::Null;
        match self {
            Self::Read => portal.request(Method::GET, &format!("{CONTACTS}?limit=1&archived=false"), &none),
            Self::Write => {
                let nothing = json!({ "inputs": [] });
                portal.request(Method::POST, &format!("{CONTACTS}/batch/update"), &nothing)
            }
            Self::Key => portal.request(Method::GET, &format!("{PROPERTIES}/{}", portal.key), &none),
            Self::Define => portal.request(Method::POST, PROPERTIES, &json!({})),
        }
    }

    /// What comes after it; `None` behind the last one.
    fn next(self, error: Option<&Error>) -> Option<Self> {
        match self {
            Self::Read => Some(Self::Write),
            Self::Write => Some(Self::Key),
            Self::Key if error.is_some_and(failure::is_gone) => Some(Self::Define),
            Self::Key | Self::Define => None,
        }
    }

    /// Whether this failure is an answer to the question.
    fn expects(self, error: &Error) -> bool {
        failure::lacks_permission(error)
            || match self {
                Self::Read => false,
                Self::Write | Self::Define => error.kind == ErrorKind::Rejected,
                Self::Key => failure::is_gone(error),
            }
    }
}

fn probe(portal: &Portal, probe_now: Probe, report: TestReport) -> Result<Step<TestReport>> {
    let again = Arc::clone(portal);
    let exchange = portal.ask(probe_now.request(portal)?, move |reply| {
        let (mut report, error) = (report.clone(), failure::of(reply));
        match &error {
            Some(error) if !probe_now.expects(error) => return Err(error.clone()),
            Some(error) if failure::lacks_permission(error) => {
                let scope = probe_now.scope().to_owned();
                if !report.missing_permissions.contains(&scope) {
                    report.missing_permissions.push(scope);
                }
            }
            None if matches!(probe_now, Probe::Key) => {
                let property: Property = read::json(reply.body())?;
                report.warnings.extend(not_unique(&property));
            }
            _ => {}
        }
        match probe_now.next(error.as_ref()) {
            Some(next) => probe(&again, next, report),
            None => Ok(Step::Done(report)),
        }
    });
    Ok(Step::Next { exchange, after: Duration::ZERO })
}

/// A warning when less than a tenth of the day's requests is left.
fn day_is_nearly_over(reply: &Reply) -> Option<String> {
    let number = |name: &str| reply.headers().get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    let (all, left) = (number("x-hubspot-ratelimit-daily")?, number("x-hubspot-ratelimit-daily-remaining")?);
    (left < all.div_ceil(10)).then(|| format!("{left} of the day's {all} requests are left"))
}

fn not_unique(property: &Property) -> Option<String> {
    (property.has_unique_value != Some(true)).then(|| {
        format!(
            "the property `{}` is not unique, so no contact can be found by it; name another one in `key_property`",
            read::excerpt(&property.name)
        )
    })
}

/// Defines the property of our key, unless it is there. HubSpot allows ten unique properties
/// (<https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide>).
pub(super) fn prepare(portal: &Portal) -> Result<Exchange<()>> {
    let again = Arc::clone(portal);
    let request = portal.request(Method::GET, &format!("{PROPERTIES}/{}", portal.key), &Value::Null)?;
    Ok(portal.ask(request, move |reply| match failure::of(reply) {
        Some(error) if failure::is_gone(&error) => {
            Ok(Step::Next { exchange: define(&again)?, after: Duration::ZERO })
        }
        Some(error) => Err(error),
        None => match not_unique(&read::json(reply.body())?) {
            Some(message) => Err(Error::new(ErrorKind::Rejected, message)),
            None => Ok(Step::Done(())),
        },
    }))
}

fn define(portal: &Portal) -> Result<Exchange<()>> {
    let property = json!({
        "name": portal.key, "label": "Syncline key", "type": "string", "fieldType": "text",
        "groupName": "contactinformation", "hasUniqueValue": true, "formField": false,
        "description": "Identifies the contact in the system it is kept equal with.",
    });
    Ok(portal.ask(portal.request(Method::POST, PROPERTIES, &property)?, |reply| match failure::of(reply) {
        // Somebody else defined it meanwhile.
        Some(error) if failure::exists(&error) => Ok(Step::Done(())),
        Some(error) => Err(error),
        None => Ok(Step::Done(())),
    }))
}

/// The neutral fields and the further properties that are set up, as far as the account has them.
pub(super) fn schema(portal: &Portal) -> Result<Exchange<Vec<SchemaObject>>> {
    let again = Arc::clone(portal);
    portal.get(&format!("{PROPERTIES}?archived=false"), move |reply| {
        let Properties { results } = read::json(reply.body())?;
        let described = |name: &str| results.iter().find(|property| property.name == name);
        let known =
            FIELDS.iter().filter_map(|(ours, theirs)| Some(field((*ours).to_owned(), described(theirs)?)));
        let more = again.more.iter();
        let more = more.filter_map(|name| Some(field(format!("{MORE}.{name}"), described(name)?)));
        let fields = known.chain(more).collect();
        Ok(Step::Done(vec![SchemaObject { item_type: ItemType::Customer, fields }]))
    })
}

/// A contact needs nothing: without an e-mail address it is one that cannot be written to.
fn field(path: String, property: &Property) -> SchemaField {
    let kind = match property.kind.as_str() {
        "number" => "number",
        "date" | "datetime" => "time",
        // Choices, and yes and no, are texts: `true`, or several with semicolons between.
        _ => "text",
    };
    SchemaField { path, kind: kind.to_owned(), writable: property.is_writable(), required: false }
}
