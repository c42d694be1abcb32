//! What names stand for: an object's properties that the caller may see, and the fields that every record has.

use std::sync::{Arc, LazyLock};

use serde_json::Map;

use super::super::typed::{Field, Form};
use super::ResolveContext;
use super::names::listed;
use crate::name::{Name, did_you_mean};
use crate::object::ObjectDefinition;
use crate::problem::Problems;
use crate::property::{Property, PropertyKind, Storage, TABLE, excerpt};
use crate::spec::SpecReader;

/// What a name stands for.
#[derive(Debug, Clone)]
pub(crate) struct Known<'a> {
    /// Where the index has it.
    pub(crate) field: Field,
    /// Its type.
    pub(crate) kind: &'a dyn PropertyKind,
    /// What conditions may ask of it.
    pub(crate) operators: &'static [&'static str],
    /// `contains` finds parts of words.
    pub(crate) is_substring: bool,
    /// How its values are read where the type alone does not say.
    pub(crate) role: Role,
}

/// How values are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// As the type reads them.
    Value,
    /// Ids of records.
    Id,
    /// Identifiers that are unique anywhere.
    Uid,
}

impl Known<'_> {
    /// The name with its type, as part of a sentence.
    pub(crate) fn subject(&self) -> String {
        match self.role {
            Role::Value => format!("`{}` of type `{}`", self.field.name, self.kind.name()),
            Role::Id | Role::Uid => format!("the identifier `{}`", self.field.name),
        }
    }
}

/// A field that every record has.
struct SystemField {
    name: Name,
    kind: Arc<dyn PropertyKind>,
    role: Role,
    operators: &'static [&'static str],
}

static SYSTEM_FIELDS: LazyLock<Vec<SystemField>> = LazyLock::new(|| {
    const ID: &[&str] = &["eq", "neq", "lt", "lte", "gt", "gte", "between", "in", "not_in"];
    const UID: &[&str] = &["eq", "in"];
    const TEAM: &[&str] = &["eq", "neq", "in", "not_in", "exists", "not_exists"];
    let of_type = |name, type_name| {
        let kind = kind_of(type_name);
        SystemField { name: system_name(name), role: Role::Value, operators: kind.operators(), kind }
    };
    vec![
        SystemField { role: Role::Id, operators: ID, ..of_type("id", "integer") },
        SystemField { role: Role::Uid, operators: UID, ..of_type("uid", "string") },
        of_type("display_name", "string"),
        of_type("owner_id", "user"),
        SystemField { operators: TEAM, ..of_type("team_id", "string") },
        of_type("created_at", "datetime"),
        of_type("created_by", "user"),
        of_type("updated_at", "datetime"),
        of_type("updated_by", "user"),
        of_type("archived_at", "datetime"),
        of_type("version", "integer"),
    ]
});

fn system_name(name: &str) -> Name {
    Name::new(name).expect("the fields of records have internal names")
}

/// The type of that name, without options.
fn kind_of(type_name: &str) -> Arc<dyn PropertyKind> {
    let entry = TABLE.iter().find(|entry| entry.name == type_name);
    let kind = entry.and_then(|entry| (entry.read)(&mut SpecReader::of_map(&Map::new(), "", &mut Problems::new())));
    kind.expect("a type of the table that needs no options")
}

impl SystemField {
    fn field(&self, object: &Name) -> Field {
        let form = if self.role == Role::Id { Form::Text } else { self.kind.form() };
        Field {
            object: object.clone(),
            name: self.name.clone(),
            since: 0,
            storage: self.kind.storage(),
            form,
            options: [].into(),
        }
    }
}

/// A field that every record of `object` has, such as `owner_id`, as the index has it.
pub fn system_field(object: &Name, name: &str) -> Option<Field> {
    SYSTEM_FIELDS.iter().find(|field| field.name.as_str() == name).map(|field| field.field(object))
}

/// A property of `object`, or a field that every record has, as the index has it.
pub fn field_of(object: &ObjectDefinition, name: &str) -> Option<Field> {
    system_field(&object.name, name)
        .or_else(|| object.property_called(name).map(|property| field_of_property(object, property, property.since())))
}

fn field_of_property(object: &ObjectDefinition, property: &Property, since: i64) -> Field {
    let kind = property.kind.as_ref();
    Field {
        object: object.name.clone(),
        name: property.name.clone(),
        since,
        storage: kind.storage(),
        form: kind.form(),
        options: kind.options().iter().map(|option| option.key.clone()).collect(),
    }
}

/// What `name` stands for in `object`, if the caller may see it.
pub(crate) fn known<'a>(name: &str, object: &'a ObjectDefinition, context: &ResolveContext<'_>) -> Option<Known<'a>> {
    if let Some(system) = system(name, object, context) {
        let (kind, role) = (system.kind.as_ref(), system.role);
        let field = system.field(&object.name);
        return Some(Known { field, kind, operators: system.operators, is_substring: false, role });
    }
    let property = object.property_called(name).filter(|property| (context.may_see)(object, property))?;
    let former = property.former().filter(|_| context.formerly.is_some_and(|formerly| formerly.has(object, property)));
    let (property, since) =
        former.map_or_else(|| (property, property.since()), |former| (former.property, former.since));
    let (kind, field) = (property.kind.as_ref(), field_of_property(object, property, since));
    Some(Known { field, kind, operators: kind.operators(), is_substring: property.substring, role: Role::Value })
}

/// The field of that name that every record has. What a record is called is hidden with whatever it is made of.
fn system(name: &str, object: &ObjectDefinition, context: &ResolveContext<'_>) -> Option<&'static SystemField> {
    let field = SYSTEM_FIELDS.iter().find(|field| field.name.as_str() == name)?;
    let mut parts = object.display.names().filter_map(|part| object.properties.get(part));
    (name != "display_name" || parts.all(|part| (context.may_see)(object, part))).then_some(field)
}

/// Whether `name` stands for something in `object` that the caller may see.
pub(super) fn is_known(name: &str, object: &ObjectDefinition, context: &ResolveContext<'_>) -> bool {
    system(name, object, context).is_some()
        || object.property_called(name).is_some_and(|property| (context.may_see)(object, property))
}

/// The message for a name that stands in none of these objects for anything that the caller may see.
pub(crate) fn unknown(name: &str, objects: &[&ObjectDefinition], context: &ResolveContext<'_>) -> String {
    let seen = objects.iter().flat_map(|object| {
        let properties = object.properties.values().filter(|found| !found.archived);
        properties.filter(|found| (context.may_see)(object, found)).map(|found| found.name.as_str())
    });
    let names = SYSTEM_FIELDS.iter().map(|field| field.name.as_str());
    let system = names.filter(|name| objects.iter().any(|object| system(name, object, context).is_some()));
    let hint = did_you_mean(name, seen.chain(system));
    format!("`{}` is no property of {}{hint}", excerpt(name), listed(objects))
}

/// Whether the values have an order or can at least be told apart.
pub(crate) fn is_compared(storage: Storage) -> bool {
    !matches!(storage, Storage::LongText | Storage::Opaque)
}
