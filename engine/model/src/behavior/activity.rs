//! Types of activities: what may be recorded as having happened to a record, with which details.

use indexmap::IndexMap;

use super::Names;
use crate::name::{Name, did_you_mean};
use crate::property::{Currency, Property};
use crate::spec::{SpecReader, named_entries};

/// What a detail cannot be, since it stands alone: what counts records, or is computed of a whole one.
const OF_RECORDS: [&str; 3] = ["unique", "searchable", "sensitive"];

/// What may be recorded as having happened to a record, such as `email.sent`.
#[derive(Debug, Clone)]
pub struct ActivityType {
    /// Name of an icon.
    pub icon: Option<String>,
    /// What is told of one, in order.
    pub details: IndexMap<Name, Property>,
    /// The objects whose records it may happen to; any where there are none.
    pub objects: Vec<String>,
}

impl ActivityType {
    pub(super) fn read(layer: &str, reader: &mut SpecReader<'_>) -> Option<Self> {
        let icon = reader.string("icon").map(str::to_owned);
        let objects = reader.strings("objects").unwrap_or_default();
        let objects = objects.into_iter().map(str::to_owned).collect();
        let mut details = IndexMap::new();
        if let Some(map) = reader.map("details") {
            let pointer = reader.pointer_of("details");
            for (name, spec, at) in named_entries(map, &pointer, reader.problems()) {
                if let Some(property) = Property::read(name.clone(), spec, layer, &at, reader.problems()) {
                    check_detail(
                        &property,
                        map.keys().map(String::as_str),
                        &mut SpecReader::new(spec, &at, reader.problems())?,
                    );
                    details.insert(name, property);
                }
            }
        }
        Some(Self { icon, details, objects })
    }

    pub(super) fn look_up(&self, names: &mut Names<'_>) {
        for (index, object) in self.objects.iter().enumerate() {
            names.object(object, &format!("/objects/{index}"));
        }
        for property in self.details.values() {
            if let Some(schema) = property.kind.schema_reference() {
                names.schema(schema, &format!("/details/{}/schema", property.name));
            }
        }
    }

    /// The detail of that name, unless archived.
    pub fn detail(&self, name: &str) -> Option<&Property> {
        self.details.get(name).filter(|property| !property.archived)
    }
}

/// A detail is a value alone: nothing computes, counts or finds it.
fn check_detail<'n>(property: &Property, known: impl Iterator<Item = &'n str>, reader: &mut SpecReader<'_>) {
    if property.kind.is_computed() || property.kind.auto_number().is_some() {
        let message =
            format!("a detail is given by who records the activity; it cannot be of type {}", property.kind.name());
        reader.problem("type", "not_applicable", message);
    }
    let is_set = [property.unique, property.searchable, property.sensitive];
    for (key, _) in OF_RECORDS.into_iter().zip(is_set).filter(|(_, is_set)| *is_set) {
        reader.problem(key, "not_applicable", format!("a detail of an activity cannot be `{key}`"));
    }
    if let Some(Currency::Property(name)) = property.kind.currency() {
        let known: Vec<&str> = known.collect();
        if !known.contains(&name.as_str()) {
            let hint = did_you_mean(name, known);
            reader.problem("currency_property", "unknown", format!("`{name}` is no detail of this activity{hint}"));
        }
    }
}
