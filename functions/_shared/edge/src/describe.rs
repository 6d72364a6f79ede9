//! What a function does, as OpenAPI 3.1 says it (<https://spec.openapis.org/oas/v3.1.1.html>).
//!
//! Each operation is taken from the very action that is served, so its types cannot drift from the description:
//!
//! ```ignore
//! pub fn operations() -> Vec<Operation> {
//!     vec![
//!         Operation::get(Door::User, list).summary("Shows the items of the list."),
//!         Operation::post(Door::User, add).summary("Puts items on the list."),
//!     ]
//! }
//! ```
//!
//! Only tests and tools call this. Nothing that a component exports does, so none of it is in a component.

mod common;
mod document;
mod operation;
mod schemas;

pub use document::Document;

use crate::answer::{Accepted, Created, Either, Empty, Output, Raw, Tagged};
use crate::{Call, Door, Problem};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;

const JSON: &str = "application/json";

/// One method of a function.
pub struct Operation {
    method: &'static str,
    door: Door,
    summary: Option<&'static str>,
    media: &'static [&'static str],
    more_for_keys: bool,
    /// What follows the function's name in its address, and what that is.
    below: Option<(&'static str, &'static str)>,
    /// The input in full, for a query whose fields become parameters.
    fields: fn(&mut SchemaGenerator) -> Schema,
    /// The input by reference, for a body.
    body: fn(&mut SchemaGenerator) -> Schema,
    answers: fn(&mut SchemaGenerator) -> Vec<Shown>,
}

/// One answer that an output stands for.
pub struct Shown {
    status: u16,
    /// Nothing for an answer without a body.
    schema: Option<Schema>,
    /// Whether the answer has an `ETag`.
    tagged: bool,
    /// Whether the body is a text of the function's own, not of a type.
    raw: bool,
}

impl Shown {
    fn of<T: JsonSchema>(status: u16, schemas: &mut SchemaGenerator) -> Vec<Self> {
        let schema = Some(schemas.subschema_for::<T>());
        vec![Self { status, schema, tagged: false, raw: false }]
    }
}

/// An output that can be described: anything with a schema, or one of the wrappers that a function answers with.
pub trait Described: Output {
    /// The answers there may be.
    fn answers(schemas: &mut SchemaGenerator) -> Vec<Shown>;
}

impl<T: Serialize + JsonSchema> Described for T {
    fn answers(schemas: &mut SchemaGenerator) -> Vec<Shown> {
        Shown::of::<T>(200, schemas)
    }
}

impl<T: Serialize + JsonSchema> Described for Accepted<T> {
    fn answers(schemas: &mut SchemaGenerator) -> Vec<Shown> {
        Shown::of::<T>(202, schemas)
    }
}

impl<T: Serialize + JsonSchema> Described for Created<T> {
    fn answers(schemas: &mut SchemaGenerator) -> Vec<Shown> {
        Shown::of::<T>(201, schemas)
    }
}

impl Described for Empty {
    fn answers(_: &mut SchemaGenerator) -> Vec<Shown> {
        vec![Shown { status: 204, schema: None, tagged: false, raw: false }]
    }
}

impl<T: Serialize + JsonSchema> Described for Tagged<T> {
    fn answers(schemas: &mut SchemaGenerator) -> Vec<Shown> {
        let all = Shown::of::<T>(200, schemas).into_iter();
        all.map(|shown| Shown { tagged: true, ..shown }).collect()
    }
}

impl Described for Raw {
    fn answers(_: &mut SchemaGenerator) -> Vec<Shown> {
        vec![Shown { status: 200, schema: Some(true.into()), tagged: false, raw: true }]
    }
}

impl<A: Described, B: Described> Described for Either<A, B> {
    fn answers(schemas: &mut SchemaGenerator) -> Vec<Shown> {
        let mut all = A::answers(schemas);
        all.extend(B::answers(schemas));
        all
    }
}

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident $method:literal;)+) => {
        $(
            $(#[$doc])*
            pub fn $name<I, O, F>(door: Door, action: F) -> Self
            where
                I: DeserializeOwned + JsonSchema,
                O: Described,
                F: AsyncFnOnce(Call<I>) -> Result<O, Problem>,
            {
                Self::new($method, door, action)
            }
        )+
    };
}

impl Operation {
    methods! {
        /// What `GET` does; the input's fields are parameters of the query.
        get "get";
        /// What `POST` does; the input is the body.
        post "post";
        /// What `PUT` does; the input is the body.
        put "put";
        /// What `PATCH` does; the input is the body.
        patch "patch";
        /// What `DELETE` does; the input's fields are parameters of the query.
        delete "delete";
    }

    /// Only the types of the action matter: it is never called.
    fn new<I, O, F>(method: &'static str, door: Door, _: F) -> Self
    where
        I: DeserializeOwned + JsonSchema,
        O: Described,
        F: AsyncFnOnce(Call<I>) -> Result<O, Problem>,
    {
        Self {
            method,
            door,
            summary: None,
            media: &[JSON],
            more_for_keys: false,
            below: None,
            fields: |schemas| I::json_schema(schemas),
            body: |schemas| schemas.subschema_for::<I>(),
            answers: O::answers,
        }
    }

    /// What it does, in one sentence; without it, what the function as a whole does.
    #[must_use]
    pub fn summary(self, summary: &'static str) -> Self {
        Self { summary: Some(summary), ..self }
    }

    /// The content types that a [`Raw`] output may have; JSON unless said otherwise.
    #[must_use]
    pub fn media(self, media: &'static [&'static str]) -> Self {
        Self { media, ..self }
    }

    /// Open to anybody, and a caller with a secret key sees more.
    #[must_use]
    pub fn more_for_keys(self) -> Self {
        Self { more_for_keys: true, ..self }
    }

    /// Only found with something after the function's name: its name, and what it is. The same for all methods.
    #[must_use]
    pub fn below(self, name: &'static str, what: &'static str) -> Self {
        Self { below: Some((name, what)), ..self }
    }

    /// The method, in lower case.
    pub const fn method(&self) -> &'static str {
        self.method
    }

    /// Who may call.
    pub const fn door(&self) -> Door {
        self.door
    }

    /// Whether the input is the body.
    fn has_body(&self) -> bool {
        matches!(self.method, "post" | "put" | "patch")
    }

    /// Whether it does its work once under an `Idempotency-Key`: whose key it is must be known.
    fn takes_keys(&self) -> bool {
        self.method != "get" && !matches!(self.door, Door::None | Door::Signature)
    }
}
