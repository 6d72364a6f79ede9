//! A value in another form.

use super::check::ValueType;
use super::transformation::NoWayBack;
use crate::decimal::{self, Rounding};
use crate::moment::Form;
use crate::path::Path;
use crate::record::{Fields, Value};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use unicode_normalization::UnicodeNormalization;

/// One change of form. A missing value stays missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Format {
    /// Without the white space around.
    Trim,
    /// In capitals.
    #[serde(alias = "uppercase")]
    Upper,
    /// In small letters.
    #[serde(alias = "lowercase")]
    Lower,
    /// Each word with a capital first letter.
    #[serde(alias = "capitalize")]
    Title,
    /// For addresses: small letters and digits of ASCII, joined by hyphens.
    Slug,
    /// At most so many letters, for fields that hold no more.
    Truncate(usize),
    /// A text with the record's fields in it: `"{lastName}, {firstName}"`. An absent field is nothing; `{{` is a brace.
    Template(String),
    /// A text into a list at each separator, each part trimmed.
    Split(String),
    /// A list into a text, with a separator.
    Join(String),
    /// A date or a point in time.
    #[serde(rename_all = "camelCase")]
    Date {
        /// How it is written there.
        #[serde(default)]
        from: Form,
        /// How it shall be written here.
        #[serde(default)]
        to: Form,
        /// The zone of a time that names none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<Zone>,
        /// The zone to write in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to_zone: Option<Zone>,
    },
    /// A number: rounded, shown with all its decimals, with a comma or a point.
    #[serde(rename_all = "camelCase")]
    Number {
        /// Digits behind the point; as many as there are where it is not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        decimals: Option<u32>,
        /// Where a number goes that lies between two others.
        #[serde(default)]
        rounding: Rounding,
        /// Which sign stands before the decimals there.
        #[serde(default)]
        from: Mark,
        /// Which sign shall stand before the decimals here.
        #[serde(default)]
        to: Mark,
    },
    /// A telephone number in the form `+49301234567`.
    #[serde(rename_all = "camelCase")]
    Phone {
        /// The calling code of numbers that name none: `49`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        country_code: Option<String>,
    },
    /// The same value as another type: `"5"` as 5, 5 as `"5"`, `"yes"` as true.
    To(ValueType),
}

/// The sign before the decimals; the other one groups thousands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// `1,234.50`
    #[default]
    Point,
    /// `1.234,50`
    Comma,
}

/// A time zone of the IANA database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(pub Tz);

/// A text that names no time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time zone")]
pub struct BadZone(String);

const NO_TEXT: &str = "this is no text";
const NO_NUMBER: &str = "this is no number of at most 28 digits";
const NO_PHONE: &str = "this is no telephone number";

impl Format {
    /// Its name, as it is written.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Trim => "trim",
            Self::Upper => "upper",
            Self::Lower => "lower",
            Self::Title => "title",
            Self::Slug => "slug",
            Self::Truncate(_) => "truncate",
            Self::Template(_) => "template",
            Self::Split(_) => "split",
            Self::Join(_) => "join",
            Self::Date { .. } => "date",
            Self::Number { .. } => "number",
            Self::Phone { .. } => "phone",
            Self::To(_) => "to",
        }
    }

    /// Whether it makes a value out of none.
    pub(super) const fn makes(&self) -> bool {
        matches!(self, Self::Template(_))
    }

    /// The way back; `None` when the value goes back as it is.
    pub(super) fn opposite(&self) -> Result<Option<Self>, NoWayBack> {
        match self {
            Self::Trim | Self::Upper | Self::Lower | Self::Title | Self::Phone { .. } => Ok(None),
            Self::Slug | Self::Truncate(_) | Self::Template(_) | Self::To(_) => Err(NoWayBack),
            Self::Split(separator) => Ok(Some(Self::Join(separator.clone()))),
            Self::Join(separator) => Ok(Some(Self::Split(separator.clone()))),
            Self::Date { from, to, zone, to_zone } => {
                Ok(Some(Self::Date { from: to.clone(), to: from.clone(), zone: *to_zone, to_zone: *zone }))
            }
            Self::Number { rounding, from, to, .. } => {
                Ok(Some(Self::Number { decimals: None, rounding: *rounding, from: *to, to: *from }))
            }
        }
    }

    /// The value in its new form; else why not, without the value itself.
    pub(super) fn apply(&self, value: &Value, record: &Fields) -> Result<Value, &'static str> {
        let text = || value.as_str().ok_or(NO_TEXT);
        Ok(match self {
            Self::Trim => text()?.trim().into(),
            Self::Upper => text()?.to_uppercase().into(),
            Self::Lower => text()?.to_lowercase().into(),
            Self::Title => titled(text()?).into(),
            Self::Slug => slug(text()?).into(),
            Self::Truncate(most) => text()?.chars().take(*most).collect::<String>().into(),
            Self::Template(template) => filled(template, record)?.into(),
            Self::Split(separator) => split(text()?, separator),
            Self::Join(separator) => joined(value, separator)?.into(),
            Self::Date { from, to, zone, to_zone } => {
                to.write(from.read(value, zone.map(|zone| zone.0))?, to_zone.map(|zone| zone.0))?
            }
            Self::Number { decimals, rounding, from, to } => number(value, *decimals, *rounding, *from, *to)?,
            Self::Phone { country_code } => phone(text()?, country_code.as_deref())?.into(),
            Self::To(kind) => converted(value, *kind)?,
        })
    }
}

fn titled(text: &str) -> String {
    let mut fresh = true;
    text.chars()
        .flat_map(|letter| {
            let capital = fresh && letter.is_alphanumeric();
            fresh = !letter.is_alphanumeric() && letter != '\'';
            let upper: Vec<char> =
                if capital { letter.to_uppercase().collect() } else { letter.to_lowercase().collect() };
            upper
        })
        .collect()
}

fn slug(text: &str) -> String {
    let spelt = text.replace('ß', "ss");
    let ascii = spelt.nfd().filter(|letter| !unicode_normalization::char::is_combining_mark(*letter));
    let mut slug = String::new();
    for letter in ascii {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

fn filled(template: &str, record: &Fields) -> Result<String, &'static str> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        if let Some(after) = after.strip_prefix('{') {
            text.push('{');
            rest = after;
            continue;
        }
        let (name, after) = after.split_once('}').ok_or("the template has an open brace")?;
        let path: Path = name.trim().parse().map_err(|_| "the template names no path")?;
        match path.first(record) {
            None | Some(Value::Null) => {}
            Some(Value::String(part)) => text.push_str(part),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => text.push_str(&value.to_string()),
            Some(_) => return Err("the template shows a list or an object"),
        }
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

fn split(text: &str, separator: &str) -> Value {
    if separator.is_empty() {
        return Value::Array(vec![text.into()]);
    }
    text.split(separator).map(str::trim).filter(|part| !part.is_empty()).map(Value::from).collect()
}

fn joined(value: &Value, separator: &str) -> Result<String, &'static str> {
    let values = value.as_array().ok_or("this is no list")?;
    let texts = values.iter().map(|value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err("this is no list of texts"),
    });
    Ok(texts.collect::<Result<Vec<_>, _>>()?.join(separator))
}

fn number(
    value: &Value,
    decimals: Option<u32>,
    rounding: Rounding,
    from: Mark,
    to: Mark,
) -> Result<Value, &'static str> {
    let plain = match (value, from) {
        (Value::String(text), Mark::Comma) => text.trim().replace('.', "").replace(',', "."),
        (Value::String(text), Mark::Point) => text.trim().replace(',', ""),
        (Value::Number(number), _) => number.to_string(),
        _ => return Err(NO_NUMBER),
    };
    let shown = match decimals {
        Some(decimals) => {
            decimal::round(decimal::read(&plain).ok_or(NO_NUMBER)?, decimals, rounding).to_string()
        }
        // Nothing to round: a number of any length goes through digit by digit.
        None => crate::canon::number(&plain).map(|_| plain).ok_or(NO_NUMBER)?,
    };
    match (value, to) {
        (_, Mark::Comma) => Ok(Value::String(shown.replace('.', ","))),
        (Value::Number(_), Mark::Point) => serde_json::from_str(&shown).map_err(|_| NO_NUMBER),
        (_, Mark::Point) => Ok(Value::String(shown)),
    }
}

/// E.164: a plus, the calling code, at most 15 digits. Signs between digits go, and so does the `0` that a country puts
/// before its own numbers.
fn phone(text: &str, country: Option<&str>) -> Result<String, &'static str> {
    let text = text.replace("(0)", "");
    let known = |letter: char| letter.is_ascii_digit() || " +-./()\u{a0}".contains(letter);
    if !text.chars().all(known) {
        return Err(NO_PHONE);
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let full = if text.trim_start().starts_with('+') {
        digits
    } else if let Some(international) = digits.strip_prefix("00") {
        international.to_owned()
    } else {
        let country =
            country.ok_or("this telephone number has no calling code, and the mapping names none")?;
        format!("{}{}", country.trim_start_matches('+'), digits.strip_prefix('0').unwrap_or(&digits))
    };
    if (7..=15).contains(&full.len()) && !full.starts_with('0') {
        Ok(format!("+{full}"))
    } else {
        Err(NO_PHONE)
    }
}

fn converted(value: &Value, kind: ValueType) -> Result<Value, &'static str> {
    let unfit = Err("this value cannot be of that type");
    match (kind, value) {
        (ValueType::Text, Value::Number(number)) => Ok(number.to_string().into()),
        (ValueType::Text, Value::Bool(truth)) => Ok(truth.to_string().into()),
        (ValueType::Number | ValueType::Integer, Value::String(text)) => {
            match serde_json::from_str::<Value>(text.trim()) {
                Ok(number @ Value::Number(_)) if kind.fits(&number) => Ok(number),
                _ => Err(NO_NUMBER),
            }
        }
        (ValueType::Boolean, Value::String(text)) => match text.trim().to_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" => Ok(true.into()),
            "false" | "f" | "no" | "n" | "0" => Ok(false.into()),
            _ => unfit,
        },
        (ValueType::Boolean, Value::Number(number)) => match number.as_i64() {
            Some(1) => Ok(true.into()),
            Some(0) => Ok(false.into()),
            _ => unfit,
        },
        (ValueType::List, value) if !value.is_array() => Ok(Value::Array(vec![value.clone()])),
        (kind, value) if kind.fits(value) => Ok(value.clone()),
        _ => unfit,
    }
}

impl TryFrom<String> for Zone {
    type Error = BadZone;

    fn try_from(text: String) -> Result<Self, BadZone> {
        Tz::from_str(&text).map(Self).map_err(|_| BadZone(text))
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.0.name().to_owned()
    }
}
