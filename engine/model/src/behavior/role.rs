//! Roles that packs define: what their holders may do with records and properties.

use indexmap::IndexMap;
use serde_json::Value;

use super::Names;
use crate::access::{BUILT_IN, Grants, Reach};
use crate::name::{Name, did_you_mean};
use crate::problem::{Problem, Problems, push_segment};
use crate::spec::{SpecReader, shape};

const REACHES: [(&str, Reach); 5] = [
    ("all", Reach::All),
    ("team", Reach::Team),
    ("own", Reach::Own),
    ("own_or_unclaimed", Reach::OwnOrUnclaimed),
    ("none", Reach::None),
];

/// The key of what is granted on every object without an entry of its own.
const EVERY: &str = "*";

/// A role of a pack.
#[derive(Debug, Clone)]
pub struct RoleDefinition {
    /// Grants by object's name.
    pub objects: IndexMap<String, Grants>,
    /// Grants on every object without an entry of its own.
    pub default: Grants,
    /// Grants by `object.property`.
    pub properties: IndexMap<String, PropertyGrants>,
    /// May change definitions, users, tokens and settings, and purge.
    pub admin: bool,
}

/// What a role grants on one property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PropertyGrants {
    /// Sees its values.
    pub read: bool,
    /// Changes its values.
    pub write: bool,
}

impl RoleDefinition {
    pub(super) fn read(name: &Name, reader: &mut SpecReader<'_>) -> Option<Self> {
        if BUILT_IN.contains(&name.as_str()) {
            let message = format!("`{name}` is a role that every tenant has; choose another name");
            let pointer = reader.pointer().to_owned();
            reader.problems().push(Problem::new(pointer, "reserved", message));
        }
        let mut objects = IndexMap::new();
        let nothing = Grants { create: false, read: Reach::None, update: Reach::None, archive: Reach::None };
        let mut default = nothing.clone();
        let pointer = reader.pointer_of("objects");
        for (object, spec) in reader.map("objects").into_iter().flatten() {
            let at = push_segment(&pointer, object);
            let Some(grants) = read_grants(spec, &at, reader.problems()) else { continue };
            match object.as_str() {
                EVERY => default = grants,
                _ => drop(objects.insert(object.clone(), grants)),
            }
        }
        let mut properties = IndexMap::new();
        let pointer = reader.pointer_of("properties");
        for (property, spec) in reader.map("properties").into_iter().flatten() {
            let at = push_segment(&pointer, property);
            let Some(mut nested) = SpecReader::new(spec, &at, reader.problems()) else { continue };
            let read = nested.boolean("read").unwrap_or(true);
            let write = nested.boolean("write").unwrap_or(read);
            if write && !read {
                nested.problem("write", "not_applicable", "nobody writes what they may not read: set `read`, too");
            }
            nested.finish();
            properties.insert(property.clone(), PropertyGrants { read, write });
        }
        let admin = reader.boolean("admin").unwrap_or(false);
        Some(Self { objects, default, properties, admin })
    }

    pub(super) fn look_up(&self, names: &mut Names<'_>) {
        for object in self.objects.keys() {
            names.object(object, &push_segment("/objects", object));
        }
        for path in self.properties.keys() {
            let at = push_segment("/properties", path);
            let Some((object, property)) = path.split_once('.') else {
                names.problem(&at, "invalid", format!("`{path}` is no property: write object.property"));
                continue;
            };
            if let Some(object) = names.object(object, &at) {
                names.property(object, property, &at);
            }
        }
    }
}

/// What is granted on an object; what is not said is not granted.
fn read_grants(spec: &Value, at: &str, problems: &mut Problems) -> Option<Grants> {
    let mut reader = SpecReader::new(spec, at, problems)?;
    let [create, read, update, archive] =
        ["create", "read", "update", "archive"].map(|action| read_reach(&mut reader, action));
    reader.finish();
    let create = create == Reach::All;
    Some(Grants { create, read, update, archive })
}

/// One of the reaches, `true` for all or `false` for none.
fn read_reach(reader: &mut SpecReader<'_>, action: &'static str) -> Reach {
    let names = || REACHES.iter().map(|(name, _)| *name);
    match reader.value(action) {
        None | Some(Value::Bool(false)) => Reach::None,
        Some(Value::Bool(true)) => Reach::All,
        Some(Value::String(text)) => match REACHES.iter().find(|(name, _)| name == text) {
            Some((_, reach)) if action != "create" || matches!(reach, Reach::All | Reach::None) => *reach,
            Some(_) => {
                let message = "whoever may create a record may create any: write true or false";
                reader.problem(action, "not_applicable", message);
                Reach::None
            }
            None => {
                let hint = did_you_mean(text, names());
                let known = names().collect::<Vec<_>>().join(", ");
                reader.problem(action, "unknown", format!("`{text}` is none of {known}{hint}"));
                Reach::None
            }
        },
        Some(other) => {
            reader.problem(action, "wrong_type", format!("a reach such as `own` is expected, not {}", shape(other)));
            Reach::None
        }
    }
}
