//! `tags`: a set of free short texts, in the order in which they were given.

use std::sync::Arc;

use indexmap::IndexSet;
use serde_json::{Map, Value, json};

use super::{Fault, Faults, Input, Locale, PropertyKind, Storage, enumeration};
use crate::name::did_you_mean;
use crate::spec::SpecReader;

/// Tags of one record.
const MOST_TAGS: usize = 500;

/// Characters of a tag.
const LONGEST_TAG: usize = 255;

/// Where `prefixes` are given, a tag with a colon must begin with one of them; tags without a colon stay free.
#[derive(Debug)]
struct Tags {
    prefixes: Vec<String>,
}

pub(super) fn read(reader: &mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>> {
    let prefixes = reader.strings("prefixes").unwrap_or_default();
    for prefix in prefixes.iter().filter(|prefix| !is_prefix(prefix)) {
        let message = format!("`{prefix}` is no prefix: letters, digits, `_` and `-`, then a colon, as in `bot:`");
        reader.problem("prefixes", "invalid", message);
    }
    Some(Arc::new(Tags { prefixes: prefixes.into_iter().map(str::to_owned).collect() }))
}

fn is_prefix(text: &str) -> bool {
    let is_word = |word: &str| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    text.strip_suffix(':').is_some_and(|word| !word.is_empty() && word.len() <= 64 && is_word(word))
}

impl Tags {
    fn check(&self, tag: &str) -> Result<(), Fault> {
        if tag.is_empty() {
            return Err(Fault::new("invalid", "a tag cannot be empty"));
        }
        if tag.chars().any(char::is_control) {
            return Err(Fault::new("invalid", "a tag cannot have control characters"));
        }
        let length = tag.chars().count();
        if length > LONGEST_TAG {
            return Err(Fault::new("too_long", format!("has {length} characters; a tag has at most {LONGEST_TAG}")));
        }
        match tag.split_once(':') {
            Some((word, _)) if !self.prefixes.is_empty() => self.check_prefix(word),
            _ => Ok(()),
        }
    }

    fn check_prefix(&self, word: &str) -> Result<(), Fault> {
        if self.prefixes.iter().any(|prefix| prefix.strip_suffix(':') == Some(word)) {
            return Ok(());
        }
        let hint = did_you_mean(&format!("{word}:"), self.prefixes.iter().map(String::as_str));
        let message = format!("a tag with a colon begins with one of {}{hint}", self.prefixes.join(", "));
        Err(Fault::new("invalid", message))
    }
}

impl PropertyKind for Tags {
    fn name(&self) -> &'static str {
        "tags"
    }

    fn storage(&self) -> Storage {
        Storage::TextList
    }

    fn normalize(&self, input: Input<'_>, _: &Locale) -> Result<Value, Faults> {
        let tags = input.texts("a list of strings", MOST_TAGS, |text| {
            let tag = text.trim();
            self.check(tag).map(|()| tag.to_owned())
        })?;
        Ok(tags.into_iter().collect::<IndexSet<_>>().into_iter().map(Value::from).collect())
    }

    fn schema(&self) -> Map<String, Value> {
        let mut tag = json!({"type": "string", "minLength": 1, "maxLength": LONGEST_TAG});
        if !self.prefixes.is_empty() {
            tag["pattern"] = json!(format!("^({}|[^:]*$)", self.prefixes.join("|")));
        }
        Map::from_iter([
            ("type".to_owned(), json!("array")),
            ("items".to_owned(), tag),
            ("uniqueItems".to_owned(), json!(true)),
            ("maxItems".to_owned(), json!(MOST_TAGS)),
        ])
    }

    /// Tags separated by `;`.
    fn from_text(&self, text: &str) -> Result<Value, String> {
        Ok(enumeration::split_cell(text))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{accept, codes, kind, pointers, problems, refuse};
    use super::*;

    #[test]
    fn tags_are_trimmed_and_kept_once_in_order() {
        let tags = kind(json!({"type": "tags"}));
        assert_eq!(accept(&tags, r#"[" b ", "a", "b", "B", "x:y"]"#), json!(["b", "a", "B", "x:y"]));
        assert_eq!(accept(&tags, "[]"), json!([]));
        assert_eq!(tags.from_text(" vip; hot;;vip "), Ok(json!(["vip", "hot", "vip"])));
        assert_eq!(tags.from_text(" ; "), Ok(Value::Null));
        assert_eq!(tags.from_text(r#" ["a;b", "[c"] "#), Ok(json!(["a;b", "[c"])));
        assert_eq!((tags.from_text("[]"), tags.from_text("[a;b]")), (Ok(Value::Null), Ok(json!(["[a", "b]"]))));
    }

    #[test]
    fn every_wrong_tag_is_named() {
        let tags = kind(json!({"type": "tags"}));
        let long = json!(["ok", 5, "", "a\nb", "é".repeat(256), null, "é".repeat(255)]).to_string();
        let faults = refuse(&tags, &long);
        assert_eq!(pointers(&faults), ["/1", "/2", "/3", "/4", "/5"]);
        assert_eq!(codes(&faults), ["wrong_type", "invalid", "invalid", "too_long", "wrong_type"]);
        let faults = refuse(&tags, &json!(vec![""; 500]).to_string());
        assert_eq!(faults.len(), 21);
        assert_eq!(faults[20], Fault::new("invalid", "480 more elements are wrong"));
        assert_eq!(codes(&refuse(&tags, r#""vip""#)), ["wrong_type"]);
        assert_eq!(codes(&refuse(&tags, "{}")), ["wrong_type"]);
        let many: Vec<_> = (0..501).map(|number| number.to_string()).collect();
        assert_eq!(codes(&refuse(&tags, &json!(many).to_string())), ["too_many"]);
    }

    #[test]
    fn a_colon_needs_a_declared_prefix() {
        let tags = kind(json!({"type": "tags", "prefixes": ["bot:", "system:"]}));
        assert_eq!(accept(&tags, r#"["bot:off", "vip", "system:a:b"]"#), json!(["bot:off", "vip", "system:a:b"]));
        let faults = refuse(&tags, r#"["vip", "bott:off"]"#);
        assert_eq!(pointers(&faults), ["/1"]);
        assert_eq!(faults[0].message, "a tag with a colon begins with one of bot:, system:; did you mean `bot:`?");
        assert_eq!(problems(json!({"type": "tags", "prefixes": ["bot", ":", "a b:"]})).len(), 3);
    }
}
