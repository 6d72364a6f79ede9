//! Opening a connection: resolve, leave out the forbidden addresses, connect to one of the others.

use std::error::Error as StdError;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;
use wasmtime_wasi_http::Error;

use crate::allow::{BlockList, bare_address};

tokio::task_local! {
    /// How long the request that is being sent waits for a connection.
    pub(super) static CONNECT_TIMEOUT: Duration;
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Every address of the name is on the block list.
    #[error("all addresses of the destination are prohibited")]
    Prohibited,
    /// The name has no address.
    #[error("the name cannot be resolved: {0}")]
    Unresolved(String),
    /// It took too long.
    #[error("connecting took too long")]
    Slow,
    /// Nobody answered.
    #[error("connection refused: {0}")]
    Refused(String),
}

/// Opens TCP connections under the block list. The addresses that were checked are the ones connected to, so a name
/// that changes its address between check and use gains nothing.
#[derive(Clone)]
pub(crate) struct Connector(Arc<BlockList>);

impl Connector {
    pub(super) fn new(block: Arc<BlockList>) -> Self {
        Self(block)
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = Refusal;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Refusal>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let block = Arc::clone(&self.0);
        Box::pin(async move {
            let patience = CONNECT_TIMEOUT.try_with(|timeout| *timeout).unwrap_or(super::PATIENCE);
            tokio::time::timeout(patience, open(&block, &uri)).await.map_err(|_| Refusal::Slow)?
        })
    }
}

async fn open(block: &BlockList, uri: &Uri) -> Result<TokioIo<TcpStream>, Refusal> {
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    let found = tokio::net::lookup_host((bare_address(host), port)).await;
    let found: Vec<SocketAddr> = found.map_err(|error| Refusal::Unresolved(error.to_string()))?.collect();
    let open: Vec<SocketAddr> =
        found.iter().copied().filter(|address| !block.blocks(host, port, address.ip())).collect();
    if open.is_empty() {
        return Err(if found.is_empty() {
            Refusal::Unresolved("no address".to_owned())
        } else {
            Refusal::Prohibited
        });
    }
    let stream =
        TcpStream::connect(open.as_slice()).await.map_err(|error| Refusal::Refused(error.to_string()))?;
    // Small requests must not wait for the acknowledgement of the head.
    let _ = stream.set_nodelay(true);
    Ok(TokioIo::new(stream))
}

/// Finds the cause of a failed exchange in the chain of errors.
pub(super) fn reason(error: &legacy::Error) -> Error {
    let mut source: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(current) = source {
        if let Some(refusal) = current.downcast_ref::<Refusal>() {
            return refusal.into();
        }
        if let Some(tls) = current.downcast_ref::<rustls::Error>() {
            return tls_reason(tls);
        }
        if let Some(hyper) = current.downcast_ref::<hyper::Error>()
            && hyper.is_incomplete_message()
        {
            return Error::HttpResponseIncomplete;
        }
        if let Some(io) = current.downcast_ref::<io::Error>() {
            // A TLS error travels inside an I/O error that does not name it as its source.
            if let Some(tls) = io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                return tls_reason(tls);
            }
            if let Some(refusal) = io.get_ref().and_then(|inner| inner.downcast_ref::<Refusal>()) {
                return refusal.into();
            }
            return Error::ConnectionTerminated;
        }
        source = current.source();
    }
    Error::HttpProtocolError
}

impl From<&Refusal> for Error {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Prohibited => Self::DestinationIpProhibited,
            Refusal::Unresolved(text) => Self::DnsError { rcode: Some(text.clone()), info_code: None },
            Refusal::Slow => Self::ConnectionTimeout,
            Refusal::Refused(_) => Self::ConnectionRefused,
        }
    }
}

fn tls_reason(error: &rustls::Error) -> Error {
    match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
            Error::TlsCertificateError
        }
        rustls::Error::AlertReceived(alert) => Error::TlsAlertReceived {
            alert_id: Some(u8::from(*alert)),
            alert_message: Some(format!("{alert:?}")),
        },
        _ => Error::TlsProtocolError,
    }
}
