//! How numbers and keys of the index are written in answers.

use chrono::{Days, NaiveDate};
use serde_json::Value;

use super::typed::Form;
use crate::property::exact::decimal_text;
use crate::time::Timestamp;

impl Form {
    /// A number in units of its field's storage as JSON; for [`Form::Text`] its digits.
    ///
    /// An integer beyond 64 bits, which only a sum and the lower bound of a step can be, is its digits as a string:
    /// [`Value`] has no such number, and whoever writes the answer makes one of them.
    pub fn number(self, units: i128) -> Value {
        match self {
            Self::Integer => i64::try_from(units).map_or_else(|_| Value::from(units.to_string()), Value::from),
            Self::Decimal { scale, is_padded } => Value::from(decimal_text(units, scale, is_padded)),
            Self::Date => day(units).map_or(Value::Null, |day| Value::from(day.to_string())),
            Self::Datetime => {
                i64::try_from(units).map_or(Value::Null, |moment| Value::from(Timestamp(moment).to_rfc3339()))
            }
            Self::Text | Self::Boolean => Value::from(units.to_string()),
        }
    }

    /// A text of the index as JSON.
    pub fn text(self, text: &str) -> Value {
        match self {
            Self::Boolean => Value::from(text == "true"),
            Self::Text | Self::Integer | Self::Decimal { .. } | Self::Date | Self::Datetime => Value::from(text),
        }
    }

    /// The mean of `count` numbers, above 0, as a decimal string: rounded, half away from zero, to at most ten digits
    /// after the point.
    pub fn mean(self, sum: i128, count: u64) -> Value {
        /// Digits after the point.
        const DIGITS: u32 = 10;
        let scale = match self {
            Self::Decimal { scale, .. } => scale,
            Self::Text | Self::Boolean | Self::Integer | Self::Date | Self::Datetime => 0,
        };
        let digits = DIGITS.max(scale);
        let factor = 10_i128.checked_pow(digits - scale).unwrap_or(1);
        let divisor = i128::from(count).max(1);
        // Whole and rest apart, so that nothing is too large: 18 digits times a count fit, times a factor may not.
        let (whole, rest) = (sum / divisor, sum % divisor);
        let (fraction, left) = (rest * factor / divisor, rest * factor % divisor);
        let rounded = if left.abs() * 2 >= divisor { left.signum() } else { 0 };
        Value::from(decimal_text(whole * factor + fraction + rounded, digits, false))
    }
}

fn day(days: i128) -> Option<NaiveDate> {
    let distance = Days::new(u64::try_from(days.unsigned_abs()).ok()?);
    let epoch = NaiveDate::default();
    if days < 0 { epoch.checked_sub_days(distance) } else { epoch.checked_add_days(distance) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_written_as_their_property_writes_them() {
        let money = Form::Decimal { scale: 2, is_padded: true };
        assert_eq!(money.number(1_000_553_400), json!("10005534.00"));
        assert_eq!(Form::Decimal { scale: 6, is_padded: false }.number(-1_500_000), json!("-1.5"));
        assert_eq!(Form::Integer.number(-7), json!(-7));
        assert_eq!(Form::Integer.number(i128::from(i64::MAX) + 1), json!("9223372036854775808"));
        assert_eq!(Form::Date.number(-1), json!("1969-12-31"));
        assert_eq!(Form::Datetime.number(1), json!("1970-01-01T00:00:00.000001Z"));
        assert_eq!((Form::Boolean.text("true"), Form::Text.text("true")), (json!(true), json!("true")));
    }

    #[test]
    fn a_mean_is_rounded_to_ten_digits() {
        let money = Form::Decimal { scale: 2, is_padded: true };
        assert_eq!(money.mean(1_000, 3), json!("3.3333333333"));
        assert_eq!(money.mean(-2_000, 3), json!("-6.6666666667"));
        assert_eq!(money.mean(1_000, 4), json!("2.5"));
        assert_eq!(Form::Integer.mean(7, 2), json!("3.5"));
        assert_eq!(money.mean(i128::from(i64::MAX) * 1_000_000, 1_000_000), json!("92233720368547758.07"));
    }
}
