//! Sets of shapes that a value may have, and samples of each.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta};
use rust_decimal::Decimal;

use crate::time::Timestamp;

use super::value::Value;

/// A set of shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shapes(u16);

impl Shapes {
    pub(super) const NONE: Self = Self(0);
    pub(super) const NULL: Self = Self(1);
    pub(super) const BOOLEAN: Self = Self(1 << 1);
    pub(super) const INTEGER: Self = Self(1 << 2);
    pub(super) const DECIMAL: Self = Self(1 << 3);
    pub(super) const STRING: Self = Self(1 << 4);
    pub(super) const DATE: Self = Self(1 << 5);
    pub(super) const DATETIME: Self = Self(1 << 6);
    pub(super) const DURATION: Self = Self(1 << 7);
    pub(super) const LIST: Self = Self(1 << 8);
    pub(super) const MAP: Self = Self(1 << 9);
    /// Not known.
    pub(super) const ANY: Self = Self((1 << 10) - 1);

    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Boolean(_) => Self::BOOLEAN,
            Value::Integer(_) => Self::INTEGER,
            Value::Decimal(_) => Self::DECIMAL,
            Value::String(_) => Self::STRING,
            Value::Date(_) => Self::DATE,
            Value::Datetime(_) => Self::DATETIME,
            Value::Duration(_) => Self::DURATION,
            Value::List(_) => Self::LIST,
            Value::Map(_) => Self::MAP,
        }
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether one of `wanted` is in it.
    pub(super) fn may_be(self, wanted: Self) -> bool {
        // Null alone says nothing of what is there once there is a value.
        self.without(Self::NULL).0 & wanted.0 != 0 || self.is_null()
    }

    pub(super) fn is_any(self) -> bool {
        self.with(Self::NULL) == Self::ANY
    }

    /// Nothing but null.
    pub(super) fn is_null(self) -> bool {
        self == Self::NULL
    }

    /// Values of each shape but null, enough of them that what is defined for some value is defined for one of these.
    pub(super) fn samples(self) -> Vec<Value> {
        let day = NaiveDate::from_ymd_opt(2024, 2, 29);
        let moment = DateTime::from_timestamp(1_700_000_000, 0).map(|moment| Timestamp(moment.timestamp_micros()));
        let texts = ["1", "true", "2024-02-29", "2024-02-29T12:00:00Z", "36h", "UTC"];
        let list = |item: Value| Value::List(Arc::new(vec![item]));
        let all = [
            (Self::BOOLEAN, vec![Value::Boolean(true)]),
            (Self::INTEGER, vec![Value::Integer(1)]),
            (Self::DECIMAL, vec![Value::Decimal(Decimal::new(15, 1))]),
            (Self::STRING, texts.map(Value::from).to_vec()),
            (Self::DATE, day.map(Value::Date).into_iter().collect()),
            (Self::DATETIME, moment.map(Value::Datetime).into_iter().collect()),
            (Self::DURATION, vec![Value::Duration(TimeDelta::days(1))]),
            (Self::LIST, vec![list(Value::Integer(1)), list(Value::from("1"))]),
            (Self::MAP, vec![Value::Map(Arc::new(BTreeMap::new()))]),
        ];
        let mine = all.into_iter().filter(|(shape, _)| self.0 & shape.0 != 0);
        mine.flat_map(|(_, samples)| samples).collect()
    }

    /// For people, such as "a string or an integer".
    pub(super) fn in_words(self) -> String {
        let mut words: Vec<&str> = self.samples().iter().map(Value::shape).collect();
        words.dedup();
        match words.as_slice() {
            [] => "null".to_owned(),
            words => words.join(" or "),
        }
    }
}
