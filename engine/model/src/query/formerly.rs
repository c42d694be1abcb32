//! Properties that are asked for as they were before their last migration, since the index has no other values of them
//! yet.

use std::collections::BTreeSet;

use crate::object::ObjectDefinition;
use crate::property::Property;

/// A set of properties, by object and name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Formerly(BTreeSet<(String, String)>);

impl Formerly {
    /// Whether there are none, which is mostly so.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn has(&self, object: &ObjectDefinition, property: &Property) -> bool {
        let is_it = |(of, name): &(String, String)| *of == *object.name && *name == *property.name;
        self.0.iter().any(is_it)
    }
}

impl FromIterator<(String, String)> for Formerly {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(pairs: T) -> Self {
        Self(pairs.into_iter().collect())
    }
}
