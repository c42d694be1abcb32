//! Properties that a version of a pack calls otherwise than the one before: `was: old_name`, or, where it is an earlier
//! version, what they were called then.

use engine_model::Name;
use engine_model::layer::Layer;
use engine_model::migration::Migration;
use engine_model::property::Property;
use serde_json::{Map, Value};

use super::migrate::write;
use crate::definitions::catalog::Catalog;
use crate::error::{Error, ErrorCode, Result};

/// Each as its object, its name in force and its next name.
#[derive(Debug, Default)]
pub(super) struct Renames(Vec<(Name, Name, Name)>);

impl Renames {
    /// What the next version of a pack renames of what is in force. That is the pack's own, and said by nobody any more: what
    /// stays keeps its values.
    pub(super) fn of(catalog: &Catalog, next: &Layer) -> Self {
        let mut renames = Vec::new();
        for (object, spec) in next.objects.iter().chain(&next.extend) {
            let Some(definition) = catalog.effective.registry.objects.get(object) else { continue };
            let goes = |property: &&Property| {
                !property.archived
                    && property.layer == next.name
                    && !properties(spec).any(|(said, _)| said == property.name.as_str())
                    && !is_declared_beside(catalog, next, object, &property.name)
            };
            for (name, property) in properties(spec) {
                let was_so = |found: &&Property| found.former_names().any(|was| was.as_str() == name);
                let old = former(property)
                    .find_map(|was| definition.properties.get(was).filter(goes))
                    .or_else(|| definition.properties.values().find(|found| was_so(found) && goes(found)));
                let is_new = definition.property(name).is_none();
                if let (true, Some(old), Ok(name)) = (is_new, old, Name::new(name)) {
                    renames.push((object.clone(), old.name.clone(), name));
                }
            }
        }
        Self(renames)
    }

    /// What was renamed is not left behind.
    pub(super) fn take_out_of(&self, remnant: &mut Layer) {
        for (object, old, _) in &self.0 {
            for section in [&mut remnant.objects, &mut remnant.extend] {
                let Some(spec) = section.get_mut(object) else { continue };
                if let Some(properties) = spec.get_mut("properties").and_then(Value::as_object_mut) {
                    properties.shift_remove(old.as_str());
                }
                // An extension that was there for this alone.
                let says_nothing = spec.values().all(|value| value.as_object().is_some_and(Map::is_empty));
                if says_nothing {
                    section.shift_remove(object);
                }
            }
        }
    }

    /// What the tenant says of a property, it says of it under its next name.
    pub(super) fn apply_to(&self, own: &mut Layer) {
        for (object, old, new) in &self.0 {
            for section in [&mut own.objects, &mut own.extend] {
                let properties = section.get_mut(object).and_then(|spec| spec.get_mut("properties")?.as_object_mut());
                if let Some(properties) = properties
                    && let Some(said) = properties.shift_remove(old.as_str())
                {
                    properties.insert(new.to_string(), said);
                }
            }
        }
    }

    /// Lets stored values follow.
    pub(super) fn write(&self, catalog: &Catalog, own: &mut Layer) -> Result<()> {
        for (object, old, new) in &self.0 {
            let Some(definition) = catalog.effective.registry.objects.get(object) else { continue };
            if definition.migrating().next().is_some() {
                let detail = format!("an earlier migration of `{object}` is under way; wait until its job is done");
                return Err(Error::new(ErrorCode::Conflict, detail));
            }
            let Some(old) = definition.properties.get(old) else { continue };
            let version = catalog.version + 1;
            let returned = old.migrated.as_ref().filter(|migrated| migrated.renamed_from() == Some(new));
            let kept = match (written(own, object, new, version), returned) {
                (None, Some(migrated)) => migrated.of_return(old, version),
                (kept, _) => Migration::of_rename(old, version, kept),
            };
            write(own, object, new, kept);
        }
        Ok(())
    }
}

/// What becomes of stored values by what the pack says beside.
fn written(own: &Layer, object: &Name, property: &Name, version: i64) -> Option<Value> {
    let spec = own.objects.get(object).or_else(|| own.extend.get(object))?;
    let migrated = spec.get("properties")?.get(property.as_str())?.get("migrated")?;
    (migrated.get("version")?.as_i64()? == version).then(|| migrated.clone())
}

/// Whether another pack defines a property, too.
fn is_declared_beside(catalog: &Catalog, next: &Layer, object: &Name, property: &Name) -> bool {
    let beside = catalog.effective.pack_layers().filter(|layer| layer.name != next.name);
    let specs = beside.flat_map(|layer| layer.objects.get(object).into_iter().chain(layer.extend.get(object)));
    let is_defined = |spec: &Value| spec.get("type").is_some() && spec.get("archived") != Some(&Value::Bool(true));
    specs.flat_map(properties).any(|(name, spec)| name == property.as_str() && is_defined(spec))
}

/// What a specification says that its property was, the newest name first.
fn former(spec: &Value) -> impl Iterator<Item = &str> {
    let names = match spec.get("was") {
        Some(Value::Array(names)) => names.as_slice(),
        Some(name) => std::slice::from_ref(name),
        None => &[],
    };
    names.iter().filter_map(Value::as_str)
}

fn properties(spec: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    spec.get("properties").and_then(Value::as_object).into_iter().flatten()
}
