//! The options of an enumeration, and reading them in each of the forms in which they may be written.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::name::Name;
use crate::problem::{Problem, push_segment};
use crate::spec::{SpecReader, shape};

/// Options of one enumeration.
pub(super) const MOST_OPTIONS: usize = 5_000;

/// Characters of a key or a label.
const LONGEST: usize = 255;

/// One choice of an enumeration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumOption {
    /// Stored value.
    pub key: String,
    /// What people read.
    pub label: String,
    /// A colour's name or code.
    pub color: Option<String>,
    /// Kept for stored values, refused for new ones.
    pub archived: bool,
}

/// One option as written, with its place.
struct Written<'a> {
    at: String,
    key: &'a str,
    spec: Spec<'a>,
}

enum Spec<'a> {
    Nothing,
    Label(&'a str),
    Object(&'a Map<String, Value>),
}

/// Reads `options`: a list of keys, a list of objects, or a map of key to label or object.
///
/// An option with an `order` stands there (0 first), the others where they were written.
pub(super) fn read_options(reader: &mut SpecReader<'_>) -> Vec<EnumOption> {
    let Some(value) = reader.value("options") else {
        reader.missing("options");
        return Vec::new();
    };
    let written = match value {
        Value::Array(list) if list.len() <= MOST_OPTIONS => from_list(reader, list),
        Value::Object(map) if map.len() <= MOST_OPTIONS => from_map(reader, map),
        Value::Array(_) | Value::Object(_) => {
            reader.problem("options", "too_many", format!("at most {MOST_OPTIONS} options are allowed"));
            return Vec::new();
        }
        other => {
            let message =
                format!("a list of keys or objects, or a map of keys to labels, is expected, not {}", shape(other));
            reader.problem("options", "wrong_type", message);
            return Vec::new();
        }
    };
    let mut seen = HashSet::new();
    let mut options = Vec::with_capacity(written.len());
    for (position, written) in written.into_iter().enumerate() {
        if !seen.insert(written.key) {
            let message = format!("the option `{}` is there twice", written.key);
            reader.problems().push(Problem::new(written.at, "taken", message));
            continue;
        }
        options.push(read_option(reader, written, position));
    }
    options.sort_by_key(|(order, _)| *order);
    options.into_iter().map(|(_, option)| option).collect()
}

fn from_list<'a>(reader: &mut SpecReader<'_>, list: &'a [Value]) -> Vec<Written<'a>> {
    let pointer = reader.pointer_of("options");
    let mut written = Vec::with_capacity(list.len());
    for (index, item) in list.iter().enumerate() {
        let at = format!("{pointer}/{index}");
        match item {
            Value::String(key) => written.push(Written { at, key, spec: Spec::Nothing }),
            Value::Object(spec) => match spec.get("key") {
                Some(Value::String(key)) => written.push(Written { at, key, spec: Spec::Object(spec) }),
                Some(other) if !other.is_null() => {
                    let message = format!("a string is expected, not {}; quote it", shape(other));
                    reader.problems().push(Problem::new(push_segment(&at, "key"), "wrong_type", message));
                }
                _ => reader.problems().push(Problem::new(push_segment(&at, "key"), "required", "`key` is required")),
            },
            other => {
                let message =
                    format!("an option's key as a string, or an object, is expected, not {}; quote it", shape(other));
                reader.problems().push(Problem::new(at, "wrong_type", message));
            }
        }
    }
    written
}

fn from_map<'a>(reader: &mut SpecReader<'_>, map: &'a Map<String, Value>) -> Vec<Written<'a>> {
    let pointer = reader.pointer_of("options");
    let mut written = Vec::with_capacity(map.len());
    for (key, item) in map {
        let at = push_segment(&pointer, key);
        let spec = match item {
            Value::Null => Spec::Nothing,
            Value::String(label) => Spec::Label(label),
            Value::Object(spec) => {
                if spec.get("key").is_some_and(|inner| inner.as_str() != Some(key)) {
                    let message = format!("the key is `{key}` already; leave `key` out");
                    reader.problems().push(Problem::new(push_segment(&at, "key"), "invalid", message));
                }
                Spec::Object(spec)
            }
            other => {
                let message = format!("a label or an object is expected, not {}", shape(other));
                reader.problems().push(Problem::new(at, "wrong_type", message));
                continue;
            }
        };
        written.push(Written { at, key, spec });
    }
    written
}

/// The option with where it stands.
fn read_option(reader: &mut SpecReader<'_>, written: Written<'_>, position: usize) -> (u64, EnumOption) {
    let Written { at, key, spec } = written;
    if key.is_empty() || key.trim() != key || key.chars().any(char::is_control) || key.chars().count() > LONGEST {
        let message = format!("a key has 1 to {LONGEST} characters, none of them a control character, no space around");
        reader.problems().push(Problem::new(at.clone(), "invalid", message));
    }
    let mut order = None;
    let mut option = EnumOption { key: key.to_owned(), label: default_label(key), color: None, archived: false };
    match spec {
        Spec::Nothing => {}
        Spec::Label(label) => option.label = label.to_owned(),
        Spec::Object(spec) => {
            let mut inner = SpecReader::of_map(spec, &at, reader.problems());
            inner.value("key");
            if let Some(label) = inner.string("label") {
                option.label = label.to_owned();
            }
            option.color = inner.string("color").map(str::to_owned);
            option.archived = inner.boolean("archived").unwrap_or(false);
            order = inner.count("order");
            inner.finish();
        }
    }
    if option.label.chars().count() > LONGEST {
        let message = format!("a label has at most {LONGEST} characters");
        reader.problems().push(Problem::new(at, "too_long", message));
    }
    (order.unwrap_or(position as u64), option)
}

/// `new_deal` reads `New deal`; a key that is no internal name is written for people already.
fn default_label(key: &str) -> String {
    Name::new(key).map_or_else(|_| key.to_owned(), |name| name.to_label())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{kind, problems};
    use super::*;

    fn keys_and_labels(options: Value) -> Vec<(String, String)> {
        let kind = kind(json!({"type": "enum", "options": options}));
        kind.options().iter().map(|option| (option.key.clone(), option.label.clone())).collect()
    }

    #[test]
    fn the_three_forms_mean_the_same() {
        let expected = [("a_b".to_owned(), "A b".to_owned()), ("GTX Pro".to_owned(), "GTX".to_owned())];
        assert_eq!(keys_and_labels(json!(["a_b", {"key": "GTX Pro", "label": "GTX"}])), expected);
        assert_eq!(keys_and_labels(json!([{"key": "a_b"}, {"key": "GTX Pro", "label": "GTX"}])), expected);
        assert_eq!(keys_and_labels(json!({"a_b": null, "GTX Pro": "GTX"})), expected);
        assert_eq!(keys_and_labels(json!({"a_b": {}, "GTX Pro": {"label": "GTX"}})), expected);
    }

    #[test]
    fn order_moves_an_option() {
        let options = json!(["a", {"key": "b", "order": 0}, "c", {"key": "d", "order": 1}]);
        let keys: Vec<_> = keys_and_labels(options).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["a", "b", "d", "c"]);
    }

    #[test]
    fn every_mistake_is_reported_with_its_place() {
        let options = json!(["a", "a", 1, "", " b", "c\n", {"label": "x"}, {"key": 2}, {"key": "d", "colour": "red", "archived": 1}]);
        assert_eq!(
            problems(json!({"type": "enum", "options": options})),
            [
                ("/options/2", "wrong_type"),
                ("/options/6/key", "required"),
                ("/options/7/key", "wrong_type"),
                ("/options/1", "taken"),
                ("/options/3", "invalid"),
                ("/options/4", "invalid"),
                ("/options/5", "invalid"),
                ("/options/8/archived", "wrong_type"),
                ("/options/8/colour", "unknown_key"),
            ]
        );
        let map = json!({"a": 1, "b": {"key": "c"}, "d/e": {"label": "x".repeat(256)}});
        assert_eq!(
            problems(json!({"type": "multi_enum", "options": map})),
            [("/options/a", "wrong_type"), ("/options/b/key", "invalid"), ("/options/d~1e", "too_long")]
        );
        assert_eq!(problems(json!({"type": "enum"})), [("/options", "required")]);
        assert_eq!(problems(json!({"type": "enum", "options": "a"})), [("/options", "wrong_type")]);
        let many: Vec<_> = (0..=MOST_OPTIONS).map(|number| number.to_string()).collect();
        assert_eq!(problems(json!({"type": "enum", "options": many})), [("/options", "too_many")]);
    }
}
