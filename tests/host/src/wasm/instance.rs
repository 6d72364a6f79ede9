//! Instances: when one is made, how many requests it takes, when it goes.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;
use wasmtime::component::GuestTaskId;
use wasmtime::{Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, Proxy, ProxyHandler, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::p3::bindings::ServicePre;

use super::{Reuse, State, compile};
use crate::app::{Component, RequestContext};

/// Makes instances of one component.
pub(crate) struct Runner {
    pre: ServicePre<State>,
    component: Arc<Component>,
    reuse: Reuse,
    timeout: Option<Duration>,
}

/// The handler that spreads requests over instances.
pub(crate) fn handler(
    pre: ServicePre<State>,
    component: Arc<Component>,
    reuse: Reuse,
    timeout: Option<Duration>,
) -> ProxyHandler<Runner> {
    ProxyHandler::new(Runner { pre, component, reuse, timeout })
}

impl HandlerState for Runner {
    type StoreData = State;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<State, Expiration, Worker>> {
        let engine = compile::shared_engine().map_err(|error| wasmtime::Error::msg(error.to_string()))?;
        let mut store = Store::new(engine, State::new(&self.component));
        store.limiter(|state| state);
        let proxy = Proxy::P3(self.pre.instantiate_async(&mut store).await?);
        Ok(Instance {
            store,
            proxy,
            view: State::http,
            expiration: Expiration::new(self.reuse.idle, self.timeout),
            state: Worker {
                component: Arc::clone(&self.component),
                reuse: self.reuse,
                timeout: self.timeout,
            },
        })
    }
}

/// The life of one instance.
pub(crate) struct Worker {
    component: Arc<Component>,
    reuse: Reuse,
    timeout: Option<Duration>,
}

impl WorkerState for Worker {
    type StoreData = State;
    type RequestData = Arc<RequestContext>;

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.reuse.requests {
            ShouldAccept::Never
        } else if concurrent >= self.reuse.concurrent {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        mut store: StoreContextMut<'_, State>,
        request: Arc<RequestContext>,
        task: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        store.data_mut().begin(task, request);
        match self.timeout {
            Some(timeout) => Box::pin(tokio::time::sleep(timeout)),
            None => Box::pin(std::future::pending()),
        }
    }

    fn drop(&self, store: Store<State>, result: Result<(), wasmtime::Error>) {
        drop(store);
        if let Err(error) = result {
            self.component.remark(format!("the instance ended with all its requests: {error:?}"));
        }
    }
}

/// Ends an instance that has been idle too long, or a request beyond the time limit.
pub(crate) struct Expiration {
    idle: Duration,
    timeout: Option<Duration>,
    sleep: Pin<Box<Sleep>>,
}

impl Expiration {
    fn new(idle: Duration, timeout: Option<Duration>) -> Self {
        Self { idle, timeout, sleep: Box::pin(tokio::time::sleep(idle)) }
    }
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        let limit = match status {
            WorkerStatus::Idle => Some(self.idle),
            WorkerStatus::Requests | WorkerStatus::PostReturn => self.timeout,
        };
        let Some(deadline) = limit.and_then(|limit| start.checked_add(limit)) else { return Poll::Pending };
        let deadline = tokio::time::Instant::from_std(deadline);
        if self.sleep.deadline() != deadline {
            self.sleep.as_mut().reset(deadline);
        }
        self.sleep.as_mut().poll(cx)
    }
}
