//! `integer`: a whole number of 64 bits, a JSON number and nothing else.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::fault::excerpt;
use super::literal::{Literal, Misfit};
use super::{Fault, Faults, Input, Locale, PropertyKind, Storage};
use crate::spec::SpecReader;

/// Digits of the largest 64-bit integer.
const MOST_DIGITS: u32 = 19;

#[derive(Debug)]
struct Integer {
    minimum: Option<i64>,
    maximum: Option<i64>,
}

pub(super) fn read(reader: &mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>> {
    reader.string("unit");
    let minimum = read_bound(reader, "minimum");
    let maximum = read_bound(reader, "maximum");
    if minimum.zip(maximum).is_some_and(|(minimum, maximum)| minimum > maximum) {
        reader.problem("minimum", "invalid", "`minimum` is above `maximum`");
    }
    Some(Arc::new(Integer { minimum, maximum }))
}

/// An integer without options.
pub(super) fn unbounded() -> Arc<dyn PropertyKind> {
    Arc::new(Integer { minimum: None, maximum: None })
}

fn read_bound(reader: &mut SpecReader<'_>, key: &'static str) -> Option<i64> {
    let bound = match reader.value(key)? {
        Value::Number(number) => whole(&number.to_string()).ok(),
        _ => None,
    };
    if bound.is_none() {
        reader.problem(key, "wrong_type", "a whole number of at most 64 bits is expected");
    }
    bound
}

/// Reads a whole number, which `1.0` and `1e3` are too.
fn whole(text: &str) -> Result<i64, Fault> {
    let not_whole = || Fault::new("wrong_type", format!("a whole number is expected, not `{}`", excerpt(text)));
    let literal = Literal::parse(text).ok_or_else(not_whole)?;
    let fitted = match literal.scaled(0, MOST_DIGITS) {
        Ok(value) => i64::try_from(value).ok(),
        Err(misfits) if misfits.contains(&Misfit::TooPrecise) => return Err(not_whole()),
        Err(_) => None,
    };
    fitted.ok_or_else(|| match literal.is_negative() {
        true => Fault::new("too_small", format!("must be at least {}", i64::MIN)),
        false => Fault::new("too_large", format!("must be at most {}", i64::MAX)),
    })
}

impl PropertyKind for Integer {
    fn name(&self) -> &'static str {
        "integer"
    }

    fn storage(&self) -> Storage {
        Storage::Scaled(0)
    }

    fn normalize(&self, input: Input<'_>, _: &Locale) -> Result<Value, Faults> {
        let Input::Number(text) = input else { return Err(input.wrong_type("a whole number")) };
        let value = whole(text).map_err(|fault| vec![fault])?;
        if let Some(minimum) = self.minimum.filter(|minimum| value < *minimum) {
            return Err(vec![Fault::new("too_small", format!("must be at least {minimum}"))]);
        }
        if let Some(maximum) = self.maximum.filter(|maximum| value > *maximum) {
            return Err(vec![Fault::new("too_large", format!("must be at most {maximum}"))]);
        }
        Ok(Value::from(value))
    }

    fn schema(&self) -> Map<String, Value> {
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("integer"));
        for (keyword, bound) in [("minimum", self.minimum), ("maximum", self.maximum)] {
            if let Some(bound) = bound {
                schema.insert(keyword.to_owned(), json!(bound));
            }
        }
        schema
    }

    /// Plain digits: `1,234` could be more than a thousand or a little more than one.
    fn from_text(&self, text: &str) -> Result<Value, String> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Value::Null);
        }
        whole(text).map(Value::from).map_err(|fault| fault.message)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{accept, codes, kind, problems, refuse};
    use super::*;

    #[test]
    fn whole_numbers_become_integers() {
        let integer = kind(json!({"type": "integer"}));
        for (written, value) in [("3", 3), ("-0", 0), ("1.0", 1), ("1e3", 1000), ("1.5e1", 15)] {
            assert_eq!(accept(&integer, written), json!(value), "{written}");
        }
        assert_eq!(accept(&integer, "9223372036854775807"), json!(i64::MAX));
        assert_eq!(accept(&integer, "-9223372036854775808"), json!(i64::MIN));
    }

    #[test]
    fn anything_else_is_refused() {
        let integer = kind(json!({"type": "integer", "minimum": 1, "maximum": 10.0}));
        for (written, code) in [
            ("1.5", "wrong_type"),
            ("1e-400", "wrong_type"),
            (r#""3""#, "wrong_type"),
            ("true", "wrong_type"),
            ("9223372036854775808", "too_large"),
            ("-9223372036854775809", "too_small"),
            ("1e400", "too_large"),
            ("-1e400", "too_small"),
            ("0", "too_small"),
            ("11", "too_large"),
        ] {
            assert_eq!(codes(&refuse(&integer, written)), [code], "{written}");
        }
    }

    #[test]
    fn bounds_are_whole_and_in_order() {
        let spec = json!({"type": "integer", "minimum": 0.5, "maximum": "3"});
        assert_eq!(problems(spec), [("/minimum", "wrong_type"), ("/maximum", "wrong_type")]);
        assert_eq!(problems(json!({"type": "integer", "minimum": 2, "maximum": 1})), [("/minimum", "invalid")]);
    }

    #[test]
    fn a_cell_holds_plain_digits() {
        let integer = kind(json!({"type": "integer"}));
        assert_eq!(integer.from_text(" 3 "), Ok(json!(3)));
        assert_eq!(integer.from_text("3.0"), Ok(json!(3)));
        assert_eq!(integer.from_text(" "), Ok(Value::Null));
        assert_eq!(integer.from_text("1,234"), Err("a whole number is expected, not `1,234`".to_owned()));
    }

    #[test]
    fn wider_bounds_leave_every_value_valid() {
        let narrow = kind(json!({"type": "integer", "minimum": 0, "maximum": 9}));
        let wide = kind(json!({"type": "integer", "minimum": -1}));
        assert!(!narrow.narrows_to(wide.as_ref()));
        assert!(wide.narrows_to(narrow.as_ref()));
        assert!(narrow.narrows_to(kind(json!({"type": "decimal"})).as_ref()));
    }
}
