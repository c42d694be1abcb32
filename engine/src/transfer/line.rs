//! One line of NDJSON: its cells by name, or a whole record as the seeds write it.

use engine_model::name::did_you_mean;
use engine_model::problem::push_segment;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::bind::{Bound, check_link};
use super::layout::Layout;
use super::map::{ColumnMap, LinkAim, UserKey};
use super::row::{self, Given, RowDraft, Wanted, WantedLink};
use crate::definitions::catalog::{Catalog, shortened};
use crate::records::PropertiesInput;

/// A record as the seeds write it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    properties: PropertiesInput,
    #[serde(default)]
    links: Vec<LineLink>,
    /// Name or address of a user.
    owner: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineLink {
    #[serde(rename = "type")]
    kind: String,
    to: End,
    label: Option<String>,
    #[serde(default)]
    properties: PropertiesInput,
}

/// The record at the other end.
#[derive(Deserialize)]
#[serde(untagged, expecting = "`to` is a record's id, or an object with `object`, `property` and `value`")]
enum End {
    Id(String),
    Value { object: String, property: String, value: Value },
}

/// Reads a line; false where the map passes it over.
pub(super) fn read(
    map: &ColumnMap,
    bound: &Bound,
    layout: &Layout,
    catalog: &Catalog,
    text: &str,
    draft: &mut RowDraft,
) -> bool {
    let cells: PropertiesInput = match serde_json::from_str(text) {
        Ok(cells) => cells,
        Err(error) => {
            let message = format!("the line is no JSON object: {}", without_line(&error));
            draft.problem(None, "", "invalid", message);
            return true;
        }
    };
    if !map.is_automatic() {
        return read_cells(map, bound, layout, &cells, draft);
    }
    if is_record(catalog, &bound.object, &cells) {
        read_record(bound, catalog, text, draft);
    } else {
        let wanted = cells.0.into_iter().filter(|(name, _)| !map.ignore.contains(name));
        draft.properties.extend(wanted);
    }
    let missing = bound.constants.iter().filter(|(name, _)| draft.value(name).is_none());
    let missing: Vec<_> = missing.cloned().collect();
    draft.properties.extend(missing);
    true
}

fn read_cells(map: &ColumnMap, bound: &Bound, layout: &Layout, cells: &PropertiesInput, draft: &mut RowDraft) -> bool {
    let mut given: Vec<Given<'_>> = vec![Given::Nothing; layout.names.len()];
    for (name, value) in &cells.0 {
        if let Some(cell) = layout.positions.get(name).and_then(|index| given.get_mut(*index)) {
            *cell = Given::Json(value);
        } else if !map.ignore.contains(name) {
            let hint = did_you_mean(name, layout.names.iter().map(String::as_str));
            let message = format!("the map neither uses nor ignores `{}`{hint}", shortened(name));
            draft.problem(Some(name), "", "unknown_column", message);
        }
    }
    row::read(map, bound, layout, &given, draft)
}

/// A line with `properties` is a whole record, unless the object has a property of that name.
fn is_record(catalog: &Catalog, object: &str, cells: &PropertiesInput) -> bool {
    let has_property = catalog.object(object).is_ok_and(|object| object.property("properties").is_some());
    !has_property && cells.0.iter().any(|(name, value)| name == "properties" && is_object(value))
}

fn is_object(value: &RawValue) -> bool {
    value.get().starts_with('{')
}

fn read_record(bound: &Bound, catalog: &Catalog, text: &str, draft: &mut RowDraft) {
    let line: Line = match serde_json::from_str(text) {
        Ok(line) => line,
        Err(error) => return draft.problem(None, "", "invalid", without_line(&error)),
    };
    draft.properties = line.properties.0;
    for (index, link) in line.links.into_iter().enumerate() {
        read_link(bound, catalog, link, &push_segment("/links", &index.to_string()), draft);
    }
    draft.owner = line.owner.filter(|text| !text.is_empty()).map(|text| {
        let by = if text.contains('@') { UserKey::Email } else { UserKey::Name };
        Wanted { by, text, column: None }
    });
}

fn read_link(bound: &Bound, catalog: &Catalog, link: LineLink, at: &str, draft: &mut RowDraft) {
    let LineLink { kind: association, to, label, properties } = link;
    let (object, by, text, is_id) = match to {
        End::Id(id) => (String::new(), String::new(), id, true),
        End::Value { object, property, value: Value::String(text) } => (object, property, text, false),
        End::Value { object, property, value } => (object, property, value.to_string(), false),
    };
    let aim = LinkAim { association, object, by, label };
    let is_sound = is_id || {
        let near = catalog.object(&bound.object);
        let problems = near.map(|near| check_link(catalog, near, &aim).err().unwrap_or_default()).unwrap_or_default();
        for problem in &problems {
            draft.problem(None, format!("{at}{}", problem.pointer), problem.code, problem.message.clone());
        }
        problems.is_empty()
    };
    if is_sound {
        let wanted = Wanted { by: aim, text, column: None };
        draft.links.push(WantedLink { wanted, is_id, properties });
    }
}

/// The message without serde's own line, which is always the first here.
fn without_line(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rsplit_once(" at line ") {
        Some((what, _)) => format!("{what} at column {}", error.column()),
        None => message,
    }
}
