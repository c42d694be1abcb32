//! Values as whole numbers, which is how they are compared, summed and stored in the index.

use chrono::NaiveDate;
use serde_json::Value;

use super::Storage;
use crate::time::Timestamp;

impl Storage {
    /// A value in normal form as a number: scaled by the digits kept, days since 1970-01-01, or microseconds since
    /// 1970. `None` for what is no number.
    pub fn number_of(self, value: &Value) -> Option<i64> {
        match self {
            Self::Scaled(digits) => scaled(value, digits),
            Self::Date => days(value.as_str()?),
            Self::Datetime => Timestamp::parse(value.as_str()?).map(|at| at.0),
            Self::Text | Self::LongText | Self::Option | Self::TextList | Self::Boolean | Self::Opaque => None,
        }
    }
}

fn scaled(value: &Value, digits: u32) -> Option<i64> {
    if let Some(whole) = value.as_i64() {
        return whole.checked_mul(10_i64.checked_pow(digits)?);
    }
    let text = value.as_str()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let padded = format!("{whole}{fraction:0<width$}", width = usize::try_from(digits).ok()?);
    padded.parse().ok()
}

fn days(text: &str) -> Option<i64> {
    let date: NaiveDate = text.parse().ok()?;
    Some(date.signed_duration_since(NaiveDate::default()).num_days())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_become_numbers_that_compare_as_they_do() {
        assert_eq!(Storage::Scaled(2).number_of(&json!("-12.5")), Some(-1_250));
        assert_eq!(Storage::Scaled(2).number_of(&json!(7)), Some(700));
        assert_eq!(Storage::Scaled(0).number_of(&json!("12")), Some(12));
        assert_eq!(Storage::Date.number_of(&json!("1969-12-31")), Some(-1));
        assert_eq!(Storage::Datetime.number_of(&json!("1970-01-01T00:00:00.000002Z")), Some(2));
        assert_eq!(Storage::Text.number_of(&json!("5")), None);
    }
}
