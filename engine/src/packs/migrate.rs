//! Migrations that go along with a pack: those that it declares for properties that it changes, and those that whoever
//! applies the plan gives.

use std::collections::BTreeMap;

use engine_model::layer::Layer;
use engine_model::migration::Migration;
use engine_model::name::did_you_mean;
use engine_model::problem::push_segment;
use engine_model::{Name, Problem, Problems};
use serde_json::{Map, Value, json};

use crate::definitions::catalog::Catalog;
use crate::definitions::properties::check_migratable;
use crate::error::{Error, Result};

/// Migrations by `object.property`.
pub(crate) type Migrations = BTreeMap<String, Value>;

/// Writes the migrations of a pack that moves from `present` to `next` into the tenant's own layer, which is where it
/// stands how stored values are to be read.
pub(super) fn migrate(
    catalog: &Catalog,
    present: &Layer,
    next: Option<&Layer>,
    given: &Migrations,
    own: &mut Layer,
) -> Result<()> {
    let mut wanted = next.map(|next| declared(catalog, present, next)).unwrap_or_default();
    wanted.extend(given.clone());
    let mut problems = Problems::new();
    for (name, migration) in &wanted {
        let at = push_segment("/migrations", name);
        let Some((object, property)) = find(name, next, own, catalog) else {
            let known = next.map(properties_of).unwrap_or_default();
            let hint = did_you_mean(name, known.iter().map(String::as_str));
            let message = format!("there is no property `{name}`; a migration is named as `object.property`{hint}");
            problems.push(Problem::new(at, "unknown", message));
            continue;
        };
        // Where the object is new there is nothing stored.
        let Some(definition) = catalog.effective.registry.objects.get(&object) else { continue };
        check_migratable(definition, &property, &at, &mut problems)?;
        let before = definition.properties.get(&property);
        if let Some(kept) = Migration::specify(migration, before, catalog.version + 1, &at, &mut problems) {
            write(own, &object, &property, kept);
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Error::invalid(problems)) }
}

/// What a version of a pack declares for properties that it has otherwise than the one before, on objects that are there.
fn declared(catalog: &Catalog, present: &Layer, next: &Layer) -> Migrations {
    let mut declared = Migrations::new();
    for (section, earlier) in [(&next.objects, &present.objects), (&next.extend, &present.extend)] {
        for (object, spec) in section {
            if !catalog.effective.registry.objects.contains_key(object) {
                continue;
            }
            let before = earlier.get(object).and_then(properties);
            for (name, property) in properties(spec).into_iter().flatten() {
                let is_other = before.and_then(|before| before.get(name)) != Some(property);
                if let (true, Some(migration)) = (is_other, property.get("migration").filter(|found| !found.is_null()))
                {
                    declared.insert(format!("{object}.{name}"), migration.clone());
                }
            }
        }
    }
    declared
}

fn properties(spec: &Map<String, Value>) -> Option<&Map<String, Value>> {
    spec.get("properties")?.as_object()
}

/// Every property that a layer speaks of, by `object.property`.
fn properties_of(layer: &Layer) -> Vec<String> {
    let objects = layer.objects.iter().chain(&layer.extend);
    let names = objects.flat_map(|(object, spec)| {
        properties(spec).into_iter().flat_map(Map::keys).map(move |name| format!("{object}.{name}"))
    });
    names.collect()
}

/// The object and the property that a migration is about, where there will be such.
fn find(name: &str, next: Option<&Layer>, own: &Layer, catalog: &Catalog) -> Option<(Name, Name)> {
    let (object, property) = name.split_once('.')?;
    let (object, property) = (Name::new(object).ok()?, Name::new(property).ok()?);
    let is_in = |layer: &Layer| {
        let specs = layer.objects.get(&object).into_iter().chain(layer.extend.get(&object));
        specs.filter_map(properties).any(|properties| properties.contains_key(property.as_str()))
    };
    let is_there = || {
        let found = catalog.effective.registry.objects.get(&object);
        found.is_some_and(|object| object.properties.contains_key(&property))
    };
    (next.is_some_and(is_in) || is_in(own) || is_there()).then_some((object, property))
}

pub(super) fn write(own: &mut Layer, object: &Name, property: &Name, kept: Value) {
    let section = if own.objects.contains_key(object) { &mut own.objects } else { &mut own.extend };
    let spec = section.entry(object.clone()).or_default();
    let properties = spec.entry("properties").or_insert_with(|| json!({}));
    if let Some(properties) = properties.as_object_mut() {
        let spec = properties.entry(property.as_str()).or_insert_with(|| json!({}));
        if let Some(spec) = spec.as_object_mut() {
            spec.insert("migrated".to_owned(), kept);
        }
    }
}
