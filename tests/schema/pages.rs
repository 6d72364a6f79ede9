//! What our pages tell people to type into the SQL editor works as it stands there.

use super::{ANA, Schema, connect};
use crate::world::root;

const PAGES: [&str; 4] =
    ["README.md", "docs/n8n.md", "docs/monitoring.md", "functions/_shared/connectors/README.md"];

/// Every statement that stands in a page, in backticks or in a block of SQL.
fn statements(page: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join(page)).unwrap();
    let mut blocks = Vec::new();
    let mut lines = String::new();
    for (number, part) in text.split("```").enumerate() {
        match part.strip_prefix("sql\n") {
            Some(block) if number % 2 == 1 => blocks.push(block.to_owned()),
            _ if number % 2 == 0 => lines.push_str(part),
            _ => {}
        }
    }
    let inline = lines.split('`').skip(1).step_by(2).filter(|code| code.starts_with("select "));
    blocks.extend(inline.map(ToOwned::to_owned));
    let each = blocks.iter().flat_map(|block| block.split_inclusive(';'));
    each.map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect()
}

#[tokio::test]
async fn every_statement_that_a_page_tells_people_to_run_runs_in_the_sql_editor() {
    let schema = Schema::fresh().await;
    let account = schema
        .db
        .text(&format!(
            "insert into public.integrations (user_id, name, platform, base_url, credential_kind)
             values ('{ANA}', 'n8n', 'n8n', 'https://n8n.example.com', 'api_key') returning id::text"
        ))
        .await;
    let operator = connect(&schema.db.url()).await;
    operator.batch_execute("set role postgres; set search_path to public").await.unwrap();
    let table = "create table public.customers (id bigint primary key, owner_id uuid, email text)";
    operator.batch_execute(table).await.unwrap();

    let mut run = 0;
    for page in PAGES {
        for text in statements(page) {
            let filled = text
                .replace("<account id>", &account)
                .replace("<user id>", ANA)
                .replace("<owner>", &format!("'{ANA}'"));
            let done = operator.batch_execute(&filled).await;
            done.unwrap_or_else(|error| panic!("{page}: {text}: {error:?}"));
            run += 1;
        }
    }
    assert!(run >= 12, "only {run} statements were found");
}
