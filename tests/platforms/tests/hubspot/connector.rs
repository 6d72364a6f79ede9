//! The connector against the simulated account.

use std::time::Duration;

use connectors::{Account, Connector, Error, ErrorKind, Exchange, Key, Outcome, Step, Write};
use domain::auth::CredentialKind;
use domain::{Fields, ItemType, Platform, Record, Value};
use platforms::{Fault, HubspotHandle, Matcher, Platforms, contact};
use serde_json::json;

use crate::support::send;

pub(crate) const CUSTOMER: ItemType = ItemType::Customer;

pub(crate) fn hubspot() -> &'static dyn Connector {
    connectors::of(Platform::Hubspot)
}

pub(crate) fn account(portal: &HubspotHandle) -> Account {
    let mut settings = Fields::new();
    settings.insert("properties".to_owned(), json!(["score"]));
    Account { base_url: portal.address().parse().unwrap(), credential: CredentialKind::AccessToken, settings }
}

/// Plays an exchange through. An attempt that was cut off is an error of the transport.
pub(crate) async fn run<T: 'static>(
    portal: &HubspotHandle,
    mut exchange: Exchange<T>,
) -> anyhow::Result<Result<T, Error>> {
    let bearer = format!("Bearer {}", portal.token());
    loop {
        let request = &exchange.request;
        let mut headers = vec![("authorization", bearer.as_str())];
        for (name, value) in request.headers() {
            headers.push((name.as_str(), value.to_str()?));
        }
        let body = String::from_utf8(request.body().clone())?;
        let answer = send(request.method().as_str(), &request.uri().to_string(), &headers, &body).await?;
        let mut reply = http::Response::builder().status(answer.status).body(answer.text.into_bytes())?;
        *reply.headers_mut() = answer.headers;
        match exchange.read(&reply) {
            Ok(Step::Done(done)) => return Ok(Ok(done)),
            Ok(Step::Next { exchange: next, .. }) => exchange = next,
            Err(error) => return Ok(Err(error)),
        }
    }
}

fn create(key: &str, email: &str) -> Write {
    let Value::Object(fields) = json!({ "email": email, "firstName": "Ana" }) else {
        return Write::default();
    };
    Write { external_key: key.to_owned(), fields, ..Write::default() }
}

fn update(id: &str, field: &str, value: Value) -> Write {
    let fields = Fields::from_iter([(field.to_owned(), value)]);
    Write { id: Some(id.to_owned()), fields, ..Write::default() }
}

async fn write(portal: &HubspotHandle, writes: &[Write]) -> anyhow::Result<Result<Vec<Outcome>, Error>> {
    run(portal, hubspot().write_many(&account(portal), CUSTOMER, writes)?).await
}

async fn get(portal: &HubspotHandle, ids: &[&str]) -> anyhow::Result<Result<Vec<Record>, Error>> {
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    run(portal, hubspot().get_many(&account(portal), CUSTOMER, &ids)?).await
}

async fn find(portal: &HubspotHandle, key: Key) -> anyhow::Result<Vec<Record>> {
    Ok(run(portal, hubspot().find(&account(portal), CUSTOMER, &key)?).await??)
}

/// An account that is ready for creates.
async fn prepared(platforms: &Platforms) -> anyhow::Result<HubspotHandle> {
    let portal = platforms.hubspot("demo");
    portal.define("score", "number");
    let prepare = || hubspot().prepare(&account(&portal), CUSTOMER).map(Option::unwrap);
    run(&portal, prepare()?).await??;
    assert!(portal.is_unique("syncline_key"));
    run(&portal, prepare()?).await??;
    Ok(portal)
}

#[tokio::test]
async fn what_was_written_is_read_back() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let portal = prepared(&platforms).await?;
    let mut new = create("k1", "Ana@Example.com");
    new.fields.insert("properties".to_owned(), json!({ "score": 12 }));
    let outcome = write(&portal, &[new]).await??.remove(0)?;
    let record = get(&portal, &[&outcome.id]).await??.remove(0);
    assert_eq!(
        (&record.fields["email"], &record.fields["firstName"]),
        (&json!("ana@example.com"), &json!("Ana"))
    );
    assert_eq!(record.fields["properties"], json!({ "score": "12" }));
    assert_eq!(record.modified_at, portal.updated_at(&outcome.id));

    write(&portal, &[update(&outcome.id, "firstName", Value::Null)]).await??.remove(0)?;
    assert_eq!(get(&portal, &[&outcome.id]).await??[0].fields["firstName"], Value::Null);
    let by_key = find(&portal, Key::External(vec!["k1".to_owned(), "k2".to_owned()])).await?;
    let by_email =
        find(&portal, Key::Field { name: "email".to_owned(), values: vec!["ANA@example.com".to_owned()] })
            .await?;
    let by_score =
        find(&portal, Key::Field { name: "properties.score".to_owned(), values: vec!["12".to_owned()] })
            .await?;
    for found in [by_key, by_email, by_score] {
        assert_eq!(found.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), [outcome.id.as_str()]);
    }
    Ok(())
}

#[tokio::test]
async fn a_create_that_was_cut_off_makes_no_second_contact_when_repeated() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let portal = prepared(&platforms).await?;
    let writes = [create("k1", "a@example.com"), create("k2", "b@example.com")];
    for fault in [Fault::DropAfterCommit, Fault::Truncate, Fault::DropBefore] {
        portal.faults().next(fault);
        assert!(write(&portal, &writes).await.is_err());
    }
    portal.faults().next(Fault::BadJson);
    assert!(write(&portal, &writes).await?.is_err());
    let outcomes = write(&portal, &writes).await??;
    let ids: Vec<&str> = outcomes.iter().map(|outcome| outcome.as_ref().unwrap().id.as_str()).collect();
    assert_eq!(
        ids,
        [portal.contact_id("a@example.com").unwrap(), portal.contact_id("b@example.com").unwrap()]
    );
    assert_eq!(portal.contact_count(), 2);
    assert!(portal.creates_per_key().values().all(|count| *count == 1));
    assert_eq!(portal.writes(), 2, "what is equal already is not written again");
    Ok(())
}

#[tokio::test]
async fn a_batch_refused_in_part_says_of_each_contact_what_became_of_it() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let portal = prepared(&platforms).await?;
    let there = portal.has(contact("there@example.com"));
    let gone = portal.has(contact("gone@example.com"));
    portal.delete(&gone);
    let writes = [
        update(&gone, "city", json!("Bern")),
        create("k1", "there@example.com"),
        create("k2", "new@example.com"),
        create("k3", "nobody"),
        update(&there, "lifecycleStage", json!("friend")),
        update(&there, "city", json!("Basel")),
    ];
    // One contact is there twice, which HubSpot does not take in one batch.
    let refused = write(&portal, &writes).await?.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Rejected);
    let outcomes = write(&portal, &writes[..5]).await??;
    let kinds: Vec<Option<ErrorKind>> =
        outcomes.iter().map(|outcome| outcome.as_ref().err().map(|error| error.kind)).collect();
    let (rejected, conflict) = (Some(ErrorKind::Rejected), Some(ErrorKind::Conflict));
    assert_eq!(kinds, [Some(ErrorKind::NotFound), conflict, None, rejected, rejected]);
    assert!(outcomes[3].as_ref().unwrap_err().message.starts_with("email: "));
    assert_eq!(
        portal.contact("there@example.com").unwrap().get("syncline_key"),
        "",
        "a stranger's is not touched"
    );
    assert_eq!(portal.contact_count(), 2);
    Ok(())
}

#[tokio::test]
async fn throttling_is_read_with_its_wait() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    platforms.clock().stop();
    let portal = prepared(&platforms).await?;
    portal.set_limits(0, 5);
    let error = get(&portal, &["1"]).await?.unwrap_err();
    assert_eq!((error.kind, error.retry_after), (ErrorKind::RateLimited, Some(Duration::from_secs(10))));
    portal.set_limits(100, 0);
    let key = Key::Field { name: "phone".to_owned(), values: vec!["1".to_owned()] };
    let error = run(&portal, hubspot().find(&account(&portal), CUSTOMER, &key)?).await?.unwrap_err();
    assert_eq!((error.kind, error.retry_after), (ErrorKind::RateLimited, Some(Duration::from_secs(1))));
    Ok(())
}

#[tokio::test]
async fn nothing_that_goes_wrong_looks_like_a_deletion() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let portal = prepared(&platforms).await?;
    let (id, other) = (portal.has(contact("a@example.com")), portal.has(contact("b@example.com")));
    for fault in [Fault::Html(200), Fault::Html(404), Fault::Html(503), Fault::status(404), Fault::BadJson] {
        portal.faults().next(fault);
        let error = get(&portal, &[&id]).await?.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::Unavailable | ErrorKind::Unexpected), "{error:?}");
    }
    portal.faults().on(Matcher::any().path("/batch/archive").times(1), Fault::Html(200));
    let delete = async || {
        run(&portal, hubspot().delete_many(&account(&portal), CUSTOMER, std::slice::from_ref(&id))?).await
    };
    assert_eq!(delete().await?.unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(portal.contact_count(), 2);
    assert_eq!(delete().await??, [Ok(())]);
    assert_eq!(delete().await??, [Ok(())], "it is gone already");
    assert!(get(&portal, &[&id]).await??.is_empty());

    let kept = portal.has(contact("c@example.com"));
    portal.merge(&other, &kept);
    assert_eq!(get(&portal, &[&other]).await?.unwrap_err().vendor_code.as_deref(), Some("MERGED"));
    Ok(())
}

#[tokio::test]
async fn the_test_tells_what_the_token_may_not_do() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let portal = platforms.hubspot("demo");
    let test = async || run(&portal, hubspot().test(&account(&portal))?).await;
    assert!(test().await??.missing_permissions.is_empty());
    assert_eq!(portal.writes(), 0);
    portal.set_scopes(&["crm.objects.contacts.read"]);
    let missing = test().await??.missing_permissions;
    assert_eq!(missing, ["crm.objects.contacts.write", "crm.schemas.contacts.write"]);
    let schema = run(&portal, hubspot().schema(&account(&portal))?).await??;
    assert_eq!(schema[0].fields.len(), 11, "`score` is not defined here");
    portal.revoke_token();
    assert_eq!(test().await?.unwrap_err().kind, ErrorKind::Unauthorized);
    Ok(())
}
