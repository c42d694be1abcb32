//! `auto_number`: a number that the engine counts, written by a pattern such as `INV-{00000}`.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Fault, Faults, Input, Locale, PropertyKind, Storage};
use crate::spec::SpecReader;

/// Characters of a pattern.
const LONGEST: usize = 64;

/// Characters of a number made by any pattern.
const LONGEST_NUMBER: usize = 255;

/// How a counter is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoNumber {
    prefix: String,
    width: usize,
    suffix: String,
}

impl AutoNumber {
    /// Reads a pattern: text with exactly one run of zeros in braces, `INV-{00000}`.
    pub fn parse(pattern: &str) -> Result<Self, &'static str> {
        const FORM: &str = "a pattern has one run of zeros in braces, such as `INV-{00000}`";
        if pattern.chars().count() > LONGEST || pattern.chars().any(char::is_control) {
            return Err("a pattern has at most 64 characters, none of them a control character");
        }
        let (prefix, rest) = pattern.split_once('{').ok_or(FORM)?;
        let (zeros, suffix) = rest.split_once('}').ok_or(FORM)?;
        let is_run = !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0');
        if !is_run || prefix.contains('}') || suffix.contains(['{', '}']) {
            return Err(FORM);
        }
        Ok(Self { prefix: prefix.to_owned(), width: zeros.len(), suffix: suffix.to_owned() })
    }

    /// The number for `counter`, zeros before it up to the pattern's width: `INV-00042`.
    pub fn format(&self, counter: i64) -> String {
        format!("{}{counter:0width$}{}", self.prefix, self.suffix, width = self.width)
    }
}

pub(super) fn read(reader: &mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>> {
    let pattern = reader.string("pattern").unwrap_or("{0}");
    let number = AutoNumber::parse(pattern).unwrap_or_else(|reason| {
        reader.problem("pattern", "invalid", reason);
        AutoNumber { prefix: String::new(), width: 1, suffix: String::new() }
    });
    Some(Arc::new(number))
}

impl PropertyKind for AutoNumber {
    fn name(&self) -> &'static str {
        "auto_number"
    }

    fn storage(&self) -> Storage {
        Storage::Text
    }

    fn normalize(&self, _: Input<'_>, _: &Locale) -> Result<Value, Faults> {
        Err(vec![Fault::new("read_only", "the engine gives this number; leave it out")])
    }

    /// Not the pattern: numbers given under an earlier one stay.
    fn schema(&self) -> Map<String, Value> {
        Map::from_iter([("type".to_owned(), json!("string")), ("maxLength".to_owned(), json!(LONGEST_NUMBER))])
    }

    fn is_computed(&self) -> bool {
        true
    }

    fn auto_number(&self) -> Option<&AutoNumber> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{codes, kind, problems, refuse};
    use super::*;

    #[test]
    fn a_counter_is_written_by_the_pattern() {
        for (pattern, counter, number) in [
            ("INV-{00000}", 42, "INV-00042"),
            ("INV-{00000}", 123_456, "INV-123456"),
            ("{0}", 7, "7"),
            ("№{000}/2026", 7, "№007/2026"),
            ("{00}", i64::MAX, "9223372036854775807"),
        ] {
            let number_kind = kind(json!({"type": "auto_number", "pattern": pattern}));
            assert_eq!(number_kind.auto_number().map(|auto| auto.format(counter)).as_deref(), Some(number));
        }
        assert_eq!(kind(json!({"type": "auto_number"})).auto_number().map(|auto| auto.format(9)).as_deref(), Some("9"));
    }

    #[test]
    fn callers_may_not_write_it() {
        let number = kind(json!({"type": "auto_number", "pattern": "{0}"}));
        assert!(number.is_computed());
        assert_eq!(codes(&refuse(&number, r#""7""#)), ["read_only"]);
    }

    #[test]
    fn other_patterns_are_refused() {
        let long = format!("{}{{0}}", "x".repeat(62));
        for wrong in ["INV", "{}", "{00", "00}", "{0}{0}", "{01}", "}{0}", "{{0}}", "a\n{0}", &long] {
            let spec = json!({"type": "auto_number", "pattern": wrong});
            assert_eq!(problems(spec), [("/pattern", "invalid")], "{wrong}");
        }
    }
}
