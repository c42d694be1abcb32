//! Names that an expression may read, and their values.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::former::called;
use crate::name::Name;
use crate::property::{Property, PropertyKind};
use crate::time::Timestamp;
use crate::{Properties, UserId};

use super::fault::Fault;
use super::value::{Key, Value};

/// What a record has beside its properties where it is read as a whole, unless a property is called so.
pub(super) const RECORD_FIELDS: [&str; 3] = ["created_at", "updated_at", "owner_id"];

/// The definitions of an object's properties, by name.
type Definitions = IndexMap<Name, Property>;

/// What the names in an expression stand for.
///
/// Cheap to build: a record's values are read only where an expression names them.
#[derive(Debug, Clone, Default)]
pub struct Scope<'a> {
    record: Option<Record<'a>>,
    bindings: Vec<(&'a str, Binding<'a>)>,
}

#[derive(Debug, Clone)]
enum Binding<'a> {
    Value(Value),
    Property(&'a dyn PropertyKind, &'a Json),
    Record(Record<'a>),
}

#[derive(Debug, Clone, Copy)]
struct Record<'a> {
    definitions: &'a Definitions,
    properties: &'a Properties,
    /// The property whose values are of another type than it is defined with.
    otherwise: Option<(&'a str, &'a dyn PropertyKind)>,
}

impl<'a> Scope<'a> {
    /// A scope without names.
    pub fn new() -> Self {
        Self::default()
    }

    /// A scope where each property defined is a name: typed as the property is, null where the record lacks it.
    ///
    /// `properties` are in normal form.
    pub fn for_record(definitions: &'a Definitions, properties: &'a Properties) -> Self {
        Self { record: Some(Record { definitions, properties, otherwise: None }), bindings: Vec::new() }
    }

    /// Adds a name, before any of the same name so far.
    #[must_use]
    pub fn bind(self, name: &'a str, value: impl Into<Value>) -> Self {
        self.with(name, Binding::Value(value.into()))
    }

    /// Adds a name for a value in normal form of a property's type.
    #[must_use]
    pub fn bind_property(self, name: &'a str, kind: &'a dyn PropertyKind, value: &'a Json) -> Self {
        self.with(name, Binding::Property(kind, value))
    }

    /// Adds a name for a whole record, read as `name.property`.
    #[must_use]
    pub fn bind_record(self, name: &'a str, definitions: &'a Definitions, properties: &'a Properties) -> Self {
        self.with(name, Binding::Record(Record { definitions, properties, otherwise: None }))
    }

    /// The same where the values of one property are of another type than it is defined with.
    #[must_use]
    pub(crate) fn bind_record_with(
        self,
        name: &'a str,
        definitions: &'a Definitions,
        properties: &'a Properties,
        otherwise: (&'a str, &'a dyn PropertyKind),
    ) -> Self {
        self.with(name, Binding::Record(Record { definitions, properties, otherwise: Some(otherwise) }))
    }

    fn with(mut self, name: &'a str, binding: Binding<'a>) -> Self {
        self.bindings.push((name, binding));
        self
    }

    /// The value of a name; none where there is no such name.
    pub(super) fn lookup(&self, name: &str) -> Option<Result<Value, Fault>> {
        match self.bindings.iter().rev().find(|(bound, _)| *bound == name) {
            Some((_, Binding::Value(value))) => Some(Ok(value.clone())),
            Some((_, Binding::Property(kind, value))) => Some(Value::of_property(kind.storage(), value)),
            Some((_, Binding::Record(record))) => Some(record.to_value()),
            None => self.record.and_then(|record| record.lookup(name)),
        }
    }
}

impl Value {
    /// A whole record, to be bound in many scopes: its properties as [`Scope::bind_record`] has them, and when it was
    /// made, when it was changed last and who owns it. A value that does not read is none.
    pub fn of_record(
        definitions: &Definitions,
        properties: &Properties,
        (created_at, updated_at, owner): (Timestamp, Timestamp, Option<UserId>),
    ) -> Self {
        let fields: [Self; 3] = [created_at.into(), updated_at.into(), owner.map(|owner| owner.to_string()).into()];
        let mut entries: BTreeMap<Key, Self> = RECORD_FIELDS.into_iter().map(Key::from).zip(fields).collect();
        let record = Record { definitions, properties, otherwise: None };
        for name in record.names() {
            let value = record.lookup(name).and_then(Result::ok).unwrap_or(Self::Null);
            entries.insert(Key::from(name.as_str()), value);
        }
        Self::Map(Arc::new(entries))
    }
}

impl<'a> Record<'a> {
    /// Names that its properties have and had.
    fn names(self) -> impl Iterator<Item = &'a Name> {
        let former = self.definitions.values().flat_map(Property::former_names);
        former.filter(|name| !self.definitions.contains_key(*name)).chain(self.definitions.keys())
    }

    fn lookup(&self, name: &str) -> Option<Result<Value, Fault>> {
        let property = called(self.definitions, name)?;
        let value = self.properties.get(property.name.as_str());
        let otherwise = self.otherwise.filter(|(other, _)| *other == property.name.as_str()).map(|(_, kind)| kind);
        let storage = otherwise.unwrap_or(property.kind.as_ref()).storage();
        Some(value.map_or(Ok(Value::Null), |value| Value::of_property(storage, value)))
    }

    fn to_value(self) -> Result<Value, Fault> {
        let typed = |name: &Name| Some((Key::from(name.as_str()), self.lookup(name)?));
        let entries = self.names().filter_map(typed);
        let entries: Result<BTreeMap<_, _>, _> = entries.map(|(key, value)| Ok((key, value?))).collect();
        entries.map(|entries| Value::Map(Arc::new(entries)))
    }
}
