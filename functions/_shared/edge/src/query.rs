//! The query of a `GET` or `DELETE` as a function's input.
//!
//! Every value is text; what it becomes, the input's type says. A repeated key or a comma makes a list; a key that
//! the input does not know is passed over, because gateways and browsers add their own.

use serde::de::value::{Error, MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use url::form_urlencoded;

/// A query, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query(Vec<(String, Values)>);

/// All values of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Values(Vec<String>);

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        let mut pairs: Vec<(String, Values)> = Vec::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            match pairs.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) => values.0.push(value.into_owned()),
                None => pairs.push((name.into_owned(), Values(vec![value.into_owned()]))),
            }
        }
        Self(pairs)
    }

    /// The first key whose name or value has the character U+0000.
    pub(crate) fn find_nul(&self) -> Option<&str> {
        let has = |text: &String| text.contains('\0');
        self.0
            .iter()
            .find(|(name, values)| has(name) || values.0.iter().any(has))
            .map(|(name, _)| name.as_str())
    }
}

impl<'de> Deserializer<'de> for Query {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(MapDeserializer::new(self.0.into_iter()))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.retain(|(name, _)| fields.contains(&name.as_str()));
        self.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf seq tuple tuple_struct
        map enum identifier ignored_any
    }
}

impl IntoDeserializer<'_, Error> for Values {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl Values {
    fn single(self) -> Result<String, Error> {
        let mut values = self.0.into_iter();
        match (values.next(), values.next()) {
            (Some(only), None) => Ok(only),
            _ => Err(Error::custom("this is given more than once")),
        }
    }

    fn list(self) -> Vec<Self> {
        let parts =
            self.0.iter().flat_map(|value| value.split(',')).map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| Self(vec![part.to_owned()])).collect()
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $kind:ty, $expected:literal;)+) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
                let number: $kind = self.single()?.trim().parse().map_err(|_| Error::custom($expected))?;
                visitor.$visit(number)
            }
        )+
    };
}

impl<'de> Deserializer<'de> for Values {
    type Error = Error;

    numbers! {
        deserialize_i8 visit_i64 i64, "expected a whole number";
        deserialize_i16 visit_i64 i64, "expected a whole number";
        deserialize_i32 visit_i64 i64, "expected a whole number";
        deserialize_i64 visit_i64 i64, "expected a whole number";
        deserialize_u8 visit_u64 u64, "expected a whole number, not negative";
        deserialize_u16 visit_u64 u64, "expected a whole number, not negative";
        deserialize_u32 visit_u64 u64, "expected a whole number, not negative";
        deserialize_u64 visit_u64 u64, "expected a whole number, not negative";
        deserialize_f32 visit_f64 f64, "expected a number";
        deserialize_f64 visit_f64 f64, "expected a number";
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.single()?)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.single()?.trim() {
            "true" | "1" | "" => visitor.visit_bool(true),
            "false" | "0" => visitor.visit_bool(false),
            _ => Err(Error::custom("expected true or false")),
        }
    }

    /// A key without a value (`?cursor=`), as forms send it, is none.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.iter().all(String::is_empty) { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(SeqDeserializer::new(self.list().into_iter()))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self.single()?.into_deserializer())
    }

    forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct tuple_struct map struct identifier ignored_any
    }
}
