//! Templates of text and properties only.

use serde_json::Value;

use crate::Properties;

use super::line::Line;

/// A piece of a plain template.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Name(String),
}

/// Words that mean something else than a property in an expression.
const KEYWORDS: &[&str] = &["true", "false", "none", "not", "and", "or", "in", "is", "if", "else"];

/// The parts of a template that consists of text and properties, or nothing if there is more to it.
pub(super) fn parse(source: &str) -> Option<Vec<Part>> {
    if source.contains("{%") || source.contains("{#") {
        return None;
    }
    let mut parts = Vec::new();
    let mut rest = source;
    while let Some((text, tail)) = rest.split_once("{{") {
        let (name, tail) = tail.split_once("}}")?;
        parts.push(Part::Text(text.to_owned()));
        parts.push(Part::Name(parse_name(name.trim())?));
        rest = tail;
    }
    parts.push(Part::Text(rest.to_owned()));
    Some(parts)
}

fn parse_name(name: &str) -> Option<String> {
    let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_');
    let goes_on_well = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    (starts_well && goes_on_well && !KEYWORDS.contains(&name)).then(|| name.to_owned())
}

/// The names in order of appearance, each once.
pub(super) fn names(parts: &[Part]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for part in parts {
        if let Part::Name(name) = part
            && !names.contains(name)
        {
            names.push(name.clone());
        }
    }
    names
}

pub(super) fn render(parts: &[Part], properties: &Properties, line: &mut Line) {
    for part in parts {
        match part {
            Part::Text(text) => drop(line.push(text)),
            Part::Name(name) => {
                if let Some(value) = properties.get(name) {
                    push_value(value, line);
                }
            }
        }
    }
}

/// Writes a value: a scalar as it is, the elements of a list with commas between them, nothing for a map.
fn push_value(value: &Value, line: &mut Line) {
    match value {
        Value::Null | Value::Object(_) => {}
        Value::Bool(value) => drop(line.push(if *value { "true" } else { "false" })),
        Value::Number(number) => drop(line.push(&number.to_string())),
        Value::String(text) => drop(line.push(text)),
        Value::Array(items) => {
            for (index, item) in items.iter().filter(|item| !item.is_null()).enumerate() {
                if index > 0 && !line.push(", ") {
                    break;
                }
                push_value(item, line);
            }
        }
    }
}
