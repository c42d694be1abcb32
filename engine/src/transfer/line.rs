//! One line of NDJSON: its cells by name, or a whole record as the seeds write it.

use engine_model::name::did_you_mean;
use engine_model::object::SYSTEM_FIELDS;
use engine_model::problem::push_segment;
use engine_model::property::Reference;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::bind::{Bound, check_link};
use super::layout::Layout;
use super::map::{ColumnMap, LinkAim, UserKey};
use super::row::{self, Given, RowDraft, Wanted, WantedLink};
use crate::definitions::catalog::{Catalog, shortened};
use crate::records::PropertiesInput;

/// What a whole record says of itself.
const MEMBERS: [&str; 4] = ["properties", "links", "owner", "object"];

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
        read_record(map, bound, catalog, &cells, draft);
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

fn read_record(map: &ColumnMap, bound: &Bound, catalog: &Catalog, cells: &PropertiesInput, draft: &mut RowDraft) {
    // It is what an export says of a record, so what the engine makes is in it by no mistake.
    draft.is_exported = ["uid", "object"].iter().all(|wanted| cells.0.iter().any(|(name, _)| name == wanted));
    for (name, raw) in &cells.0 {
        match name.as_str() {
            "properties" => {
                let properties = member::<PropertiesInput>(name, raw, draft).unwrap_or_default();
                read_properties(map, bound, catalog, properties, draft);
            }
            "links" => {
                let links = member::<Vec<LineLink>>(name, raw, draft).unwrap_or_default();
                for (index, link) in links.into_iter().enumerate() {
                    read_link(bound, catalog, link, &push_segment("/links", &index.to_string()), draft);
                }
            }
            "owner" => {
                let owner = member::<Option<String>>(name, raw, draft).flatten().filter(|text| !text.is_empty());
                draft.owner = owner.map(|text| {
                    let by = if text.contains('@') { UserKey::Email } else { UserKey::Name };
                    Wanted { by, text, column: None }
                });
            }
            "object" => {
                let object = member::<String>(name, raw, draft).filter(|object| *object != bound.object);
                if let Some(object) = object {
                    let message =
                        format!("the line is a record of `{}`, not of `{}`", shortened(&object), bound.object);
                    draft.problem(None, "/object", "invalid", message);
                }
            }
            // The engine makes these, and ids of users and teams mean others elsewhere; links would be lost.
            exported if SYSTEM_FIELDS.contains(&exported) && exported != "associations" => {}
            unknown => {
                let hint = did_you_mean(unknown, MEMBERS);
                let message = format!("a record has no `{}` here{hint}", shortened(unknown));
                draft.problem(None, push_segment("", unknown), "unknown_key", message);
            }
        }
    }
}

/// A member of the line; none where it is of another form, which is told.
fn member<'r, T: Deserialize<'r>>(name: &str, raw: &'r RawValue, draft: &mut RowDraft) -> Option<T> {
    match serde_json::from_str(raw.get()) {
        Ok(read) => Some(read),
        Err(error) => {
            draft.problem(None, push_segment("", name), "invalid", without_line(&error));
            None
        }
    }
}

/// Takes over values. Of an exported record those are left out that the engine makes, and users are looked for.
fn read_properties(map: &ColumnMap, bound: &Bound, catalog: &Catalog, given: PropertiesInput, draft: &mut RowDraft) {
    let object = catalog.object(&bound.object).ok().filter(|_| draft.is_exported);
    for (name, raw) in given.0.into_iter().filter(|(name, _)| !map.ignore.contains(name)) {
        let property = object.and_then(|object| object.property_called(&name));
        let is_user =
            property.is_some_and(|property| matches!(property.kind.reference(), Some(Reference::User { .. })));
        let user = is_user.then(|| serde_json::from_str::<String>(raw.get()).ok()).flatten();
        match user {
            _ if property.is_some_and(|property| !property.is_writable()) => {}
            Some(text) => draft.users.push((name, Wanted { by: UserKey::Id, text, column: None })),
            None => draft.properties.push((name, raw)),
        }
    }
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
        let problems = near
            .map(|near| check_link(catalog, near, &aim, &bound.rights).err().unwrap_or_default())
            .unwrap_or_default();
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
