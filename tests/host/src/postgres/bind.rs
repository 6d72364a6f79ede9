//! Parameters: from the interface's values to what the client sends. The types must match exactly.

use anyhow::{Context, Result, anyhow};
use bytes::{BufMut, BytesMut};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use postgres_range::{BoundSided, BoundType, Range, RangeBound};
use rust_decimal::Decimal;
use tokio_postgres::types::{IsNull, ToSql, Type, WrongType, to_sql_checked};

use crate::bindings::spin::postgres::postgres::{Interval as WitInterval, ParameterValue, RangeBoundKind};
use crate::postgres::json;
use crate::postgres::read::{Interval, RangeDecimal, WitRange};

/// A parameter as the client takes it.
pub(crate) type Parameter = Box<dyn ToSql + Send + Sync>;
type BoxError = Box<dyn std::error::Error + Sync + Send>;

/// Converts one parameter.
///
/// # Errors
/// When the value has no representation: an impossible date, a number of more than 28 digits, text that is no JSON.
pub(crate) fn parameter(value: &ParameterValue) -> Result<Parameter> {
    Ok(match value {
        ParameterValue::Boolean(v) => Box::new(*v),
        ParameterValue::Int8(v) => Box::new(*v),
        ParameterValue::Int16(v) => Box::new(*v),
        ParameterValue::Int32(v) => Box::new(*v),
        ParameterValue::Int64(v) => Box::new(*v),
        ParameterValue::Floating32(v) => Box::new(*v),
        ParameterValue::Floating64(v) => Box::new(*v),
        ParameterValue::Str(v) => Box::new(v.clone()),
        ParameterValue::Binary(v) => Box::new(v.clone()),
        ParameterValue::Date(v) => Box::new(date(*v)?),
        ParameterValue::Time(v) => Box::new(time(*v)?),
        ParameterValue::Datetime((y, mo, d, h, mi, s, ns)) => {
            Box::new(NaiveDateTime::new(date((*y, *mo, *d))?, time((*h, *mi, *s, *ns))?))
        }
        ParameterValue::Timestamp(v) => Box::new(
            DateTime::<Utc>::from_timestamp(*v, 0).ok_or_else(|| anyhow!("invalid epoch timestamp {v}"))?,
        ),
        ParameterValue::Uuid(v) => {
            Box::new(uuid::Uuid::parse_str(v).with_context(|| format!("invalid UUID {v}"))?)
        }
        ParameterValue::Jsonb(v) => Box::new(Json(
            json::rounded(v).with_context(|| format!("invalid JSON {}", String::from_utf8_lossy(v)))?,
        )),
        ParameterValue::Decimal(v) => Box::new(decimal(v)?),
        ParameterValue::RangeInt32(v) => Box::new(range(*v)),
        ParameterValue::RangeInt64(v) => Box::new(range(*v)),
        ParameterValue::RangeDecimal(v) => Box::new(decimal_range(v)?),
        ParameterValue::ArrayInt32(v) => Box::new(v.clone()),
        ParameterValue::ArrayInt64(v) => Box::new(v.clone()),
        ParameterValue::ArrayDecimal(v) => {
            let parsed = v.iter().map(|item| item.as_deref().map(decimal).transpose());
            Box::new(parsed.collect::<Result<Vec<Option<Decimal>>>>()?)
        }
        ParameterValue::ArrayStr(v) => Box::new(v.clone()),
        ParameterValue::Interval(v) => Box::new(Interval(*v)),
        ParameterValue::DbNull => Box::new(Null),
    })
}

fn date((year, month, day): (i32, u8, u8)) -> Result<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month.into(), day.into())
        .ok_or_else(|| anyhow!("invalid date y={year}, m={month}, d={day}"))
}

fn time((hour, minute, second, nanosecond): (u8, u8, u8, u32)) -> Result<NaiveTime> {
    NaiveTime::from_hms_nano_opt(hour.into(), minute.into(), second.into(), nanosecond)
        .ok_or_else(|| anyhow!("invalid time {hour}:{minute}:{second}:{nanosecond}"))
}

fn decimal(text: &str) -> Result<Decimal> {
    Decimal::from_str_exact(text).with_context(|| format!("invalid decimal {text}"))
}

fn bound<S: BoundSided, T: PartialOrd>(end: Option<(T, RangeBoundKind)>) -> Option<RangeBound<S, T>> {
    end.map(|(value, kind)| {
        let kind = match kind {
            RangeBoundKind::Inclusive => BoundType::Inclusive,
            RangeBoundKind::Exclusive => BoundType::Exclusive,
        };
        RangeBound::new(value, kind)
    })
}

fn range<T: postgres_range::Normalizable + PartialOrd>((lower, upper): WitRange<T>) -> Range<T> {
    Range::new(bound(lower), bound(upper))
}

fn decimal_range((lower, upper): &WitRange<String>) -> Result<Range<RangeDecimal>> {
    let parse = |end: &Option<(String, RangeBoundKind)>| -> Result<_> {
        end.as_ref().map(|(text, kind)| Ok((RangeDecimal(decimal(text)?), *kind))).transpose()
    };
    Ok(range((parse(lower)?, parse(upper)?)))
}

/// SQL's null, which fits every type.
#[derive(Debug)]
struct Null;

impl ToSql for Null {
    fn to_sql(&self, _: &Type, _: &mut BytesMut) -> Result<IsNull, BoxError> {
        Ok(IsNull::Yes)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A JSON document, already rounded. It reports a type error under the name that Spin's own value has.
#[derive(Debug)]
struct Json(Vec<u8>);

impl ToSql for Json {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        if *ty == Type::JSONB {
            out.put_u8(1);
        }
        out.put_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::JSON | Type::JSONB)
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        if !Self::accepts(ty) {
            return Err(Box::new(WrongType::new::<serde_json::Value>(ty.clone())));
        }
        self.to_sql(ty, out)
    }
}

impl ToSql for Interval {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        let WitInterval { micros, days, months } = self.0;
        out.put_i64(micros);
        out.put_i32(days);
        out.put_i32(months);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::INTERVAL
    }

    to_sql_checked!();
}
