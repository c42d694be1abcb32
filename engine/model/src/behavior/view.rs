//! Views: which records of an object are shown, and how.

use serde_json::{Map, Value};

use super::Names;
use crate::name::Name;
use crate::property::{Property, Storage};
use crate::spec::SpecReader;

const KINDS: [&str; 5] = ["table", "board", "calendar", "map", "list"];

/// Whom something saved is shown to.
pub const SHARINGS: [&str; 3] = ["private", "team", "everyone"];

/// Which records of an object are shown, and how.
#[derive(Debug, Clone)]
pub struct View {
    /// The object.
    pub object: String,
    /// `table`, `board`, `calendar`, `map` or `list`.
    pub kind: &'static str,
    /// Which records, as in a search.
    pub filter: Option<Value>,
    /// Their order, as in a search.
    pub sort: Option<Value>,
    /// Properties and fields that are shown, in order; the screen's choice where there are none.
    pub columns: Vec<String>,
    /// The property whose values are columns of a board, or groups of a table or list.
    pub group: Option<Name>,
    /// The date or moment at which a calendar shows a record.
    pub date: Option<String>,
    /// The place at which a map shows a record.
    pub place: Option<Name>,
    /// `private`, `team` or `everyone`.
    pub sharing: &'static str,
}

impl View {
    pub(super) fn read(reader: &mut SpecReader<'_>) -> Option<Self> {
        let object = required_object(reader);
        let kind = reader.choice("kind", &KINDS).unwrap_or("table");
        let filter = reader.value("filter").cloned();
        let sort = reader.value("sort").cloned();
        let columns = reader.strings("columns").unwrap_or_default();
        let columns = columns.into_iter().map(str::to_owned).collect();
        let group = reader.name("group");
        let date = reader.string("date").map(str::to_owned);
        let place = reader.name("place");
        let sharing = reader.choice("sharing", &SHARINGS).unwrap_or("everyone");
        let needs = [
            ("board", "group", group.is_some()),
            ("calendar", "date", date.is_some()),
            ("map", "place", place.is_some()),
        ];
        for (of, key, is_given) in needs {
            if kind == of && !is_given && reader.value(key).is_none() {
                reader.problem(key, "required", format!("a {of} needs `{key}`"));
            }
            if kind != of && is_given && key != "group" {
                reader.problem(key, "not_applicable", format!("only a {of} has `{key}`, and this is a {kind}"));
            }
        }
        Some(Self { object: object?, kind, filter, sort, columns, group, date, place, sharing })
    }

    pub(super) fn look_up(&self, names: &mut Names<'_>) {
        let Some(object) = names.object(&self.object, "/object") else { return };
        let mut query = Map::new();
        for (key, value) in [("filter", &self.filter), ("sort", &self.sort)] {
            query.extend(value.clone().map(|value| (key.to_owned(), value)));
        }
        names.query(object, query, &[]);
        for (index, column) in self.columns.iter().enumerate() {
            names.field(object, column, &format!("/columns/{index}"));
        }
        if let Some(group) = &self.group {
            let is_grouped = |storage| matches!(storage, Storage::Option | Storage::Boolean | Storage::Text);
            let found = names.property(object, group, "/group");
            expect(names, found, "/group", "choices, texts and switches", is_grouped);
        }
        if let Some(date) = &self.date {
            let found = names.field(object, date, "/date");
            let is_day = |storage| matches!(storage, Storage::Date | Storage::Datetime);
            expect(names, found, "/date", "dates and moments", is_day);
        }
        if let Some(place) = &self.place
            && let Some(found) = names.property(object, place, "/place")
            && found.kind.name() != "geo"
        {
            names.problem("/place", "not_applicable", format!("`{place}` is of type {}, not geo", found.kind.name()));
        }
    }
}

/// The name of the object that it is about.
pub(super) fn required_object(reader: &mut SpecReader<'_>) -> Option<String> {
    if reader.value("object").is_none() {
        reader.missing("object");
    }
    reader.string("object").map(str::to_owned)
}

pub(super) fn expect(
    names: &mut Names<'_>,
    found: Option<&Property>,
    at: &str,
    wanted: &str,
    takes: impl Fn(Storage) -> bool,
) {
    if let Some(property) = found.filter(|property| !takes(property.kind.storage())) {
        let message = format!("`{}` is of type {}; this takes {wanted}", property.name, property.kind.name());
        names.problem(at, "not_applicable", message);
    }
}
