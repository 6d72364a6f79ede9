//! Everything that runs: the server, the platforms, the host.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use host::scheduler::Scheduler;
use host::{Cluster, Host, HostConfig, Logs};
use platforms::Platforms;
use serde_json::json;
use tokio::task::spawn_blocking;
use tokio_postgres::Client;
use url::Url;

use crate::api::Api;
use crate::demo::{self, Merchant};
use crate::keys::{ISSUER, Keys};
use crate::options::Options;

/// The database of a world that is kept: on a server of `DATABASE_URL` it may stand beside those that are thrown away.
const KEPT: &str = "syncline_kept";

/// The functions that sync, here.
const SYNCING: [&str; 2] = ["delta-sync", "queue-drain"];

/// What a world begins with.
#[derive(Clone, Copy)]
pub(crate) struct Scene {
    /// The database's name, where it is not kept.
    pub(crate) database: &'static str,
    /// Makes up who has simulated accounts.
    pub(crate) merchants: fn(&Platforms) -> Vec<Merchant>,
}

/// A running world. Its parts stop in the order of the fields.
pub(crate) struct World {
    host: Option<Host>,
    platforms: Option<Platforms>,
    cluster: Cluster,
    database: &'static str,
    config: HostConfig,
    /// The root of the repository.
    pub(crate) root: PathBuf,
    /// Who has simulated accounts; nobody where accounts are real.
    pub(crate) merchants: Vec<Merchant>,
    pub(crate) keys: Keys,
    pub(crate) api: Api,
}

impl World {
    /// Builds the components, starts the server and makes up the platforms, all at once; then starts the host.
    ///
    /// # Errors
    /// When any part cannot be started; what was started is stopped.
    pub(crate) async fn start(options: &Options, scene: Scene) -> Result<Self> {
        let root = host::build::workspace_root()?;
        check_port(options.port)?;
        let real = options.real.is_some();
        let keys = Keys::take(options.data.as_deref(), real)?;
        let database = if options.data.is_some() { KEPT } else { scene.database };
        eprintln!("building the components, starting Postgres …");
        let (artifacts, cluster, simulated) = tokio::try_join!(
            timed("components are built", build()),
            timed("Postgres is up and migrated", postgres(&root, options, &keys, database)),
            simulate((!real).then_some(scene.merchants)),
        )?;
        let (platforms, merchants) = simulated.unzip();
        let mut config = host_config(&root, options, &keys, &cluster.admin_url(database))?;
        config.artifacts = Some(artifacts);
        if let Some(platforms) = &platforms {
            let address = format!("127.0.0.1:{}", platforms.port());
            config.development_hosts = vec![address.clone()];
            config = config.variable("development_host", address);
        }
        let host = Host::start(config.clone()).await.context("the host does not start")?;
        // So that it comes back to the same place when it is started again.
        config.listen = host.address();
        let api = Api::new(&host.url());
        let merchants = merchants.unwrap_or_default();
        Ok(Self { host: Some(host), platforms, cluster, database, config, root, merchants, keys, api })
    }

    /// A connection to the database as its owner.
    pub(crate) async fn admin(&self) -> Result<Client> {
        host::migrate::connect(&self.cluster.admin_url(self.database)).await
    }

    /// Where the host listens: `http://127.0.0.1:3000`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.config.listen)
    }

    pub(crate) fn logs(&self) -> &Logs {
        &self.config.logs
    }

    /// The host, unless its new manifest has kept it from starting.
    pub(crate) fn host(&self) -> Option<&Host> {
        self.host.as_ref()
    }

    /// The simulated platforms; none where accounts are real.
    pub(crate) fn platforms(&self) -> Option<&Platforms> {
        self.platforms.as_ref()
    }

    /// SQL statements and platform requests of the functions that sync.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let Some(host) = &self.host else { return (0, 0) };
        let sum = |count: &dyn Fn(&str) -> u64| SYNCING.iter().map(|name| count(name)).sum();
        (sum(&|name| host.statements_of(name)), sum(&|name| host.outbound_requests_of(name)))
    }

    /// The most memory that one instance of the functions that sync ever held, in bytes.
    pub(crate) fn instance_memory(&self) -> u64 {
        let Some(host) = &self.host else { return 0 };
        SYNCING.iter().map(|name| host.peak_memory_of(name)).max().unwrap_or(0)
    }

    /// How often the functions that sync have sent each statement, by its text.
    pub(crate) fn statement_texts(&self) -> BTreeMap<String, u64> {
        let mut all = BTreeMap::new();
        for (text, count) in
            SYNCING.iter().filter_map(|name| Some(self.host()?.statement_texts_of(name))).flatten()
        {
            let sum: &mut u64 = all.entry(text).or_default();
            *sum = sum.saturating_add(count);
        }
        all
    }

    /// Starts the host again, for another `spin.toml`.
    ///
    /// # Errors
    /// When it does not start; there is no host then, until this is called again.
    pub(crate) async fn restart(&mut self) -> Result<()> {
        if let Some(host) = self.host.take() {
            host.stop().await;
        }
        self.host = Some(Host::start(self.config.clone()).await?);
        Ok(())
    }

    /// Makes the jobs of the clock and runs them until the answer is dropped.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) async fn schedule(&self) -> Result<Scheduler> {
        let owner = host::migrate::connect(&self.cluster.database(self.database)).await?;
        for (name, value) in
            [("syncline_functions_url", self.url()), ("syncline_secret_key", self.keys.secret_key.clone())]
        {
            owner.execute("delete from vault.secrets where name = $1", &[&name]).await?;
            owner.execute("select vault.create_secret($1, $2)", &[&value, &name]).await?;
        }
        owner.execute("select sync.schedule_jobs()", &[]).await?;
        Scheduler::start(&self.cluster.admin_url(self.database)).await
    }

    /// Stops the host, the platforms and the server, in this order.
    pub(crate) async fn stop(mut self) {
        if let Some(host) = self.host.take() {
            host.stop().await;
        }
    }
}

/// Says how long something took, once it is done.
async fn timed<T>(what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let begun = Instant::now();
    let done = work.await?;
    eprintln!("{what} ({:.1} s)", begun.elapsed().as_secs_f64());
    Ok(done)
}

/// Says at once what would otherwise come out after everything else has been started.
fn check_port(port: u16) -> Result<()> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map(drop)
        .with_context(|| format!("port {port} of 127.0.0.1 cannot be had; choose another with --port"))
}

/// Builds the components with the quick profile.
pub(crate) async fn build() -> Result<PathBuf> {
    spawn_blocking(|| host::build::build_components("quick")).await?
}

async fn simulate(
    merchants: Option<fn(&Platforms) -> Vec<Merchant>>,
) -> Result<Option<(Platforms, Vec<Merchant>)>> {
    let Some(merchants) = merchants else { return Ok(None) };
    let made = spawn_blocking(move || {
        let platforms = Platforms::start(demo::SEED).context("the simulated platforms do not start")?;
        let merchants = merchants(&platforms);
        Ok((platforms, merchants))
    });
    timed("platforms are made up", async { made.await? }).await.map(Some)
}

async fn postgres(root: &Path, options: &Options, keys: &Keys, database: &str) -> Result<Cluster> {
    let folder = options.data.as_ref().map(|data| data.join("postgres"));
    let cluster = spawn_blocking(move || Cluster::start(folder)).await??;
    if options.data.is_none() && cluster.data_dir().is_none() {
        // A server that is not ours may still have the world of the last run.
        cluster.drop_database(database).await?;
    }
    cluster.create_template(database, &root.join("supabase/migrations")).await?;
    let admin = host::migrate::connect(&cluster.admin_url(database)).await?;
    // The password is made of hex digits alone.
    let password = format!("alter role sync_functions password '{}'", keys.database_password);
    admin.batch_execute(&password).await.context("cannot set the functions' password")?;
    if !keys.real {
        // Simulated platforms remember nothing: what the last run made on them is gone.
        let forget = "delete from sync.sync_links; delete from sync.intents; delete from sync.cursors; \
                      update public.sync_list set target_id = null where target_id is not null";
        admin.batch_execute(forget).await.context("cannot forget the links of the last run")?;
    }
    Ok(cluster)
}

fn host_config(root: &Path, options: &Options, keys: &Keys, admin_url: &str) -> Result<HostConfig> {
    let server = Url::parse(admin_url).context("the database's address")?;
    let address = format!("{}:{}", server.host_str().unwrap_or("127.0.0.1"), server.port().unwrap_or(5432));
    let mut functions = server;
    let named = functions.set_username("sync_functions").is_ok()
        && functions.set_password(Some(&keys.database_password)).is_ok();
    anyhow::ensure!(named, "the database's address cannot take a user");
    functions.set_query(Some("sslmode=disable"));

    let mut config = HostConfig::new(root.join("spin.toml"));
    // A real Spin cannot let simulators through a blocked network.
    config.runtime_config = (!host::real_spin()).then(|| root.join("runtime-config.toml"));
    config.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    config.logs = Logs::new(options.verbose);
    let variables = [
        ("database_url", functions.to_string()),
        ("database_host", address),
        ("jwt_issuer", ISSUER.to_owned()),
        ("jwt_secret", keys.jwt_secret.clone()),
        ("secret_keys", json!({ "default": keys.secret_key }).to_string()),
        ("encryption_keys", json!({ "active": "k1", "keys": { "k1": keys.seal_key } }).to_string()),
    ];
    Ok(variables.into_iter().fold(config, |config, (name, value)| config.variable(name, value)))
}
