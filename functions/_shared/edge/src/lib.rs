//! HTTP in: the only room that knows status codes, headers, CORS and callers.
//!
//! A function names its door and its actions; everything else about HTTP happens here, once:
//!
//! ```ignore
//! #[http_service]
//! async fn handle(request: Request) -> impl IntoResponse {
//!     edge::serve(request, Door::User).post(delta_sync).answer().await
//! }
//!
//! async fn delta_sync(call: Call<Input>) -> Result<Output, Problem> {
//!     let user = call.caller.user()?;
//!     …
//! }
//! ```
//!
//! The variables that this room reads, all of them optional unless said otherwise:
//!
//! | variable | what |
//! |---|---|
//! | `allowed_origins` | the web origins that may read answers, separated by commas; all when not set |
//! | `max_body_bytes` | the largest body, 1 MiB when not set |
//! | `deadline_seconds` | the time budget of a request, 25 s when not set |
//! | `jwt_issuer` | who issues access tokens, to the letter; needed by the doors for users |
//! | `jwt_secret` | the legacy secret for HS256, at least 32 bytes |
//! | `jwks` | the public keys as JSON; goes before `jwks_url` |
//! | `jwks_url` | where the public keys are fetched: https, or http to this machine |
//! | `secret_keys` | the keys of systems, `{"default": "sb_secret_…"}`; needed by the doors for systems |
//! | `allow_legacy_service_role` | `true` lets a `service_role` token in as a system; off when not set |
//!
//! An `Idempotency-Key` is kept in our Postgres, so a function that takes one also has the variables of `store`.

mod after;
mod answer;
mod auth;
mod call;
mod cors;
pub mod cursor;
pub mod describe;
mod flow;
mod host;
mod idempotency;
mod input;
mod keys;
mod log;
mod path;
mod problem;
mod query;
mod service;
mod settings;
mod world;

pub use after::after_answer;
pub use answer::{Accepted, Answer, Created, Either, Empty, Output, Raw, Tagged};
pub use call::{Call, Caller, Deadline, Delivery, Door, Nothing, Prefer, User};
pub use problem::{DOCUMENTATION, Defect, Problem};
pub use service::{Response, Service, serve};
