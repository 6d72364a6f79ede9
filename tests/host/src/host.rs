//! A running application: the public face of this crate.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::sync::Semaphore;

use crate::allow::{AllowedHosts, BlockList};
use crate::app::{App, Component};
use crate::logs::{LogLine, Logs, Source};
use crate::manifest::{Manifest, Route, RuntimeConfig};
use crate::outbound;
use crate::process::Process;
use crate::routes::Routes;
use crate::serve::{Server, Site, Target, Unit};
use crate::variables::Variables;
use crate::wasm::{Cache, Reuse};

/// How to run an application. Start from [`HostConfig::new`] and set what differs.
#[derive(Debug, Clone)]
pub struct HostConfig {
    /// The `spin.toml`.
    pub manifest_path: PathBuf,
    /// The `runtime-config.toml`, if any.
    pub runtime_config: Option<PathBuf>,
    /// Values of variables, as `--variable` gives them.
    pub variables: BTreeMap<String, String>,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where compiled code is kept between starts.
    pub state_dir: PathBuf,
    /// A folder that is looked into for each component's `.wasm` (by its file name) instead of the manifest's path.
    pub artifacts: Option<PathBuf>,
    /// How instances are used again.
    pub reuse: Reuse,
    /// The longest a request may take (`--request-timeout`); Spin has no limit unless told.
    pub request_timeout: Option<Duration>,
    /// Answer 500 when a request ends with a transaction open. Off, there is only a line in the log, as Spin has not
    /// even that.
    pub strict_transactions: bool,
    /// `host:port` pairs that the block list lets through: simulators on this machine. Allow-lists still apply.
    pub development_hosts: Vec<String>,
    /// Collects what components print; pass [`Logs::new`]`(true)` to see it in the terminal.
    pub logs: Logs,
}

impl HostConfig {
    /// The usual settings: a free port of 127.0.0.1, Spin's reuse of instances, quiet, strict about transactions.
    pub fn new(manifest_path: impl Into<PathBuf>) -> Self {
        let manifest_path = manifest_path.into();
        let root = manifest_path.parent().unwrap_or(Path::new("."));
        Self {
            runtime_config: None,
            variables: BTreeMap::new(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            state_dir: root.join("target/host"),
            artifacts: None,
            reuse: Reuse::default(),
            request_timeout: None,
            strict_transactions: true,
            development_hosts: Vec::new(),
            logs: Logs::new(false),
            manifest_path,
        }
    }

    /// Sets one variable.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }
}

/// An application that is being served. It stops when dropped, without waiting for requests; [`Host::stop`] waits.
pub struct Host(Kind);

enum Kind {
    Here { server: Server, site: Arc<Site>, logs: Logs },
    Spin(Process),
}

impl Host {
    /// Starts the application. Components are compiled when their first request comes, unless they are in the cache.
    ///
    /// With `SYNCLINE_HOST=spin` a real `spin up` is started instead; then nothing is counted.
    ///
    /// # Errors
    /// When a file is missing or wrong, a required variable has no value, or the address is taken.
    pub async fn start(config: HostConfig) -> Result<Self> {
        if crate::real_spin() {
            return Ok(Self(Kind::Spin(Process::start(&config).await?)));
        }
        let site = Arc::new(site(&config)?);
        let server = Server::start(config.listen, Arc::clone(&site)).await?;
        Ok(Self(Kind::Here { server, site, logs: config.logs }))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        match &self.0 {
            Kind::Here { server, .. } => server.address(),
            Kind::Spin(process) => process.address(),
        }
    }

    /// The address as a URL without a trailing slash: `http://127.0.0.1:3000`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// SQL statements that components have sent so far.
    pub fn statements(&self) -> u64 {
        self.sum(|component| &component.counters.statements)
    }

    /// The same for one component; 0 for one that does not exist.
    pub fn statements_of(&self, component: &str) -> u64 {
        self.one(component, |component| &component.counters.statements)
    }

    /// How often one component has sent each statement, by its text; nothing for one that does not exist.
    pub fn statement_texts_of(&self, component: &str) -> BTreeMap<String, u64> {
        let Kind::Here { site, .. } = &self.0 else { return BTreeMap::new() };
        let Some(unit) = site.units.get(component) else { return BTreeMap::new() };
        unit.component.counters.texts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// HTTP requests that components have sent so far, denied ones left out.
    pub fn outbound_requests(&self) -> u64 {
        self.sum(|component| &component.counters.outbound)
    }

    /// The same for one component; 0 for one that does not exist.
    pub fn outbound_requests_of(&self, component: &str) -> u64 {
        self.one(component, |component| &component.counters.outbound)
    }

    /// The most memory that one instance of a component ever held, in bytes; 0 for one that does not exist.
    pub fn peak_memory_of(&self, component: &str) -> u64 {
        self.one(component, |component| &component.counters.memory)
    }

    /// Requests that components have received so far.
    pub fn requests(&self) -> u64 {
        self.sum(|component| &component.counters.requests)
    }

    /// Everything that components have printed so far, and the host's remarks about them.
    pub fn logs(&self) -> Vec<LogLine> {
        match &self.0 {
            Kind::Here { logs, .. } => logs.all(),
            Kind::Spin(process) => process.logs(),
        }
    }

    /// Compiles and takes into use each component whose file has changed. Requests under way finish in the old one.
    /// Returns the names of the changed ones.
    ///
    /// # Errors
    /// When a file is missing or cannot be compiled; that component goes on as it was.
    pub async fn reload(&self) -> Result<Vec<String>> {
        let Kind::Here { site, .. } = &self.0 else { return Ok(Vec::new()) };
        let mut changed = Vec::new();
        for (name, unit) in &site.units {
            if unit.reload(site).await? {
                changed.push(name.clone());
            }
        }
        Ok(changed)
    }

    /// Compiles every component now, two at a time, so that no request pays for it.
    ///
    /// # Errors
    /// When a file is missing or cannot be compiled.
    pub async fn warm_up(&self) -> Result<()> {
        use futures::{StreamExt, TryStreamExt};
        let Kind::Here { site, .. } = &self.0 else { return Ok(()) };
        let all = futures::stream::iter(site.units.values().map(|unit| unit.ready(site)));
        all.buffer_unordered(2).try_for_each(|_| async { Ok(()) }).await
    }

    /// Stops listening, waits up to five seconds for requests under way, closes the database connections.
    pub async fn stop(self) {
        match self.0 {
            Kind::Here { server, site, .. } => {
                server.stop(Duration::from_secs(5)).await;
                for unit in site.units.values() {
                    unit.component.pools.close();
                }
            }
            Kind::Spin(process) => process.stop().await,
        }
    }

    fn sum(&self, counter: impl Fn(&Component) -> &AtomicU64) -> u64 {
        let Kind::Here { site, .. } = &self.0 else { return 0 };
        site.units.values().map(|unit| counter(&unit.component).load(Ordering::Relaxed)).sum()
    }

    fn one(&self, name: &str, counter: impl Fn(&Component) -> &AtomicU64) -> u64 {
        let Kind::Here { site, .. } = &self.0 else { return 0 };
        site.units.get(name).map_or(0, |unit| counter(&unit.component).load(Ordering::Relaxed))
    }
}

/// Puts the application together without starting anything.
fn site(config: &HostConfig) -> Result<Site> {
    let manifest = Manifest::read(&config.manifest_path)?;
    let runtime = RuntimeConfig::read(config.runtime_config.as_deref())?;
    let variables = Variables::collect(&manifest, &config.variables, Path::new(".env"))?;
    if let Err(error) = variables.all_resolved() {
        config.logs.push("host", Source::Host, format!("{error}: no component can call anything"));
    }
    let app = app(config, &runtime, variables)?;
    let root = config.manifest_path.parent().unwrap_or(Path::new("."));
    let mut units = BTreeMap::new();
    for (name, component) in &manifest.component {
        if app.variables.all_resolved().is_ok() {
            AllowedHosts::resolve(&component.allowed_outbound_hosts, &app.variables)
                .with_context(|| format!("component {name:?}"))?;
        }
        let source = match (&config.artifacts, component.source.file_name()) {
            (Some(folder), Some(file)) => folder.join(file),
            _ => root.join(&component.source),
        };
        let component = Arc::new(Component::new(name, component, Arc::clone(&app)));
        units.insert(name.clone(), Unit::new(component, source));
    }
    Ok(Site {
        routes: routes(&manifest, &config.logs)?,
        units,
        cache: Cache::new(config.state_dir.join("cwasm")),
        reuse: config.reuse,
        request_timeout: config.request_timeout,
        strict_transactions: config.strict_transactions,
    })
}

fn app(config: &HostConfig, runtime: &RuntimeConfig, variables: Variables) -> Result<Arc<App>> {
    let block = BlockList::parse(&runtime.outbound_networking.block_networks, &config.development_hosts)?;
    let block = Arc::new(block);
    let http = runtime.outbound_http.as_ref();
    let slots = |most: usize| Arc::new(Semaphore::new(most));
    Ok(Arc::new(App {
        variables,
        http: outbound::client(Arc::clone(&block), http.is_none_or(|http| http.connection_pooling)),
        block,
        http_slots: http.and_then(|http| http.max_connections).map(slots),
        pg_slots: runtime.outbound_pg.max_connections.map(slots),
        logs: config.logs.clone(),
    }))
}

fn routes(manifest: &Manifest, logs: &Logs) -> Result<Routes<Target>> {
    let mut routes = Routes::default();
    for trigger in &manifest.trigger.http {
        let Route::Path(path) = &trigger.route else { continue };
        let target = match (&trigger.component, &trigger.static_response) {
            (Some(component), _) => Target::Component(component.clone()),
            (None, Some(response)) => Target::fixed(response).with_context(|| format!("route {path:?}"))?,
            (None, None) => continue,
        };
        if routes.add(path, target) {
            logs.push("host", Source::Host, format!("the route {path:?} is there twice; the later one wins"));
        }
    }
    Ok(routes)
}
