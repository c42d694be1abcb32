//! How the values of a property are compared and written.

use chrono::{DateTime, Days, NaiveDate, NaiveTime};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::number;
use super::text::fold;

/// What a property holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::search) enum Kind {
    /// Short text, an address or a number that is written as text.
    Text {
        /// `contains` finds parts of words.
        is_substring: bool,
    },
    LongText,
    /// The id of a user.
    User,
    /// The record's own id.
    Id,
    Integer,
    Decimal {
        /// Digits after the point.
        scale: u32,
        /// All of them are always written.
        is_padded: bool,
    },
    Boolean,
    Date,
    Datetime,
    /// One of these, in this order.
    Choice(&'static [&'static str]),
    /// Some of these.
    Choices(&'static [&'static str]),
    Tags,
}

/// A value as it is compared with others of its kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scalar {
    Number(i128),
    Text(String),
    Position(usize),
    Flag(bool),
    Day(NaiveDate),
    /// Microseconds since 1970.
    Moment(i64),
}

impl Kind {
    /// The values of a property, none of null.
    pub(super) fn scalars(self, value: &Value) -> Vec<Scalar> {
        match value {
            Value::Null => Vec::new(),
            Value::Array(list) => list.iter().map(|one| self.scalar(one)).collect(),
            one => vec![self.scalar(one)],
        }
    }

    /// A value of the property that is none and no list.
    pub(super) fn scalar(self, value: &Value) -> Scalar {
        let text = || value.as_str().unwrap_or_else(|| panic!("{value} is no text"));
        match self {
            Self::Text { .. } | Self::LongText | Self::Tags => Scalar::Text(fold(text())),
            Self::User | Self::Choices(_) => Scalar::Text(text().to_owned()),
            Self::Id => Scalar::Number(text().parse().unwrap()),
            Self::Integer | Self::Decimal { .. } => Scalar::Number(number::parse(value)),
            Self::Boolean => Scalar::Flag(value.as_bool().unwrap()),
            Self::Date => Scalar::Day(text().parse().unwrap()),
            Self::Datetime => Scalar::Moment(DateTime::parse_from_rfc3339(text()).unwrap().timestamp_micros()),
            Self::Choice(options) => Scalar::Position(options.iter().position(|option| *option == text()).unwrap()),
        }
    }

    /// The first and the last value that an operand of a filter stands for.
    pub(super) fn span(self, operand: &Value, zone: Tz) -> (Scalar, Scalar) {
        let day = operand.as_str().filter(|_| self == Self::Datetime).and_then(|text| text.parse::<NaiveDate>().ok());
        let Some(day) = day else { return (self.scalar(operand), self.scalar(operand)) };
        let next = day.checked_add_days(Days::new(1)).unwrap();
        (Scalar::Moment(midnight(day, zone)), Scalar::Moment(midnight(next, zone) - 1))
    }

    /// A sum, a bound or a bucket of the property in its JSON type.
    pub(super) fn write_number(self, units: i128) -> Value {
        match self {
            Self::Integer => json!(i64::try_from(units / number::ONE).unwrap()),
            Self::Decimal { scale, is_padded } => json!(number::write(units, scale, is_padded)),
            other => panic!("{other:?} is no number"),
        }
    }
}

/// The microsecond at which a day begins.
fn midnight(day: NaiveDate, zone: Tz) -> i64 {
    day.and_time(NaiveTime::MIN).and_local_timezone(zone).earliest().unwrap().timestamp_micros()
}

/// The day on which a moment falls.
pub(super) fn day_of(moment: i64, zone: Tz) -> NaiveDate {
    DateTime::from_timestamp_micros(moment).unwrap().with_timezone(&zone).date_naive()
}
