//! `boolean`: true or false.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::fault::excerpt;
use super::{Faults, Input, Locale, PropertyKind, Storage};
use crate::spec::SpecReader;

#[derive(Debug)]
struct Boolean;

pub(super) fn read(_: &mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>> {
    Some(Arc::new(Boolean))
}

impl PropertyKind for Boolean {
    fn name(&self) -> &'static str {
        "boolean"
    }

    fn storage(&self) -> Storage {
        Storage::Boolean
    }

    fn normalize(&self, input: Input<'_>, _: &Locale) -> Result<Value, Faults> {
        match input {
            Input::Boolean(value) => Ok(Value::Bool(value)),
            Input::Number(_) | Input::String(_) | Input::Json(_) => Err(input.wrong_type("true or false")),
        }
    }

    fn schema(&self) -> Map<String, Value> {
        Map::from_iter([("type".to_owned(), json!("boolean"))])
    }

    fn from_text(&self, text: &str) -> Result<Value, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "" => Ok(Value::Null),
            "true" | "yes" | "t" | "y" | "1" => Ok(Value::Bool(true)),
            "false" | "no" | "f" | "n" | "0" => Ok(Value::Bool(false)),
            _ => Err(format!("`{}` is neither true nor false; write one of the two", excerpt(text.trim()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{accept, codes, kind, refuse};
    use super::*;

    #[test]
    fn only_booleans_are_taken() {
        let boolean = kind(json!({"type": "boolean"}));
        assert_eq!(accept(&boolean, "true"), json!(true));
        assert_eq!(accept(&boolean, "false"), json!(false));
        for wrong in ["1", r#""true""#, "{}"] {
            assert_eq!(codes(&refuse(&boolean, wrong)), ["wrong_type"], "{wrong}");
        }
    }

    #[test]
    fn a_cell_may_say_it_in_several_words() {
        let boolean = kind(json!({"type": "boolean"}));
        for (text, value) in [("TRUE", true), (" Yes ", true), ("t", true), ("1", true), ("No", false), ("0", false)] {
            assert_eq!(boolean.from_text(text), Ok(json!(value)), "{text}");
        }
        assert_eq!(boolean.from_text(""), Ok(Value::Null));
        assert!(boolean.from_text("maybe").is_err());
    }
}
