//! Data tables as a side of syncs.

use super::{Server, servers, unique};
use connectors::{Filter, Key, ListQuery, Write};
use domain::{Fields, ItemType, Platform};
use serde_json::{Value, json};

/// A table of customers, known to the account; answers its id.
async fn table(server: &mut Server) -> String {
    let columns = json!([
        { "name": "external_id", "type": "string" }, { "name": "email", "type": "string" },
        { "name": "age", "type": "number" }, { "name": "member", "type": "boolean" },
    ]);
    let name = format!("contract_{}", unique());
    let (status, made) =
        server.raw("POST", "/data-tables", &json!({ "name": name, "columns": columns })).await;
    assert_eq!(status, 201, "{made}");
    let id = made["id"].as_str().unwrap().to_owned();
    let tables = json!({ "customer": { "table": id, "key": "external_id" } });
    server.account.settings.insert("tables".to_owned(), tables);
    id
}

fn fields(value: Value) -> Fields {
    serde_json::from_value(value).unwrap()
}

fn write(key: &str, id: Option<String>, given: Value) -> Write {
    Write { id, external_key: key.to_owned(), fields: fields(given), ..Write::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_made_once_found_again_changed_and_removed() {
    let n8n = connectors::of(Platform::N8n);
    for mut server in servers() {
        let id = table(&mut server).await;
        let account = server.account.clone();
        let ana = write("k1", None, json!({ "email": "ana@example.com", "age": 41, "member": true }));

        let made = server.ask(n8n.write_many(&account, ItemType::Customer, std::slice::from_ref(&ana))).await;
        let twice =
            server.ask(n8n.write_many(&account, ItemType::Customer, std::slice::from_ref(&ana))).await;
        let key = Key::External(vec!["k1".to_owned(), "k2".to_owned()]);
        let found = server.ask(n8n.find(&account, ItemType::Customer, &key)).await.unwrap();

        assert!(made.is_ok() && twice.is_ok(), "{made:?} {twice:?}");
        let [row] = found.as_slice() else { panic!("made once: {found:?}") };
        assert_eq!(row.fields["email"], "ana@example.com");
        assert_eq!((&row.fields["age"], &row.fields["member"]), (&json!(41), &json!(true)));

        let older = write("k1", Some(row.id.clone()), json!({ "age": 42 }));
        server.ask(n8n.write_many(&account, ItemType::Customer, &[older])).await.unwrap();
        let query = ListQuery {
            item_type: ItemType::Customer,
            since: row.modified_at,
            filter: Filter::default(),
            page: None,
            limit: 10,
        };
        let listed = server.ask(n8n.list(&account, &query)).await.unwrap().records;
        assert_eq!(listed.len(), 1, "{listed:?}");
        assert_eq!(
            (&listed[0].fields["age"], &listed[0].fields["email"]),
            (&json!(42), &json!("ana@example.com"))
        );

        let ids = [row.id.clone()];
        server.ask(n8n.delete_many(&account, ItemType::Customer, &ids)).await.unwrap();
        let left = server.ask(n8n.get_many(&account, ItemType::Customer, &ids)).await.unwrap();
        assert_eq!(left, []);
        let (status, _) = server.raw("DELETE", &format!("/data-tables/{id}"), &Value::Null).await;
        assert!((200..300).contains(&status));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_test_of_an_account_and_its_schema_name_the_table() {
    let n8n = connectors::of(Platform::N8n);
    for mut server in servers() {
        let id = table(&mut server).await;

        let report = server.ask(n8n.test(&server.account)).await.unwrap();
        let schema = server.ask(n8n.schema(&server.account)).await.unwrap();

        assert!(report.account_name.starts_with("n8n at "), "{report:?}");
        let names: Vec<&str> = schema[0].fields.iter().map(|field| field.path.as_str()).collect();
        assert!(["email", "age", "member"].iter().all(|name| names.contains(name)), "{names:?}");
        server.raw("DELETE", &format!("/data-tables/{id}"), &Value::Null).await;
    }
}
