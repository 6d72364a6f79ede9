//! Databases inside a cluster: made, dressed as Supabase, copied.

use std::path::Path;

use anyhow::{Context, Result};
use tokio_postgres::{Client, NoTls};

use super::{BOOTSTRAP, Cluster, OWNER, foreign};
use crate::migrate::{connect, migrate};

/// The advisory lock under which roles are made: they belong to the whole cluster, and two sessions must not make them
/// at the same time.
const LOCK: i64 = 0x5379_6e63;

impl Cluster {
    /// Makes an empty database with the roles, schemas and stand-ins of Supabase. An existing one is completed.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn create(&self, name: &str) -> Result<()> {
        let admin = connect(&self.admin_url("postgres")).await?;
        if self.server.is_none() {
            foreign::check(&admin).await?;
        }
        admin.execute("select pg_advisory_lock($1)", &[&LOCK]).await?;
        let known =
            admin.query_opt("select 1 from pg_catalog.pg_database where datname = $1", &[&name]).await?;
        if known.is_none() {
            admin.batch_execute(&format!("create database {}", quoted(name))).await?;
        }
        let inside = connect(&self.admin_url(name)).await?;
        for (name, sql) in BOOTSTRAP {
            inside.batch_execute(sql).await.context(name)?;
        }
        let owner = format!("alter database {} owner to {OWNER}", quoted(name));
        admin.batch_execute(&owner).await?;
        Ok(())
    }

    /// The version of the server, once it is certain that databases can be made on it.
    ///
    /// # Errors
    /// When it cannot be reached, is too old, or must not be used.
    pub async fn check(&self) -> Result<String> {
        let admin = connect(&self.admin_url("postgres")).await?;
        if self.server.is_none() {
            foreign::check(&admin).await?;
        }
        Ok(admin.query_one("show server_version", &[]).await?.try_get(0)?)
    }

    /// Makes the database `name` with the migrations of `folder`, for [`Cluster::create_from_template`]. If it exists,
    /// only the missing migrations are applied.
    ///
    /// # Errors
    /// When a migration fails.
    pub async fn create_template(&self, name: &str, folder: &Path) -> Result<()> {
        self.create(name).await?;
        migrate(&self.database(name), folder).await?;
        Ok(())
    }

    /// Copies the database `template` to a new one called `name` and returns its connection string (as `postgres`).
    /// Takes some tens of milliseconds. Nobody may be connected to the template.
    ///
    /// # Errors
    /// When the name is taken or somebody is connected to the template.
    pub async fn create_from_template(&self, template: &str, name: &str) -> Result<String> {
        let admin = connect(&self.admin_url("postgres")).await?;
        let sql = format!("create database {} template {} owner {OWNER}", quoted(name), quoted(template));
        retry_while_in_use(&admin, &sql).await?;
        Ok(self.database(name))
    }

    /// Removes a database, ending the connections to it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn drop_database(&self, name: &str) -> Result<()> {
        let admin = connect(&self.admin_url("postgres")).await?;
        admin.batch_execute(&format!("drop database if exists {} with (force)", quoted(name))).await?;
        Ok(())
    }
}

/// A session that has just been closed may be connected for a few milliseconds more.
async fn retry_while_in_use(admin: &Client, sql: &str) -> Result<()> {
    let in_use = tokio_postgres::error::SqlState::OBJECT_IN_USE;
    let mut tries = 0_u32;
    loop {
        match admin.batch_execute(sql).await {
            Err(error) if error.code() == Some(&in_use) && tries < 40 => tries += 1,
            done => return Ok(done?),
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
}

/// A name as an SQL identifier.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Connects without TLS; the connection runs in a task of its own until the client is dropped.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub(crate) async fn open(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .with_context(|| format!("cannot connect to {}", safe(url)))?;
    tokio::spawn(async move {
        // The end of the connection shows in the client's next call.
        let _ = connection.await;
    });
    Ok(client)
}

/// A connection string without its password.
fn safe(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(mut url) => {
            let _ = url.set_password(None);
            url.to_string()
        }
        Err(_) => "the database".to_owned(),
    }
}
