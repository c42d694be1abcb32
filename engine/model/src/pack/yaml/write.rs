//! JSON as YAML, the way packs are written by hand.
//!
//! What is read back is what was written: a text that any reader, also one of YAML 1.1, could take for something else is
//! quoted. The same value always gives the same text; there are no anchors.

use serde_json::{Map, Value};

use super::super::scalar;

/// Columns that a line fills, unless one text alone is longer.
const WIDTH: usize = 120;
const STEP: usize = 2;
/// Down to this level a map or list is on one line only where nothing but scalars is in it: a document's sections, their
/// entries, and what these have.
const OPEN_LEVELS: usize = 3;
/// Longest key that stands before its `:`; readers look ahead for 1,024 characters.
const MAX_SIMPLE_KEY: usize = 1000;
/// Plain scalars that YAML 1.1 takes for truths.
const TRUTHS: [&str; 6] = ["y", "n", "yes", "no", "on", "off"];

/// A document as text. Texts with the character U+0000 and more than 64 levels are written, but not read again.
pub fn write(document: &Map<String, Value>) -> String {
    let mut text = String::new();
    if document.is_empty() {
        text.push_str("{}\n");
    }
    entries(&mut text, document, 0, 0);
    text
}

fn entries(text: &mut String, map: &Map<String, Value>, indent: usize, level: usize) {
    for (key, value) in map {
        start_line(text, indent);
        let key = scalar_text(key);
        if key.chars().count() > MAX_SIMPLE_KEY {
            text.push_str("? ");
            text.push_str(&key);
            start_line(text, indent);
        } else {
            text.push_str(&key);
        }
        text.push(':');
        contents(text, value, indent, level + 1);
    }
}

fn items(text: &mut String, list: &[Value], indent: usize, level: usize) {
    for item in list {
        start_line(text, indent);
        text.push('-');
        match item {
            Value::Object(map) if !map.is_empty() && on_one_line(text, item, level + 1).is_none() => {
                text.push(' ');
                entries(text, map, indent + STEP, level + 1);
            }
            item => contents(text, item, indent, level + 1),
        }
    }
}

/// What follows a `:` or `-` of a line with this indent.
fn contents(text: &mut String, value: &Value, indent: usize, level: usize) {
    if let Some(line) = on_one_line(text, value, level) {
        text.push(' ');
        text.push_str(&line);
        text.push('\n');
        return;
    }
    match value {
        Value::Object(map) => {
            text.push('\n');
            entries(text, map, indent + STEP, level);
        }
        Value::Array(list) => {
            text.push('\n');
            items(text, list, indent + STEP, level);
        }
        Value::String(lines) => literal(text, lines, indent + STEP),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Begins a line, unless one has just begun with `- `.
fn start_line(text: &mut String, indent: usize) {
    if text.ends_with("- ") {
        return;
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.extend(std::iter::repeat_n(' ', indent));
}

/// A value that goes on the line that `text` ends with.
fn on_one_line(text: &str, value: &Value, level: usize) -> Option<String> {
    let is_scalar = |value: &Value| match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => true,
    };
    match value {
        Value::String(lines) if is_literal(lines) => return None,
        Value::Object(map) if level <= OPEN_LEVELS && !map.values().all(is_scalar) => return None,
        Value::Array(list) if level <= OPEN_LEVELS && !list.iter().all(is_scalar) => return None,
        Value::Object(_) | Value::Array(_) => {}
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => return Some(scalar_value(value)),
    }
    let used = text.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    let mut line = String::new();
    let is_empty = is_scalar(value);
    let fits = flow(&mut line, value, WIDTH.saturating_sub(used)) || is_empty;
    fits.then_some(line)
}

/// A value in brackets; false once it is longer than `width` or has a text of several lines.
fn flow(line: &mut String, value: &Value, width: usize) -> bool {
    let separate = |line: &mut String, index: usize| {
        if index > 0 {
            line.push_str(", ");
        }
    };
    let fits = match value {
        Value::Object(map) => {
            line.push('{');
            let all = map.iter().enumerate().all(|(index, (key, value))| {
                separate(line, index);
                line.push_str(&scalar_text(key));
                line.push_str(": ");
                flow(line, value, width)
            });
            line.push('}');
            all
        }
        Value::Array(list) => {
            line.push('[');
            let all = list.iter().enumerate().all(|(index, value)| {
                separate(line, index);
                flow(line, value, width)
            });
            line.push(']');
            all
        }
        Value::String(text) if is_literal(text) => false,
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {
            line.push_str(&scalar_value(value));
            true
        }
    };
    fits && line.chars().count() <= width
}

fn scalar_value(value: &Value) -> String {
    match value {
        Value::String(text) => scalar_text(text),
        // Null, truths and numbers are written as JSON writes them.
        other => other.to_string(),
    }
}

/// A text on one line.
fn scalar_text(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let is_clear = text.contains(['"', '\\']) && !text.contains('\'') && text.chars().all(is_printable);
    if is_clear {
        return format!("'{text}'");
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            character if is_printable(character) => quoted.push(character),
            character => quoted.push_str(&format!("\\u{:04x}", u32::from(character))),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether a text needs no quotes, inside brackets or outside.
fn is_plain(text: &str) -> bool {
    // `1.2.0` is read as a text by everybody, and is how versions are written.
    if semver::Version::parse(text).is_ok() {
        return true;
    }
    let starts = text.starts_with(|first: char| first.is_alphabetic() || matches!(first, '^' | '/' | '('));
    let may_stand = |character: char| match character {
        ' ' | '_' | '-' | '.' | '/' | '+' | '^' | '(' | ')' | '=' | '<' | '>' | ';' | '\'' | '$' | '%' | '&' | '*'
        | '!' | '?' | '@' | '~' | '|' => true,
        character if character.is_ascii() => character.is_ascii_alphanumeric(),
        character => is_printable(character) && !character.is_whitespace(),
    };
    starts
        && !text.ends_with(' ')
        // Inside brackets, readers take it for an item.
        && !text.ends_with(" -")
        && text.chars().all(may_stand)
        && !TRUTHS.iter().any(|truth| truth.eq_ignore_ascii_case(text))
        && !["true", "false", "null"].iter().any(|word| word.eq_ignore_ascii_case(text))
        && scalar::resolve(text).is_some_and(|value| value == text)
}

/// What stands in a text as it is, in quotes and in lines.
fn is_printable(character: char) -> bool {
    !character.is_control() && !matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Whether a text is written line by line; other texts of several lines are quoted.
fn is_literal(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with([' ', '\n'])
        && !text.ends_with("\n\n")
        && text.chars().all(|character| character == '\n' || is_printable(character))
        && text.lines().all(|line| line.is_empty() || !line.trim().is_empty())
}

fn literal(text: &mut String, lines: &str, indent: usize) {
    text.push_str(if lines.ends_with('\n') { " |\n" } else { " |-\n" });
    for line in lines.lines() {
        if !line.is_empty() {
            text.extend(std::iter::repeat_n(' ', indent));
            text.push_str(line);
        }
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::{Budget, parse};
    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().expect("an object")
    }

    fn read(text: &str) -> Value {
        let mut problems = Vec::new();
        let document = parse("a.yaml", text, &mut Budget::default(), &mut problems);
        assert_eq!(problems, [], "{text}");
        document.expect("a document").value
    }

    #[test]
    fn a_pack_looks_as_if_written_by_hand() {
        let document = json!({
            "pack": "library", "version": "1.0.0", "label": "Library: main", "requires": {"core": "^1.0.0"},
            "objects": {"book": {
                "label": "Book", "features": {"search": true},
                "groups": {"shelf": {"label": "Shelf"}},
                "properties": {
                    "title": {"type": "string", "label": "Title", "required": true},
                    "size": {"type": "enum", "options": {"small": "Small", "no": "None", "2": "Two"}, "default": "no"},
                    "notes": {"type": "text", "description": "First line\nsecond line\n"}},
                "constraints": [{"rule": "title != \"x\"", "message": "Not x."}, {"unique": ["title", "size"]}]}},
            "associations": {"book_author": {"from": "book", "to": "contact"}},
            "extend": {},
        });
        let text = write(&map(document.clone()));
        assert_eq!(
            text,
            r#"pack: library
version: 1.0.0
label: "Library: main"
requires: {core: ^1.0.0}
objects:
  book:
    label: Book
    features: {search: true}
    groups:
      shelf: {label: Shelf}
    properties:
      title: {type: string, label: Title, required: true}
      size: {type: enum, options: {small: Small, "no": None, "2": Two}, default: "no"}
      notes:
        type: text
        description: |
          First line
          second line
    constraints:
      - {rule: 'title != "x"', message: Not x.}
      - {unique: [title, size]}
associations:
  book_author: {from: book, to: contact}
extend: {}
"#
        );
        assert_eq!(read(&text), document);
    }

    #[test]
    fn texts_stay_texts_and_numbers_numbers() {
        for text in [
            "",
            " ",
            "a ",
            " a",
            "true",
            "No",
            "~",
            "null",
            "1",
            "0.10",
            "1e3",
            "0x1f",
            "1_000",
            "12:30",
            "2024-01-31",
            "-",
            "- a",
            "a -",
            "a - b",
            "a: b",
            "a #b",
            "#a",
            "a:",
            "&a",
            "*a",
            "!a",
            "|",
            ">",
            "%a",
            "@a",
            "`a",
            "[",
            "{a",
            "a, b",
            "'a'",
            "\"a\"",
            "a\\b",
            "it's \"so\"",
            "<<",
            "=",
            "---",
            "...",
            "? a",
            "a\tb",
            "a\u{85}b",
            "\u{feff}a",
            "\u{2028}",
            "é",
            "日本",
            "🙂",
            "\u{7f}",
            "\r\n",
            "a\n",
            "a\n\n",
            "\na",
            " a\nb",
            "a\n b\n\nc",
            "a\n  \nb",
            "a\nb ",
            "---\na",
            ".inf",
            "1.2.0",
            "^1.0",
        ] {
            let document = json!({"a": text, "b": [text], text: {text: [text, {"x": text}]}});
            assert_eq!(read(&write(&map(document.clone()))), document, "{text:?}");
        }
        let numbers = json!({"a": [0, -1, 1.5, 0.1, 1e300, -2.5e-9, 5.0, u64::MAX, i64::MIN, null, true, false]});
        assert_eq!(read(&write(&map(numbers.clone()))), numbers);
        for (text, written) in [("0.10", "\"0.10\""), ("Yes", "\"Yes\""), ("2024-01-31", "\"2024-01-31\"")] {
            assert_eq!(write(&map(json!({"a": text}))), format!("a: {written}\n"));
        }
    }

    #[test]
    fn a_key_longer_than_readers_look_ahead_is_written_apart() {
        let document = json!({"a": {"b": {"c": [{"k".repeat(1024): 1, "b": 2}, [[1], []]]}}});
        assert_eq!(read(&write(&map(document.clone()))), document);
        assert_eq!(write(&Map::new()), "{}\n");
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z_]{1,8}",
            "[-a-zA-Z0-9 .:,#'\"\\\\{}\\[\\]&*!|>%@?~^()=\n\t]{0,12}",
            "\\PC{0,8}",
            "[\u{1}-\u{20}\u{7f}-\u{a1}\u{2028}\u{feff}\u{fffe}a]{0,4}",
            "[a-z ]{60,200}",
        ]
    }

    fn value() -> impl Strategy<Value = Value> {
        let number = prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(|float| if float.is_finite() { Value::from(float) } else { Value::Null }),
        ];
        let leaf = prop_oneof![
            3 => text().prop_map(Value::from),
            1 => Just(Value::Null),
            1 => any::<bool>().prop_map(Value::from),
            1 => number,
        ];
        leaf.prop_recursive(5, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((text(), inner), 0..6)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_written(entries in prop::collection::vec((text(), value()), 0..5)) {
            let document: Map<String, Value> = entries.into_iter().collect();
            let text = write(&document);
            let again = read(&text);
            prop_assert_eq!(&again, &Value::Object(document), "{}", text);
            prop_assert_eq!(write(&map(again)), text);
        }
    }
}
