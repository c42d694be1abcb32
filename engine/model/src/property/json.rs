//! `json`: any JSON; a JSON Schema fragment may say which.
//!
//! The fragment stands in the property, or is named and stands in a pack. This module hands it on and never checks a
//! value against it: the validator of the whole record does.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Fault, Faults, Input, Locale, PropertyKind, Storage};
use crate::name::Name;
use crate::spec::{SpecReader, shape};

/// Bytes of a value as it was written.
const LONGEST: usize = 1024 * 1024;

/// Lists and objects inside each other: a record holds the value a few levels deep, and readers allow 128.
const DEEPEST: usize = 64;

#[derive(Debug, PartialEq)]
enum Fragment {
    /// Any JSON.
    Any,
    /// A JSON Schema.
    Inline(Map<String, Value>),
    /// The name of one.
    Named(Name),
}

#[derive(Debug)]
struct Json {
    fragment: Fragment,
}

pub(super) fn read(reader: &mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>> {
    let fragment = match reader.value("schema") {
        None => Fragment::Any,
        Some(Value::Object(schema)) => Fragment::Inline(schema.clone()),
        Some(Value::String(_)) => reader.name("schema").map_or(Fragment::Any, Fragment::Named),
        Some(other) => {
            let message = format!("a JSON Schema object or the name of one is expected, not {}", shape(other));
            reader.problem("schema", "wrong_type", message);
            Fragment::Any
        }
    };
    Some(Arc::new(Json { fragment }))
}

impl PropertyKind for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn storage(&self) -> Storage {
        Storage::Opaque
    }

    /// Numbers inside are 64-bit integers or floating point numbers.
    fn normalize(&self, input: Input<'_>, _: &Locale) -> Result<Value, Faults> {
        let value = match input {
            Input::Boolean(value) => Value::Bool(value),
            Input::String(text) if text.len() <= LONGEST => Value::from(text),
            Input::Number(text) => parse(text)?,
            Input::Json(raw) if raw.get().len() <= LONGEST => parse(raw.get())?,
            Input::String(_) | Input::Json(_) => {
                return Err(vec![Fault::new("too_long", format!("a JSON value has at most {LONGEST} bytes"))]);
            }
        };
        check(&value).map_err(|fault| vec![fault])?;
        Ok(value)
    }

    /// Any value where the fragment is a named one: whoever knows the names puts it in.
    fn schema(&self) -> Map<String, Value> {
        match &self.fragment {
            Fragment::Inline(schema) => schema.clone(),
            Fragment::Any | Fragment::Named(_) => Map::new(),
        }
    }

    fn from_text(&self, text: &str) -> Result<Value, String> {
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(text).map_err(|error| format!("is no JSON: {error}"))
    }

    fn schema_reference(&self) -> Option<&str> {
        match &self.fragment {
            Fragment::Named(name) => Some(name),
            Fragment::Any | Fragment::Inline(_) => None,
        }
    }

    fn narrows_to(&self, next: &dyn PropertyKind) -> bool {
        match next.schema_reference() {
            // What a name stands for is not known here, only that it is the same.
            Some(name) => self.schema_reference() != Some(name),
            // The keywords of a free fragment depend on each other: only the same ones surely admit the same.
            None => next.is_computed() || !(next.schema().is_empty() || next.schema() == self.schema()),
        }
    }
}

fn parse(text: &str) -> Result<Value, Faults> {
    serde_json::from_str(text).map_err(|error| {
        let code = if error.to_string().starts_with("number out of range") { "too_large" } else { "invalid" };
        vec![Fault::new(code, format!("cannot be kept: {error}"))]
    })
}

fn check(value: &Value) -> Result<(), Fault> {
    let mut open = vec![(value, 0)];
    while let Some((value, depth)) = open.pop() {
        let check_text = |text: &str| match text.contains('\0') {
            true => Err(Fault::new("invalid", "the character U+0000 cannot be stored")),
            false => Ok(()),
        };
        match value {
            Value::Array(_) | Value::Object(_) if depth == DEEPEST => {
                return Err(Fault::new("invalid", format!("is nested deeper than {DEEPEST} levels")));
            }
            Value::Array(elements) => open.extend(elements.iter().map(|element| (element, depth + 1))),
            Value::Object(map) => {
                map.keys().try_for_each(|key| check_text(key))?;
                open.extend(map.values().map(|inner| (inner, depth + 1)));
            }
            Value::String(text) => check_text(text)?,
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{accept, codes, kind, problems, refuse};
    use super::*;

    #[test]
    fn any_json_is_taken() {
        let any = kind(json!({"type": "json"}));
        for value in
            [json!({"b": [1, 2.5, null], "a": {}}), json!("text"), json!(true), json!(-3), json!([]), json!(0.1)]
        {
            assert_eq!(accept(&any, &value.to_string()).to_string(), value.to_string());
        }
        assert_eq!(any.from_text(r#" {"a": [1]} "#), Ok(json!({"a": [1]})));
        assert_eq!(any.from_text(" "), Ok(Value::Null));
        assert!(any.from_text("{").is_err());
    }

    #[test]
    fn what_could_not_be_read_again_is_refused() {
        let any = kind(json!({"type": "json"}));
        assert_eq!(codes(&refuse(&any, r#"{"a": ["b\u0000"]}"#)), ["invalid"]);
        assert_eq!(codes(&refuse(&any, r#"{"a\u0000": 1}"#)), ["invalid"]);
        assert_eq!(codes(&refuse(&any, "1e999")), ["too_large"]);
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        accept(&any, &nested(64));
        assert_eq!(codes(&refuse(&any, &nested(65))), ["invalid"]);
        assert_eq!(codes(&refuse(&any, &nested(100_000))), ["invalid"]);
        assert_eq!(codes(&refuse(&any, &json!("x".repeat(LONGEST + 1)).to_string())), ["too_long"]);
        assert_eq!(codes(&refuse(&any, &json!(["x".repeat(LONGEST)]).to_string())), ["too_long"]);
    }

    #[test]
    fn a_fragment_is_kept_or_its_name_handed_on() {
        let fragment = json!({"type": "object", "required": ["street"]});
        assert_eq!(Value::Object(kind(json!({"type": "json", "schema": fragment})).schema()), fragment);
        let named = kind(json!({"type": "json", "schema": "address"}));
        assert_eq!((named.schema_reference(), named.schema()), (Some("address"), Map::new()));
        assert_eq!(problems(json!({"type": "json", "schema": "Address!"})), [("/schema", "invalid_name")]);
        assert_eq!(problems(json!({"type": "json", "schema": [1]})), [("/schema", "wrong_type")]);
    }

    #[test]
    fn a_fragment_narrows_and_dropping_it_does_not() {
        let any = kind(json!({"type": "json"}));
        let address = kind(json!({"type": "json", "schema": "address"}));
        let object = kind(json!({"type": "json", "schema": {"type": "object"}}));
        assert!(!address.narrows_to(address.as_ref()) && !object.narrows_to(object.as_ref()));
        assert!(
            any.narrows_to(address.as_ref()) && any.narrows_to(object.as_ref()) && object.narrows_to(address.as_ref())
        );
        assert!(!address.narrows_to(any.as_ref()) && !object.narrows_to(any.as_ref()));
    }
}
