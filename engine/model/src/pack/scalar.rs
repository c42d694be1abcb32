//! Plain YAML scalars as JSON, by the core schema of YAML 1.2.

use serde_json::{Number, Value};

/// The value that a plain scalar stands for; `None` for infinities and "not a number", which JSON lacks.
///
/// By the core schema `yes`, `no`, `on` and `off` are strings.
/// A number that a 64-bit integer or float would change stays text, so that decimals written in a pack are exact:
/// `0.10` is the number 0.1, `12345678901234567.89` the string of the same digits.
pub(super) fn resolve(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "true" | "True" | "TRUE" => return Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Some(Value::Bool(false)),
        ".nan" | ".NaN" | ".NAN" => return None,
        _ if matches!(text.strip_prefix(['+', '-']).unwrap_or(text), ".inf" | ".Inf" | ".INF") => return None,
        _ => {}
    }
    Some(number(text).unwrap_or_else(|| Value::from(text)))
}

/// The number that `text` is a literal of.
pub(super) fn number(text: &str) -> Option<Value> {
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            let is_literal = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
            return is_literal
                .then(|| u64::from_str_radix(digits, radix).map_or_else(|_| Value::from(text), Value::from));
        }
    }
    let literal = Literal::read(text)?;
    if literal.is_integer {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let integer = digits.parse::<i64>().map(Value::from).or_else(|_| digits.parse::<u64>().map(Value::from));
        return Some(integer.unwrap_or_else(|_| Value::from(text)));
    }
    let number = text.parse::<f64>().ok().and_then(|float| {
        let number = Number::from_f64(float)?;
        // Half way between two shortest texts, the one that JSON is written with may be the other one.
        let shortest = [format!("{float:e}"), number.to_string()];
        let is_same = |shortest: &String| Literal::read(shortest).is_some_and(|shortest| shortest.is_same_as(&literal));
        shortest.iter().any(is_same).then_some(number)
    });
    Some(number.map_or_else(|| Value::from(text), Value::Number))
}

/// A decimal literal taken apart: its value is `digits` times ten to the power of `exponent`.
struct Literal {
    is_negative: bool,
    /// Without zeros at either end; empty for zero.
    digits: String,
    /// `None` where it is too large to count.
    exponent: Option<i64>,
    is_integer: bool,
}

impl Literal {
    /// Reads `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
    fn read(text: &str) -> Option<Self> {
        let is_negative = text.starts_with('-');
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (mantissa, power) = unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(m, p)| (m, Some(p)));
        let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let after_point = fraction.unwrap_or("");
        let has_digits = !(whole.is_empty() && after_point.is_empty());
        let power_digits = power.map_or("0", |power| power.strip_prefix(['+', '-']).unwrap_or(power));
        let is_literal = has_digits && all_digits(whole) && all_digits(after_point);
        if !is_literal || power_digits.is_empty() || !all_digits(power_digits) {
            return None;
        }
        let written = format!("{whole}{after_point}");
        let significant = written.trim_end_matches('0');
        let dropped = i64::try_from(written.len() - significant.len()).ok()?;
        let scale = i64::try_from(after_point.len()).ok()?;
        let exponent = power.unwrap_or("0").parse::<i64>().ok().and_then(|power| power.checked_add(dropped - scale));
        let digits = significant.trim_start_matches('0').to_owned();
        Some(Self { is_negative, digits, exponent, is_integer: fraction.is_none() && power.is_none() })
    }

    fn is_same_as(&self, other: &Self) -> bool {
        let is_zero = self.digits.is_empty() && other.digits.is_empty();
        is_zero
            || (self.is_negative == other.is_negative
                && self.digits == other.digits
                && self.exponent.is_some()
                && self.exponent == other.exponent)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_core_schema_of_yaml_1_2_decides() {
        for (text, value) in [
            ("", json!(null)),
            ("~", json!(null)),
            ("Null", json!(null)),
            ("nUll", json!("nUll")),
            ("TRUE", json!(true)),
            ("yes", json!("yes")),
            ("no", json!("no")),
            ("on", json!("on")),
            ("0", json!(0)),
            ("-12", json!(-12)),
            ("+12", json!(12)),
            ("007", json!(7)),
            ("0o17", json!(15)),
            ("0xFf", json!(255)),
            ("0x", json!("0x")),
            ("0x1G", json!("0x1G")),
            ("1_000", json!("1_000")),
            ("1.2.0", json!("1.2.0")),
            ("^1.0", json!("^1.0")),
            ("1.", json!(1.0)),
            (".5", json!(0.5)),
            ("-1.5e3", json!(-1500.0)),
            ("e3", json!("e3")),
            ("1e", json!("1e")),
            (".", json!(".")),
            ("+", json!("+")),
            ("inf", json!("inf")),
            ("2024-01-31", json!("2024-01-31")),
        ] {
            assert_eq!(resolve(text), Some(value), "{text}");
        }
        for text in [".inf", "-.INF", "+.Inf", ".nan"] {
            assert_eq!(resolve(text), None, "{text}");
        }
    }

    #[test]
    fn a_decimal_that_a_float_would_change_stays_text() {
        assert_eq!(resolve("0.10"), Some(json!(0.1)));
        assert_eq!(resolve("120000.00"), Some(json!(120_000.0)));
        assert_eq!(resolve("9007199254740993"), Some(json!(9_007_199_254_740_993_u64)));
        assert_eq!(resolve("18446744073709551615"), Some(json!(u64::MAX)));
        // The float is -1904824635533693.25.
        let halfway: f64 = -1_904_824_635_533_693.2;
        for written in [format!("{halfway}"), json!(halfway).to_string()] {
            assert_eq!(resolve(&written), Some(json!(halfway)), "{written}");
        }
        for exact in ["9007199254740993.0", "12345678901234567.89", "18446744073709551616", "1e400", "1e-400"] {
            assert_eq!(resolve(exact), Some(json!(exact)));
        }
        for huge in ["1e99999999999999999999", "0xFFFFFFFFFFFFFFFFF"] {
            assert_eq!(resolve(huge), Some(json!(huge)));
        }
    }

    proptest! {
        #[test]
        fn what_becomes_a_number_has_the_value_of_its_digits(whole in 0u64..1_000_000_000_000, fraction in "[0-9]{1,12}") {
            let text = format!("{whole}.{fraction}");
            let written = match resolve(&text) {
                Some(Value::Number(number)) => number.to_string(),
                Some(Value::String(text)) => text,
                other => panic!("{other:?}"),
            };
            prop_assert!(Literal::read(&written).unwrap().is_same_as(&Literal::read(&text).unwrap()));
        }

        #[test]
        fn any_text_is_read(text in "[-+.0-9a-fxoeE_~]{0,12}") {
            let _ = resolve(&text);
        }
    }
}
