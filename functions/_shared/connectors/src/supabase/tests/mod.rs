//! What is asked of the database, and what is made of its answers.

use crate::testing::{fields, mutated, ok, play};
use crate::{Account, Error, ErrorKind, Filter, Key, ListQuery, Write, of};
use domain::auth::{CredentialKind, Scheme};
use domain::{ItemType, Platform, Value};
use proptest::prelude::*;
use serde_json::json;

fn account(settings: Value) -> Account {
    Account {
        base_url: crate::TABLES.parse().unwrap(),
        credential: CredentialKind::None,
        settings: fields(settings),
    }
}

fn customers() -> Account {
    account(json!({ "tables": { "customer": { "table": "public.customers", "deleted_at": "deleted_at" } } }))
}

fn query() -> ListQuery {
    ListQuery {
        item_type: ItemType::Customer,
        since: None,
        filter: Filter::default(),
        page: None,
        limit: 10_000,
    }
}

fn row() -> Value {
    json!({ "id": "7", "fields": { "email": "ana@example.com" }, "version": "v", "modified_at": "2026-11-21T10:00:00.123456+00:00",
        "deleted": false })
}

fn refusal(state: &str, message: &str) -> Value {
    json!({ "error": { "state": state, "message": message, "detail": null, "constraint": "emails_are_unique", "column": "email" } })
}

fn write() -> Write {
    Write {
        external_key: "k".to_owned(),
        fields: fields(json!({ "email": "ana@example.com" })),
        ..Write::default()
    }
}

#[test]
fn a_page_is_asked_for_and_continued_where_it_ended() {
    let connector = of(Platform::Supabase);
    let answer = ok(&json!({ "records": [row()], "next": ["2026-11-21 10:00:00.123456+00", "7"] }));

    let (sent, page) = play(connector.list(&customers(), &query()).unwrap(), &[answer]);
    let page = page.unwrap();
    let next = ListQuery { page: page.next.clone(), ..query() };
    let (sent_then, end) =
        play(connector.list(&customers(), &next).unwrap(), &[ok(&json!({ "records": [], "next": null }))]);

    assert_eq!((sent[0].method.as_str(), sent[0].path.as_str()), ("POST", "/list"));
    assert_eq!(
        sent[0].body["table"],
        json!({ "table": "public.customers", "deleted_at": "deleted_at", "changes": "column" })
    );
    assert_eq!((&sent[0].body["run_as"], &sent[0].body["limit"]), (&json!("owner"), &json!(500)));
    assert_eq!(page.records[0].modified_at.unwrap().timestamp_subsec_micros(), 123_456);
    assert_eq!(sent_then[0].body["page"], json!(["2026-11-21 10:00:00.123456+00", "7"]));
    assert_eq!(end.unwrap().next, None);
}

#[test]
fn nothing_of_it_is_signed_or_sent_to_a_host() {
    let connector = of(Platform::Supabase);
    let exchange = connector.get_many(&customers(), ItemType::Customer, &["7".to_owned()]).unwrap();
    assert_eq!(exchange.scheme, Scheme::Database);
    assert_eq!(exchange.request.uri().to_string(), "supabase://tables/find");
    assert!(connector.hosts().is_empty());
    assert_eq!(connector.scheme(&customers()), Some(Scheme::Database));
}

#[test]
fn numbers_keep_every_digit() {
    let text = r#"{"records":[{"id":"1","fields":{"credit":12345678901234567890.10,"big":9007199254740993},"deleted":true}]}"#;
    let exchange =
        of(Platform::Supabase).get_many(&customers(), ItemType::Customer, &["1".to_owned()]).unwrap();
    let (_, records) = play(exchange, &[crate::testing::reply(200, &[], text)]);
    let records = records.unwrap();
    assert_eq!(records[0].fields["credit"].to_string(), "12345678901234567890.10");
    assert_eq!(records[0].fields["big"].to_string(), "9007199254740993");
    assert!(records[0].deleted);
}

#[test]
fn our_own_keys_are_looked_for_without_a_column() {
    let keys = vec!["k".to_owned()];
    let find = |key: Key| {
        let exchange = of(Platform::Supabase).find(&customers(), ItemType::Customer, &key).unwrap();
        play(exchange, &[ok(&json!({ "records": [row()] }))]).0.remove(0).body
    };
    assert_eq!(find(Key::External(keys.clone()))["column"], Value::Null);
    assert_eq!(find(Key::Field { name: "email".to_owned(), values: keys })["column"], "email");
}

#[test]
fn nothing_new_is_linked_to_a_row_that_is_marked_deleted() {
    let mut gone = row();
    gone["deleted"] = true.into();
    let found = |key: Key| {
        let exchange = of(Platform::Supabase).find(&customers(), ItemType::Customer, &key).unwrap();
        play(exchange, &[ok(&json!({ "records": [gone] }))]).1.unwrap().len()
    };
    let values = vec!["ana@example.com".to_owned()];
    assert_eq!(found(Key::Field { name: "email".to_owned(), values: values.clone() }), 0);
    assert_eq!(found(Key::External(values)), 1);
}

#[test]
fn a_refused_row_stops_no_other_and_says_why() {
    let exchange =
        of(Platform::Supabase).write_many(&customers(), ItemType::Customer, &[write(), write(), write()]);
    let answer = json!({ "outcomes": [
        { "id": "7", "now": row() }, refusal("23505", "duplicate key value"), refusal("PT409", "The row has changed meanwhile.") ] });

    let (sent, outcomes) = play(exchange.unwrap(), &[ok(&answer)]);

    let outcomes = outcomes.unwrap();
    assert_eq!(sent[0].body["writes"][0]["external_key"], "k");
    assert_eq!(outcomes[0].as_ref().unwrap().now.as_ref().unwrap().fields["email"], "ana@example.com");
    let Error { kind, message, vendor_code, .. } = outcomes[1].clone().unwrap_err();
    assert_eq!((kind, vendor_code.as_deref()), (ErrorKind::Rejected, Some("23505")));
    assert!(message.contains("emails_are_unique"), "{message}");
    assert_eq!(outcomes[2].as_ref().unwrap_err().kind, ErrorKind::Conflict);
}

#[test]
fn each_failure_means_what_can_be_done_about_it() {
    for (state, message, alone, whole) in [
        ("42501", "permission denied for table customers", ErrorKind::Rejected, ErrorKind::Unauthorized),
        ("42501", "new row violates row-level security policy", ErrorKind::Rejected, ErrorKind::Unauthorized),
        (
            "PT403",
            "grant select on public.customers to authenticated;",
            ErrorKind::Rejected,
            ErrorKind::Unauthorized,
        ),
        ("PT404", "There is no table public.x.", ErrorKind::NotFound, ErrorKind::Rejected),
        ("PT422", "no such column", ErrorKind::Rejected, ErrorKind::Rejected),
        ("22P02", "invalid input syntax for type uuid: \"x\"", ErrorKind::Rejected, ErrorKind::Rejected),
        ("23502", "null value", ErrorKind::Rejected, ErrorKind::Rejected),
        ("55P03", "canceling statement due to lock timeout", ErrorKind::Unavailable, ErrorKind::Unavailable),
        ("P0001", "No orders on Sundays.", ErrorKind::Rejected, ErrorKind::Rejected),
    ] {
        let connector = of(Platform::Supabase);
        let written = connector.write_many(&customers(), ItemType::Customer, &[write()]).unwrap();
        let outcomes = play(written, &[ok(&json!({ "outcomes": [refusal(state, message)] }))]).1.unwrap();
        let listed = play(connector.list(&customers(), &query()).unwrap(), &[ok(&refusal(state, message))]).1;
        assert_eq!(outcomes[0].as_ref().unwrap_err().kind, alone, "{state} of one row");
        assert_eq!(listed.unwrap_err().kind, whole, "{state} of the whole question");
    }
}

#[test]
fn settings_that_name_no_table_say_so_before_anything_is_asked() {
    for settings in [
        json!({}),
        json!({ "tables": {} }),
        json!({ "tables": { "customer": { "table": "x", "key": "id" } } }),
        json!({ "tables": { "customer": { "table": "x" } }, "run_as": "postgres" }),
        json!({ "tables": { "product": { "table": "public.products" } } }),
    ] {
        let error = of(Platform::Supabase).list(&account(settings.clone()), &query()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Rejected, "{settings}");
        assert!(error.message.contains("settings"), "{error}");
    }
    assert!(of(Platform::Supabase).test(&account(json!({ "tables": {} }))).is_err());
}

#[test]
fn every_table_is_described_one_after_the_other() {
    let both = account(
        json!({ "tables": { "customer": { "table": "customers" }, "order": { "table": "orders" } } }),
    );
    let description = |warnings: Value| {
        ok(&json!({ "columns": [
            { "name": "id", "type": "uuid", "writable": true, "required": false },
            { "name": "credit", "type": "numeric", "writable": true, "required": true },
            { "name": "tags", "type": "text[]", "writable": false, "required": false } ],
            "findings": { "problems": [], "warnings": warnings } }))
    };
    let replies = [description(json!([])), description(json!(["No index."]))];

    let (sent, objects) = play(of(Platform::Supabase).schema(&both).unwrap(), &replies);
    let (_, report) = play(of(Platform::Supabase).test(&both).unwrap(), &replies);

    let (objects, report) = (objects.unwrap(), report.unwrap());
    assert_eq!(sent.iter().map(|sent| sent.body["table"]["table"].clone()).collect::<Vec<_>>().len(), 2);
    assert_eq!(objects.iter().map(|object| object.fields.len()).collect::<Vec<_>>(), [3, 3]);
    let credit = &objects[0].fields[1];
    assert_eq!((credit.kind.as_str(), credit.writable, credit.required), ("number", true, true));
    assert_eq!(report.warnings, ["No index."]);
    assert!(
        report.account_name.contains("customers, orders")
            || report.account_name.contains("orders, customers")
    );
}

#[test]
fn a_table_that_does_not_do_fails_the_test_with_what_to_do() {
    let reply = ok(
        &json!({ "columns": [], "findings": { "problems": ["The column id is not unique."], "warnings": [] } }),
    );
    let (_, report) = play(of(Platform::Supabase).test(&customers()).unwrap(), &[reply]);
    assert_eq!(report.unwrap_err().message, "The column id is not unique.");
}

#[test]
fn a_filter_of_shops_is_refused_and_words_are_searched() {
    let priced = Filter { price_min: Some(1.into()), ..Filter::default() };
    let asked = ListQuery { filter: priced, ..query() };
    let error = of(Platform::Supabase).list(&customers(), &asked).unwrap_err();
    assert_eq!(error.vendor_code.as_deref(), Some(Error::UNFIT_FILTER));
    let worded = Filter { text: Some("ana".to_owned()), ..Filter::default() };
    let asked = ListQuery { filter: worded, ..query() };
    let (sent, _) = play(
        of(Platform::Supabase).list(&customers(), &asked).unwrap(),
        &[ok(&json!({ "records": [], "next": null }))],
    );
    assert_eq!(sent[0].body["text"], "ana");
}

proptest! {
    #[test]
    fn no_answer_of_the_database_breaks_the_reader(
        body in mutated(json!({ "records": [row()], "next": ["x", "7"], "outcomes": [{ "id": "7", "now": row() }] }))
    ) {
        let connector = of(Platform::Supabase);
        let _ = play(connector.list(&customers(), &query()).unwrap(), &[ok(&body)]);
        let _ = play(connector.write_many(&customers(), ItemType::Customer, &[write()]).unwrap(), &[ok(&body)]);
    }
}
