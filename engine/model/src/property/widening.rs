//! Which JSON Schemas admit every value of another: what a change of a property's type asks.

use serde_json::{Map, Value};

use super::exact::{MAXIMUM, MINIMUM};
use super::literal::Literal;

/// Keywords that say nothing about values.
const ANNOTATIONS: &[&str] =
    &["title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment"];

/// Digits that no bound of a decimal exceeds on either side of the point.
const BOUND_DIGITS: u32 = 18;

/// `true` promises that `next` admits whatever `stored` admits; `false` promises nothing.
pub(super) fn admits(next: &Map<String, Value>, stored: &Map<String, Value>) -> bool {
    next.iter().all(|(keyword, wanted)| is_implied(keyword, wanted, stored))
}

/// What `stored` says implies that `keyword` holds.
fn is_implied(keyword: &str, wanted: &Value, stored: &Map<String, Value>) -> bool {
    let found = stored.get(keyword);
    match keyword {
        _ if ANNOTATIONS.contains(&keyword) || found == Some(wanted) => true,
        "minLength" | "minItems" | "minimum" => both(found, wanted, Value::as_i64).is_some_and(|(old, new)| old >= new),
        "maxLength" | "maxItems" | "maximum" => both(found, wanted, Value::as_i64).is_some_and(|(old, new)| old <= new),
        MINIMUM => both(found, wanted, bound).is_some_and(|(old, new)| old >= new),
        MAXIMUM => both(found, wanted, bound).is_some_and(|(old, new)| old <= new),
        "enum" => {
            both(found, wanted, Value::as_array).is_some_and(|(old, new)| old.iter().all(|value| new.contains(value)))
        }
        "items" => both(found, wanted, Value::as_object).is_some_and(|(old, new)| admits(new, old)),
        _ => false,
    }
}

fn both<'a, T>(found: Option<&'a Value>, wanted: &'a Value, read: impl Fn(&'a Value) -> Option<T>) -> Option<(T, T)> {
    Some((read(found?)?, read(wanted)?))
}

/// A decimal's bound, comparable with others of any scale.
fn bound(value: &Value) -> Option<i128> {
    Literal::parse(value.as_str()?)?.scaled(BOUND_DIGITS, 2 * BOUND_DIGITS).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn is_admitted(next: Value, stored: Value) -> bool {
        admits(next.as_object().expect("a schema"), stored.as_object().expect("a schema"))
    }

    #[test]
    fn laxer_schemas_admit_everything() {
        let stored = json!({
            "type": "string", "minLength": 2, "maxLength": 5, "pattern": "a", "x-minimum": "1.50", "enum": ["a", "b"],
            "items": {"maxLength": 3},
        });
        for next in [
            json!({}),
            json!({"type": "string"}),
            json!({"minLength": 1}),
            json!({"maxLength": 6}),
            json!({"pattern": "a"}),
            json!({"x-minimum": "1.4999"}),
            json!({"enum": ["c", "b", "a"]}),
            json!({"items": {"maxLength": 4}}),
            json!({"title": "Other"}),
        ] {
            assert!(is_admitted(next.clone(), stored.clone()), "{next}");
        }
        for next in [
            json!({"type": "integer"}),
            json!({"minLength": 3}),
            json!({"maxLength": 4}),
            json!({"pattern": "b"}),
            json!({"x-minimum": "1.51"}),
            json!({"x-maximum": "9"}),
            json!({"enum": ["a"]}),
            json!({"format": "date"}),
            json!({"items": {"maxLength": 2}}),
            json!({"maxItems": 3}),
            json!({"not": {}}),
        ] {
            assert!(!is_admitted(next.clone(), stored.clone()), "{next}");
        }
    }
}
