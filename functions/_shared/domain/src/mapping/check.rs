//! What a value must be like.

use super::transformation::Sight;
use crate::canon;
use crate::decimal;
use crate::expression::Expression;
use crate::moment;
use crate::record::{NULL, Value};
use regex_lite::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

/// One check. A missing value passes all but [`Check::NotNull`] and [`Check::Custom`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Check {
    /// There is a value.
    #[serde(alias = "required")]
    NotNull,
    /// An e-mail address that mail systems accept.
    Email,
    /// An address on the web, `http` or `https`.
    Url,
    /// A value of this type.
    Type(ValueType),
    /// A number within bounds, both included.
    Range {
        /// The smallest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<Value>,
        /// The greatest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<Value>,
    },
    /// A text of so many letters, or a list of so many elements.
    Length {
        /// The fewest.
        #[serde(default)]
        min: usize,
        /// The most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<usize>,
    },
    /// A text that matches this pattern somewhere; anchor it with `^` and `$`.
    Regex(Pattern),
    /// One of these.
    Enum(Vec<Value>),
    /// The expression says yes.
    Custom(Expression),
}

/// What type a value can be asked to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueType {
    /// A text.
    #[serde(alias = "string")]
    Text,
    /// A number, or a text that shows one.
    #[serde(alias = "decimal")]
    Number,
    /// A whole number, or a text that shows one.
    Integer,
    /// True or false.
    #[serde(alias = "bool")]
    Boolean,
    /// A date, or a point in time.
    Date,
    /// A list.
    #[serde(alias = "array")]
    List,
    /// An object.
    Object,
}

/// A pattern that was read. Matching takes time in proportion to the text.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    text: String,
    regex: Regex,
}

impl Check {
    /// Its name, as it is written.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::NotNull => "not_null",
            Self::Email => "email",
            Self::Url => "url",
            Self::Type(_) => "type",
            Self::Range { .. } => "range",
            Self::Length { .. } => "length",
            Self::Regex(_) => "regex",
            Self::Enum(_) => "enum",
            Self::Custom(_) => "custom",
        }
    }

    /// Whether the value passes; else what is wrong, without the value itself.
    pub(super) fn passes(&self, value: Option<&Value>, sight: &Sight<'_>) -> Result<(), String> {
        let value = value.unwrap_or(NULL);
        if let Self::Custom(expression) = self {
            return match expression.holds(Some(value), sight.record) {
                Ok(true) => Ok(()),
                Ok(false) => Err(format!("`{expression}` does not hold")),
                Err(failure) => Err(failure.to_string()),
            };
        }
        if value.is_null() {
            return if *self == Self::NotNull { Err("there is no value".to_owned()) } else { Ok(()) };
        }
        let text = value.as_str();
        let (passes, detail) = match self {
            Self::NotNull | Self::Custom(_) => (true, String::new()),
            Self::Email => (text.is_some_and(is_email), "this is no e-mail address".to_owned()),
            Self::Url => (text.is_some_and(is_url), "this is no web address".to_owned()),
            Self::Type(kind) => (kind.fits(value), format!("this is no {}", kind.word())),
            Self::Range { min, max } => return range(value, min.as_ref(), max.as_ref()),
            Self::Length { min, max } => {
                let length = match value {
                    Value::String(text) => text.chars().count(),
                    Value::Array(values) => values.len(),
                    _ => return Err("this has no length".to_owned()),
                };
                (
                    length >= *min && max.is_none_or(|max| length <= max),
                    format!("its length is {length}, not {}", bounds(min, max.as_ref())),
                )
            }
            Self::Regex(pattern) => (
                text.is_some_and(|text| pattern.regex.is_match(text)),
                format!("it does not match `{}`", pattern.text),
            ),
            Self::Enum(values) => (
                values.iter().any(|one| canon::equal(one, value)),
                "this is none of the values that are allowed".to_owned(),
            ),
        };
        if passes { Ok(()) } else { Err(detail) }
    }
}

fn bounds(min: impl std::fmt::Display, max: Option<impl std::fmt::Display>) -> String {
    max.map_or_else(|| format!("at least {min}"), |max| format!("{min} to {max}"))
}

fn range(value: &Value, min: Option<&Value>, max: Option<&Value>) -> Result<(), String> {
    let number = decimal::of(value).ok_or_else(|| "this is no number".to_owned())?;
    if min.and_then(decimal::of).is_some_and(|min| number < min) {
        return Err("this is too small".to_owned());
    }
    if max.and_then(decimal::of).is_some_and(|max| number > max) {
        return Err("this is too great".to_owned());
    }
    Ok(())
}

impl ValueType {
    /// Its word in schemas and messages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::List => "list",
            Self::Object => "object",
        }
    }

    /// Whether a value is of this type.
    pub fn fits(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Number => shows_number(value),
            Self::Integer => {
                shows_number(value) && decimal::of(value).is_none_or(|number| number.is_integer())
            }
            Self::Boolean => value.is_boolean(),
            Self::Date => value.as_str().is_some_and(moment::is_date),
            Self::List => value.is_array(),
            Self::Object => value.is_object(),
        }
    }
}

/// Numbers of any size: also those that are too long to calculate with.
fn shows_number(value: &Value) -> bool {
    match value {
        Value::Number(_) => true,
        Value::String(text) => canon::number(text).is_some(),
        _ => false,
    }
}

/// The form of RFC 5321 without its rarities (quotes, comments, addresses of machines): one `@`, a local part of atoms
/// of at most 64 bytes, a domain of at least two labels.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let atom = |letter: char| letter.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(letter);
    let local_fits =
        local.len() <= 64 && local.split('.').all(|part| !part.is_empty() && part.chars().all(atom));
    local_fits && text.len() <= 254 && domain.contains('.') && is_domain(domain)
}

fn is_domain(domain: &str) -> bool {
    domain.split('.').all(|label| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|letter| letter.is_alphanumeric() || letter == '-')
    })
}

/// `http` or `https`, a host, perhaps a port, and no white space.
fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest.filter(|rest| !rest.chars().any(char::is_whitespace)) else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = host.split_once(':').unwrap_or((host, "443"));
    is_domain(host) && port.parse::<u16>().is_ok()
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl TryFrom<String> for Pattern {
    type Error = regex_lite::Error;

    fn try_from(text: String) -> Result<Self, regex_lite::Error> {
        let regex = RegexBuilder::new(&text).size_limit(256 * 1024).build()?;
        Ok(Self { text, regex })
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.text
    }
}
