//! A world to test in: Postgres with our schema, simulated platforms, and the real components in the local host.
//!
//! A test begins by saying who and what exists, does one thing, and looks at what the world is like then.

mod database;
mod hook;
mod reply;
mod user;

pub(crate) use database::Database;
pub(crate) use hook::{Hook, SIGNATURE, number, post};
pub(crate) use reply::Reply;
pub(crate) use user::{User, claims, now, token};

use host::{Host, HostConfig, Process};
use platforms::Platforms;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::sync::Mutex;

/// The issuer of every token here, as a Supabase project would have it.
pub const ISSUER: &str = "http://127.0.0.1/auth/v1";
/// The project's legacy signing secret.
pub const JWT_SECRET: &str = "a-signing-secret-of-the-tests-that-is-long-enough";
/// The secret key that the clock and operators use.
pub const SECRET_KEY: &str = "sb_secret_of_the_tests_long_enough";
/// 32 bytes in base64.
const SEAL_KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

/// The root of the repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Everything a test needs, and nothing that another test can see.
pub struct World {
    pub db: Database,
    pub platforms: Platforms,
    pub host: Host,
    pub http: reqwest::Client,
    config: HostConfig,
    /// The host as a process of its own, for tests that kill it.
    process: Mutex<Option<Process>>,
    url: String,
}

impl World {
    /// A fresh world with nobody in it.
    pub async fn start() -> Self {
        Self::on(Database::fresh().await).await
    }

    /// A fresh world whose operator has set these variables otherwise. A `development_host` set here takes the place
    /// of the platforms as the one address that may be called.
    pub async fn with(variables: &[(&str, &str)]) -> Self {
        Self::set_up(Database::fresh().await, variables).await
    }

    /// A fresh world on this database.
    pub async fn on(db: Database) -> Self {
        Self::set_up(db, &[]).await
    }

    async fn set_up(db: Database, variables: &[(&str, &str)]) -> Self {
        let platforms = Platforms::start(7).unwrap();
        let mut config = host_config(&db, &platforms);
        for (name, value) in variables {
            config = config.variable(*name, *value);
            if *name == "development_host" {
                config.development_hosts.push((*value).to_owned());
            }
        }
        let host = Host::start(config.clone()).await.unwrap();
        let http = reqwest::Client::builder().timeout(Duration::from_mins(2)).build().unwrap();
        let url = host.url();
        Self { db, platforms, host, http, config, process: Mutex::new(None), url }
    }

    /// From now on the functions run in a process of their own, at one address through all its lives.
    pub async fn be_a_process(&mut self) {
        let process = Process::start(&self.config).await.unwrap();
        self.config.listen = process.address();
        self.url = process.url();
        self.process = Mutex::new(Some(process));
    }

    /// Kills the process as a power cut would, and starts it again.
    pub async fn kill_and_restart(&self) {
        let mut process = self.process.lock().await;
        if let Some(running) = process.take() {
            running.kill().unwrap();
        }
        *process = Some(Process::start(&self.config).await.unwrap());
    }

    /// Somebody with an account and no integrations yet.
    pub async fn user(&self, name: &str) -> User<'_> {
        User::sign_up(self, name).await
    }

    /// Somebody with a shop and an ERP, both connected.
    pub async fn merchant(&self, name: &str) -> User<'_> {
        let mut user = self.user(name).await;
        user.connect_shopify(name).await;
        user.connect_netsuite(&format!("{name}-erp")).await;
        user
    }

    /// Calls a function as the clock or an operator does.
    pub async fn tick(&self, function: &str) -> Reply {
        self.send(function, json!({}), &[("apikey", SECRET_KEY)]).await
    }

    /// Works the queue until nothing is due.
    pub async fn drain(&self) {
        for _ in 0..50 {
            if self.tick("queue-drain").await.ok()["empty"] == json!(true) {
                return;
            }
        }
        panic!("the queue does not become empty");
    }

    /// Lets every lease, delay and pause of our database end now.
    pub async fn time_passes(&self) {
        for statement in [
            "update sync.leases set expires_at = now() where expires_at > now()",
            "update sync.leases set reserved_until = now() where reserved_until > now()",
            "update sync.sync_queue set due_at = now() where state in ('pending', 'leased', 'retry')",
            "update sync.queue_groups set busy_until = now() where busy_until > now()",
        ] {
            self.db.run(statement).await;
        }
    }

    /// Posts to a function.
    pub async fn send(&self, function: &str, body: Value, headers: &[(&str, &str)]) -> Reply {
        let mut request = self.http.post(self.url(function)).json(&body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Reply::of(request.send().await.unwrap()).await
    }

    /// The address of a function, by its name; or any other, by its path.
    pub fn url(&self, function: &str) -> String {
        match function.strip_prefix('/') {
            Some(_) => format!("{}{function}", self.url),
            None => format!("{}/functions/v1/{function}", self.url),
        }
    }
}

fn host_config(db: &Database, platforms: &Platforms) -> HostConfig {
    let development = format!("127.0.0.1:{}", platforms.port());
    let mut config = HostConfig::new(root().join("spin.toml"));
    config.artifacts = Some(components().clone());
    config.runtime_config = Some(root().join("runtime-config.toml"));
    config.strict_transactions = true;
    config.development_hosts = vec![development.clone()];
    let usual = [
        ("database_url", db.functions_url()),
        ("database_host", db.host()),
        ("jwt_issuer", ISSUER.to_owned()),
        ("jwt_secret", JWT_SECRET.to_owned()),
        ("secret_keys", json!({ "default": SECRET_KEY }).to_string()),
        ("encryption_keys", json!({ "active": "k1", "keys": { "k1": SEAL_KEY } }).to_string()),
        ("development_host", development),
    ];
    for (name, value) in usual {
        config = config.variable(name, value);
    }
    config
}

/// Where the built components are; built once, by whichever test comes first.
fn components() -> &'static PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| host::build::build_components("quick").unwrap())
}
