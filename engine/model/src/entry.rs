//! Entries of timelines: what of an object's records is told on the timelines of the records that they are linked to.

use indexmap::IndexMap;
use serde_json::Value;

use crate::name::Name;
use crate::object::{ObjectDefinition, known_name};
use crate::property::{Property, Storage};
use crate::spec::{SpecReader, shape};

/// That an object's records are entries of the timelines of the records that they are linked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What sort of entry one is.
    pub kind: EntryKind,
    /// The association by which one is linked to the records on whose timelines it stands.
    pub about: Name,
    /// When it happened; when it was made where there is no such property, or no value.
    pub at: Option<Name>,
    /// What happened; the object itself says it where there is none.
    pub of: Option<EntryType>,
    /// What is told of it, a JSON object.
    pub details: Option<Name>,
    /// What is said of it.
    pub text: Option<Name>,
    /// Whether it is to be seen first.
    pub pinned: Option<Name>,
    /// Who did it; who made the record where there is no such property, or no value.
    pub by: Option<Name>,
}

/// What sort of entry of a timeline a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// Something that has happened.
    Activity,
    /// Something that somebody has written down.
    Note,
}

/// What says of which type an activity is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryType {
    /// The value of a property.
    Property(Name),
    /// All of them are of one type.
    Fixed(Name),
}

impl EntryKind {
    /// Both with their words.
    pub const NAMES: [(&str, Self); 2] = [("activity", Self::Activity), ("note", Self::Note)];

    /// The word for it on the wire and in definitions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Activity => "activity",
            Self::Note => "note",
        }
    }
}

impl Entry {
    /// The keys that name properties.
    const KEYS: [&str; 6] = ["at", "type", "details", "text", "pinned", "by"];

    /// Reads `entry` of an object with these properties; none where it is not there, or cannot stand, which is told.
    pub(crate) fn read(object: &mut SpecReader<'_>, properties: &IndexMap<Name, Property>) -> Option<Self> {
        let map = object.map("entry")?;
        let at = object.pointer_of("entry");
        let mut reader = SpecReader::of_map(map, &at, object.problems());
        for key in ["kind", "about"] {
            if map.get(key).is_none_or(Value::is_null) {
                reader.missing(key);
            }
        }
        let kind = reader.choice("kind", &EntryKind::NAMES.map(|(name, _)| name));
        let kind = kind.and_then(|word| EntryKind::NAMES.iter().find(|(name, _)| *name == word)).map(|(_, kind)| *kind);
        let about = reader.name("about");
        let moment = |storage| matches!(storage, Storage::Date | Storage::Datetime);
        let words = |storage| matches!(storage, Storage::Text | Storage::LongText);
        let of = read_type(&mut reader, properties);
        let at =
            named(&mut reader, properties, "at", "a date or a datetime", |property| moment(property.kind.storage()));
        let details = named(&mut reader, properties, "details", "json", |property| property.kind.name() == "json");
        let text =
            named(&mut reader, properties, "text", "a string or a text", |property| words(property.kind.storage()));
        let is_switch = |property: &Property| property.kind.storage() == Storage::Boolean;
        let pinned = named(&mut reader, properties, "pinned", "boolean", is_switch);
        let by = named(&mut reader, properties, "by", "user", |property| property.kind.name() == "user");
        reader.finish();
        Some(Self { kind: kind?, about: about?, at, of, details, text, pinned, by })
    }

    /// Each property that it names, with its key.
    pub fn properties(&self) -> impl Iterator<Item = (&'static str, &Name)> {
        let of = match &self.of {
            Some(EntryType::Property(name)) => Some(name),
            Some(EntryType::Fixed(_)) | None => None,
        };
        let all =
            [self.at.as_ref(), of, self.details.as_ref(), self.text.as_ref(), self.pinned.as_ref(), self.by.as_ref()];
        Self::KEYS.into_iter().zip(all).filter_map(|(key, name)| Some((key, name?)))
    }
}

impl ObjectDefinition {
    /// The property by which its records stand on timelines; none where they stand by when they were made.
    pub fn entry_time(&self) -> Option<&Property> {
        self.property(self.entry.as_ref()?.at.as_ref()?)
    }
}

fn read_type(reader: &mut SpecReader<'_>, properties: &IndexMap<Name, Property>) -> Option<EntryType> {
    match reader.value("type") {
        None => None,
        Some(Value::Object(map)) => {
            let at = reader.pointer_of("type");
            let mut fixed = SpecReader::of_map(map, &at, reader.problems());
            let text = fixed.string("text");
            if map.get("text").is_none_or(Value::is_null) {
                fixed.missing("text");
            }
            let name = text.and_then(|text| {
                let wrong = |_| fixed.problem("text", "invalid_name", "a type is one or more names joined by dots");
                Name::event(text).map_err(wrong).ok()
            });
            fixed.finish();
            name.map(EntryType::Fixed)
        }
        Some(Value::String(_)) => {
            let takes = |property: &Property| matches!(property.kind.storage(), Storage::Text | Storage::Option);
            named(reader, properties, "type", "a string or an enum", takes).map(EntryType::Property)
        }
        Some(other) => {
            let message = format!("the name of a property or `{{text: …}}` is expected, not {}", shape(other));
            reader.problem("type", "wrong_type", message);
            None
        }
    }
}

/// A property that `key` names.
fn named(
    reader: &mut SpecReader<'_>,
    properties: &IndexMap<Name, Property>,
    key: &'static str,
    wanted: &str,
    takes: impl Fn(&Property) -> bool,
) -> Option<Name> {
    let name = reader.name(key)?;
    let name = known_name(reader, key, &name, properties)?;
    if let Some(property) = properties.get(name.as_str()).filter(|property| !takes(property)) {
        let message = format!("`{name}` is of type {}; this takes {wanted}", property.kind.name());
        reader.problem(key, "not_applicable", message);
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::layer::tests::layer;
    use crate::registry::Registry;

    fn fold(entry: Value) -> (Registry, Vec<(String, &'static str)>) {
        let properties = json!({"what": {"type": "string"}, "when": {"type": "datetime"}, "more": {"type": "json"},
            "words": {"type": "text"}, "first": {"type": "boolean"}, "who": {"type": "user"}});
        let (registry, problems) = Registry::fold(&[layer(
            "own",
            &json!({
                "objects": {"visit": {"properties": properties, "entry": entry}, "site": {}},
                "associations": {"visit_site": {"from": "visit", "to": "site"}, "site_visit": {"from": "site", "to": "visit"}},
            }),
        )]);
        // An object that does not read is missed by its associations, too.
        let own = problems.into_iter().filter(|problem| problem.pointer.starts_with("/objects"));
        (registry, own.map(|problem| (problem.pointer, problem.code)).collect())
    }

    #[test]
    fn an_entry_says_what_plays_which_part() {
        let whole = json!({"kind": "activity", "about": "visit_site", "type": "what", "at": "when", "details": "more",
            "text": "words", "pinned": "first", "by": "who"});
        let (registry, problems) = fold(whole);
        assert_eq!(problems, []);
        let visit = &registry.objects["visit"];
        let entry = visit.entry.as_ref().expect("an entry");
        assert_eq!((entry.kind, entry.about.as_str()), (EntryKind::Activity, "visit_site"));
        let named: Vec<_> = entry.properties().map(|(key, name)| (key, name.as_str())).collect();
        let all = [
            ("at", "when"),
            ("type", "what"),
            ("details", "more"),
            ("text", "words"),
            ("pinned", "first"),
            ("by", "who"),
        ];
        assert_eq!(named, all);
        assert_eq!(visit.entry_time().map(|property| property.name.as_str()), Some("when"));
        let used: Vec<_> =
            registry.uses("visit", "when").into_iter().map(|found| (found.kind, found.pointer)).collect();
        assert_eq!(used, [("entry", "/objects/visit/entry/at".to_owned())]);
        let (registry, problems) =
            fold(json!({"kind": "note", "about": "visit_site", "type": {"text": "site.visited"}}));
        assert_eq!(problems, []);
        let entry = registry.objects["visit"].entry.as_ref().expect("an entry");
        assert_eq!(entry.of, Some(EntryType::Fixed(Name::event("site.visited").expect("a name"))));
        assert_eq!(entry.properties().count(), 0);
    }

    #[test]
    fn what_an_entry_cannot_be_is_told_at_once() {
        let at = |key: &str| format!("/objects/visit/entry/{key}");
        let (_, problems) = fold(json!({"kind": "noet", "at": "words", "type": {"txt": "a"}, "details": "what",
            "text": "when", "pinned": "frist", "by": "what", "wen": 1}));
        let told = [
            ("about", "required"),
            ("kind", "unknown"),
            ("type/text", "required"),
            ("type/txt", "unknown_key"),
            ("at", "not_applicable"),
            ("details", "not_applicable"),
            ("text", "not_applicable"),
            ("pinned", "unknown"),
            ("by", "not_applicable"),
            ("wen", "unknown_key"),
        ];
        assert_eq!(problems, told.map(|(key, code)| (at(key), code)));
        let (_, problems) = fold(json!({"kind": "note", "about": "visit_sit"}));
        assert_eq!(problems, [(at("about"), "unknown")]);
        let (_, problems) = fold(json!({"kind": "note", "about": "site_visit", "type": {"text": "Big"}}));
        assert_eq!(problems, [(at("type/text"), "invalid_name")]);
        let (_, problems) = fold(json!({"kind": "note", "about": "site_visit", "type": 1}));
        assert_eq!(problems, [(at("type"), "wrong_type")]);
        let (_, problems) = fold(json!({"kind": "note", "about": "site_visit"}));
        assert_eq!(problems, [(at("about"), "not_applicable")]);
    }
}
