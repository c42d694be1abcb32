//! Values that expressions read and give.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{NaiveDate, TimeDelta};
use rust_decimal::Decimal;
use serde_json::Value as Json;

use crate::property::Storage;
use crate::time::Timestamp;

use super::calendar;
use super::fault::Fault;
use super::number;

/// A value of the expression language. Cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// An exact number of up to 28 digits.
    Decimal(Decimal),
    /// A text.
    String(Arc<str>),
    /// A day.
    Date(NaiveDate),
    /// A moment.
    Datetime(Timestamp),
    /// A length of time.
    Duration(TimeDelta),
    /// Values in order.
    List(Arc<Vec<Value>>),
    /// Values by key.
    Map(Arc<BTreeMap<Key, Value>>),
}

/// A key of a map.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A text.
    String(Arc<str>),
}

impl Value {
    /// A property's value in normal form, typed as the property is; JSON null is null.
    pub(super) fn of_property(storage: Storage, json: &Json) -> Result<Self, Fault> {
        match (storage, json) {
            (Storage::Scaled(_), Json::String(text)) => number::parse_decimal(text).map(Self::Decimal),
            (Storage::Date, Json::String(text)) => calendar::parse_date(text).map(Self::Date),
            (Storage::Datetime, Json::String(text)) => calendar::parse_moment(text).map(Self::Datetime),
            _ => Self::from_json(json),
        }
    }

    /// JSON as it is: a number is an integer if it is whole and in range, else a decimal.
    pub(super) fn from_json(json: &Json) -> Result<Self, Fault> {
        Ok(match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Boolean(*value),
            Json::Number(value) => match value.as_i64() {
                Some(integer) => Self::Integer(integer),
                None => Self::Decimal(number::parse_decimal(&value.to_string())?),
            },
            Json::String(text) => Self::from(text.as_str()),
            Json::Array(items) => Self::from(items.iter().map(Self::from_json).collect::<Result<Vec<_>, _>>()?),
            Json::Object(entries) => {
                let entry = |(key, value): (&String, &Json)| Ok((Key::from(key.as_str()), Self::from_json(value)?));
                Self::Map(Arc::new(entries.iter().map(entry).collect::<Result<_, Fault>>()?))
            }
        })
    }

    /// The value as JSON: decimals, dates, datetimes and durations as strings, a duration in seconds such as `90s`.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Boolean(value) => Json::from(*value),
            Self::Integer(value) => Json::from(*value),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Map(entries) => entries.iter().map(|(key, value)| (key.to_text(), value.to_json())).collect(),
            Self::Decimal(_) | Self::String(_) | Self::Date(_) | Self::Datetime(_) | Self::Duration(_) => {
                self.to_text().map_or(Json::Null, Json::from)
            }
        }
    }

    /// The text of a value that is neither null, a list nor a map.
    pub(super) fn to_text(&self) -> Option<String> {
        match self {
            Self::Boolean(value) => Some(value.to_string()),
            Self::Integer(value) => Some(value.to_string()),
            Self::Decimal(value) => Some(value.to_string()),
            Self::String(value) => Some(value.as_ref().to_owned()),
            Self::Date(value) => Some(value.format("%Y-%m-%d").to_string()),
            Self::Datetime(value) => Some(value.to_rfc3339()),
            Self::Duration(value) => {
                let nanoseconds = i128::from(value.num_seconds()) * 1_000_000_000 + i128::from(value.subsec_nanos());
                let seconds = Decimal::try_from_i128_with_scale(nanoseconds, 9).ok()?;
                Some(format!("{}s", seconds.normalize()))
            }
            Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// What it is, in words.
    pub(super) fn shape(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Decimal(_) => "a decimal",
            Self::String(_) => "a string",
            Self::Date(_) => "a date",
            Self::Datetime(_) => "a datetime",
            Self::Duration(_) => "a duration",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

impl Key {
    /// The key that a value stands for; a whole decimal is the integer it equals.
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Boolean(value) => Some(Self::Boolean(*value)),
            Value::Integer(value) => Some(Self::Integer(*value)),
            Value::Decimal(value) => number::whole(*value).map(Self::Integer),
            Value::String(value) => Some(Self::String(value.clone())),
            _ => None,
        }
    }

    /// The key as a value.
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Boolean(value) => Value::Boolean(*value),
            Self::Integer(value) => Value::Integer(*value),
            Self::String(value) => Value::String(value.clone()),
        }
    }

    fn to_text(&self) -> String {
        match self {
            Self::Boolean(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::String(value) => value.as_ref().to_owned(),
        }
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

/// Nothing is null.
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! value_from {
    ($($type:ty => $variant:ident),* $(,)?) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

value_from! {
    bool => Boolean,
    i64 => Integer,
    Decimal => Decimal,
    &str => String,
    String => String,
    NaiveDate => Date,
    Timestamp => Datetime,
    TimeDelta => Duration,
    Vec<Value> => List,
}
