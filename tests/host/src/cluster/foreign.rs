//! A server that is not ours: the one of `DATABASE_URL`.

use anyhow::{Context, Result, ensure};
use tokio_postgres::Client;
use url::Url;

use super::binaries::OLDEST;

/// The server's address without a database.
///
/// # Errors
/// When it is no address of a PostgreSQL server.
pub(super) fn base(address: &str) -> Result<Url> {
    let is_server = |url: &Url| {
        matches!(url.scheme(), "postgres" | "postgresql")
            && url.host_str().is_some_and(|host| !host.is_empty())
    };
    let base = Url::parse(address.trim()).ok().filter(is_server);
    let mut base = base.context("DATABASE_URL must look like postgres://user:password@host:5432/postgres")?;
    base.set_path("");
    Ok(base)
}

/// The address of a database on it, as `role`. Nobody knows the passwords of its roles: we sign in as the user that we
/// were given, and take the role on, with the search path it would have had.
pub(super) fn as_role(base: &Url, role: &str, database: &str) -> String {
    let mut url = base.clone();
    url.set_path(database);
    let path =
        if role == super::OWNER { "%20-c%20search_path%3D%22%24user%22%2Cpublic%2Cextensions" } else { "" };
    let taken = format!("options=-c%20role%3D{role}{path}");
    let query = url.query().map_or_else(|| taken.clone(), |given| format!("{given}&{taken}"));
    url.set_query(Some(&query));
    url.to_string()
}

/// Whether we may be here: dressing a database as Supabase takes a superuser, and makes or changes roles, which all
/// databases of a server share. `client` is connected to the server's own database `postgres`.
///
/// # Errors
/// With what is in the way.
pub(super) async fn check(client: &Client) -> Result<()> {
    let ask = "select current_setting('server_version_num')::int4 / 10000, current_user::text, \
               (select rolsuper from pg_catalog.pg_roles where rolname = current_user), \
               exists (select from pg_catalog.pg_namespace where nspname = 'sync')";
    let row = client.query_one(ask, &[]).await?;
    let (version, user): (i32, String) = (row.try_get(0)?, row.try_get(1)?);
    let (superuser, installed): (bool, bool) = (row.try_get(2)?, row.try_get(3)?);
    ensure!(
        u32::try_from(version).is_ok_and(|version| version >= OLDEST),
        "the server of DATABASE_URL is PostgreSQL {version}; {OLDEST} or newer is needed"
    );
    ensure!(superuser, "DATABASE_URL's user {user} is no superuser, so it cannot make what Supabase has");
    ensure!(
        !installed,
        "Syncline is installed on the server of DATABASE_URL, and its functions would lose their password: name a \
         server for development"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_that_of_a_server_and_keeps_its_settings() {
        for wrong in ["here", "https://localhost/postgres", "postgres:///postgres"] {
            assert!(base(wrong).is_err(), "{wrong}");
        }
        let base = base("postgresql://boss:secret@db.example:5433/postgres?sslmode=disable").unwrap();
        let url = as_role(&base, "anon", "one");
        assert_eq!(
            url,
            "postgresql://boss:secret@db.example:5433/one?sslmode=disable&options=-c%20role%3Danon"
        );
    }
}
