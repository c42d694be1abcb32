//! Association definitions: named relations between two objects.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::layer::Folded;
use crate::name::Name;
use crate::problem::{Problem, Problems, push_segment};
use crate::property::{Property, check_beside};
use crate::spec::{SpecReader, named_entries};

/// A named relation between two objects.
#[derive(Debug, Clone)]
pub struct AssociationDefinition {
    /// Internal name, `deal_company`.
    pub name: Name,
    /// Object whose record the link starts at.
    pub from: Name,
    /// Objects that a link may lead to.
    pub to: Target,
    /// What people read at the `from` side.
    pub label: String,
    /// What people read at the `to` side.
    pub inverse: Option<String>,
    /// How many links a record may have on either side.
    pub cardinality: Cardinality,
    /// Labels that a link may carry: key to what people read.
    pub labels: IndexMap<Name, String>,
    /// Properties that a link may carry.
    pub properties: IndexMap<Name, Property>,
    /// Layer that declared it.
    pub layer: String,
    /// No longer accepted or shown; links stay.
    pub archived: bool,
    /// The specification as written, folded over all layers.
    pub spec: Map<String, Value>,
}

/// Where links may lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A record of any object.
    Any,
    /// A record of one of these.
    Objects(Vec<Name>),
}

impl Target {
    /// Whether links may lead to records of `object`.
    pub fn accepts(&self, object: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Objects(objects) => objects.iter().any(|name| name.as_str() == object),
        }
    }
}

/// How many links a record may have on either side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cardinality {
    /// One on both sides.
    OneToOne,
    /// A `from` record has many, a `to` record one.
    OneToMany,
    /// A `from` record has one, a `to` record many.
    ManyToOne,
    /// Any number on both sides.
    ManyToMany,
}

impl Cardinality {
    const NAMES: [(&'static str, Self); 4] = [
        ("one_to_one", Self::OneToOne),
        ("one_to_many", Self::OneToMany),
        ("many_to_one", Self::ManyToOne),
        ("many_to_many", Self::ManyToMany),
    ];

    /// The name in definitions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OneToOne => "one_to_one",
            Self::OneToMany => "one_to_many",
            Self::ManyToOne => "many_to_one",
            Self::ManyToMany => "many_to_many",
        }
    }

    /// A `from` record has at most one link.
    pub fn limits_from(self) -> bool {
        matches!(self, Self::OneToOne | Self::ManyToOne)
    }

    /// A `to` record has at most one link.
    pub fn limits_to(self) -> bool {
        matches!(self, Self::OneToOne | Self::OneToMany)
    }
}

impl AssociationDefinition {
    /// Reads a folded specification; `None` where it cannot stand.
    pub fn read(name: Name, folded: &Folded, problems: &mut Problems) -> Option<Self> {
        let before = problems.len();
        let mut reader = SpecReader::of_map(&folded.spec, &folded.pointer, problems);
        if reader.string("name").is_some_and(|written| written != name.as_str()) {
            reader.problem("name", "immutable", "a name cannot be changed");
        }
        let from = reader.name("from");
        if from.is_none() && !folded.spec.contains_key("from") {
            reader.missing("from");
        }
        let to = read_target(&mut reader);
        let label = reader.string("label").map_or_else(|| name.to_label(), str::to_owned);
        let inverse = reader.string("inverse").map(str::to_owned);
        let names = Cardinality::NAMES.map(|(name, _)| name);
        let cardinality = reader.choice("cardinality", &names).and_then(|text| {
            Cardinality::NAMES.iter().find(|(name, _)| *name == text).map(|(_, cardinality)| *cardinality)
        });
        let labels = read_labels(&mut reader);
        let mut properties = IndexMap::new();
        if let Some(map) = reader.map("properties") {
            let pointer = reader.pointer_of("properties");
            for (property, spec, at) in named_entries(map, &pointer, reader.problems()) {
                let layer = folded.property_layers.get(property.as_str()).unwrap_or(&folded.layer);
                if let Some(read) = Property::read(property.clone(), spec, layer, &at, reader.problems()) {
                    properties.insert(property, read);
                }
            }
        }
        let archived = reader.boolean("archived").unwrap_or(false);
        // Kept for whoever shows the definition.
        reader.string("archived_at");
        reader.finish();
        if problems.len() > before {
            return None;
        }
        let at = push_segment(&folded.pointer, "properties");
        check_beside(&properties, folded.spec.get("properties"), &at, problems);
        check_links(&properties, &at, problems);
        Some(Self {
            name,
            from: from?,
            to: to?,
            label,
            inverse,
            cardinality: cardinality.unwrap_or(Cardinality::ManyToMany),
            labels,
            properties,
            layer: folded.layer.clone(),
            archived,
            spec: folded.spec.clone(),
        })
    }
}

/// A link carries values alone: nothing is computed on it, and nothing claimed. Stored ones stand all the same.
fn check_links(properties: &IndexMap<Name, Property>, at: &str, problems: &mut Problems) {
    for property in properties.values().filter(|property| !property.archived) {
        let at = push_segment(at, &property.name);
        if property.kind.is_computed() {
            let message =
                format!("a link carries what it is given; it has no {}: let an object have it", property.kind.name());
            problems.push(Problem::new(format!("{at}/type"), "not_applicable", message));
        }
        if property.unique {
            let message = "values of links are not claimed, so that none is `unique`; limit links by `cardinality`";
            problems.push(Problem::new(format!("{at}/unique"), "not_applicable", message));
        }
    }
}

fn read_target(reader: &mut SpecReader<'_>) -> Option<Target> {
    match reader.value("to") {
        Some(Value::String(text)) if text == "any" => Some(Target::Any),
        Some(Value::String(_)) => reader.name("to").map(|name| Target::Objects(vec![name])),
        Some(Value::Array(list)) if !list.is_empty() => reader.names("to").map(Target::Objects),
        Some(_) => {
            reader.problem("to", "wrong_type", "an object's name, a list of names, or `any` is expected");
            None
        }
        None => {
            reader.missing("to");
            None
        }
    }
}

fn read_labels(reader: &mut SpecReader<'_>) -> IndexMap<Name, String> {
    let Some(map) = reader.map("labels") else { return IndexMap::new() };
    let pointer = reader.pointer_of("labels");
    let entries = named_entries(map, &pointer, reader.problems());
    let mut labels = IndexMap::new();
    for (name, value, _) in entries {
        match value.as_str() {
            Some(label) => drop(labels.insert(name, label.to_owned())),
            None => reader.problem("labels", "wrong_type", format!("the label `{name}` is a string")),
        }
    }
    labels
}
