//! `decimal` and `percent`: exact numbers, canonical decimal text. Fifty percent is `"50"`.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::exact::{Exact, MOST_DIGITS, read_scale};
use super::{Faults, Input, Locale, PropertyKind, Storage};
use crate::query::Form;
use crate::spec::SpecReader;

/// Digits after the point where no `scale` is given; zeros at the end go then.
const DEFAULT_SCALE: u32 = 6;

#[derive(Debug)]
struct Decimal {
    name: &'static str,
    exact: Exact,
}

pub(super) fn read_decimal(reader: &mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>> {
    read("decimal", reader)
}

pub(super) fn read_percent(reader: &mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>> {
    read("percent", reader)
}

fn read(name: &'static str, reader: &mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>> {
    reader.string("unit");
    let scale = read_scale(reader, MOST_DIGITS);
    let exact = Exact::read(reader, scale.unwrap_or(DEFAULT_SCALE), scale.is_some());
    Some(Arc::new(Decimal { name, exact }))
}

/// A decimal without options.
pub(super) fn unbounded() -> Arc<dyn PropertyKind> {
    Arc::new(Decimal { name: "decimal", exact: Exact::unbounded(DEFAULT_SCALE, false) })
}

impl PropertyKind for Decimal {
    fn name(&self) -> &'static str {
        self.name
    }

    fn storage(&self) -> Storage {
        Storage::Scaled(self.exact.scale)
    }

    fn form(&self) -> Form {
        self.exact.form()
    }

    fn normalize(&self, input: Input<'_>, _: &Locale) -> Result<Value, Faults> {
        self.exact.normalize(input)
    }

    fn schema(&self) -> Map<String, Value> {
        self.exact.schema()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rust_decimal::Decimal as Reference;
    use serde_json::json;

    use super::super::tests::{accept, codes, kind, problems, refuse};

    #[test]
    fn without_a_scale_zeros_at_the_end_go() {
        let decimal = kind(json!({"type": "decimal"}));
        for (written, canonical) in [
            ("12.50", "12.5"),
            ("-0", "0"),
            ("-0.000", "0"),
            ("1e3", "1000"),
            ("0.000001", "0.000001"),
            ("1E-2", "0.01"),
            ("999999999999.999999", "999999999999.999999"),
        ] {
            assert_eq!(accept(&decimal, written), json!(canonical), "{written}");
            assert_eq!(accept(&decimal, &json!(written).to_string()), json!(canonical), "{written} as a string");
        }
        assert_eq!(accept(&decimal, r#"" +007.10 ""#), json!("7.1"));
    }

    #[test]
    fn with_a_scale_exactly_that_many_digits_are_written() {
        let decimal = kind(json!({"type": "decimal", "scale": 3}));
        for (written, canonical) in [("1", "1.000"), ("-0.5", "-0.500"), ("0", "0.000"), ("1.0100", "1.010")] {
            assert_eq!(accept(&decimal, written), json!(canonical), "{written}");
        }
        assert_eq!(accept(&kind(json!({"type": "decimal", "scale": 0})), "12.0"), json!("12"));
        assert_eq!(accept(&kind(json!({"type": "decimal", "scale": 18})), "-0.5"), json!("-0.500000000000000000"));
    }

    #[test]
    fn what_is_no_exact_decimal_is_refused() {
        let decimal = kind(json!({"type": "percent", "scale": 2}));
        for (written, code) in [
            ("1.001", "too_precise"),
            ("1e-9999999", "too_precise"),
            ("1e400", "too_large"),
            ("10000000000000000", "too_large"),
            (r#""1,5""#, "invalid"),
            (r#""$5""#, "invalid"),
            (r#""  ""#, "invalid"),
            ("true", "wrong_type"),
            ("[1]", "wrong_type"),
        ] {
            assert_eq!(codes(&refuse(&decimal, written)), [code], "{written}");
        }
        assert_eq!(codes(&refuse(&decimal, "123456789012345678.901")), ["too_large", "too_precise"]);
        assert_eq!(refuse(&decimal, "1.001")[0].message, "has more than 2 digits after the point; round it first");
    }

    #[test]
    fn bounds_are_written_as_numbers_or_strings() {
        let decimal = kind(json!({"type": "decimal", "minimum": "-0.5", "maximum": 1e2}));
        assert_eq!(accept(&decimal, "-0.50"), json!("-0.5"));
        assert_eq!(accept(&decimal, "100"), json!("100"));
        assert_eq!(refuse(&decimal, "-0.500001")[0].message, "must be at least -0.5");
        assert_eq!(codes(&refuse(&decimal, "100.000001")), ["too_large"]);
        assert_eq!(decimal.schema()["x-minimum"], json!("-0.5"));
    }

    #[test]
    fn wrong_options_are_reported() {
        let wrong = json!({"type": "decimal", "scale": 19, "minimum": true, "maximum": "much"});
        assert_eq!(problems(wrong), [("/scale", "too_large"), ("/minimum", "wrong_type"), ("/maximum", "invalid")]);
        let crossed = json!({"type": "decimal", "scale": 1, "minimum": 2, "maximum": 1, "unit": "kg"});
        assert_eq!(problems(crossed), [("/minimum", "invalid")]);
        assert_eq!(problems(json!({"type": "decimal", "scale": 1, "minimum": 0.25})), [("/minimum", "too_precise")]);
    }

    #[test]
    fn only_wider_bounds_leave_every_value_valid() {
        let narrow = kind(json!({"type": "decimal", "scale": 2, "minimum": 9, "maximum": 10}));
        let wide = kind(json!({"type": "percent", "scale": 2, "minimum": -100}));
        assert!(!narrow.narrows_to(wide.as_ref()));
        assert!(wide.narrows_to(narrow.as_ref()));
        assert!(narrow.narrows_to(kind(json!({"type": "decimal", "scale": 3})).as_ref()));
        assert!(kind(json!({"type": "integer"})).narrows_to(wide.as_ref()));
    }

    proptest! {
        #[test]
        fn decimals_agree_with_another_implementation(
            units in -9_999_999_999_999_999_999_999_i128..=9_999_999_999_999_999_999_999,
            places in 0_u32..=20,
            scale in 0_u32..=18,
        ) {
            let written = Reference::from_i128_with_scale(units, places);
            let decimal = kind(json!({"type": "decimal", "scale": scale}));
            let result = super::super::tests::normalized(&decimal, &written.to_string());
            let rounded = written.round_dp(scale);
            let is_exact = rounded == written;
            let limit = Reference::from_i128_with_scale(10_i128.pow(18), scale);
            match result {
                Ok(value) => {
                    prop_assert!(is_exact && written.abs() < limit);
                    let text = value.as_str().expect("a string").to_owned();
                    let read: Reference = text.parse().expect("a decimal");
                    prop_assert_eq!(read, written);
                    prop_assert_eq!(read.scale(), scale);
                }
                Err(faults) => prop_assert!(!is_exact || written.abs() >= limit, "{:?}", faults),
            }
        }
    }
}
