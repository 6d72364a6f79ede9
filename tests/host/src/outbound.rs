//! Outbound HTTP: allow-list, block list on the resolved address, time-outs, pooled connections.

mod connect;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody, WasiHttpHooks};

use crate::allow::{BlockList, bare_address};
use crate::app::Component;
use connect::{CONNECT_TIMEOUT, Connector};

/// How long Spin waits for a connection, the first byte, and between bytes, unless the request says otherwise.
const PATIENCE: Duration = Duration::from_mins(10);

/// The client of one host; all its components share the kept connections.
pub(crate) type Client = legacy::Client<HttpsConnector<Connector>, WasiBody>;

/// Builds the client. Without `pooling` each request opens its own connection.
pub(crate) fn client(block: Arc<BlockList>, pooling: bool) -> Client {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let https = hyper_rustls::HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(provider)
        .map(|builder| builder.https_or_http().enable_http1().wrap_connector(Connector::new(block)));
    let connector = match https {
        Ok(connector) => connector,
        // The provider is the one that the constants of this build name: it has the default versions.
        Err(error) => unreachable!("{error}"),
    };
    legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(90))
        .pool_max_idle_per_host(if pooling { usize::MAX } else { 0 })
        .build(connector)
}

/// The hooks of one instance.
pub(crate) struct Hooks(pub(crate) Arc<Component>);

type Io = Box<dyn Future<Output = Result<()>> + Send>;
type Reply = Result<(http::Response<WasiBody>, Io)>;

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Io,
    ) -> Box<dyn Future<Output = Reply> + Send> {
        let component = Arc::clone(&self.0);
        Box::new(async move {
            let response = send(&component, request, options.unwrap_or_default()).await?;
            Ok((response, Box::new(async { Ok(()) }) as Io))
        })
    }
}

async fn send(
    component: &Component,
    request: http::Request<WasiBody>,
    options: RequestOptions,
) -> Result<http::Response<WasiBody>> {
    check(component, request.uri())?;
    component.counters.outbound.fetch_add(1, Ordering::Relaxed);
    let slot = match &component.app.http_slots {
        Some(slots) => {
            let slot = Arc::clone(slots).acquire_owned().await;
            Some(slot.map_err(|_| Error::ConnectionLimitReached)?)
        }
        None => None,
    };
    let connect = options.connect_timeout.unwrap_or(PATIENCE);
    let first_byte = options.first_byte_timeout.unwrap_or(PATIENCE);
    let between = options.between_bytes_timeout.unwrap_or(PATIENCE);
    let exchange = CONNECT_TIMEOUT.scope(connect, component.app.http.request(request));
    let response = tokio::time::timeout(first_byte, exchange)
        .await
        .map_err(|_| Error::ConnectionReadTimeout)?
        .map_err(|error| connect::reason(&error))?;
    Ok(response.map(|body| Timed::new(body, between, slot).boxed_unsync()))
}

/// Applies the component's allow-list, and the block list to an address written as a number.
fn check(component: &Component, uri: &http::Uri) -> Result<()> {
    let denied = |why: &str| {
        component.remark(format!("outbound request to {uri} denied: {why}"));
        Error::HttpRequestDenied
    };
    let (Some(scheme), Some(host)) = (uri.scheme(), uri.host()) else {
        return Err(Error::HttpRequestUriInvalid);
    };
    let allowed = component.allowed().map_err(|error| denied(&error))?;
    if !allowed.allows(scheme.as_str(), host, uri.port_u16()) {
        return Err(denied("not in allowed_outbound_hosts"));
    }
    let port = uri.port_u16().unwrap_or(if *scheme == Scheme::HTTPS { 443 } else { 80 });
    match bare_address(host).parse() {
        Ok(address) if component.app.block.blocks(host, port, address) => Err(Error::DestinationIpProhibited),
        _ => Ok(()),
    }
}

/// A response body that fails when the sender falls silent. It holds the request's slot until it has been read.
struct Timed<B> {
    inner: B,
    patience: Duration,
    silence: Pin<Box<Sleep>>,
    _slot: Option<OwnedSemaphorePermit>,
}

impl<B> Timed<B> {
    fn new(inner: B, patience: Duration, slot: Option<OwnedSemaphorePermit>) -> Self {
        Self { inner, patience, silence: Box::pin(tokio::time::sleep(patience)), _slot: slot }
    }
}

impl<B: Body<Data = Bytes, Error = hyper::Error> + Unpin> Body for Timed<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) {
            let patience = self.patience;
            let until = Instant::now().checked_add(patience).unwrap_or_else(Instant::now);
            self.silence.as_mut().reset(until);
            return Poll::Ready(frame.map(|frame| frame.map_err(|error| broken(&error))));
        }
        ready!(self.silence.as_mut().poll(cx));
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

fn broken(error: &hyper::Error) -> Error {
    if error.is_incomplete_message() || error.is_body_write_aborted() {
        Error::HttpResponseIncomplete
    } else if error.is_timeout() {
        Error::HttpResponseTimeout
    } else {
        Error::HttpProtocolError
    }
}
