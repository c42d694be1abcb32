//! Roles that packs and tenants define: what their holders may do with records and properties.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::Names;
use crate::access::{BUILT_IN, Grants, Reach};
use crate::name::{Name, did_you_mean};
use crate::problem::{Problem, Problems, push_segment};
use crate::query::Mention;
use crate::registry::Registry;
use crate::spec::{SpecReader, shape};

/// The key of what is granted on every object without an entry of its own.
const EVERY: &str = "*";

/// A role of a pack or of a tenant.
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

/// A role that a tenant defines itself, with the places of what is wrong in its specification.
///
/// Names of objects and properties that are not there are told apart from the rest: a role that was made when they were
/// goes on without them.
#[derive(Debug)]
pub struct ReadRole {
    /// What people read, and what it grants; none where it cannot stand.
    pub role: Option<(String, RoleDefinition)>,
    /// What is wrong with its form.
    pub problems: Problems,
    /// What it names and is not there.
    pub unknown: Problems,
    /// The properties that it names.
    pub mentions: Vec<Mention>,
}

impl RoleDefinition {
    /// One that grants nothing.
    pub fn nothing() -> Self {
        Self { objects: IndexMap::new(), default: Grants::NONE, properties: IndexMap::new(), admin: false }
    }

    /// Reads what a tenant defines, as a pack would say it; without definitions, nothing is looked up in them.
    pub fn of_tenant(name: &Name, spec: &Map<String, Value>, registry: Option<&Registry>) -> ReadRole {
        let mut problems = Problems::new();
        let mut reader = SpecReader::of_map(spec, "", &mut problems);
        let label = reader.string("label").map_or_else(|| name.to_label(), str::to_owned);
        let role = Self::read(name, &mut reader);
        reader.finish();
        let (mut unknown, mut mentions) = (Problems::new(), Vec::new());
        if let (Some(role), Some(registry)) = (&role, registry) {
            let mut names = Names::new(registry, String::new());
            role.look_up(&mut names);
            (unknown, mentions) = (names.problems, names.named);
        }
        let role = role.filter(|_| problems.is_empty()).map(|role| (label, role));
        ReadRole { role, problems, unknown, mentions }
    }

    pub(super) fn read(name: &Name, reader: &mut SpecReader<'_>) -> Option<Self> {
        if BUILT_IN.contains(&name.as_str()) {
            let message = format!("`{name}` is a role that every tenant has; choose another name");
            // In a pack the name is the key; a tenant sends it with the rest.
            let pointer = if reader.pointer().is_empty() { "/name" } else { reader.pointer() }.to_owned();
            reader.problems().push(Problem::new(pointer, "reserved", message));
        }
        let mut objects = IndexMap::new();
        let mut default = Grants::NONE;
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
    let create = create == Reach::ALL;
    Some(Grants { create, read, update, archive })
}

/// One of the reaches, `true` for all or `false` for none.
fn read_reach(reader: &mut SpecReader<'_>, action: &'static str) -> Reach {
    let names = || Reach::NAMED.into_iter().map(|(name, _)| name);
    match reader.value(action) {
        None | Some(Value::Bool(false)) => Reach::NONE,
        Some(Value::Bool(true)) => Reach::ALL,
        Some(Value::String(text)) => match Reach::NAMED.into_iter().find(|(name, _)| name == text) {
            Some((_, reach)) if action != "create" || matches!(reach, Reach::ALL | Reach::NONE) => reach,
            Some(_) => {
                let message = "whoever may create a record may create any: write true or false";
                reader.problem(action, "not_applicable", message);
                Reach::NONE
            }
            None => {
                let hint = did_you_mean(text, names());
                let known = names().collect::<Vec<_>>().join(", ");
                reader.problem(action, "unknown", format!("`{text}` is none of {known}{hint}"));
                Reach::NONE
            }
        },
        Some(other) => {
            reader.problem(action, "wrong_type", format!("a reach such as `own` is expected, not {}", shape(other)));
            Reach::NONE
        }
    }
}
