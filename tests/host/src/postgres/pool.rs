//! Connections: one pool per component and address, and what a component holds while it uses one.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::NoTls;
use tokio_postgres::config::Host;

use crate::app::{Component, RequestContext};
use crate::bindings::spin::postgres::postgres::Error;
use crate::postgres::errors::chain;
use crate::postgres::transaction::Effect;

/// Connections per component and address, as on Spin.
const POOL_SIZE: usize = 64;
/// Addresses for which a component keeps a pool, as on Spin.
const POOLS: usize = 16;

/// The pools of one component, the most recently made last.
#[derive(Default)]
pub(crate) struct Pools(Mutex<VecDeque<(String, Pool)>>);

impl Pools {
    fn pool(&self, address: &str) -> Result<Pool> {
        let mut pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, pool)) = pools.iter().find(|(known, _)| known == address) {
            return Ok(pool.clone());
        }
        let pool = make(address)?;
        if pools.len() >= POOLS {
            pools.pop_front();
        }
        pools.push_back((address.to_owned(), pool.clone()));
        Ok(pool)
    }

    /// Closes all connections that nobody uses; the others close when they come back.
    pub(crate) fn close(&self) {
        for (_, pool) in self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            pool.close();
        }
    }
}

fn make(address: &str) -> Result<Pool> {
    let config = address.parse::<tokio_postgres::Config>().context("parsing Postgres connection string")?;
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Clean };
    let manager = Manager::from_config(config, NoTls, recycling);
    Pool::builder(manager).max_size(POOL_SIZE).build().context("building Postgres connection pool")
}

/// The resource behind `connection-builder`.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Builder {
    pub(crate) address: String,
}

/// The resource behind `connection`. Clones are the same loan: it ends with the last of them.
#[derive(Clone)]
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Connection(Arc<Loan>);

struct Loan {
    client: Object,
    component: Arc<Component>,
    request: Option<Arc<RequestContext>>,
    transaction: AtomicBool,
    /// One statement at a time: a result that nobody reads holds up every further statement, as on Spin.
    turn: Arc<Semaphore>,
    _slot: Option<OwnedSemaphorePermit>,
}

impl Connection {
    /// Checks the address against the component's list and borrows a connection.
    pub(crate) async fn open(
        component: Arc<Component>,
        request: Option<Arc<RequestContext>>,
        address: &str,
    ) -> Result<Self, Error> {
        permitted(&component, address)?;
        let slot = match &component.app.pg_slots {
            Some(slots) => {
                let slot = Arc::clone(slots).acquire_owned().await;
                Some(slot.map_err(|_| Error::ConnectionFailed("the host is stopping".to_owned()))?)
            }
            None => None,
        };
        let client =
            borrow(&component, address).await.map_err(|error| Error::ConnectionFailed(chain(&error)))?;
        Ok(Self(Arc::new(Loan {
            client,
            component,
            request,
            transaction: AtomicBool::new(false),
            turn: Arc::new(Semaphore::new(1)),
            _slot: slot,
        })))
    }

    /// Waits for the previous statement's result to be read or dropped, and counts the statement.
    pub(crate) async fn turn(&self, statement: &str) -> Result<OwnedSemaphorePermit, Error> {
        let turn = Arc::clone(&self.0.turn).acquire_owned().await;
        self.0.component.count_statement(statement);
        turn.map_err(|_| Error::ConnectionFailed("the connection is closed".to_owned()))
    }

    /// The client to send a statement with.
    pub(crate) fn client(&self) -> &tokio_postgres::Client {
        &self.0.client
    }

    /// Keeps account of a statement that opens or ends a transaction.
    pub(crate) fn note(&self, effect: Effect) {
        let open = match effect {
            Effect::Opens => true,
            Effect::Ends => false,
            Effect::None => return,
        };
        let was = self.0.transaction.swap(open, Ordering::SeqCst);
        let Some(request) = &self.0.request else { return };
        if open && !was {
            request.open_transactions.fetch_add(1, Ordering::SeqCst);
        } else if was && !open {
            request.open_transactions.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        if self.transaction.load(Ordering::SeqCst) {
            self.component.remark(
                "a connection went back to the pool inside a transaction: its locks stay, and the next request \
                 continues it",
            );
        }
    }
}

async fn borrow(component: &Component, address: &str) -> Result<Object> {
    let pool = component.pools.pool(address).context("establishing PostgreSQL connection pool")?;
    Ok(pool.get().await?)
}

/// Applies the allow-list to every host of a connection string.
#[expect(clippy::result_large_err, reason = "the error type of the interface")]
fn permitted(component: &Component, address: &str) -> Result<(), Error> {
    let config = address
        .parse::<tokio_postgres::Config>()
        .map_err(|error| Error::ConnectionFailed(error.to_string()))?;
    let allowed = component.allowed().map_err(Error::Other)?;
    let ports = config.get_ports();
    for (index, host) in config.get_hosts().iter().enumerate() {
        let Host::Tcp(host) = host else {
            return Err(Error::ConnectionFailed("Unix sockets are not supported on WebAssembly".to_owned()));
        };
        let port = if ports.len() == 1 { ports.first() } else { ports.get(index) }.copied();
        if !allowed.allows("postgres", host, port) {
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            return Err(Error::ConnectionFailed(format!("address postgres://{host}{port} is not permitted")));
        }
    }
    Ok(())
}
