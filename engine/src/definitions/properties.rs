//! Properties of objects, the tenant's own and those of packs.

use engine_model::migration::Migration;
use engine_model::object::{Constraint, ObjectDefinition};
use engine_model::property::Property;
use engine_model::time::Timestamp;
use engine_model::uses::Use;
use engine_model::{Name, Problem, Problems};
use serde_json::{Map, Value, json};

use super::body::take_name;
use super::catalog::Catalog;
use super::edit::{Edit, Target};
use super::find::{find_object, find_property, taken};
use super::objects::{row, source};
use super::place::Place;
use super::redefine::Defined;
use super::revision::{PropertyBefore, Revision};
use super::show::Showing;
use super::source::{Source, section};
use crate::error::{Error, ErrorCode, Result};
use crate::records::{Reply, Written};
use crate::session::Session;

impl Session {
    /// Adds a property to an object.
    pub async fn property_add(
        &mut self,
        object: &str,
        body: Map<String, Value>,
        reply: Option<Reply<Defined>>,
    ) -> Result<Written<Defined>> {
        self.redefine(|catalog, now| add(catalog, object, &body, now), reply).await
    }

    /// Changes a property by a merge patch.
    pub async fn property_change(
        &mut self,
        object: &str,
        property: &str,
        patch: Map<String, Value>,
    ) -> Result<Written<Defined>> {
        self.redefine(|catalog, now| change(catalog, object, property, "change", &patch, now), None).await
    }

    /// Which definitions name a property, archived or not, and what users have saved that the caller may see.
    pub async fn property_uses(&mut self, object: &str, property: &str) -> Result<Vec<Use>> {
        self.refresh().await?;
        let found = find_object(&self.catalog, object)?;
        let property = find_property(found, property)?.name.clone();
        let mut uses = self.catalog.effective.registry.uses(object, &property);
        uses.extend(self.saved_uses().await?.of(object, &property));
        Ok(uses)
    }

    /// Archives a property; stored values stay and are not shown any more.
    pub async fn property_archive(&mut self, object: &str, property: &str) -> Result<Written<Defined>> {
        let patch = Map::from_iter([("archived".to_owned(), json!(true))]);
        self.redefine(|catalog, now| change(catalog, object, property, "archive", &patch, now), None).await
    }

    /// Brings an archived property back with its values.
    pub async fn property_restore(
        &mut self,
        object: &str,
        property: &str,
        reply: Option<Reply<Defined>>,
    ) -> Result<Written<Defined>> {
        let patch = Map::from_iter([("archived".to_owned(), Value::Null)]);
        self.redefine(|catalog, now| change(catalog, object, property, "restore", &patch, now), reply).await
    }
}

fn add(catalog: &Catalog, object: &str, body: &Map<String, Value>, now: Timestamp) -> Result<Edit> {
    let object = find_object(catalog, object)?;
    let mut revision = Revision { showing: Showing::of(catalog), now, problems: Problems::new() };
    let place = Place::of(body);
    let mut body = body.clone();
    let migration = body.shift_remove("migration");
    let name = take_name(&mut body, &mut revision.problems)?;
    if let Some(present) = object.properties.get(&name) {
        let what = format!("a property `{name}` of `{}`", object.name);
        return Err(taken(&what, &present.layer, present.archived));
    }
    let mut spec = revision.property(&name, PropertyBefore::default(), &body, "").unwrap_or_default();
    if let Some(migration) = migration {
        migrate(catalog, (object, &name), &migration, &mut spec, &mut revision.problems)?;
    }
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
    let object = find_object(catalog, object)?;
    let property = find_property(object, property)?;
    let mut patch = patch.clone();
    let migration = patch.shift_remove("migration");
    let mut revision = Revision { showing: Showing::of(catalog), now, problems: Problems::new() };
    let source = source(catalog, object)?;
    let entry = |spec| section(spec, "properties").and_then(|properties| section(properties, &property.name));
    let before = PropertyBefore {
        base: source.base.as_ref().and_then(entry),
        written: entry(&source.effective),
        property: Some(property),
    };
    let mut spec = revision.property(&property.name, before, &patch, "");
    if let (Some(migration), Some(spec)) = (migration, &mut spec) {
        migrate(catalog, (object, &property.name), &migration, spec, &mut revision.problems)?;
    }
    let target = Target::Property { object: object.name.clone(), property: property.name.clone() };
    let summary = format!("{verb} property {}.{}", object.name, property.name);
    let place = Place::of(&patch);
    match spec {
        Some(spec) => Ok(edit(object, source, target, spec, summary, place, revision.problems)),
        // The engine's own properties are written nowhere.
        None => Ok(Edit { target, rows: Vec::new(), summary, place, problems: revision.problems }),
    }
}

/// Lets stored values follow the changed definition.
fn migrate(
    catalog: &Catalog,
    (object, property): (&ObjectDefinition, &Name),
    migration: &Value,
    spec: &mut Map<String, Value>,
    problems: &mut Problems,
) -> Result<()> {
    check_migratable(object, property, "/migration", problems)?;
    let (before, version) = (object.properties.get(property), catalog.version + 1);
    problems.extend(check_undo(migration, before));
    if let Some(kept) = Migration::specify(migration, before, version, "/migration", problems) {
        spec.insert("migrated".to_owned(), kept);
    }
    Ok(())
}

/// Refuses to take a migration back that there has not been: nothing would become of it.
fn check_undo(migration: &Value, before: Option<&Property>) -> Option<Problem> {
    let undone = migration.get("undo")?.as_i64()?;
    let migrations: Vec<i64> = before.into_iter().flat_map(Property::migrations).collect();
    let message = match migrations.first() {
        Some(_) if migrations.contains(&undone) => return None,
        Some(last) => {
            format!("no migration of this property came with version {undone}; the last one came with {last}")
        }
        None => format!("no migration of this property came with version {undone}; it has had none"),
    };
    Some(Problem::new("/migration/undo", "unknown", message))
}

/// Refuses to migrate what others have claimed by its values, or what is being migrated already.
pub(crate) fn check_migratable(
    object: &ObjectDefinition,
    property: &Name,
    pointer: &str,
    problems: &mut Problems,
) -> Result<()> {
    if object.migrating().next().is_some() {
        let detail = format!("an earlier migration of `{}` is under way; wait until its job is done", object.name);
        return Err(Error::new(ErrorCode::Conflict, detail));
    }
    let is_claimed = object.unique_sets().any(|set| set.iter().any(|part| part.name == *property))
        || object.constraints.iter().any(|constraint| match constraint {
            Constraint::NoOverlap { within, from, to } => [within, from, to].contains(&property),
            Constraint::Unique { .. } | Constraint::Rule(_) | Constraint::Reserved(_) => false,
        });
    if is_claimed {
        let message = format!(
            "values of `{property}` are claimed by a `unique` or `no_overlap` constraint, which a migration would pass by; \
             take the constraint away first, and put it back afterwards"
        );
        problems.push(Problem::new(pointer, "not_applicable", message));
    }
    Ok(())
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
