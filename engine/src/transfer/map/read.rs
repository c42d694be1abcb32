//! Reading a map from YAML or JSON, with everything that is wrong with it.

use std::collections::HashMap;

use chrono::format::{Item, StrftimeItems};
use chrono_tz::Tz;
use engine_model::pack::yaml::{self, Budget, Document};
use engine_model::problem::push_segment;
use engine_model::spec::{SpecReader, shape};
use engine_model::{Problem, Problems};
use indexmap::IndexMap;
use regex::RegexBuilder;
use serde_json::Value;

use super::cell::{CellRules, Shape};
use super::target::read_targets;
use super::{ColumnMap, Piece, Template};
use crate::transfer::spec::Format;

/// Compiled size of a pattern, in bytes.
const MAX_PATTERN: usize = 1024 * 1024;

impl ColumnMap {
    /// Reads `text`; pointers of problems begin with `/map`, and messages with the line and column.
    pub(in crate::transfer) fn read(text: &str) -> Result<Self, Problems> {
        let mut located = Vec::new();
        let document = yaml::parse("map", text, &mut Budget::default(), &mut located);
        let Some(Document { value, places }) = document.filter(|_| located.is_empty()) else {
            return read_json(text).unwrap_or_else(|| Err(located.into_iter().map(shown).collect()));
        };
        let mut problems = Problems::new();
        let map = read_map(&value, &mut problems);
        match map.filter(|_| problems.is_empty()) {
            Some(map) => Ok(map),
            None => Err(problems.into_iter().map(|problem| shown(places.located(problem))).collect()),
        }
    }
}

/// JSON that is no YAML, such as with escaped pairs of surrogates.
fn read_json(text: &str) -> Option<Result<ColumnMap, Problems>> {
    let value: Value = serde_json::from_str(text).ok()?;
    let mut problems = Problems::new();
    let map = read_map(&value, &mut problems).filter(|_| problems.is_empty());
    Some(map.ok_or_else(|| problems.into_iter().map(|problem| problem.within("/map")).collect()))
}

fn shown(problem: engine_model::pack::LocatedProblem) -> Problem {
    let message = problem.to_string();
    Problem::new(problem.pointer, problem.code, message).within("/map")
}

fn read_map(value: &Value, problems: &mut Problems) -> Option<ColumnMap> {
    // An empty file is an empty map.
    if value.is_null() {
        return Some(ColumnMap::default());
    }
    let mut reader = SpecReader::new(value, "", problems)?;
    let mut map = ColumnMap {
        object: reader.string("object").map(str::to_owned),
        key: reader.string("key").map(str::to_owned),
        format: reader.choice("format", &["csv", "ndjson"]).and_then(Format::read),
        delimiter: read_delimiter(&mut reader),
        distinct: reader.boolean("distinct").unwrap_or(false),
        skip_without: read_texts(&mut reader, "skip_without"),
        skip_values: read_texts(&mut reader, "skip_values"),
        ignore: read_texts(&mut reader, "ignore"),
        ..ColumnMap::default()
    };
    let time_zone = read_time_zone(&mut reader);
    if let Some(columns) = reader.map("columns") {
        let at = reader.pointer_of("columns");
        for (name, targets) in columns {
            let targets = read_targets(targets, &push_segment(&at, name), reader.problems());
            map.columns.insert(name.trim().to_owned(), targets);
        }
    }
    for rules in map.columns.values_mut().flatten().map(|target| &mut target.rules) {
        rules.time_zone = rules.time_zone.or(time_zone);
    }
    for (property, value) in reader.map("constants").into_iter().flatten() {
        map.constants.insert(property.clone(), value.clone());
    }
    map.compose = read_compose(&mut reader);
    for name in map.used_columns() {
        if map.ignore.iter().any(|ignored| ignored == name) {
            reader.problem("ignore", "conflict", format!("`{name}` is both used and ignored"));
        }
    }
    if map.distinct && map.key.is_none() {
        reader.problem("distinct", "required", "`distinct` needs a `key`: rows with the same key are the same");
    }
    reader.finish();
    Some(map)
}

fn read_compose(reader: &mut SpecReader<'_>) -> IndexMap<String, Template> {
    let mut compose = IndexMap::new();
    for (property, template) in reader.map("compose").into_iter().flatten() {
        let at = push_segment(&reader.pointer_of("compose"), property);
        match template.as_str().map(read_template) {
            Some(Ok(template)) => drop(compose.insert(property.clone(), template)),
            Some(Err(message)) => reader.problems().push(Problem::new(at, "invalid", message)),
            None => {
                let message = format!("a text with `{{COLUMN}}` in it is expected, not {}", shape(template));
                reader.problems().push(Problem::new(at, "wrong_type", message));
            }
        }
    }
    compose
}

fn read_template(text: &str) -> Result<Template, &'static str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (column, behind) = after.split_once('}').ok_or("a `{` is never closed")?;
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        pieces.push(Piece::Column(column.trim().to_owned()));
        rest = behind;
    }
    if pieces.is_empty() {
        return Err("there is no `{COLUMN}` in it; a value that is always the same belongs into `constants`");
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(Template(pieces))
}

fn read_delimiter(reader: &mut SpecReader<'_>) -> Option<u8> {
    let text = reader.string("delimiter")?;
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => Some(*byte),
        _ => {
            reader.problem("delimiter", "invalid", "one ASCII character is expected, such as `;` or a tab");
            None
        }
    }
}

/// How cells are read, as the keys of a target say.
pub(super) fn read_rules(reader: &mut SpecReader<'_>) -> CellRules {
    let pattern = reader.string("match").and_then(|text| {
        let pattern = RegexBuilder::new(text).size_limit(MAX_PATTERN).build();
        let problem = match &pattern {
            Ok(pattern) if pattern.captures_len() > 1 => None,
            Ok(_) => Some("the pattern has no group; put what is wanted into parentheses".to_owned()),
            Err(error) => Some(format!("no regular expression: {error}")),
        };
        if let Some(message) = problem {
            reader.problem("match", "invalid", message);
        }
        pattern.ok()
    });
    let skip_values = read_texts(reader, "skip_values");
    let values = read_values(reader);
    let split = reader.string("split").map(|text| Shape::Split(text.to_owned()));
    if matches!(&split, Some(Shape::Split(text)) if text.is_empty()) {
        reader.problem("split", "invalid", "what separates the parts cannot be empty");
    }
    let date = reader.string("date").map(|format| {
        if StrftimeItems::new(format).any(|item| matches!(item, Item::Error)) {
            reader.problem("date", "invalid", format!("`{format}` is no form of a date, such as `%m/%d/%Y`"));
        }
        Shape::Date(format.to_owned())
    });
    let round = reader.count("round").map(|digits| {
        let digits = u32::try_from(digits).unwrap_or(u32::MAX);
        if digits > 18 {
            reader.problem("round", "too_large", "a number is rounded to at most 18 digits after the point");
        }
        Shape::Round(digits)
    });
    let mut shapes = [split, date, round].into_iter().flatten();
    let shape = shapes.next().unwrap_or_default();
    if shapes.next().is_some() {
        missing_one_of(reader, "only one of `split`, `date` and `round` can be given");
    }
    let time_zone = read_time_zone(reader);
    CellRules { pattern, skip_values, values, shape, time_zone }
}

fn read_values(reader: &mut SpecReader<'_>) -> HashMap<String, Option<String>> {
    let mut values = HashMap::new();
    for (text, replacement) in reader.map("values").into_iter().flatten() {
        match scalar_text(replacement) {
            Some(replacement) => drop(values.insert(text.trim().to_owned(), Some(replacement))),
            None if replacement.is_null() => drop(values.insert(text.trim().to_owned(), None)),
            None => {
                let at = push_segment(&reader.pointer_of("values"), text);
                let message = format!("a text or null is expected, not {}", shape(replacement));
                reader.problems().push(Problem::new(at, "wrong_type", message));
            }
        }
    }
    values
}

fn read_texts(reader: &mut SpecReader<'_>, key: &'static str) -> Vec<String> {
    let mut texts = Vec::new();
    for (index, value) in reader.list(key).into_iter().flatten().enumerate() {
        match scalar_text(value) {
            Some(text) => texts.push(text.trim().to_owned()),
            None => {
                let at = push_segment(&reader.pointer_of(key), &index.to_string());
                reader.problems().push(Problem::new(
                    at,
                    "wrong_type",
                    format!("a text is expected, not {}", shape(value)),
                ));
            }
        }
    }
    texts
}

/// A scalar as it would stand in a cell.
fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn read_time_zone(reader: &mut SpecReader<'_>) -> Option<Tz> {
    let name = reader.string("time_zone")?;
    let zone = name.parse().ok();
    if zone.is_none() {
        reader.problem("time_zone", "invalid", format!("`{name}` is no IANA time zone, such as `Europe/Berlin`"));
    }
    zone
}

/// Says at the object as a whole that its keys do not go together.
pub(super) fn missing_one_of(reader: &mut SpecReader<'_>, message: &str) {
    let at = reader.pointer().to_owned();
    reader.problems().push(Problem::new(at, "invalid", message));
}
