//! What the parts of a running application share: settings, counters, permissions.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::Semaphore;

use crate::allow::{AllowedHosts, BlockList};
use crate::bindings::spin::variables::variables::Error as VariableError;
use crate::logs::{Logs, Source};
use crate::outbound::Client;
use crate::postgres::Pools;
use crate::variables::{TemplateError, Variables, check_name};

/// Shared by all components of one host.
pub(crate) struct App {
    pub(crate) variables: Variables,
    pub(crate) block: Arc<BlockList>,
    pub(crate) http: Client,
    pub(crate) http_slots: Option<Arc<Semaphore>>,
    pub(crate) pg_slots: Option<Arc<Semaphore>>,
    pub(crate) logs: Logs,
}

/// How often a component did something that costs.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) statements: AtomicU64,
    /// The same for each text.
    pub(crate) texts: Mutex<BTreeMap<String, u64>>,
    pub(crate) outbound: AtomicU64,
    pub(crate) requests: AtomicU64,
    /// The most memory that one of its instances ever held, in bytes.
    pub(crate) memory: AtomicU64,
}

/// One component of the manifest.
pub(crate) struct Component {
    pub(crate) name: String,
    pub(crate) app: Arc<App>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) host_patterns: Vec<String>,
    pub(crate) pools: Pools,
    pub(crate) counters: Counters,
    allowed: OnceLock<Result<AllowedHosts, String>>,
}

/// What the host knows about one request on its way through a component.
#[derive(Debug, Default)]
pub(crate) struct RequestContext {
    /// Connections on which this request has begun a transaction and not ended it.
    pub(crate) open_transactions: AtomicUsize,
}

impl Component {
    pub(crate) fn new(name: &str, manifest: &crate::manifest::Component, app: Arc<App>) -> Self {
        Self {
            name: name.to_owned(),
            app,
            variables: manifest.variables.clone(),
            environment: manifest.environment.clone().into_iter().collect(),
            host_patterns: manifest.allowed_outbound_hosts.clone(),
            pools: Pools::default(),
            counters: Counters::default(),
            allowed: OnceLock::new(),
        }
    }

    /// The addresses it may call.
    ///
    /// # Errors
    /// The text of what is wrong with the list or with a variable; then nothing may be called.
    pub(crate) fn allowed(&self) -> Result<&AllowedHosts, String> {
        let allowed = self.allowed.get_or_init(|| {
            AllowedHosts::resolve(&self.host_patterns, &self.app.variables)
                .map_err(|error| format!("{error:#}"))
        });
        allowed.as_ref().map_err(Clone::clone)
    }

    /// The value of a variable as this component's templates give it.
    pub(crate) fn variable(&self, name: &str) -> Result<String, VariableError> {
        if let Err(error) = check_name(name) {
            return Err(VariableError::InvalidName(error.to_string()));
        }
        let Some(template) = self.variables.get(name) else {
            return Err(VariableError::Undefined(format!("no variable for {:?}.{name:?}", self.name)));
        };
        self.app.variables.render(template).map_err(|error| match error {
            TemplateError::Unknown(_) => VariableError::Undefined(error.to_string()),
            TemplateError::Unresolved(_) => VariableError::Provider(error.to_string()),
            TemplateError::Syntax(_) => VariableError::Other(error.to_string()),
        })
    }

    /// Writes a remark of the host about this component.
    pub(crate) fn remark(&self, text: impl Into<String>) {
        self.app.logs.push(&self.name, Source::Host, text);
    }

    pub(crate) fn count_statement(&self, text: &str) {
        self.counters.statements.fetch_add(1, Ordering::Relaxed);
        let mut texts = self.counters.texts.lock().unwrap_or_else(PoisonError::into_inner);
        match texts.get_mut(text) {
            Some(count) => *count = count.saturating_add(1),
            None => drop(texts.insert(text.to_owned(), 1)),
        }
    }
}
