//! The HTTP server: finds the account, lets the fault plan have its way, and writes the journal.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::time::{Sleep, sleep};

use crate::World;
use crate::account::{Account, Platform};
use crate::fault::Fault;
use crate::web::{Reply, Request};

type Answer = hyper::Response<UnsyncBoxBody<Bytes, Cut>>;

/// How often it is asked whether an answer is there that has to be waited for.
const LOOK: Duration = Duration::from_millis(5);

/// The fault plan wants the connection cut.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut on purpose")]
struct Cut;

/// Serves until the runtime is shut down.
pub(crate) async fn serve(listener: TcpListener, world: Arc<World>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Small answers must not wait for more to send.
        drop(stream.set_nodelay(true));
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let service = service_fn(move |request| dated(Arc::clone(&world), request));
            let connection =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // A cut connection ends in an error here; it was meant to.
            drop(connection.await);
        });
    }
}

/// Every answer tells the platforms' time.
async fn dated(world: Arc<World>, request: hyper::Request<Incoming>) -> Result<Answer, Cut> {
    let clock = world.clock.clone();
    let mut answer = answer(world, request).await?;
    let date = clock.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = http::HeaderValue::try_from(date) {
        answer.headers_mut().insert(http::header::DATE, date);
    }
    Ok(answer)
}

async fn answer(world: Arc<World>, request: hyper::Request<Incoming>) -> Result<Answer, Cut> {
    let (head, body) = request.into_parts();
    let host = head.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1").to_owned();
    let mut segments = head.uri.path().splitn(4, '/').skip(1);
    let (platform, name) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
    let path = format!("/{}", segments.next().unwrap_or_default());
    let Ok(body) = body.collect().await else { return Err(Cut) };
    let request = Request {
        method: head.method,
        path,
        query: head.uri.query().unwrap_or_default().to_owned(),
        base: format!("http://{host}/{platform}/{name}"),
        headers: head.headers,
        body: body.to_bytes(),
        refuse: Vec::new(),
    };
    match platform {
        "shopify" => match world.shop(name) {
            Some(account) => play(&account, request).await,
            None => Ok(send(&Reply::json(404, &serde_json::json!({ "errors": "Not Found" })))),
        },
        "netsuite" => match world.books(name) {
            Some(account) => play(&account, request).await,
            None => Ok(send(&Reply::text(404, "text/html", "<html><body>Unknown account</body></html>"))),
        },
        "hubspot" => match world.portal(name) {
            Some(account) => play(&account, request).await,
            None => Ok(send(&Reply::text(404, "text/html", "<html><body>Unknown account</body></html>"))),
        },
        "n8n" => match world.instance(name) {
            Some(account) => play(&account, request).await,
            None => Ok(send(&Reply::text(404, "text/html", "<html><body>Unknown account</body></html>"))),
        },
        _ => Ok(send(&Reply::text(404, "text/plain", "no such platform"))),
    }
}

/// One request against one account, with what the fault plan says.
async fn play<P: Platform>(account: &Account<P>, mut request: Request) -> Result<Answer, Cut> {
    let faults = account.faults.draw(&request);
    let names: Vec<&'static str> = faults.iter().map(Fault::name).collect();
    let visit = account.visit();
    let mut wait = account.latency();
    for fault in &faults {
        match fault {
            Fault::Latency(more) => wait += *more,
            Fault::PartialBatch(items) => request.refuse.clone_from(items),
            Fault::LateIndex(seconds) => account.platform().delay_index(*seconds),
            _ => {}
        }
    }
    let listens = account.platform().arrive(&request);
    let refusal = account.platform().admit(visit.number);
    if !wait.is_zero() {
        sleep(wait).await;
    }
    if !listens || faults.contains(&Fault::DropBefore) {
        account.record(&request, 0, Vec::new(), names);
        return Err(Cut);
    }
    let instead = refusal.or_else(|| faults.iter().find_map(reply_instead));
    let mut reply = match instead {
        Some(reply) => reply,
        None => account.platform().answer(&request),
    };
    account.record(&request, reply.status, std::mem::take(&mut reply.effects), names);
    let cut = faults.contains(&Fault::DropAfterCommit);
    while let Some(ticket) = reply.waits.filter(|_| !cut) {
        sleep(LOOK).await;
        let ended = account.platform().resume(ticket);
        reply = ended.unwrap_or(reply);
    }
    drop(visit);
    deliver(reply, &faults)
}

/// The reply a fault gives in the place of any work.
fn reply_instead(fault: &Fault) -> Option<Reply> {
    match fault {
        Fault::Status { status, headers, body } => {
            let reply = Reply::empty(*status).with_body(Bytes::from(body.clone()));
            Some(headers.iter().fold(reply, |reply, (name, value)| reply.with(name, value.clone())))
        }
        Fault::Html(status) => Some(Reply::text(
            *status,
            "text/html; charset=utf-8",
            "<!doctype html><html><head><title>Maintenance</title></head><body><h1>We'll be right back</h1></body></html>",
        )),
        _ => None,
    }
}

/// Sends the reply the way the faults want it.
fn deliver(mut reply: Reply, faults: &[Fault]) -> Result<Answer, Cut> {
    for fault in faults {
        match fault {
            Fault::DropAfterCommit => return Err(Cut),
            Fault::BadJson => reply.body = broken(&reply.body),
            Fault::Truncate => {
                let length = reply.body.len();
                let half = reply.body.slice(..length / 2);
                return Ok(envelope(&reply, Slow::new(half, length, None).boxed_unsync()));
            }
            Fault::Drip(pace) => {
                let length = reply.body.len();
                let body = Slow::new(reply.body.clone(), length, Some(*pace));
                return Ok(envelope(&reply, body.boxed_unsync()));
            }
            _ => {}
        }
    }
    Ok(send(&reply))
}

/// JSON that is none: its middle is gone.
fn broken(body: &Bytes) -> Bytes {
    let keep = body.len() * 2 / 3;
    let mut text = body.get(..keep).unwrap_or_default().to_vec();
    text.extend_from_slice(b"\x00,,]");
    Bytes::from(text)
}

fn send(reply: &Reply) -> Answer {
    envelope(reply, Full::new(reply.body.clone()).map_err(|never: Infallible| match never {}).boxed_unsync())
}

fn envelope(reply: &Reply, body: UnsyncBoxBody<Bytes, Cut>) -> Answer {
    let mut response = hyper::Response::new(body);
    *response.status_mut() =
        http::StatusCode::from_u16(reply.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = reply.header_map();
    response
}

/// A body that promises `length` bytes and sends what it has: at once and then breaks off, or byte by byte.
struct Slow {
    left: Bytes,
    owed: usize,
    pace: Option<Duration>,
    pause: Pin<Box<Sleep>>,
}

impl Slow {
    fn new(left: Bytes, owed: usize, pace: Option<Duration>) -> Self {
        Self { left, owed, pace, pause: Box::pin(sleep(pace.unwrap_or_default())) }
    }
}

impl Body for Slow {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if self.owed == 0 {
            return Poll::Ready(None);
        }
        // A cut answer waits a moment before it breaks off: what was sent must have left.
        if self.pause.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        if self.left.is_empty() {
            return Poll::Ready(Some(Err(Cut)));
        }
        let size = if self.pace.is_some() { 1 } else { self.left.len() };
        let frame = self.left.split_to(size);
        self.owed -= size;
        let pause = self.pace.unwrap_or(Duration::from_millis(20));
        self.pause = Box::pin(sleep(pause));
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.owed as u64)
    }
}
