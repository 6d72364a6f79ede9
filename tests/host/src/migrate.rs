//! Applies `supabase/migrations`, with the same book-keeping as the Supabase CLI.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tokio_postgres::Client;

/// Where the CLI writes down what it has applied.
const HISTORY: &str = "
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (
  version text not null primary key,
  statements text[],
  name text
);";

/// Connects to `url` without TLS. The connection lives as long as the client.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub async fn connect(url: &str) -> Result<Client> {
    crate::cluster::open(url).await
}

/// Applies the files `<14 digits>_<name>.sql` of `folder` in order, as the user of `url` (on Supabase `postgres`), and
/// returns the names of those that were not applied before. Other files are skipped, as by the CLI.
///
/// Each file is one transaction: a failing one leaves nothing behind.
///
/// # Errors
/// When a file fails; the message names it, and the line where the server found the fault.
pub async fn migrate(url: &str, folder: &Path) -> Result<Vec<String>> {
    let client = connect(url).await?;
    client.batch_execute(HISTORY).await.context("cannot create the table of applied migrations")?;
    let mut applied = Vec::new();
    for (version, name, path) in files(folder)? {
        let known = "select 1 from supabase_migrations.schema_migrations where version = $1";
        if client.query_opt(known, &[&version]).await?.is_some() {
            continue;
        }
        let sql =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        apply(&client, &version, &name, &sql).await.with_context(|| path.display().to_string())?;
        applied.push(format!("{version}_{name}"));
    }
    Ok(applied)
}

async fn apply(client: &Client, version: &str, name: &str, sql: &str) -> Result<()> {
    client.batch_execute("begin").await?;
    let done = async {
        client.batch_execute(sql).await?;
        let note = "insert into supabase_migrations.schema_migrations (version, statements, name) \
                    values ($1, array[$2::text], $3)";
        client.execute(note, &[&version, &sql, &name]).await?;
        client.batch_execute("commit").await
    };
    if let Err(error) = done.await {
        // The connection may be gone; then there is nothing left to roll back.
        let _ = client.batch_execute("rollback").await;
        return Err(explained(&error, sql));
    }
    // A migration may have changed settings of the session; the next one starts afresh.
    client.batch_execute("reset all; reset role").await?;
    Ok(())
}

/// The server's message with the line of the file that it points at.
fn explained(error: &tokio_postgres::Error, sql: &str) -> anyhow::Error {
    let Some(server) = error.as_db_error() else { return anyhow::anyhow!("{error}") };
    let mut text = server.message().to_owned();
    if let Some(tokio_postgres::error::ErrorPosition::Original(at)) = server.position() {
        let before: String = sql.chars().take(usize::try_from(*at).unwrap_or(0)).collect();
        text = format!("line {}: {text}", before.lines().count().max(1));
    }
    for more in [server.detail(), server.hint(), server.where_()].into_iter().flatten() {
        text = format!("{text}\n{more}");
    }
    anyhow::anyhow!("{text}")
}

/// Version, name and path of each migration, in order.
fn files(folder: &Path) -> Result<Vec<(String, String, PathBuf)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if let Some((version, name)) = parse_name(&file) {
            files.push((version, name, path));
        }
    }
    files.sort();
    Ok(files)
}

fn parse_name(file: &str) -> Option<(String, String)> {
    let (version, name) = file.strip_suffix(".sql")?.split_once('_')?;
    let fits = version.len() == 14 && version.chars().all(|c| c.is_ascii_digit()) && !name.is_empty();
    fits.then(|| (version.to_owned(), name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_the_cli_takes_are_migrations() {
        assert_eq!(parse_name("20260101000000_init.sql"), Some(("20260101000000".into(), "init".into())));
        for other in
            ["init.sql", "2026_init.sql", "20260101000000.sql", "20260101000000_init.txt", "README.md"]
        {
            assert_eq!(parse_name(other), None, "{other}");
        }
    }
}
