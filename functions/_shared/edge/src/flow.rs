//! The way of a request: preflight, method, caller, input, idempotency, action, answer, log.

use crate::answer::Answer;
use crate::call::{Call, Caller, Deadline, Delivery, Door, Prefer};
use crate::cors;
use crate::idempotency::{self, Entry};
use crate::input::{self, Input};
use crate::log::Line;
use crate::query::Query;
use crate::service::Routes;
use crate::settings::{self, Settings};
use crate::world::World;
use crate::{Problem, auth, path};
use bytes::{Bytes, BytesMut};
use futures::future::{Either, select};
use http::header::{CONTENT_LENGTH, HeaderName, HeaderValue, IF_MATCH, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};

/// What may still be done after the deadline: letting go of an idempotency key.
const GRACE: Duration = Duration::from_secs(3);

/// From the request to the whole answer.
pub(crate) async fn run<W: World, B: BodyExt<Data = Bytes>>(
    world: &W,
    request: Request<B>,
    door: Door,
    routes: Routes,
) -> Response<Bytes> {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let request_id = request_id(&parts.headers, world.random());
    let function = routes.function().to_owned();
    let seen = Cell::new("unknown");
    let answer = if parts.method == Method::OPTIONS {
        preflight(&routes)
    } else {
        let visit = Visit { world, parts: &parts, door, request_id: &request_id, started, seen: &seen };
        visit.attend(body, routes).await.unwrap_or_else(|problem| Answer::of_problem(problem, &request_id))
    };
    world.log(
        &Line::new(&function, seen.get(), parts.method.as_str(), &answer, started.elapsed(), &request_id)
            .text(),
    );
    let origin = parts.headers.get(ORIGIN).and_then(|value| value.to_str().ok());
    let cors = settings::origins(world).await.headers(origin);
    complete(answer, cors, &request_id)
}

/// One request within the functions of this module.
struct Visit<'a, W> {
    world: &'a W,
    parts: &'a Parts,
    door: Door,
    request_id: &'a str,
    started: Instant,
    seen: &'a Cell<&'static str>,
}

impl<W: World> Visit<'_, W> {
    async fn attend<B: BodyExt<Data = Bytes>>(&self, body: B, mut routes: Routes) -> Result<Answer, Problem> {
        let path = path::tail(self.parts.uri.path()).ok_or_else(Problem::not_found)?;
        let allow = routes.allow();
        let Some(action) = routes.take(&self.parts.method) else {
            return Err(Problem::method_not_allowed(allow));
        };
        let settings = Settings::read(self.world).await?;
        let deadline = Deadline(self.started.checked_add(settings.deadline).unwrap_or(self.started));
        let whole = async {
            let now = self.world.now();
            let caller = auth::caller(self.world, self.door, &self.parts.headers, now).await?;
            self.seen.set(caller.kind());
            let (input, delivery) = self.read(body, settings.body_bytes).await?;
            let claim = self.claim(&caller, &input)?;
            let call = Call {
                caller,
                input,
                request_id: self.request_id.to_owned(),
                now,
                deadline,
                prefer: Prefer::read(&self.parts.headers),
                if_match: if_match(&self.parts.headers),
                path,
                delivery,
            };
            let work = within(self.world, deadline.remaining(), action(call)?);
            match claim {
                Some(claim) => self.once(routes.function(), &claim, settings.deadline, work).await,
                None => work.await,
            }
        };
        within(self.world, deadline.remaining().saturating_add(GRACE), whole).await
    }

    /// What came in: a query, a body, or a raw message.
    async fn read<B: BodyExt<Data = Bytes>>(
        &self,
        body: B,
        most: usize,
    ) -> Result<(Input, Option<Delivery>), Problem> {
        let headers = &self.parts.headers;
        if !matches!(self.parts.method, Method::POST | Method::PUT | Method::PATCH) {
            return Ok((Input::Query(Query::parse(self.parts.uri.query().unwrap_or_default())), None));
        }
        let body = collect(headers, body, most).await?;
        if self.door == Door::Signature {
            return Ok((Input::none(), Some(Delivery { headers: headers.clone(), body })));
        }
        Ok((Input::Body(input::read_body(headers, &body)?), None))
    }

    /// The idempotency key of this request, if it has one that counts: whose it is, and of what.
    fn claim(&self, caller: &Caller, input: &Input) -> Result<Option<Claim>, Problem> {
        if matches!(self.door, Door::None | Door::Signature) {
            return Ok(None);
        }
        let (Some(key), Some(scope)) =
            (idempotency::key(&self.parts.method, &self.parts.headers)?, caller.scope())
        else {
            return Ok(None);
        };
        let (path, query) = (self.parts.uri.path(), self.parts.uri.query().unwrap_or_default());
        let fingerprint = idempotency::fingerprint(&self.parts.method, path, query, input);
        Ok(Some(Claim { key, scope, fingerprint }))
    }

    async fn once(
        &self,
        function: &str,
        claim: &Claim,
        budget: Duration,
        work: impl Future<Output = Result<Answer, Problem>>,
    ) -> Result<Answer, Problem> {
        let ledger = self.world.ledger().await?;
        let lease = budget.saturating_add(GRACE).as_secs();
        let entry = Entry {
            scope: &claim.scope,
            function,
            key: &claim.key,
            fingerprint: &claim.fingerprint,
            lease_seconds: i32::try_from(lease).unwrap_or(i32::MAX),
        };
        idempotency::once(&ledger, &entry, self.request_id, work).await
    }
}

struct Claim {
    key: String,
    scope: String,
    fingerprint: String,
}

/// The body, read piece by piece and no further than the cap.
async fn collect<B: BodyExt<Data = Bytes>>(
    headers: &HeaderMap,
    body: B,
    most: usize,
) -> Result<Bytes, Problem> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| u64::try_from(most).is_ok_and(|most| bytes > most)) {
        return Err(Problem::too_large(most));
    }
    let mut body = pin!(body);
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::bad_request("The body broke off."))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len().saturating_add(data.len()) > most {
            return Err(Problem::too_large(most));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.freeze())
}

/// The result, or [`Problem::out_of_time`]. What was still at work is dropped.
async fn within<W: World, T>(
    world: &W,
    time: Duration,
    work: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    match select(pin!(work), pin!(world.sleep(time))).await {
        Either::Left((result, _)) => result,
        Either::Right(_) => Err(Problem::out_of_time()),
    }
}

fn preflight(routes: &Routes) -> Answer {
    let answer = Answer::new(204, None, Bytes::new()).with("allow", routes.allow());
    cors::preflight().into_iter().fold(answer, |answer, (name, value)| answer.with(name, value))
}

/// The id that the caller gave the request, if it is one: 1 to 128 letters, digits and `. _ : -`. Else a new one.
fn request_id(headers: &HeaderMap, random: [u8; 16]) -> String {
    let is_sane = |id: &&str| {
        (1..=128).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte))
    };
    let given = headers.get("x-request-id").and_then(|value| value.to_str().ok()).filter(is_sane);
    given.map_or_else(|| uuid::Builder::from_random_bytes(random).into_uuid().to_string(), ToOwned::to_owned)
}

fn if_match(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(IF_MATCH)?.to_str().ok()?.trim();
    let value = value.strip_prefix("W/").unwrap_or(value);
    Some(value.trim_matches('"').to_owned())
}

/// The headers that every answer has. `content-length` above all: without it a kept connection waits 40 ms.
fn complete(answer: Answer, cors: Vec<(&'static str, String)>, request_id: &str) -> Response<Bytes> {
    // The body of a `HEAD` goes along: the server leaves it out on the wire, and `content-length` must fit it.
    let length = answer.body.len().to_string();
    let mut response = Response::new(answer.body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let fixed = [
        ("content-length", length),
        ("cache-control", "no-store".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
        ("x-request-id", request_id.to_owned()),
    ];
    let kind = answer.content_type.map(|kind| ("content-type", kind.to_owned()));
    for (name, value) in fixed.into_iter().chain(kind).chain(cors).chain(answer.headers) {
        // A value that fits no header (an address with a line end) is left out, not repaired.
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

#[cfg(test)]
#[path = "flow_tests/mod.rs"]
mod tests;
