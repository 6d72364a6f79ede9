//! Rows: from what the client reads to the interface's values.

use anyhow::Result;
use bytes::BytesMut;
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use postgres_range::{BoundSided, BoundType, Normalizable, Range, RangeBound};
use rust_decimal::Decimal;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::bindings::spin::postgres::postgres::{
    Column, DbDataType, DbValue, Interval as WitInterval, RangeBoundKind,
};
use crate::postgres::json;

/// A range in the interface's shape: two ends, each of which may be missing.
pub(crate) type WitRange<T> = (Option<(T, RangeBoundKind)>, Option<(T, RangeBoundKind)>);
type BoxError = Box<dyn std::error::Error + Sync + Send>;

/// Names and types of the columns of a row. Without a row there are none: Spin knows them from the first row only.
pub(crate) fn columns(row: &Row) -> Vec<Column> {
    let column =
        |c: &tokio_postgres::Column| Column { name: c.name().to_owned(), data_type: data_type(c.type_()) };
    row.columns().iter().map(column).collect()
}

/// All values of a row.
///
/// # Errors
/// When one cannot be converted; on Spin that loses the whole result.
pub(crate) fn values(row: &Row) -> Result<Vec<DbValue>> {
    (0..row.len()).map(|index| value(row, index)).collect()
}

fn data_type(ty: &Type) -> DbDataType {
    match *ty {
        Type::BOOL => DbDataType::Boolean,
        Type::BYTEA => DbDataType::Binary,
        Type::FLOAT4 => DbDataType::Floating32,
        Type::FLOAT8 => DbDataType::Floating64,
        Type::INT2 => DbDataType::Int16,
        Type::INT4 => DbDataType::Int32,
        Type::INT8 => DbDataType::Int64,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => DbDataType::Str,
        Type::TIMESTAMP | Type::TIMESTAMPTZ => DbDataType::Datetime,
        Type::DATE => DbDataType::Date,
        Type::TIME => DbDataType::Time,
        Type::UUID => DbDataType::Uuid,
        Type::JSONB => DbDataType::Jsonb,
        Type::NUMERIC => DbDataType::Decimal,
        Type::INT4_RANGE => DbDataType::RangeInt32,
        Type::INT8_RANGE => DbDataType::RangeInt64,
        Type::NUM_RANGE => DbDataType::RangeDecimal,
        Type::INT4_ARRAY => DbDataType::ArrayInt32,
        Type::INT8_ARRAY => DbDataType::ArrayInt64,
        Type::NUMERIC_ARRAY => DbDataType::ArrayDecimal,
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => DbDataType::ArrayStr,
        Type::INTERVAL => DbDataType::Interval,
        _ => DbDataType::Other(ty.name().to_owned()),
    }
}

fn value(row: &Row, index: usize) -> Result<DbValue> {
    let Some(column) = row.columns().get(index) else { anyhow::bail!("no column {index}") };
    match *column.type_() {
        Type::BOOL => get(row, index, DbValue::Boolean),
        Type::BYTEA => get(row, index, DbValue::Binary),
        Type::FLOAT4 => get(row, index, DbValue::Floating32),
        Type::FLOAT8 => get(row, index, DbValue::Floating64),
        Type::INT2 => get(row, index, DbValue::Int16),
        Type::INT4 => get(row, index, DbValue::Int32),
        Type::INT8 => get(row, index, DbValue::Int64),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => get(row, index, DbValue::Str),
        // Spin reads both as a `NaiveDateTime`, which the client accepts for `timestamp` only: `timestamptz` fails.
        Type::TIMESTAMP | Type::TIMESTAMPTZ => try_get(row, index, datetime),
        Type::DATE => try_get(row, index, date),
        Type::TIME => try_get(row, index, time),
        Type::UUID => get(row, index, |v: uuid::Uuid| DbValue::Uuid(v.to_string())),
        Type::JSONB => try_get(row, index, |v: JsonText<'_>| Ok(DbValue::Jsonb(json::rounded(v.0)?))),
        Type::NUMERIC => get(row, index, |v: Decimal| DbValue::Decimal(v.to_string())),
        Type::INT4_RANGE => get(row, index, |v: Range<i32>| DbValue::RangeInt32(range(&v, |n| *n))),
        Type::INT8_RANGE => get(row, index, |v: Range<i64>| DbValue::RangeInt64(range(&v, |n| *n))),
        Type::NUM_RANGE => {
            get(row, index, |v: Range<RangeDecimal>| DbValue::RangeDecimal(range(&v, |n| n.0.to_string())))
        }
        Type::INT4_ARRAY => get(row, index, DbValue::ArrayInt32),
        Type::INT8_ARRAY => get(row, index, DbValue::ArrayInt64),
        Type::NUMERIC_ARRAY => get(row, index, |v: Vec<Option<Decimal>>| {
            DbValue::ArrayDecimal(v.into_iter().map(|item| item.map(|d| d.to_string())).collect())
        }),
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => get(row, index, DbValue::ArrayStr),
        Type::INTERVAL => get(row, index, |v: Interval| DbValue::Interval(v.0)),
        _ => get(row, index, |v: Raw<'_>| DbValue::Unsupported(v.0.to_vec())),
    }
}

fn get<'a, T: FromSql<'a>>(row: &'a Row, index: usize, make: impl FnOnce(T) -> DbValue) -> Result<DbValue> {
    try_get(row, index, |value| Ok(make(value)))
}

fn try_get<'a, T: FromSql<'a>>(
    row: &'a Row,
    index: usize,
    make: impl FnOnce(T) -> Result<DbValue>,
) -> Result<DbValue> {
    row.try_get::<_, Option<T>>(index)?.map_or(Ok(DbValue::DbNull), make)
}

fn datetime(v: NaiveDateTime) -> Result<DbValue> {
    Ok(DbValue::Datetime((
        v.year(),
        v.month().try_into()?,
        v.day().try_into()?,
        v.hour().try_into()?,
        v.minute().try_into()?,
        v.second().try_into()?,
        v.nanosecond(),
    )))
}

fn date(v: NaiveDate) -> Result<DbValue> {
    Ok(DbValue::Date((v.year(), v.month().try_into()?, v.day().try_into()?)))
}

fn time(v: NaiveTime) -> Result<DbValue> {
    Ok(DbValue::Time((v.hour().try_into()?, v.minute().try_into()?, v.second().try_into()?, v.nanosecond())))
}

fn range<T: Normalizable + PartialOrd, W>(v: &Range<T>, make: impl Fn(&T) -> W) -> WitRange<W> {
    (v.lower().map(|end| bound(end, &make)), v.upper().map(|end| bound(end, &make)))
}

fn bound<S: BoundSided, T, W>(end: &RangeBound<S, T>, make: impl Fn(&T) -> W) -> (W, RangeBoundKind) {
    let kind = match end.type_ {
        BoundType::Inclusive => RangeBoundKind::Inclusive,
        BoundType::Exclusive => RangeBoundKind::Exclusive,
    };
    (make(&end.value), kind)
}

/// The text inside a `jsonb` value.
struct JsonText<'a>(&'a [u8]);

impl<'a> FromSql<'a> for JsonText<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, BoxError> {
        match raw.split_first() {
            Some((1, text)) => Ok(Self(text)),
            _ => Err("unsupported JSONB encoding version".into()),
        }
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::JSONB
    }
}

/// The bytes of a value of any type.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, BoxError> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A span of time; the wire has microseconds, days and months, in this order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Interval(pub(crate) WitInterval);

impl<'a> FromSql<'a> for Interval {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, BoxError> {
        let (micros, rest) = raw.split_first_chunk::<8>().ok_or("interval too short")?;
        let (days, rest) = rest.split_first_chunk::<4>().ok_or("interval too short")?;
        let (months, _) = rest.split_first_chunk::<4>().ok_or("interval too short")?;
        Ok(Self(WitInterval {
            micros: i64::from_be_bytes(*micros),
            days: i32::from_be_bytes(*days),
            months: i32::from_be_bytes(*months),
        }))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::INTERVAL
    }
}

/// A decimal number that can be the end of a range.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct RangeDecimal(pub(crate) Decimal);

impl Normalizable for RangeDecimal {
    // Decimals are dense: an excluded end cannot be turned into an included one.
    fn normalize<S: BoundSided>(bound: RangeBound<S, Self>) -> RangeBound<S, Self> {
        bound
    }
}

impl<'a> FromSql<'a> for RangeDecimal {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, BoxError> {
        Decimal::from_sql(ty, raw).map(Self)
    }

    fn accepts(ty: &Type) -> bool {
        <Decimal as FromSql<'_>>::accepts(ty)
    }
}

impl ToSql for RangeDecimal {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        self.0.to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        <Decimal as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}
