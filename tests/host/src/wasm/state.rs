//! What belongs to one instance of a component.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use wasmtime::ResourceLimiter;
use wasmtime::component::{Accessor, GuestTaskId, HasSelf, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::app::{Component, RequestContext};
use crate::bindings::spin::variables::variables::{Error, Host, HostWithStore};
use crate::logs::{LineStream, Source};
use crate::outbound::Hooks;

/// The data of an instance's store.
pub(crate) struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Hooks,
    pub(crate) table: ResourceTable,
    pub(crate) component: Arc<Component>,
    /// The requests this instance has taken, by the task that serves them.
    requests: HashMap<GuestTaskId, Arc<RequestContext>>,
}

impl State {
    pub(crate) fn new(component: &Arc<Component>) -> Self {
        let logs = &component.app.logs;
        let mut wasi = WasiCtx::builder();
        wasi.stdout(LineStream::new(logs.clone(), &component.name, Source::Stdout));
        wasi.stderr(LineStream::new(logs.clone(), &component.name, Source::Stderr));
        wasi.envs(&component.environment);
        Self {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            hooks: Hooks(Arc::clone(component)),
            table: ResourceTable::new(),
            component: Arc::clone(component),
            requests: HashMap::new(),
        }
    }

    pub(crate) fn begin(&mut self, task: GuestTaskId, request: Arc<RequestContext>) {
        self.requests.insert(task, request);
    }

    /// The request that one of these tasks serves; none for work that goes on after its answer.
    pub(crate) fn request_of(&self, tasks: &[GuestTaskId]) -> Option<Arc<RequestContext>> {
        tasks.iter().find_map(|task| self.requests.get(task)).cloned()
    }
}

/// Grants whatever is asked for, and notes the most memory that an instance held.
impl ResourceLimiter for State {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let bytes = u64::try_from(desired).unwrap_or(u64::MAX);
        self.component.counters.memory.fetch_max(bytes, Ordering::Relaxed);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        _desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}

impl Host for State {}

impl<T: 'static> HostWithStore<T> for HasSelf<State> {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> wasmtime::Result<Result<String, Error>> {
        Ok(accessor.with(|mut access| access.get().component.variable(&name)))
    }
}
