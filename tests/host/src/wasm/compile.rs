//! From `.wasm` to something that can be instantiated, at most once per content: in this process, and on this disk.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::SystemTime;

use anyhow::{Context, Result, anyhow};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};
use wasmtime_wasi_http::p3::bindings::ServicePre;

use super::State;
use crate::bindings::spin::{postgres::postgres, variables::variables};

/// Instances that may live at the same time in this process, as on Spin.
const INSTANCES: u32 = 1000;

/// The one engine of this process; compiled code belongs to it.
static ENGINE: LazyLock<Result<Engine, String>> = LazyLock::new(|| engine().map_err(|e| format!("{e:#}")));
/// What has been compiled in this process, by content. Hosts that run the same component share it.
static COMPILED: LazyLock<Mutex<HashMap<Key, Slot>>> = LazyLock::new(Mutex::default);

/// Numbers the temporary files of this process.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

type Key = [u8; 32];
type Slot = Arc<OnceCell<ServicePre<State>>>;

/// Finds compiled components.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    folder: PathBuf,
}

/// When a file was last seen, to tell whether it must be read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp(SystemTime, u64);

impl Cache {
    /// Keeps compiled code in `folder`.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The time and size of a file.
    pub(crate) fn stamp(source: &Path) -> Result<Stamp> {
        let meta = std::fs::metadata(source)
            .with_context(|| format!("no component at {}; is it built?", source.display()))?;
        Ok(Stamp(meta.modified()?, meta.len()))
    }

    /// The component at `source`, ready to be instantiated.
    ///
    /// # Errors
    /// When the file is not a component of `wasi:http@0.3.0` or imports something that this host does not have.
    pub(crate) async fn load(&self, source: &Path) -> Result<ServicePre<State>> {
        let bytes = tokio::fs::read(source)
            .await
            .with_context(|| format!("no component at {}; is it built?", source.display()))?;
        let key: Key = Sha256::digest(&bytes).into();
        let slot =
            Arc::clone(COMPILED.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        let folder = self.folder.clone();
        let ready = slot.get_or_try_init(|| async move {
            tokio::task::spawn_blocking(move || prepare(&folder, key, &bytes)).await?
        });
        ready.await.cloned().with_context(|| format!("in {}", source.display()))
    }
}

fn engine() -> Result<Engine> {
    let mut pool = PoolingAllocationConfig::default();
    // A component has several core modules (the program, adapters, shims), each with its own tables.
    pool.total_component_instances(INSTANCES)
        .total_core_instances(INSTANCES.saturating_mul(8))
        .total_memories(INSTANCES)
        .total_tables(INSTANCES.saturating_mul(8))
        .total_stacks(INSTANCES.saturating_mul(2))
        .max_component_instance_size(16 << 20)
        .max_core_instance_size(4 << 20)
        .table_elements(100_000)
        // Kept small: memory that stays with a thousand slots adds up.
        .linear_memory_keep_resident(128 << 10)
        .table_keep_resident(16 << 10);
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    let pooled = Engine::new(&config);
    // A machine that does not give out that much address space still runs everything, more slowly.
    let engine = pooled.or_else(|_| {
        config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
        Engine::new(&config)
    });
    engine.map_err(|error| plain(&error))
}

pub(super) fn shared_engine() -> Result<&'static Engine> {
    ENGINE.as_ref().map_err(|error| anyhow!("{error}"))
}

fn prepare(folder: &Path, key: Key, bytes: &[u8]) -> Result<ServicePre<State>> {
    let engine = shared_engine()?;
    let component = compiled(engine, folder, key, bytes)?;
    let pre = linker(engine).and_then(|linker| linker.instantiate_pre(&component));
    pre.and_then(ServicePre::new).map_err(|error| plain(&error))
}

fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    variables::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    postgres::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    Ok(linker)
}

/// Compiled code from the disk, or compiled now and kept for the next process.
fn compiled(engine: &Engine, folder: &Path, key: Key, bytes: &[u8]) -> Result<Component> {
    let mut version = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut version);
    let (name, _) = key.split_at(16);
    let name: String = name
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect();
    let path = folder.join(format!("{name}-{:016x}.cwasm", version.finish()));
    if path.exists()
        && let Ok(component) = read_compiled(engine, &path)
    {
        return Ok(component);
    }
    let code = engine.precompile_component(bytes).map_err(|error| plain(&error))?;
    std::fs::create_dir_all(folder)?;
    // Two hosts may start together: each writes its own file, and the rename is atomic.
    let turn = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let own = folder.join(format!("{name}.{}-{turn}.tmp", std::process::id()));
    std::fs::write(&own, &code)?;
    std::fs::rename(&own, &path)?;
    read_compiled(engine, &path).map_err(|error| plain(&error))
}

/// An error of the engine, which is no standard error type of its own.
fn plain(error: &wasmtime::Error) -> anyhow::Error {
    anyhow!("{error:#}")
}

#[expect(unsafe_code, reason = "the file is machine code that this program has written itself")]
fn read_compiled(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the name carries the hash of the source and of the engine's settings, the folder is this project's build
    // folder, and the file appeared there by an atomic rename after `precompile_component`.
    unsafe { Component::deserialize_file(engine, path) }
}
