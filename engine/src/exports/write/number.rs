//! Numbers and moments, as binary formats have them.

use chrono::NaiveDate;
use engine_model::time::Timestamp;

/// The units of a decimal with so many digits after the point; none where it has more, or more than fit.
pub(super) fn units(digits: &str, scale: u32) -> Option<i128> {
    let (is_negative, digits) = match digits.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, digits),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let missing = usize::try_from(scale).ok()?.checked_sub(fraction.len())?;
    if whole.is_empty() {
        return None;
    }
    let mut units: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()).chain(std::iter::repeat_n(b'0', missing)) {
        let digit = i128::from(digit.checked_sub(b'0').filter(|digit| *digit <= 9)?);
        units = units.checked_mul(10)?.checked_add(digit)?;
    }
    Some(if is_negative { -units } else { units })
}

/// How many digits a number has, from the first that is not 0.
pub(super) fn significant_digits(digits: &str) -> usize {
    let digits = digits.bytes().filter(u8::is_ascii_digit);
    digits.skip_while(|digit| *digit == b'0').count()
}

/// Days since 1970-01-01.
pub(super) fn days(date: &str) -> Option<i32> {
    let day: NaiveDate = date.parse().ok()?;
    i32::try_from(day.signed_duration_since(NaiveDate::default()).num_days()).ok()
}

/// Microseconds since 1970 in UTC.
pub(super) fn microseconds(moment: &str) -> Option<i64> {
    Timestamp::parse(moment).map(|moment| moment.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_become_units() {
        for (digits, scale, expected) in [
            ("120000.00", 2, Some(12_000_000)),
            ("-0.5", 6, Some(-500_000)),
            ("0", 0, Some(0)),
            ("-0.00", 2, Some(0)),
            ("999999999999999999", 0, Some(999_999_999_999_999_999)),
            ("1.234", 2, None),
            ("", 2, None),
            ("1e3", 2, None),
            ("99999999999999999999999999999999999999999", 0, None),
        ] {
            assert_eq!(units(digits, scale), expected, "{digits}");
        }
    }

    #[test]
    fn digits_count_from_the_first_that_is_not_zero() {
        assert_eq!(["0.00", "0.012", "-120.50", "100"].map(significant_digits), [0, 2, 5, 3]);
    }

    #[test]
    fn days_and_moments_are_counted_from_1970() {
        assert_eq!((days("1970-01-02"), days("1969-12-31"), days("tomorrow")), (Some(1), Some(-1), None));
        assert_eq!(days("9999-12-31"), Some(2_932_896));
        assert_eq!(microseconds("1970-01-01T00:00:00.000001Z"), Some(1));
        assert_eq!(microseconds("0001-01-01T00:00:00.000000Z"), Some(-62_135_596_800_000_000));
    }
}
