//! From the cells of one row to what a record shall be, as far as that can be told without looking at other records.

use std::borrow::Cow;

use engine_model::problem::push_segment;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::bind::{Bound, BoundAim, BoundProperty, BoundTarget};
use super::layout::Layout;
use super::map::{Cell, ColumnMap, LinkAim, Piece, Template, UserKey};
use crate::jobs::RowProblem;
use crate::records::PropertiesInput;

/// What stands in one cell.
#[derive(Debug, Clone, Copy)]
pub(super) enum Given<'a> {
    /// Nothing.
    Nothing,
    /// A text, as CSV has it.
    Text(&'a str),
    /// A JSON value.
    Json(&'a RawValue),
}

/// What a row says.
#[derive(Debug, Default)]
pub(super) struct RowDraft {
    /// Number of the row, counted from 1 without the header.
    pub(super) row: i64,
    /// Line of the file on which it begins.
    pub(super) line: u64,
    /// Values to set.
    pub(super) properties: Vec<(String, Box<RawValue>)>,
    /// Properties that hold users, to be found.
    pub(super) users: Vec<(String, Wanted<UserKey>)>,
    /// The owner, to be found.
    pub(super) owner: Option<Wanted<UserKey>>,
    /// Links, to records to be found.
    pub(super) links: Vec<WantedLink>,
    /// The links that were found, in order.
    pub(super) linked: Vec<Linked>,
    /// It is an exported record, in which users may be named that are not here.
    pub(super) is_exported: bool,
    /// A row before it had the same key.
    pub(super) came_again: bool,
    /// Everything that is wrong so far.
    pub(super) problems: Vec<RowProblem>,
}

/// Something to be found by a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted<By> {
    /// How.
    pub(super) by: By,
    /// The text.
    pub(super) text: String,
    /// The column it comes from.
    pub(super) column: Option<String>,
}

/// A link to a record that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Linked {
    /// The column it comes from.
    pub(super) column: Option<String>,
    /// The record at the other end, in words.
    pub(super) to: String,
    /// It was found by a value of it, among the records that were there before.
    pub(super) is_found: bool,
}

/// A link to a record to be found.
#[derive(Debug, Clone)]
pub(super) struct WantedLink {
    /// The record at the other end.
    pub(super) wanted: Wanted<LinkAim>,
    /// Whether the text is its id instead.
    pub(super) is_id: bool,
    /// The link's own properties.
    pub(super) properties: PropertiesInput,
}

impl RowDraft {
    /// A row of which nothing is known yet.
    pub(super) fn new(row: i64, line: u64) -> Self {
        Self { row, line, ..Self::default() }
    }

    /// Notes a problem with what stands in `column`.
    pub(super) fn problem(
        &mut self,
        column: Option<&str>,
        pointer: impl Into<String>,
        code: &str,
        message: impl Into<String>,
    ) {
        self.problems.push(RowProblem::new(column, pointer, code, message));
    }

    /// The value given for a property.
    pub(super) fn value(&self, property: &str) -> Option<&RawValue> {
        self.properties.iter().find(|(name, _)| name == property).map(|(_, value)| value.as_ref())
    }

    fn set(&mut self, property: &str, value: Box<RawValue>) {
        self.properties.push((property.to_owned(), value));
    }
}

/// Reads a row whose cells are laid out like `layout`; false where the map passes it over.
pub(super) fn read(map: &ColumnMap, bound: &Bound, layout: &Layout, cells: &[Given<'_>], draft: &mut RowDraft) -> bool {
    let given = |index: usize| cells.get(index).copied().unwrap_or(Given::Nothing);
    if layout.skip_without.iter().any(|index| text_of(map, given(*index)).is_none()) {
        return false;
    }
    for (index, targets) in layout.targets.iter().enumerate() {
        let column = layout.names.get(index).map(String::as_str).unwrap_or_default();
        for target in targets {
            read_target(map, target, given(index), column, draft);
        }
    }
    for (property, template) in &bound.compose {
        let column = |name: &str| layout.positions.get(name).map_or(Given::Nothing, |index| given(*index));
        if let Some(text) = composed(map, template, column) {
            set_text(None, property, &text, draft);
        }
    }
    draft.properties.extend(bound.constants.iter().cloned());
    true
}

fn read_target(map: &ColumnMap, target: &BoundTarget, given: Given<'_>, column: &str, draft: &mut RowDraft) {
    if let (BoundAim::Property(property), Given::Json(raw), true) = (&target.aim, given, target.rules.is_plain()) {
        return set_json(map, property, raw, draft);
    }
    match given {
        Given::Json(raw) if matches!(target.aim, BoundAim::Link(_)) && raw.get().starts_with('[') => {
            // A list that was read once reads again.
            let elements: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
            for element in elements {
                read_text(map, target, Given::Json(element), column, draft);
            }
        }
        Given::Nothing | Given::Text(_) | Given::Json(_) => read_text(map, target, given, column, draft),
    }
}

fn read_text(map: &ColumnMap, target: &BoundTarget, given: Given<'_>, column: &str, draft: &mut RowDraft) {
    let Some(text) = text_of(map, given) else { return };
    let is_moment = matches!(&target.aim, BoundAim::Property(property) if property.is_moment());
    let cell = match target.rules.read(&text, is_moment) {
        Ok(cell) => cell,
        Err(message) => return draft.problem(Some(column), place_of(&target.aim), "invalid", message),
    };
    let texts = match cell {
        Cell::Empty => return,
        Cell::Text(text) => {
            if let BoundAim::Property(property) = &target.aim {
                return set_text(Some(column), property, &text, draft);
            }
            vec![text.into_owned()]
        }
        Cell::List(texts) => {
            if let BoundAim::Property(property) = &target.aim {
                return set_value(Some(column), property, &Value::from(texts), draft);
            }
            texts
        }
    };
    for text in texts {
        let column = Some(column.to_owned());
        match &target.aim {
            BoundAim::Property(_) => {}
            BoundAim::User(property, by) => draft.users.push((property.clone(), Wanted { by: *by, text, column })),
            BoundAim::Owner(by) => draft.owner = Some(Wanted { by: *by, text, column }),
            BoundAim::Link(by) => {
                let wanted = Wanted { by: by.clone(), text, column };
                draft.links.push(WantedLink { wanted, is_id: false, properties: PropertiesInput::default() });
            }
        }
    }
}

fn place_of(aim: &BoundAim) -> String {
    match aim {
        BoundAim::Property(BoundProperty { name, .. }) | BoundAim::User(name, _) => push_segment("/properties", name),
        BoundAim::Owner(_) => "/owner_id".to_owned(),
        BoundAim::Link(_) => "/associations".to_owned(),
    }
}

/// A cell's text, trimmed; none where it is no value.
fn text_of<'a>(map: &ColumnMap, given: Given<'a>) -> Option<Cow<'a, str>> {
    let text = match given {
        Given::Nothing => return None,
        Given::Text(text) => Cow::Borrowed(text.trim()),
        Given::Json(raw) => json_text(raw)?,
    };
    let is_value = !text.is_empty() && !map.skip_values.iter().any(|skipped| *skipped == *text);
    is_value.then_some(text)
}

/// Numbers as written, strings without their quotation marks.
fn json_text(raw: &RawValue) -> Option<Cow<'_, str>> {
    match raw.get().as_bytes().first() {
        Some(b'n') | None => None,
        Some(b'"') => serde_json::from_str::<String>(raw.get()).ok().map(|text| Cow::Owned(text.trim().to_owned())),
        Some(_) => Some(Cow::Borrowed(raw.get())),
    }
}

/// JSON values go to their property as they are; null takes a value away.
fn set_json(map: &ColumnMap, property: &BoundProperty, raw: &RawValue, draft: &mut RowDraft) {
    let is_skipped = json_text(raw).is_some_and(|text| map.skip_values.iter().any(|skipped| *skipped == *text));
    if !is_skipped {
        draft.set(&property.name, raw.to_owned());
    }
}

fn set_text(column: Option<&str>, property: &BoundProperty, text: &str, draft: &mut RowDraft) {
    match property.kind.from_text(text) {
        Ok(value) => set_value(column, property, &value, draft),
        Err(message) => draft.problem(column, push_segment("/properties", &property.name), "invalid", message),
    }
}

fn set_value(column: Option<&str>, property: &BoundProperty, value: &Value, draft: &mut RowDraft) {
    match to_raw_value(value) {
        // A cell that comes to nothing says nothing, and takes no value away.
        Ok(_) if value.is_null() => {}
        Ok(raw) => draft.set(&property.name, raw),
        Err(error) => draft.problem(column, push_segment("/properties", &property.name), "invalid", error.to_string()),
    }
}

/// The text that a template comes to; none where one of its columns is empty.
fn composed<'a>(map: &ColumnMap, template: &Template, cell: impl Fn(&str) -> Given<'a>) -> Option<String> {
    let mut composed = String::new();
    for piece in &template.0 {
        match piece {
            Piece::Text(text) => composed.push_str(text),
            Piece::Column(name) => composed.push_str(&text_of(map, cell(name))?),
        }
    }
    Some(composed)
}

#[cfg(test)]
mod tests;
