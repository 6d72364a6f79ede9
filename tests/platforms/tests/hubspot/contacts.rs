//! Reading and writing contacts.

use platforms::{Platforms, Verb, contact};
use serde_json::{Value, json};

use crate::{CONTACTS, ask, batch, category, ids};

const KEY: &str = "/crm/v3/properties/contacts";

fn key_definition() -> Value {
    json!({
        "name": "syncline_key", "label": "Key", "type": "string", "fieldType": "text",
        "groupName": "contactinformation", "hasUniqueValue": true,
    })
}

#[tokio::test]
async fn an_e_mail_address_is_kept_in_small_letters_and_once() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let portal = platforms.hubspot("demo");
    let properties = json!({ "email": " Ana@Example.COM ", "firstname": "Ana" });
    let made = ask(&portal, "POST", CONTACTS, json!({ "properties": properties })).await?;
    assert_eq!((made.status, made.json()["properties"]["email"].as_str()), (201, Some("ana@example.com")));
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let again = ask(&portal, "POST", CONTACTS, json!({ "properties": properties })).await?;
    assert_eq!((again.status, category(&again).as_str()), (409, "CONFLICT"));
    assert!(again.json()["message"].as_str().unwrap().ends_with(&format!("Existing ID: {id}")));

    let deleted = ask(&portal, "DELETE", &format!("{CONTACTS}/{id}"), Value::Null).await?;
    assert_eq!(deleted.status, 204);
    assert_eq!(ask(&portal, "GET", &format!("{CONTACTS}/{id}"), Value::Null).await?.status, 404);
    let archived = ask(&portal, "GET", &format!("{CONTACTS}?archived=true"), Value::Null).await?;
    assert_eq!((ids(&archived), archived.json()["results"][0]["archived"].as_bool()), (vec![id], Some(true)));
    let third = ask(&portal, "POST", CONTACTS, json!({ "properties": properties })).await?;
    assert_eq!(third.status, 201, "an archived contact's address is free");
    assert_eq!(portal.creates_per_key()["contact email ana@example.com"], 2);
    let verbs: Vec<Verb> =
        portal.journal().iter().flat_map(|entry| entry.effects.iter().map(|effect| effect.verb)).collect();
    assert_eq!(verbs, [Verb::Created, Verb::Deleted, Verb::Created]);
    Ok(())
}

#[tokio::test]
async fn the_time_of_change_moves_only_when_something_changes() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    platforms.clock().stop();
    let portal = platforms.hubspot("demo");
    let id = portal.has(contact("ana@example.com").with("city", "Bern"));
    let before = portal.updated_at(&id);
    platforms.clock().advance(chrono::Duration::milliseconds(1_500));
    let path = format!("{CONTACTS}/{id}");
    let same = ask(&portal, "PATCH", &path, json!({ "properties": { "city": "Bern" } })).await?;
    assert_eq!((same.status, portal.updated_at(&id), portal.writes()), (200, before, 0));
    let other = ask(&portal, "PATCH", &path, json!({ "properties": { "city": "" } })).await?;
    assert_eq!((other.status, portal.writes()), (200, 1));
    assert_eq!(portal.updated_at(&id), before.map(|time| time + chrono::Duration::milliseconds(1_500)));
    assert_eq!(portal.contact(&id).unwrap().get("city"), "");
    Ok(())
}

#[tokio::test]
async fn what_hubspot_does_not_know_or_take_is_refused_with_the_property() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let portal = platforms.hubspot("demo");
    portal.define("score", "number");
    let id = portal.has(contact("ana@example.com").with("lifecyclestage", "customer"));
    for (name, value, code) in [
        ("no_such_property", "x", "PROPERTY_DOESNT_EXIST"),
        ("email", "nobody", "INVALID_EMAIL"),
        ("score", "many", "INVALID_LONG"),
        ("lifecyclestage", "friend", "INVALID_OPTION"),
        ("lastmodifieddate", "2026-11-20T10:00:00Z", "READ_ONLY_VALUE"),
    ] {
        let body = json!({ "properties": { name: value } });
        let refused = ask(&portal, "PATCH", &format!("{CONTACTS}/{id}"), body).await?;
        assert_eq!((refused.status, category(&refused).as_str()), (400, "VALIDATION_ERROR"), "{name}");
        assert_eq!(refused.json()["errors"][0]["code"], code);
        assert_eq!(refused.json()["errors"][0]["context"]["propertyName"], json!([name]));
    }
    let back = json!({ "properties": { "lifecyclestage": "lead" } });
    assert_eq!(ask(&portal, "PATCH", &format!("{CONTACTS}/{id}"), back).await?.status, 200);
    assert_eq!(portal.contact(&id).unwrap().get("lifecyclestage"), "customer", "a stage goes forward only");
    assert_eq!(portal.writes(), 0);
    Ok(())
}

#[tokio::test]
async fn a_unique_property_finds_and_upserts() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let portal = platforms.hubspot("demo");
    let input =
        json!([{ "idProperty": "syncline_key", "id": "k1", "properties": { "email": "a@example.com" } }]);
    assert_eq!(category(&batch(&portal, "upsert", input.clone()).await?), "VALIDATION_ERROR");
    assert_eq!(ask(&portal, "GET", &format!("{KEY}/syncline_key"), Value::Null).await?.status, 404);
    assert_eq!(ask(&portal, "POST", KEY, key_definition()).await?.status, 201);
    assert_eq!(ask(&portal, "POST", KEY, key_definition()).await?.status, 409);
    let defined = ask(&portal, "GET", &format!("{KEY}/syncline_key"), Value::Null).await?;
    assert_eq!(defined.json()["hasUniqueValue"], true);

    let first = batch(&portal, "upsert", input.clone()).await?;
    assert_eq!((first.status, first.json()["results"][0]["new"].as_bool()), (200, Some(true)));
    let second = batch(&portal, "upsert", input).await?;
    assert_eq!(
        (second.json()["results"][0]["new"].as_bool(), ids(&first) == ids(&second)),
        (Some(false), true)
    );
    assert_eq!((portal.contact_count(), portal.creates_per_key()["contact key k1"]), (1, 1));

    let target = format!("{CONTACTS}/k1?idProperty=syncline_key&properties=email,syncline_key");
    let read = ask(&portal, "GET", &target, Value::Null).await?;
    assert_eq!(read.json()["properties"]["syncline_key"], "k1");
    let other = json!({ "properties": { "email": "b@example.com", "syncline_key": "k1" } });
    let taken = ask(&portal, "POST", CONTACTS, other).await?;
    assert_eq!(taken.json()["errors"][0]["code"], "CONFLICTING_UNIQUE_VALUE");
    Ok(())
}

#[tokio::test]
async fn a_batch_is_done_whole_or_traced_input_by_input() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let portal = platforms.hubspot("demo");
    portal.has(contact("taken@example.com"));
    let input = |email: &str| json!({ "associations": [], "properties": { "email": email } });
    let whole = json!([input("a@example.com"), input("taken@example.com")]);
    let refused = batch(&portal, "create", whole.clone()).await?;
    assert_eq!((refused.status, portal.contact_count(), portal.writes()), (409, 1, 0));

    let mut traced = whole;
    for (trace, input) in traced.as_array_mut().unwrap().iter_mut().enumerate() {
        input["objectWriteTraceId"] = json!(format!("t{trace}"));
    }
    let partly = batch(&portal, "create", traced.clone()).await?;
    let body = partly.json();
    assert_eq!((partly.status, &body["numErrors"], portal.contact_count()), (207, &json!(1), 2));
    assert_eq!(body["results"][0]["objectWriteTraceId"], "t0");
    assert_eq!(body["errors"][0]["context"]["objectWriteTraceId"], json!(["t1"]));
    portal.set_multi_status(false);
    assert_eq!(batch(&portal, "create", traced).await?.status, 409);
    Ok(())
}

#[tokio::test]
async fn batches_have_bounds_and_tell_what_is_missing() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let portal = platforms.hubspot("demo");
    let id = portal.has(contact("ana@example.com").with("firstname", "Ana"));
    let inputs = |ids: &[&str]| json!(ids.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>());
    let read = batch(&portal, "read", inputs(&[&id, "7"])).await?;
    assert_eq!((read.status, ids(&read)), (207, vec![id.clone()]));
    assert_eq!(read.json()["errors"][0]["category"], "OBJECT_NOT_FOUND");
    assert_eq!(read.json()["errors"][0]["context"]["ids"], json!(["7"]));
    assert!(read.json()["results"][0]["properties"].get("no_such_property").is_none());

    let many: Vec<String> = (0..101).map(|id| id.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for wrong in [inputs(&many), inputs(&[&id, &id]), inputs(&[]), inputs(&["ana@example.com"])] {
        assert_eq!(batch(&portal, "read", wrong).await?.status, 400);
    }
    let page = ask(&portal, "GET", &format!("{CONTACTS}?limit=101"), Value::Null).await?;
    assert_eq!((page.status, category(&page).as_str()), (400, "VALIDATION_ERROR"));

    assert_eq!(batch(&portal, "archive", inputs(&[&id, "7"])).await?.status, 204);
    assert_eq!(portal.contact_count(), 0);
    Ok(())
}

#[tokio::test]
async fn a_merged_contact_answers_with_the_one_it_was_merged_into() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let portal = platforms.hubspot("demo");
    let (gone, kept) = (portal.has(contact("a@example.com")), portal.has(contact("b@example.com")));
    assert!(portal.merge(&gone, &kept));
    let read = batch(&portal, "read", json!([{ "id": gone }])).await?;
    assert_eq!((ids(&read), portal.contact_count()), (vec![kept], 1));
    Ok(())
}
