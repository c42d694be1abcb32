//! Which properties are seen and changed.

use super::reach::Reach;
use super::rights::Rights;
use crate::object::ObjectDefinition;
use crate::property::Property;
use crate::registry::Registry;

/// How deep it is looked into what a property is computed of. Nothing is computed of itself, and nothing that people
/// define is this deep.
const DEPTH: usize = 64;

/// Which properties are seen, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sight {
    /// None.
    Never,
    /// Those that are not sensitive, nor computed of what is not seen.
    OfPlain,
    /// Those that are not computed of what is not seen.
    OfAll,
    /// Just this one, whatever it is computed of.
    Granted,
}

/// What may be done with a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PropertyRights {
    /// Whether it is seen.
    pub read: Sight,
    /// Whether it may be changed, where the record may be.
    pub write: bool,
}

impl PropertyRights {
    pub(super) fn meet(self, other: Self) -> Self {
        Self { read: self.read.min(other.read), write: self.write && other.write }
    }
}

impl Rights {
    /// What is granted on the property at a path, `object.property`.
    pub(super) fn on(&self, path: &str) -> PropertyRights {
        let default = PropertyRights { read: self.sight, write: true };
        self.properties.get(path).copied().unwrap_or(default)
    }

    /// What is granted on a property by the name that it has, or had when the role was made.
    pub(super) fn on_property(&self, object: &str, property: &Property) -> PropertyRights {
        if self.properties.is_empty() {
            return PropertyRights { read: self.sight, write: true };
        }
        let path = |name: &str| format!("{object}.{name}");
        let was = property.former_names().map(|was| path(was)).find(|was| self.properties.contains_key(was));
        self.on(&was.unwrap_or_else(|| path(&property.name)))
    }

    /// Whether the values of a property are seen.
    pub fn reads(&self, registry: &Registry, object: &ObjectDefinition, property: &Property) -> bool {
        self.reads_within(registry, object, property, DEPTH)
    }

    /// Whether a property may be changed, where the record may be.
    pub fn writes(&self, object: &str, property: &Property) -> bool {
        self.on_property(object, property).write
    }

    /// Whether all is seen that records of an object are called by.
    pub fn reads_display(&self, registry: &Registry, object: &ObjectDefinition) -> bool {
        let mut names = object.display.names().filter_map(|name| object.properties.get(name));
        names.all(|property| self.reads(registry, object, property))
    }

    fn reads_within(&self, registry: &Registry, object: &ObjectDefinition, property: &Property, depth: usize) -> bool {
        match self.on_property(&object.name, property).read {
            Sight::Never => false,
            Sight::Granted => true,
            Sight::OfPlain if property.sensitive => false,
            // What is computed of something sensitive is so itself, so only what roles hide has to be looked for.
            Sight::OfPlain | Sight::OfAll if self.properties.is_empty() && self.reads_of_every_object() => true,
            Sight::OfPlain | Sight::OfAll => depth > 0 && self.reads_parts(registry, object, property, depth - 1),
        }
    }

    /// Whether there is no object of which no record may be read.
    fn reads_of_every_object(&self) -> bool {
        self.objects.values().chain([&self.default]).all(|grants| grants.read != Reach::NONE)
    }

    /// Whether all is seen that a property is computed of.
    fn reads_parts(&self, registry: &Registry, object: &ObjectDefinition, property: &Property, depth: usize) -> bool {
        let reads = |object: &ObjectDefinition, name: &str| {
            let part = object.properties.get(name);
            part.is_none_or(|part| self.reads_within(registry, object, part, depth))
        };
        if let Some(formula) = property.kind.formula() {
            return formula.expression.names().all(|name| reads(object, name));
        }
        if property.kind.rollup().is_none() {
            return true;
        }
        let mut rollups = registry.computed.rollups_of(&object.name);
        let Some(rollup) = rollups.find(|rollup| rollup.property == property.name) else { return true };
        let mut others = rollup.others.iter().filter_map(|other| registry.objects.get(other));
        // Where some may be read, the total of all is shown.
        others.all(|other| {
            self.grants(&other.name).read != Reach::NONE && rollup.reads.iter().all(|name| reads(other, name))
        })
    }
}
