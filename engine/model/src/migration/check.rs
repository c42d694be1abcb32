//! What of a migration can never work, whatever is stored.

use indexmap::IndexMap;

use super::how::{mapped_to, normal};
use super::{How, Migration};
use crate::expression::{Types, check_result};
use crate::name::Name;
use crate::object::ObjectDefinition;
use crate::problem::{Problem, Problems, push_segment};
use crate::property::Property;

impl Migration {
    /// What is wrong with the migration of `property`, at the keys below `at`: names and types of its expression, and a
    /// default or values of a map that the property does not take.
    pub fn check(&self, object: &ObjectDefinition, property: &Property, at: &str) -> Problems {
        match &self.how {
            How::Default(default) => {
                let wrong = normal(property.kind.as_ref(), default).err();
                wrong.map(|reason| Problem::new(push_segment(at, "default"), "invalid", reason)).into_iter().collect()
            }
            How::Convert(expression) => {
                let before = self.property_before(property);
                let Ok(value) = Name::new("value") else { return Problems::new() };
                let value = IndexMap::from_iter([(value, before.clone())]);
                let mut properties = object.properties.clone();
                properties.insert(property.name.clone(), before);
                let types = Types::of(&value).and_record("record", vec![&properties]);
                let kind = property.kind.as_ref();
                let found = check_result(expression, &types, "the expression", kind.storage(), kind.form());
                let at = push_segment(at, "convert");
                found.into_iter().map(|problem| problem.at(&at)).collect()
            }
            How::Map(map) => {
                let (at, kind) = (push_segment(at, "map"), property.kind.as_ref());
                let targets = map.iter().filter_map(|(key, target)| Some((key, target.as_ref()?)));
                let wrong = targets.filter_map(|(key, target)| Some((key, mapped_to(kind, target).err()?)));
                wrong.map(|(key, reason)| Problem::new(push_segment(&at, key), "invalid", reason)).collect()
            }
            How::Undo(_) | How::Keep => Problems::new(),
        }
    }

    /// The property with the type that its values had before.
    fn property_before(&self, property: &Property) -> Property {
        let kind = self.before.as_deref().unwrap_or(property).kind.clone();
        Property { kind, ..property.clone() }
    }
}
