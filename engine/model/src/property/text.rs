//! `string` and `text`: what people write, kept exactly as they wrote it.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::pattern::Pattern;
use super::{Fault, Faults, Input, Locale, PropertyKind, Storage};
use crate::spec::SpecReader;

/// Characters that a `string` may have where no `max_length` says less.
const LONGEST_STRING: u64 = 65_536;

/// Characters that a `text` may have where no `max_length` says less.
const LONGEST_TEXT: u64 = 1_000_000;

/// Lengths are counted in Unicode scalar values, as JSON Schema does.
#[derive(Debug)]
struct Text {
    name: &'static str,
    storage: Storage,
    min_length: u64,
    max_length: u64,
    pattern: Option<Pattern>,
}

pub(super) fn read_string(reader: &mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>> {
    read("string", Storage::Text, LONGEST_STRING, reader)
}

pub(super) fn read_text(reader: &mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>> {
    reader.boolean("markdown");
    read("text", Storage::LongText, LONGEST_TEXT, reader)
}

fn read(
    name: &'static str,
    storage: Storage,
    longest: u64,
    reader: &mut SpecReader<'_>,
) -> Option<Arc<dyn PropertyKind>> {
    let min_length = reader.count("min_length").unwrap_or(0);
    let max_length = reader.count("max_length").unwrap_or(longest);
    if max_length > longest {
        reader.problem("max_length", "too_large", format!("a {name} has at most {longest} characters"));
    } else if max_length == 0 {
        reader.problem("max_length", "invalid", "a text of no characters is no value");
    } else if min_length > max_length {
        reader.problem("min_length", "invalid", format!("no text is longer than the {max_length} characters allowed"));
    }
    let pattern = reader.string("pattern").map(Pattern::compile);
    let pattern = match pattern {
        Some(Ok(pattern)) => Some(pattern),
        Some(Err(reason)) => {
            reader.problem("pattern", "invalid", reason);
            None
        }
        None => None,
    };
    Some(Arc::new(Text { name, storage, min_length, max_length, pattern }))
}

impl PropertyKind for Text {
    fn name(&self) -> &'static str {
        self.name
    }

    fn storage(&self) -> Storage {
        self.storage
    }

    fn normalize(&self, input: Input<'_>, _: &Locale) -> Result<Value, Faults> {
        let text = input.text("a string")?;
        let length = text.chars().count() as u64;
        let mut faults = Faults::new();
        if length < self.min_length {
            let message = format!("has {length} characters; at least {} are required", self.min_length);
            faults.push(Fault::new("too_short", message));
        }
        if length > self.max_length {
            let message = format!("has {length} characters; at most {} are allowed", self.max_length);
            faults.push(Fault::new("too_long", message));
            return Err(faults);
        }
        if let Some(pattern) = self.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
            faults.push(Fault::new("pattern", format!("does not match the pattern `{}`", pattern.source())));
        }
        if faults.is_empty() { Ok(Value::from(text)) } else { Err(faults) }
    }

    fn schema(&self) -> Map<String, Value> {
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("string"));
        if self.min_length > 0 {
            schema.insert("minLength".to_owned(), json!(self.min_length));
        }
        schema.insert("maxLength".to_owned(), json!(self.max_length));
        if let Some(pattern) = &self.pattern {
            schema.insert("pattern".to_owned(), json!(pattern.source()));
        }
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{accept, codes, kind, problems, refuse};
    use super::*;

    #[test]
    fn a_text_is_kept_as_written() {
        let string = kind(json!({"type": "string"}));
        assert_eq!(accept(&string, r#"" Ada\nLovelace \u00e9""#), json!(" Ada\nLovelace é"));
        assert_eq!(codes(&refuse(&string, "5")), ["wrong_type"]);
        assert_eq!(codes(&refuse(&string, r#""a\u0000b""#)), ["invalid"]);
        assert_eq!(codes(&refuse(&string, r#""\ud800""#)), ["invalid"]);
    }

    #[test]
    fn lengths_count_characters_and_everything_wrong_is_told() {
        let string = kind(json!({"type": "string", "min_length": 2, "max_length": 3, "pattern": "^[a-zé]*$"}));
        assert_eq!(accept(&string, r#""éé""#), json!("éé"));
        assert_eq!(codes(&refuse(&string, r#""😀""#)), ["too_short", "pattern"]);
        assert_eq!(refuse(&string, r#""abcd""#)[0].message, "has 4 characters; at most 3 are allowed");
    }

    #[test]
    fn there_is_a_limit_without_max_length() {
        let long = json!("x".repeat(65_537)).to_string();
        assert_eq!(codes(&refuse(&kind(json!({"type": "string"})), &long)), ["too_long"]);
        let text = kind(json!({"type": "text", "markdown": true}));
        assert_eq!(accept(&text, &long).as_str().map(str::len), Some(65_537));
        assert_eq!(codes(&refuse(&text, &json!("x".repeat(1_000_001)).to_string())), ["too_long"]);
    }

    #[test]
    fn wrong_options_are_reported() {
        let spec = json!({"type": "string", "min_length": -1, "max_length": 65_537, "pattern": "(", "markdown": true});
        let found = problems(spec);
        assert_eq!(
            found,
            [
                ("/min_length", "wrong_type"),
                ("/max_length", "too_large"),
                ("/pattern", "invalid"),
                ("/markdown", "unknown_key")
            ]
        );
        assert_eq!(problems(json!({"type": "text", "min_length": 3, "max_length": 2})), [("/min_length", "invalid")]);
        assert_eq!(problems(json!({"type": "text", "max_length": 0})), [("/max_length", "invalid")]);
    }

    #[test]
    fn longer_and_laxer_leaves_every_value_valid() {
        let strict = kind(json!({"type": "string", "min_length": 2, "max_length": 10, "pattern": "a"}));
        let lax = kind(json!({"type": "string", "min_length": 1, "max_length": 20}));
        assert!(!strict.narrows_to(lax.as_ref()));
        assert!(lax.narrows_to(strict.as_ref()));
        assert!(!lax.narrows_to(kind(json!({"type": "text"})).as_ref()));
        assert!(kind(json!({"type": "text"})).narrows_to(lax.as_ref()));
    }
}
