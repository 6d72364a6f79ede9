#![doc = include_str!("../README.md")]

mod account;
mod catalogue;
mod clock;
mod dice;
mod fault;
mod hubspot;
mod journal;
mod money;
mod n8n;
mod netsuite;
mod product;
mod server;
mod shopify;
mod web;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

pub use catalogue::{LOCATIONS, catalogue, orders};
pub use clock::Clock;
pub use fault::{Fault, Faults, Matcher};
pub use hubspot::{Contact, HubspotHandle, contact};
pub use journal::{Effect, Entry, Verb};
pub use n8n::{N8nExecution, N8nHandle, N8nWorkflow, Plan};
pub use netsuite::{NetsuiteHandle, Tba};
pub use product::{Address, Choice, Image, Line, Order, Product, Variant, order, product, variant};
pub use shopify::{Delivery, ShopifyHandle};

use account::Account;

/// The simulated platforms, served on a loopback port of their own until stopped or dropped.
#[derive(Debug)]
pub struct Platforms {
    world: Arc<World>,
    address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

/// Every account, by its address.
#[derive(Debug)]
pub(crate) struct World {
    seed: u64,
    clock: Clock,
    shopify: Mutex<HashMap<String, Arc<Account<shopify::Shop>>>>,
    netsuite: Mutex<HashMap<String, Arc<Account<netsuite::Books>>>>,
    hubspot: Mutex<HashMap<String, Arc<Account<hubspot::Portal>>>>,
    n8n: Mutex<HashMap<String, Arc<Account<n8n::Instance>>>>,
}

impl Platforms {
    /// Starts serving on a free loopback port. Keys, tokens and chance come from the seed.
    ///
    /// # Errors
    /// No port could be bound, or no thread started.
    pub fn start(seed: u64) -> std::io::Result<Self> {
        Self::start_on(seed, 0)
    }

    /// Starts serving on this loopback port, or a free one for 0.
    ///
    /// # Errors
    /// The port is taken, or no thread could be started.
    pub fn start_on(seed: u64, port: u16) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("platforms")
            .enable_all()
            .build()?;
        // Bound here and not on the runtime: a caller inside a runtime of its own must not block on ours.
        let listener = std::net::TcpListener::bind(("127.0.0.1", port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let world = Arc::new(World {
            seed,
            clock: Clock::default(),
            shopify: Mutex::default(),
            netsuite: Mutex::default(),
            hubspot: Mutex::default(),
            n8n: Mutex::default(),
        });
        runtime.spawn(server::serve(listener, Arc::clone(&world)));
        Ok(Self { world, address, runtime: Some(runtime) })
    }

    /// Where the platforms are: `http://127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The clock all platforms share.
    pub fn clock(&self) -> &Clock {
        &self.world.clock
    }

    /// A Shopify shop, made at its first mention. Its address is `…/shopify/<shop>`.
    pub fn shopify(&self, shop: &str) -> ShopifyHandle {
        let mut shops = self.world.shopify.lock().unwrap_or_else(PoisonError::into_inner);
        let seed = account_seed(self.world.seed, "shopify", shop);
        let account = shops.entry(shop.to_owned()).or_insert_with(|| {
            let clock = self.world.clock.clone();
            Arc::new(Account::new(shopify::Shop::new(shop, seed, clock.clone()), seed, clock))
        });
        let runtime = self.runtime.as_ref().map(|runtime| runtime.handle().clone());
        ShopifyHandle::new(Arc::clone(account), format!("{}/shopify/{shop}", self.address()), runtime)
    }

    /// A NetSuite account, made at its first mention. Its address is `…/netsuite/<account>`.
    pub fn netsuite(&self, account: &str) -> NetsuiteHandle {
        let mut accounts = self.world.netsuite.lock().unwrap_or_else(PoisonError::into_inner);
        let seed = account_seed(self.world.seed, "netsuite", account);
        let books = accounts.entry(account.to_owned()).or_insert_with(|| {
            let clock = self.world.clock.clone();
            Arc::new(Account::new(netsuite::Books::new(account, seed, clock.clone()), seed, clock))
        });
        NetsuiteHandle::new(Arc::clone(books), format!("{}/netsuite/{account}", self.address()))
    }

    /// A HubSpot account, made at its first mention. Its address is `…/hubspot/<account>`.
    pub fn hubspot(&self, account: &str) -> HubspotHandle {
        let mut accounts = self.world.hubspot.lock().unwrap_or_else(PoisonError::into_inner);
        let seed = account_seed(self.world.seed, "hubspot", account);
        let portal = accounts.entry(account.to_owned()).or_insert_with(|| {
            let clock = self.world.clock.clone();
            Arc::new(Account::new(hubspot::Portal::new(seed, clock.clone()), seed, clock))
        });
        HubspotHandle::new(Arc::clone(portal), format!("{}/hubspot/{account}", self.address()))
    }

    /// An n8n server, made at its first mention. Its address is `…/n8n/<name>`.
    pub fn n8n(&self, name: &str) -> N8nHandle {
        let mut accounts = self.world.n8n.lock().unwrap_or_else(PoisonError::into_inner);
        let seed = account_seed(self.world.seed, "n8n", name);
        let instance = accounts.entry(name.to_owned()).or_insert_with(|| {
            let clock = self.world.clock.clone();
            Arc::new(Account::new(n8n::Instance::new(seed, clock.clone()), seed, clock))
        });
        N8nHandle::new(Arc::clone(instance), format!("{}/n8n/{name}", self.address()))
    }

    /// Stops serving. Open connections are cut.
    pub fn stop(mut self) {
        self.shut();
    }

    fn shut(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Platforms {
    fn drop(&mut self) {
        self.shut();
    }
}

impl World {
    pub(crate) fn shop(&self, name: &str) -> Option<Arc<Account<shopify::Shop>>> {
        self.shopify.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    pub(crate) fn portal(&self, name: &str) -> Option<Arc<Account<hubspot::Portal>>> {
        self.hubspot.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    pub(crate) fn instance(&self, name: &str) -> Option<Arc<Account<n8n::Instance>>> {
        self.n8n.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    pub(crate) fn books(&self, name: &str) -> Option<Arc<Account<netsuite::Books>>> {
        self.netsuite.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

/// Each account has chance of its own, so that one does not disturb the other.
fn account_seed(seed: u64, platform: &str, account: &str) -> u64 {
    platform.bytes().chain(account.bytes()).fold(seed ^ 0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}
