//! The only place that opens credentials and checks signatures and tokens.
//!
//! A plaintext credential exists only here and in one signed request. What leaves this room is a [`Secret`], which
//! has no text form, or a request that carries it. Randomness, time and keys come in as parameters, with one exception:
//! a PS256 signature draws its salt itself.
//!
//! - [`KeyRing`] seals and opens what is stored.
//! - [`Credential`] is what was opened, typed; [`sign()`] puts it on a request.
//! - [`jwt::Verifier`] checks a caller's token, [`ApiKeys`] a caller's key, [`webhook::verify`] a platform's message.
//! - [`strict`] reads JSON that somebody else wrote, refusing what two readers could understand differently.

mod api_key;
mod credential;
mod error;
mod ring;
mod secret;
mod sign;

pub mod jwt;
pub mod strict;
pub mod webhook;

pub use api_key::ApiKeys;
pub use credential::Credential;
pub use error::{Error, FieldError, Result};
pub use ring::{Binding, KeyRing};
pub use secret::Secret;
pub use sign::sign;
