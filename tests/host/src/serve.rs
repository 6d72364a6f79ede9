//! The listener: from a connection to a component and back.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::ProxyHandler;

use crate::app::{Component, RequestContext};
use crate::manifest::StaticResponse;
use crate::routes::Routes;
use crate::wasm::{Cache, Reuse, Runner, Stamp, handler};

/// An application, ready to be served.
pub(crate) struct Site {
    pub(crate) routes: Routes<Target>,
    pub(crate) units: BTreeMap<String, Unit>,
    pub(crate) cache: Cache,
    pub(crate) reuse: Reuse,
    pub(crate) request_timeout: Option<Duration>,
    pub(crate) strict_transactions: bool,
}

/// What a route leads to.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// A component, by name.
    Component(String),
    /// An answer from the manifest.
    Fixed { status: StatusCode, headers: HeaderMap, body: Bytes },
}

impl Target {
    pub(crate) fn fixed(response: &StaticResponse) -> Result<Self> {
        let mut headers = HeaderMap::new();
        for (name, value) in &response.headers {
            headers.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        }
        let status = StatusCode::from_u16(response.status_code)?;
        Ok(Self::Fixed { status, headers, body: response.body.clone().into() })
    }
}

/// A component and the code it runs at present.
pub(crate) struct Unit {
    pub(crate) component: Arc<Component>,
    source: PathBuf,
    current: Mutex<Option<(Stamp, ProxyHandler<Runner>)>>,
}

impl Unit {
    pub(crate) fn new(component: Arc<Component>, source: PathBuf) -> Self {
        Self { component, source, current: Mutex::new(None) }
    }

    /// The handler; the first caller waits for the compiler.
    pub(crate) async fn ready(&self, site: &Site) -> Result<ProxyHandler<Runner>> {
        let mut current = self.current.lock().await;
        if let Some((_, handler)) = &*current {
            return Ok(handler.clone());
        }
        let (stamp, made) = self.make(site).await?;
        *current = Some((stamp, made.clone()));
        Ok(made)
    }

    /// Takes a changed file into use; returns whether it had changed. A component that was never called stays so.
    pub(crate) async fn reload(&self, site: &Site) -> Result<bool> {
        let known = self.current.lock().await.as_ref().map(|(stamp, _)| *stamp);
        if known.is_none() || known == Some(Cache::stamp(&self.source)?) {
            return Ok(false);
        }
        let made = self.make(site).await?;
        *self.current.lock().await = Some(made);
        Ok(true)
    }

    async fn make(&self, site: &Site) -> Result<(Stamp, ProxyHandler<Runner>)> {
        let stamp = Cache::stamp(&self.source)?;
        let pre = site.cache.load(&self.source).await?;
        Ok((stamp, handler(pre, Arc::clone(&self.component), site.reuse, site.request_timeout)))
    }
}

/// A listener and its connections.
pub(crate) struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(listen: SocketAddr, site: Arc<Site>) -> Result<Self> {
        let listener =
            TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let accepting = tokio::spawn(accept(listener, site, stopped));
        Ok(Self { address, stop, accepting })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) async fn stop(mut self, patience: Duration) {
        let _ = self.stop.send(true);
        let _ = tokio::time::timeout(patience, &mut self.accepting).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, site: Arc<Site>, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                if let Ok((stream, client)) = accepted {
                    connections.spawn(converse(stream, client, Arc::clone(&site), stopped.clone()));
                }
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn converse(
    stream: TcpStream,
    client: SocketAddr,
    site: Arc<Site>,
    mut stopped: watch::Receiver<bool>,
) {
    // Spin does not set this, so that answers without content-length wait 40 ms there; here they do not.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let site = Arc::clone(&site);
        async move { Ok::<_, Infallible>(answer(&site, request, client).await) }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // A client that goes away in the middle is no news.
        _ = connection.as_mut() => {}
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

async fn answer(site: &Site, request: Request<Incoming>, client: SocketAddr) -> Response<WasiBody> {
    let path = request.uri().path().to_owned();
    if path == "/.well-known/spin/health" {
        return plain(StatusCode::OK, "OK");
    }
    if path.starts_with("/.well-known/spin/") {
        return plain(StatusCode::NOT_FOUND, "");
    }
    let Some(found) = site.routes.find(&path) else { return plain(StatusCode::NOT_FOUND, "") };
    match found.target {
        Target::Fixed { status, headers, body } => {
            let mut response = Response::new(whole(body.clone()));
            *response.status_mut() = *status;
            *response.headers_mut() = headers.clone();
            response
        }
        Target::Component(name) => {
            let Some(unit) = site.units.get(name) else { return plain(StatusCode::NOT_FOUND, "") };
            let Some(request) = absolute(request, |headers, url| {
                found.append_headers(headers, url, &client.to_string());
            }) else {
                return plain(StatusCode::INTERNAL_SERVER_ERROR, "");
            };
            run(site, unit, request).await
        }
    }
}

/// Turns the request into what a component sees: an absolute address and the host's headers. `None` when a header is no
/// text, which Spin answers with an empty 500.
fn absolute(
    request: Request<Incoming>,
    append: impl FnOnce(&mut HeaderMap, &str),
) -> Option<Request<Incoming>> {
    let (mut parts, body) = request.into_parts();
    if parts.headers.values().any(|value| value.to_str().is_err()) {
        return None;
    }
    let named = parts.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
    let host = parts.uri.authority().map(ToString::to_string).or_else(|| named.map(str::to_owned));
    let host = host.unwrap_or_else(|| "localhost".to_owned());
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let url = format!("http://{host}{path}");
    parts.uri = Uri::try_from(&url).ok()?;
    append(&mut parts.headers, &url);
    Some(Request::from_parts(parts, body))
}

async fn run(site: &Site, unit: &Unit, request: Request<Incoming>) -> Response<WasiBody> {
    let component = &unit.component;
    component.counters.requests.fetch_add(1, Ordering::Relaxed);
    let handler = match unit.ready(site).await {
        Ok(handler) => handler,
        Err(error) => {
            component.remark(format!("cannot run: {error:#}"));
            return plain(StatusCode::INTERNAL_SERVER_ERROR, "");
        }
    };
    let context = Arc::new(RequestContext::default());
    let request = request.map(|body| body.map_err(wasmtime_wasi_http::Error::from).boxed_unsync());
    match handler.handle(Arc::clone(&context), request).await {
        Ok(response) => {
            let open = context.open_transactions.load(Ordering::SeqCst) > 0;
            if open {
                component.remark("a request was answered with its transaction still open");
            }
            if open && site.strict_transactions {
                return plain(StatusCode::INTERNAL_SERVER_ERROR, "");
            }
            response
        }
        Err(error) => {
            component.remark(format!("request failed: {error:?}"));
            plain(StatusCode::INTERNAL_SERVER_ERROR, "")
        }
    }
}

fn whole(body: Bytes) -> WasiBody {
    Full::new(body).map_err(|never| match never {}).boxed_unsync()
}

fn plain(status: StatusCode, text: &'static str) -> Response<WasiBody> {
    let mut response = Response::new(whole(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response
}
