//! Properties of objects, the tenant's own and those of packs.

use engine_model::Problems;
use engine_model::object::ObjectDefinition;
use engine_model::time::Timestamp;
use engine_model::uses::Use;
use serde_json::{Map, Value, json};

use super::body::{check_supported, take_name};
use super::catalog::Catalog;
use super::edit::{Edit, Target};
use super::find::{find_object, find_property, taken};
use super::objects::{row, source};
use super::place::Place;
use super::revision::{PropertyBefore, Revision};
use super::show::Showing;
use super::source::{Source, section};
use crate::error::Result;
use crate::records::{Reply, Written};
use crate::session::Session;

impl Session {
    /// Adds a property to an object.
    pub async fn property_add(
        &mut self,
        object: &str,
        body: Map<String, Value>,
        reply: Option<Reply<Value>>,
    ) -> Result<Written<Value>> {
        self.redefine(|catalog, now| add(catalog, object, &body, now), reply).await
    }

    /// Changes a property by a merge patch.
    pub async fn property_change(
        &mut self,
        object: &str,
        property: &str,
        patch: Map<String, Value>,
    ) -> Result<Written<Value>> {
        self.redefine(|catalog, now| change(catalog, object, property, "change", &patch, now), None).await
    }

    /// Which definitions name a property, archived or not.
    pub async fn property_uses(&mut self, object: &str, property: &str) -> Result<Vec<Use>> {
        self.refresh().await?;
        let found = find_object(&self.catalog, object)?;
        let found = find_property(found, property)?;
        Ok(self.catalog.effective.registry.uses(object, &found.name))
    }

    /// Archives a property; stored values stay and are not shown any more.
    pub async fn property_archive(&mut self, object: &str, property: &str) -> Result<Written<Value>> {
        let patch = Map::from_iter([("archived".to_owned(), json!(true))]);
        self.redefine(|catalog, now| change(catalog, object, property, "archive", &patch, now), None).await
    }

    /// Brings an archived property back with its values.
    pub async fn property_restore(
        &mut self,
        object: &str,
        property: &str,
        reply: Option<Reply<Value>>,
    ) -> Result<Written<Value>> {
        let patch = Map::from_iter([("archived".to_owned(), Value::Null)]);
        self.redefine(|catalog, now| change(catalog, object, property, "restore", &patch, now), reply).await
    }
}

fn add(catalog: &Catalog, object: &str, body: &Map<String, Value>, now: Timestamp) -> Result<Edit> {
    check_supported(body)?;
    let object = find_object(catalog, object)?;
    let mut revision = Revision { showing: Showing::of(catalog), now, problems: Problems::new() };
    let place = Place::of(body);
    let mut body = body.clone();
    let name = take_name(&mut body, &mut revision.problems)?;
    if let Some(present) = object.properties.get(&name) {
        let what = format!("a property `{name}` of `{}`", object.name);
        return Err(taken(&what, &present.layer, present.archived));
    }
    let spec = revision.property(&name, PropertyBefore::default(), &body, "").unwrap_or_default();
    let source = source(catalog, object)?;
    let target = Target::Property { object: object.name.clone(), property: name.clone() };
    Ok(edit(object, source, target, spec, format!("add property {}.{name}", object.name), place, revision.problems))
}

fn change(
    catalog: &Catalog,
    object: &str,
    property: &str,
    verb: &str,
    patch: &Map<String, Value>,
    now: Timestamp,
) -> Result<Edit> {
    check_supported(patch)?;
    let object = find_object(catalog, object)?;
    let property = find_property(object, property)?;
    let mut revision = Revision { showing: Showing::of(catalog), now, problems: Problems::new() };
    let source = source(catalog, object)?;
    let entry = |spec| section(spec, "properties").and_then(|properties| section(properties, &property.name));
    let before = PropertyBefore {
        base: source.base.as_ref().and_then(entry),
        written: entry(&source.effective),
        property: Some(property),
    };
    let spec = revision.property(&property.name, before, patch, "");
    let target = Target::Property { object: object.name.clone(), property: property.name.clone() };
    let summary = format!("{verb} property {}.{}", object.name, property.name);
    let place = Place::of(patch);
    match spec {
        Some(spec) => Ok(edit(object, source, target, spec, summary, place, revision.problems)),
        // The engine's own properties are written nowhere.
        None => Ok(Edit { target, rows: Vec::new(), summary, place, problems: revision.problems }),
    }
}

fn edit(
    object: &ObjectDefinition,
    source: Source,
    target: Target,
    spec: Map<String, Value>,
    summary: String,
    place: Place,
    mut problems: Problems,
) -> Edit {
    let mut wanted = source.effective.clone();
    if let Target::Property { property, .. } = &target {
        let properties = wanted.entry("properties").or_insert_with(|| json!({}));
        if let Value::Object(properties) = properties {
            properties.insert(property.to_string(), Value::Object(spec));
        }
    }
    let rows = vec![row(object, &source, wanted, &mut problems)];
    Edit { target, rows, summary, place, problems }
}
